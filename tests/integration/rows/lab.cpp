#include "lab.hpp"

#include <algorithm>
#include <fstream>

#include "support/test_server.hpp"
#ifdef OAS_WITH_MYSQL
#include "support/mysql.hpp"
#endif
#ifdef OAS_WITH_POSTGRES
#include "support/postgres.hpp"
#endif

namespace oas::test {

namespace fs = std::filesystem;

Lab::Lab() {
  for (const char* name : {"main", "cold"}) fs::create_directories(path(name));
#ifdef OAS_WITH_POSTGRES
  if (on_postgres()) name_ = empty_postgres_database();
#endif
#ifdef OAS_WITH_MYSQL
  if (on_mysql()) empty_mysql_server(server());
#endif
}

Lab::~Lab() = default;

void Lab::SetUp() {
  if (*server()) OAS_NEED_SERVER(server())
  if (std::string_view(GetParam()).ends_with("versitygw")) OAS_NEED_S3(s3)
}

fs::path Lab::file(std::string_view name, std::string_view content) const {
  fs::create_directories(path(name).parent_path());
  std::ofstream(path(name), std::ios::binary) << content;
  return path(name);
}

bool Lab::on_s3() { return std::string_view(GetParam()).ends_with("versitygw") && s3_server(s3); }

bool Lab::on_postgres() { return server() == std::string_view("OAS_TEST_POSTGRES") && test_server(server()); }

bool Lab::on_mysql() { return *server() && !on_postgres() && test_server(server()); }

const char* Lab::server() {
  const std::string_view where = GetParam();
  return where.starts_with("postgres")  ? "OAS_TEST_POSTGRES"
         : where.starts_with("mariadb") ? "OAS_TEST_MARIADB"
         : where.starts_with("mysql")   ? "OAS_TEST_MYSQL"
                                        : "";
}

Settings Lab::settings(const std::string& of_main, const std::string& of_cold) const {
  const auto store = [&](const char* name, const std::string& more) {
    std::string entry = R"("protocol": "memory")";
    if (on_files()) entry = R"("protocol": "file", "location": ")" + path(name).string() + R"(", "sync": "false")";
    if (on_s3()) {
      entry = R"("protocol": "s3")";
      for (const auto& [key, value] : s3_server(s3).value().options(location_ + "/" + name))
        entry += ", \"" + key + "\": \"" + value + '"';
    }
    return '"' + std::string(name) + "\": {" + entry + (more.empty() ? "" : ", ") + more + "}";
  };
  return with_stores(R"({"default": "main", )" + store("main", of_main) + ", " + store("cold", of_cold) + "}");
}

Settings Lab::with_stores(const std::string& stores) const {
  const auto text = [](const auto& value) { return '"' + std::string(value) + '"'; };
  std::string where = R"({"backend": "sqlite", "name": )" + text(database_file().string());
  if (on_a_server()) {
    const TestServer at = test_server(server()).value();
    where = R"({"backend": )" + text(on_postgres() ? "postgresql" : "mysql") + R"(, "host": )" + text(at.host) +
            R"(, "port": )" + std::to_string(at.port) + R"(, "user": )" + text(at.user) + R"(, "password": )" +
            text(at.password) + (on_postgres() ? R"(, "name": )" + text(name_) : "");
  }
  Settings settings = Settings::parse(R"({"database": )" + where + R"(}, "stores": )" + stores + "}");
  // Objects go at once everywhere, so that they can be counted; quarantine_test.cpp has them kept.
  settings.set("collector.foreign_writers", false);
  return settings;
}

SessionOptions Lab::options() {
  SessionOptions options{.concurrency = 3};
  options.wrap_store = [this](std::shared_ptr<Store> opened) -> std::shared_ptr<Store> {
    const std::lock_guard lock(mutex_);
    auto& kept = stores_[opened->name()];
    if (!kept) kept = std::make_shared<RecordingStore>(std::move(opened));
    return kept;
  };
  return options;
}

Session& Lab::session() {
  if (!session_) session_.emplace(open());
  return *session_;
}

Table<> Lab::declare(std::string_view name, std::string_view definition, Tier tier) {
  return lab().declare(name, tier, definition);
}

RecordingStore& Lab::store(std::string_view name) {
  session().store(name);
  return *stores_.at(std::string(name));
}

RawDatabase* Lab::raw() {
#ifdef OAS_WITH_POSTGRES
  if (on_postgres() && !raw_) raw_ = raw_postgres(name_);
#endif
#ifdef OAS_WITH_MYSQL
  if (on_mysql() && !raw_) raw_ = raw_mysql(server());
#endif
  if (!raw_) raw_ = raw_sqlite(database_file());
  return raw_.get();
}

std::vector<std::string> Lab::objects(std::string_view name) {
  std::vector<std::string> keys;
  for (const ObjectInfo& info : store(name).list("", {}, 100'000).entries) keys.push_back(info.key);
  return keys;
}

std::map<std::string, std::string> Lab::everything() {
  std::map<std::string, std::string> found;
  for (const char* name : {"main", "cold"}) {
    for (const std::string& key : objects(name)) {
      found[std::string(name) + ": " + key] = store(name).read(key)->data.text();
    }
    for (const auto& entry : fs::recursive_directory_iterator(path(name))) {
      found["file " + entry.path().string()] = "";
    }
  }
  RawDatabase* const database = raw();
  for (const std::string& table : database->tables()) {
    std::vector<std::string> lines;
    for (const auto& cells : database->run("SELECT * FROM " + table)) {
      std::string& line = lines.emplace_back();
      for (const auto& cell : cells) line += cell + '|';
    }
    std::ranges::sort(lines);
    std::string& rows = found["table " + table];
    for (const auto& line : lines) rows += line + '\n';
  }
  return found;
}

void Lab::refused(Errc code, std::initializer_list<std::string_view> words, const std::function<void()>& call) {
  const auto before = everything();
  fails(code, words, call);
  EXPECT_EQ(before, everything());
}

void Lab::fails(Errc code, std::initializer_list<std::string_view> words, const std::function<void()>& call) {
  try {
    call();
    ADD_FAILURE() << "no error came; wanted " << to_string(code);
  } catch (const Error& e) {
    const std::string message = e.what();
    EXPECT_EQ(to_string(code), to_string(e.code())) << message;
    for (const std::string_view word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << '"' << word << "\" is not in: " << message;
    }
  }
}

void Lab::expect_tidy(std::size_t objects) {
  const Audit audit = session().audit({.deep = true});
  EXPECT_EQ(audit.objects, objects);
  EXPECT_EQ(audit.dangling, 0U);
  EXPECT_EQ(audit.damaged, 0U);
  EXPECT_EQ(audit.leaked, 0U);
  for (const Finding& finding : audit.findings) ADD_FAILURE() << finding.path << ": " << finding.detail;
}

Array counting(std::int64_t n, std::int64_t first) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first + static_cast<std::int64_t>(i);
  return Array::own(std::move(numbers));
}

}  // namespace oas::test
