// Settings that are broken or hostile: a typed error that says where, and never what.
#include <unistd.h>

#include "unit/config/settings_in.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

class BadSettings : public SettingsIn {};

TEST_F(BadSettings, BrokenFilesTellLineAndColumn) {
  struct Case {
    std::string text;
    std::string_view place;
  };
  for (const Case& one : std::vector<Case>{{"", "line 1, column"},
                                           {"{", "line 1, column"},
                                           {"{\"database\": {\n  \"password\": \"hunter2\" \"host\": 1}}", "line 2"},
                                           {"{\n\n  \"hunter2\": ]\n}", "line 3"},
                                           {"{\"a\": \"hunter2\xff\"}", "line 1"},
                                           {"{\"a\": 'hunter2'}", "line 1"},
                                           {"{\"a\": 1} {\"hunter2\": 2}", "line 1"},
                                           {"{\"a\": 1e999999}", ""},
                                           {"{\"a\": \"\\ud800 hunter2\"}", "line 1"},
                                           {"// hunter2\n{}", "line 1"}}) {
    const std::string message = refused(one.text);
    EXPECT_NE(message.find(one.place), std::string::npos) << message;
    EXPECT_NE(message.find("datajoint.json"), std::string::npos) << message;
    EXPECT_EQ(message.find("hunter2"), std::string::npos) << message;
  }
}

TEST_F(BadSettings, KeysThatComeTwice) {
  refused(R"({"loglevel": "INFO", "loglevel": "DEBUG"})", {"syntax", "'loglevel' comes twice"});
  refused(R"({"database": {"host": "a", "user": "b", "host": "c"}})", {"'database.host' comes twice"});
  refused(R"({"stores": {"a": {"protocol": "file", "location": "/a", "location": "/b"}}})",
          {"'stores.a.location' comes twice"});
  refused(R"({"database": {}, "database": {}})", {"'database' comes twice"});
  refused(R"({"database.host": "a", "database": {"host": "b"}})", {"database.host", "twice"});
}

TEST_F(BadSettings, DeepNestingIsRefusedAndNotFollowed) {
  for (const std::string& open : {std::string("["), std::string("{\"a\":"), std::string("{\"stores\":{\"a\":[")}) {
    std::string deep;
    deep.reserve(open.size() * 1'000'000 + 32);
    deep = "{\"provenance\": {\"source\": ";
    for (int i = 0; i < 1'000'000; ++i) deep += open;
    EXPECT_NE(refused(deep).find("nested deeper"), std::string::npos);
  }
}

TEST_F(BadSettings, TextsThatAreNone) {
  refused(R"({"database": {"name": "a\u0000b"}})", {"database.name", "without NUL"});
  refused(R"({"stores": {"a": {"protocol": "file", "location": "/a\u0000b"}}})", {"stores.a.location", "without NUL"});
  refused(R"({"stores": {"a": {"protocol": "fi\u0000le"}}})", {"stores.a.protocol", "without NUL"});
  refused(R"({"a\u0000b": 1})", {"a\\x00b", "no such setting"});
  fs::remove(root_ / "datajoint.json");
  environment_ = {{"DJ_HOST", "h\xff"}};
  EXPECT_NE(refusal().find("environment DJ_HOST: it must be a text in UTF-8"), std::string::npos);
  environment_ = {{"DJ_STORES", "{\"a\": {\"protocol\": \"memory\", \"x\": \"hunter2\xff\"}}"}};
  EXPECT_EQ(refusal().find("hunter2"), std::string::npos);
  environment_ = {{"DJ_PROVENANCE_SOURCE", "{\"hunter2\": "}};
  EXPECT_EQ(refusal().find("hunter2"), std::string::npos);
  environment_ = {{"DJ_HOST", "h"}};
  write("system-secrets/database.password", std::string_view("hun\0ter2", 8));
  EXPECT_NE(refusal().find("system-secrets/database.password"), std::string::npos);
  write("system-secrets/database.password", "hunter2\xff");
  EXPECT_EQ(refusal().find("hunter2"), std::string::npos);
}

TEST_F(BadSettings, LongNamesAreCutInMessages) {
  const std::string name(100'000, 'n');
  EXPECT_LT(refused("{\"" + name + "\": 1}").size(), 1000u);
  EXPECT_LT(refused("{\"" + name + "\": {\"" + name + "\": 1}}").size(), 1000u);
  EXPECT_LT(refused("{\"stores\": {\"" + name + "\": {\"protocol\": \"memory\"}}}").size(), 1000u);
  EXPECT_LT(
      refused("{\"stores\": {\"a\": {\"protocol\": \"file\", \"location\": \"/a\", \"" + name + "\": 1}}}").size(),
      1500u);
  EXPECT_LT(refused("{\"stores\": {\"default\": \"" + name + "\", \"a\": {\"protocol\": \"memory\"}}}").size(), 1000u);
  EXPECT_LT(refused("{\"" + name + "\": 1, \"" + name + "\": 2}").size(), 1000u);
}

TEST_F(BadSettings, NumbersOutOfRange) {
  refused(R"({"database": {"port": 1e300}})", {"database.port", "whole number"});
  refused(R"({"database": {"port": -9223372036854775809}})", {"database.port", "whole number"});
  refused(R"({"database": {"port": NaN}})", {"datajoint.json"});
  refused(R"({"jobs": {"stale_timeout": 1e19}})", {"jobs.stale_timeout", "whole number"});
}

// Root reads everything: for a while this process is somebody else.
class Nobody {
 public:
  Nobody() {
    if (user_ == 0) {
      EXPECT_EQ(::seteuid(65534), 0);
    }
  }
  ~Nobody() { EXPECT_EQ(::seteuid(user_), 0); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

 private:
  uid_t user_ = ::geteuid();
};

TEST_F(BadSettings, FilesThatCannotBeRead) {
  write("datajoint.json", "{}");
  write(".secrets/database.password", "hunter2");
  const auto forbidden = [&](const fs::path& path) {
    const fs::perms before = fs::status(path).permissions();
    fs::permissions(path, fs::perms::none);
    std::string message;
    {
      const Nobody nobody;
      message = refusal();
    }
    fs::permissions(path, before);
    EXPECT_TRUE(message.starts_with("access: ")) << message;
    EXPECT_NE(message.find("permission"), std::string::npos) << message;
  };
  fs::permissions(root_, fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  forbidden(root_ / "datajoint.json");
  forbidden(root_ / ".secrets/database.password");
  forbidden(root_ / ".secrets");
}

TEST_F(BadSettings, FilesThatAreTooLarge) {
  write("datajoint.json", std::string((16 << 20) + 1, ' '));
  EXPECT_NE(refusal().find("larger than 16 MiB"), std::string::npos);
  write("datajoint.json", "{}");
  write(".secrets/database.password", std::string((1 << 20) + 1, 'x'));
  EXPECT_NE(refusal().find("larger than 1 MiB"), std::string::npos);
}

TEST_F(BadSettings, LinksThatLeadNowhere) {
  fs::create_symlink("datajoint.json", root_ / "datajoint.json");  // to itself
  EXPECT_TRUE(load().file().empty());
  fs::create_directories(root_ / ".secrets");
  fs::remove(root_ / "datajoint.json");
  write("datajoint.json", R"({"database": {"host": "h"}})");
  fs::create_symlink("nowhere", root_ / ".secrets/database.password");
  EXPECT_EQ(load().database().password, "");
}

TEST_F(BadSettings, FoldersWhoseNamesAreNoText) {
  const fs::path folder = root_ / "b\xff";
  fs::create_directories(folder / ".git");
  std::ofstream(folder / "datajoint.json") << "{\"database\": {\"name\": \"x.db\"}}";
  const Settings settings = load("b\xff");
  EXPECT_EQ(settings.database().name, (folder / "x.db").string());
  EXPECT_NE(origin(settings, "database.name")->source.find("b\\xff/datajoint.json"), std::string::npos);
  std::ofstream(folder / "datajoint.json") << "[";
  try {
    load("b\xff");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_NE(std::string_view(e.what()).find("b\\xff/datajoint.json"), std::string_view::npos) << e.what();
  }
}

}  // namespace
}  // namespace oas
