#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <oas/tools.hpp>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {

namespace fs = std::filesystem;

namespace {

// Creates the file, all of it or nothing; whatever is there, also a link to nowhere, stays.
void create_file(const fs::path& file, std::string_view text) {
  const auto fail = [&](const std::string& why, Errc code) {
    throw Error(code, fmt::format("write {}: {}", file.string(), why), file.string());
  };
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) fail("it is there already. change it with an editor", Errc::conflict);
  if (descriptor < 0) fail(std::generic_category().message(errno), errno == ENOENT ? Errc::usage : Errc::access);
  const bool whole = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (::close(descriptor) == 0 && whole) return;
  ::unlink(file.c_str());
  fail(std::generic_category().message(whole ? errno : error), Errc::unavailable);
}

// One setting a line, so that an editor shows what there is.
std::string settings_text(const Map& database, const ConfigInit& options) {
  std::string text = "{\n  \"database\": {";
  std::string_view comma = "";
  for (const auto& [key, value] : database.items) {
    text += fmt::format("{}\n    {}: {}", comma, to_json(key), to_json(value));
    comma = ",";
  }
  return text +
         fmt::format(
             "\n  }},\n  \"stores\": {{\n    \"default\": {0},\n    {0}: {{\"protocol\": \"file\", \"location\": "
             "{1}}}\n  }}\n}}\n",
             to_json(options.store), to_json(options.location));
}

}  // namespace

int config_init(Program& program, const ConfigInit& options) {
  const fs::path file = program.folder / "datajoint.json";
  const bool sqlite = options.backend == "sqlite";
  Map database = map({{"backend", options.backend}});
  if (sqlite) {
    database.set("name", options.name.empty() ? "oas.db" : options.name);
  } else {
    if (!options.name.empty()) database.set("name", options.name);
    database.set("host", options.host.empty() ? "localhost" : options.host);
    if (!options.user.empty()) database.set("user", options.user);
  }
  const std::string text = settings_text(database, options);
  static_cast<void>(Settings::parse(text));  // refuses what could not be read again
  create_file(file, text);
  std::error_code failure;
  fs::create_directories(program.folder / options.location, failure);
  if (failure) {
    ::unlink(file.c_str());
    throw Error(Errc::access, fmt::format("make the folder {}: {}", options.location, failure.message()),
                options.location);
  }
  if (program.json)
    program.print(map({{"file", file.string()}}));
  else
    write_out(fmt::format("wrote {}\n", printable(file.string())));
  if (!sqlite && !program.json)
    fmt::print(stderr, "oas: the password is not in it: put it into .secrets/database.password or DJ_PASS\n");
  return done;
}

int config_show(Program& program) {
  Columns columns({"setting", "value", "from"}, {false, false, false});
  for (const auto& origin : program.settings().origins()) {
    if (program.json)
      program.print(map({{"setting", origin.key}, {"value", origin.value}, {"source", origin.source}}));
    else
      columns.add({printable(origin.key), printable(origin.value), printable(origin.source)});
  }
  if (!program.json) columns.finish();
  return done;
}

int config_check(Program& program) {
  const Settings& settings = program.settings();
  int result = done;
  const auto tell = [&](const std::string& what, const std::string& where, const std::string& problem) {
    if (!problem.empty()) result = found_problems;
    if (program.json)
      program.print(map({{"checked", what}, {"location", where}, {"ok", problem.empty()}, {"problem", problem}}));
    else
      write_out(fmt::format("{}: {}\n", printable(what),
                            problem.empty() ? fmt::format("ok, {}", printable(where)) : printable(problem)));
  };
  tell("settings", settings.file().empty() ? "no file" : settings.file().string(), "");
  try {
    static_cast<void>(program.session().schemas());
    tell("database", program.session().location(), "");
  } catch (const Error& e) {
    tell("database", settings.database().name, e.what());
  }
  for (const auto& [name, config] : settings.stores()) {
    try {
      const auto store = open_store(settings, name);
      static_cast<void>(store->stat(".oas-probe"));
      tell("store " + name, store->location(), "");
    } catch (const Error& e) {
      tell("store " + name, object_url(config), e.what());
    }
  }
  std::vector<std::string> variables;
  for (char** entry = ::environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    variables.emplace_back(variable.substr(0, variable.find('=')));
  }
  for (const auto& [variable, why] : Settings::unread(variables)) tell("environment " + variable, variable, why);
  return result;
}

}  // namespace oas::cli
