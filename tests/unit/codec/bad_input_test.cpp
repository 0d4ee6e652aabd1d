// What users, other programs and damaged rows can put before the codecs: a typed error that says where, and nothing
// written, read or followed outside of the store.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "codec/codec.hpp"
#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "store/path.hpp"
#include "store/registry.hpp"
#include "support/memory_sink.hpp"
#include "support/temp_folder.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

std::vector<std::string> no_keys() {
  return {""s,
          "/"s,
          "/etc/passwd"s,
          ".."s,
          "../x"s,
          "a/../../x"s,
          "a/.."s,
          "a/\0b"s,
          "\0"s,
          "\xff"s,
          "a/\xc3"s,
          "//"s,
          "\xed\xa0\x80"s,
          std::string(100'000, 'x'),
          std::string(2000, '/'),
          "a/" + std::string(300, '.') + "/../..",
          std::string(1025, 'a')};
}

class BadInput : public ::testing::Test {
 protected:
  BadInput() {
    fs::create_directories(root_ / "in");
    std::ofstream(root_ / "in/x.bin") << "inside";
    std::ofstream(folder_.path() / "outside") << "outside";
    config_.name = "main";
    config_.protocol = "file";
    config_.options = {{"location", root_.string()}, {"sync", "false"}};
    store_ = store::open_store(config_);
  }
  Value encode(const std::string& type, const Value& value) {
    test::MemorySink sink(store_, config_);
    const Row key{{"id", 1}};
    const Site site{"lab", "scan", "film", "main", &key};
    const Chain chain = resolve(registry_, type);
    validate(chain, value, site);
    return codec::encode(chain, value, site, sink);
  }
  Value decode(const std::string& type, const Value& stored) {
    return codec::decode(resolve(registry_, type), stored, {"lab", "scan", "film", "main", nullptr},
                         test::MemorySource(store_));
  }
  std::vector<std::string> everything() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) all.push_back(entry.path().string());
    std::ranges::sort(all);
    return all;
  }
  /// The message of the error that `call` ends in, which names the attribute and changes nothing.
  template <class Call>
  std::string refused(Call call, std::initializer_list<Errc> codes) {
    const auto before = everything();
    std::string message;
    try {
      call();
      ADD_FAILURE() << "it was taken";
    } catch (const Error& e) {
      EXPECT_NE(std::ranges::find(codes, e.code()), codes.end()) << to_string(e.code()) << ": " << e.what();
      EXPECT_TRUE(valid_utf8(e.what())) << e.what();
      EXPECT_LT(std::string_view(e.what()).size(), 1000u);
      message = e.what();
    }
    EXPECT_EQ(everything(), before);
    return message;
  }

  test::TempFolder folder_;
  fs::path root_ = folder_.path() / "store";
  StoreConfig config_;
  std::shared_ptr<Store> store_;
  Registry registry_;
};

TEST_F(BadInput, PathsThatAreNoKeys) {
  for (const std::string& path : no_keys()) {
    SCOPED_TRACE(store::broken_rule(path));
    const std::string message =
        refused([&] { encode("<filepath@>", path); }, {Errc::usage, Errc::access, Errc::missing_object});
    EXPECT_NE(message.find("lab.scan.film"), std::string::npos) << message;
    for (const char* type : {"<hash@>", "<blob@>", "<attach@>", "<object@>", "<npy@>", "<filepath@>"})
      refused(
          [&] {
            decode(type,
                   map({{"path", path}, {"store", "main"}, {"hash", "x"}, {"dtype", "float64"}, {"shape", list({})}}));
          },
          {Errc::decode});
    refused(
        [&] {
          read_manifest(as_bytes(to_json(map({{"files", list({map({{"path", path}, {"size", 1}})})}}))));
        },
        {Errc::integrity, Errc::usage});
  }
}

TEST_F(BadInput, PathsOfFilesThatStayInside) {
  const Value stored = encode("<filepath@>", ".//in/./x.bin/");
  EXPECT_EQ(stored.get_if<Map>()->at("path"), Value("in/x.bin"));
  // An escape is three characters and no way out.
  for (const char* path : {"%2e%2e/outside", "in/%2e%2e/%2e%2e/outside", "..%2foutside"})
    refused([&] { encode("<filepath@>", path); }, {Errc::missing_object});
}

TEST_F(BadInput, LinksThatLeadOut) {
  fs::create_symlink(folder_.path() / "outside", root_ / "in/link");
  fs::create_directory_symlink(folder_.path(), root_ / "in/folder");
  for (const char* path : {"in/link", "in/folder/outside", "in/folder"}) {
    refused([&] { encode("<filepath@>", path); }, {Errc::access, Errc::missing_object});
    const Value stored = map({{"path", path}, {"store", "main"}, {"size", 7}, {"is_dir", false}});
    const Value ref = decode("<filepath@>", stored);  // makes no request
    refused([&] { ref.get_if<ObjectRef>()->read(); }, {Errc::access, Errc::missing_object});
  }
  // Nor is anything written through one.
  fs::create_directories(root_ / "_schema");
  fs::create_directory_symlink(folder_.path(), root_ / "_schema/lab");
  refused([&] { encode("<object@>", Bytes::copy("x")); }, {Errc::access});
}

TEST_F(BadInput, SectionsUnderAnotherSpelling) {
  for (const char* path : {"_hash/lab/x", "./_hash/x", "_hash//x", "_schema", "_schema/./x", "in/.././_hash/x"})
    refused([&] { encode("<filepath@>", path); }, {Errc::access});
}

TEST_F(BadInput, JsonThatIsNone) {
  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += "{\"path\":";
  for (const std::string& json :
       {""s, "{"s, "nothing"s, deep, "{\"path\": \"a\", \"path\": \"b\"}"s, "{\"path\": \"a\"} x"s, "\xff"s,
        "{\"path\": \"\xff\"}"s, "{\"path\": \"a\", \"size\": 1e999}"s,
        "{\"a\": {\"x\": 1, \"x\": 2}, \"path\": \"a\"}"s}) {
    refused([&] { parse_metadata(json); }, {Errc::decode});
    refused([&] { read_manifest(as_bytes(json)); }, {Errc::integrity});
  }
  EXPECT_EQ(parse_metadata("{\"path\": \"a\"}"), Value(map({{"path", "a"}})));
}

TEST_F(BadInput, NumbersOutOfRange) {
  for (const char* size : {"-1", "18446744073709551616", "9223372036854775808", "1.5", "1e3", "\"1\"", "true", "[]"}) {
    const std::string json = R"({"path": "a", "store": "main", "size": )"s + size + "}";
    refused([&] { read_metadata(parse_metadata(json)); }, {Errc::decode});
    refused([&] { read_manifest(as_bytes(R"({"files": [)" + json + "]}")); }, {Errc::integrity});
  }
  for (const char* shape : {"[-1]", "[9223372036854775808]", "[1.5]", "[\"1\"]", "5", "{}", "null"})
    refused(
        [&] {
          decode("<npy@>",
                 parse_metadata(R"({"path": "a", "store": "main", "dtype": "float64", "shape": )"s + shape + "}"));
        },
        {Errc::decode});
}

TEST_F(BadInput, NamesOfAttachments) {
  for (const std::string& name : {""s, "."s, ".."s, "a/b"s, "../x"s, "/etc/passwd"s, "a\\b"s, "a\0b"s})
    refused([&] { Attachment(name, Bytes::copy("x")); }, {Errc::usage});
  for (const char* path : {"/nonexistent/x", "", "/"}) refused([&] { encode("<attach@>", path); }, {Errc::usage});
  // A stored name is read as it is, and never followed.
  for (const std::string& name : {".."s, "../x"s, "/tmp/x"s}) {
    const Value file = decode("<attach>", Bytes::copy(name + '\0' + "x"));
    refused([&] { file.get_if<Attachment>()->save_to(folder_.path()); }, {Errc::access});
  }
}

TEST_F(BadInput, ExtensionsThatAreNoEndOfAName) {
  for (const std::string& extension : {"/x"s, "/../x"s, "a/b"s, "\0"s, "\xff"s, std::string(100'000, 'x')})
    refused([&] { encode("<object@>", tuple({extension, Bytes::copy("x")})); }, {Errc::usage});
  for (const Value& value :
       {Value(tuple({1, Bytes::copy("x")})), Value(tuple({"x", "y"})), Value(tuple({"x"})), Value(5)})
    refused([&] { encode("<object@>", value); }, {Errc::usage});
  const Value stored = encode("<object@>", tuple({"dat", Bytes::copy("x")}));
  EXPECT_EQ(stored.get_if<Map>()->at("ext"), Value("dat"));
  EXPECT_TRUE(stored.get_if<Map>()->at("path").as<std::string>().ends_with(".dat"));
}

}  // namespace
}  // namespace oas::codec
