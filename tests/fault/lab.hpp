// A laboratory for faults: folders with a database and a store, programs that work on them in processes of their own,
// and what must hold whatever happened. Nothing here may make a thread before the last fork: only children open
// sessions.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <oas/oas.hpp>
#include <oas/tools.hpp>

#include "db/registry.hpp"
#include "engine/ledger.hpp"
#include "engine/state.hpp"
#include "store/registry.hpp"
#include "support/faulty_connection.hpp"
#include "support/faulty_store.hpp"
#include "support/s3_server.hpp"
#include "support/test_server.hpp"

namespace oas::test {

namespace fs = std::filesystem;

/// In memory where the system has such a place: these tests kill processes, not machines.
class FastFolder {
 public:
  FastFolder() {
    const fs::path memory = "/dev/shm";
    const bool fast = ::access(memory.c_str(), W_OK | X_OK) == 0;
    std::string name = ((fast ? memory : fs::temp_directory_path()) / "oas-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder like " + name);
    path_ = name;
  }
  ~FastFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  FastFolder(const FastFolder&) = delete;
  FastFolder& operator=(const FastFolder&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

inline std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_text(const fs::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
}

/// Runs `body` in a child; its status as waitpid() tells it. What it throws becomes exit code 99 and a line on the
/// standard error.
inline pid_t start_child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child > 0) return child;
  int code = 99;
  try {
    code = body();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "in a child: %s\n", e.what());
  }
  std::fflush(nullptr);
  ::_exit(code);
}
inline int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}
inline int run_child(const std::function<int()>& body) { return wait_for(start_child(body)); }

/// The store in the folder, or at the location that the file `s3` names, on versitygw.
inline StoreConfig store_in(const fs::path& folder) {
  fs::create_directories(folder / "store");
  const std::string location = text_of(folder / "s3");
  if (location.empty())
    return {.name = "main", .protocol = "file", .options = {{"location", (folder / "store").string()}}};
  return {.name = "main", .protocol = "s3", .options = s3_server("OAS_TEST_S3_VERSITYGW").value().options(location)};
}

/// SQLite in the folder, or the server that the file `server` names: its variable and, where it has several, the
/// database.
inline Settings settings_in(const fs::path& folder) {
  const StoreConfig store = store_in(folder);
  std::string entry = "\"protocol\": \"" + store.protocol + '"';
  for (const auto& [key, value] : store.options) entry += ", \"" + key + "\": \"" + value + '"';
  Settings settings = Settings::parse("{\"stores\": {\"default\": \"main\", \"main\": {" + entry + "}}}");
  std::istringstream where(text_of(folder / "server"));
  std::string variable, name;
  if (!(where >> variable)) {
    settings.set("database", map({{"backend", "sqlite"}, {"name", (folder / "lab.db").string()}}));
    return settings;
  }
  const TestServer server = test_server(variable.c_str()).value();
  Map database = map({{"host", server.host},
                      {"port", server.port},
                      {"user", server.user},
                      {"password", server.password},
                      {"use_tls", false}});
  if (where >> name) database.set("name", name);
  database.set("backend", name.empty() ? "mysql" : "postgresql");
  settings.set("database", database);
  return settings;
}

/// A session whose every border call goes by the plan. `port`: not the server's own, but one that leads there.
inline Session open_session(const fs::path& folder, std::shared_ptr<FaultPlan> plan = nullptr, int port = 0) {
  Settings settings = settings_in(folder);
  if (port > 0) settings.set("database.port", port);
  SessionOptions options;
  options.concurrency = 1;
  if (plan) {
    options.wrap_store = [plan](std::shared_ptr<Store> store) -> std::shared_ptr<Store> {
      return std::make_shared<FaultyStore>(std::move(store), plan);
    };
    options.wrap_connection = [plan](std::unique_ptr<db::Connection> connection) -> std::unique_ptr<db::Connection> {
      return std::make_unique<FaultyConnection>(std::move(connection), plan);
    };
  }
  return Session(std::move(settings), std::move(options));
}

/// All objects of one folder's store into another's, which has none.
inline void copy_objects(const fs::path& from, const fs::path& to) {
  const auto source = store::open_store(store_in(from)), target = store::open_store(store_in(to));
  for (Page page{{}, true}; page.more;) {
    page = source->list("", page.entries.empty() ? "" : page.entries.back().key);
    for (const ObjectInfo& entry : page.entries) target->write(entry.key, source->read(entry.key).value().data.view());
  }
}

/// What a value is, without the random parts of paths. Loads it.
inline std::string shown(const Value& value) {
  if (const auto* npy = value.get_if<NpyRef>()) return "npy " + to_typed(npy->load());
  if (const auto* object = value.get_if<ObjectRef>()) {
    if (!object->is_folder()) return "file " + std::string(object->read().text());
    std::string out = "folder";
    for (const FileInfo& file : object->files()) {
      out += " " + file.path + "=" + std::string(object->read(file.path).text());
    }
    return out;
  }
  return to_typed(value);
}

/// All tables and rows of a schema but one table, with the content of their objects.
inline std::string contents(Session& session, const std::string& schema, const std::string& except) {
  std::string out;
  for (const std::string& name : session.schema(schema).tables()) {
    if (name == except) continue;
    std::vector<std::string> lines;
    for (const Row& row : session.schema(schema)[name].fetch()) {
      std::string line;
      for (const auto& [attribute, value] : row) line += " " + attribute + "=" + shown(value);
      lines.push_back(std::move(line));
    }
    std::ranges::sort(lines);
    out += name + "\n";
    for (const auto& line : lines) out += line + "\n";
  }
  return out;
}

/// Complaints; empty if every row has its objects, whole, and every object its row.
inline std::string complaints(Session& session) {
  const Audit audit = session.audit({.deep = true});
  std::string out;
  for (const Finding& f : audit.findings) {
    static constexpr const char* kinds[]{"dangling", "damaged", "leaked"};
    out += std::string(kinds[static_cast<int>(f.kind)]) + " " + f.path + " " + f.where + " " + f.detail + "\n";
  }
  return out;
}

/// `use` is the next use of a schema whose user was killed; what it finds wrong. To a server of S3 something may be on
/// its way that the dead one had sent: a leak, and nothing else, which the use after that has to find.
inline std::string after_a_kill(const fs::path& folder, const std::function<std::string()>& use) {
  std::string wrong = use();
  const auto only_leaks = [&] {
    std::istringstream lines(wrong);
    for (std::string line; std::getline(lines, line);)
      if (!line.starts_with("leaked ")) return false;
    return !wrong.empty();
  };
  if (fs::exists(folder / "s3") && only_leaks()) wrong = use();
  return wrong;
}

/// What the ledger still holds, one line each, but for what is kept in quarantine, and void intents in S3: what a
/// process had sent there when it died may still arrive.
inline std::string leftovers(const fs::path& folder, const std::string& schema) {
  const auto main = db::open_connection(settings_in(folder).database());
  const auto side = main->side();
  const auto text = [](const Value& cell) {
    const auto* bytes = cell.get_if<Bytes>();
    return bytes ? std::string(bytes->text()) : cell.is<std::string>() ? cell.as<std::string>() : cell.describe();
  };
  const auto each = [&](db::Connection& connection, const std::string& table, const std::string& columns,
                        const std::function<void(const std::vector<std::string>&)>& take) {
    db::Transaction look(connection, db::Transaction::Mode::read);
    const auto cursor = look.execute("SELECT " + columns + " FROM " + connection.dialect().table(schema, table));
    std::vector<Value> cells;
    while (cursor->next(cells)) {
      std::vector<std::string> line;
      std::ranges::transform(cells, std::back_inserter(line), text);
      take(line);
    }
  };
  std::set<std::string> kept;
  if (fs::exists(folder / "s3")) {
    each(*main, "~oas_witnesses", "id, verdict", [&](const auto& line) {
      if (line[1] == "void") kept.insert(line[0]);
    });
  }
  std::string out;
  const auto list = [&](db::Connection& connection, const std::string& table, const std::string& columns) {
    each(connection, table, columns, [&](const auto& line) {
      if (line[0].starts_with("_oas_quarantine/") || kept.contains(line[0])) return;
      out += table;
      for (const std::string& cell : line) out += " " + cell;
      out += "\n";
    });
  };
  list(*main, "~oas_trash", "path");
  list(*side, "~oas_intents", "id, owner, paths");
  list(*side, "~oas_claims", "path, owner");
  list(*side, "~oas_collector", "owner");
  for (const auto& entry : fs::recursive_directory_iterator(folder / "store")) {
    if (entry.path().filename().string().starts_with(".oas-tmp-")) out += "temporary " + entry.path().string() + "\n";
  }
  return out;
}

}  // namespace oas::test
