#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include <oas/tools.hpp>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {

namespace fs = std::filesystem;

int config_init(Program& program, const ConfigInit& options) {
  const fs::path file = program.folder / "datajoint.json";
  if (fs::exists(file))
    throw Error(Errc::conflict, fmt::format("write {}: it is there already. change it with an editor", file.string()),
                file.string());
  const bool sqlite = options.backend == "sqlite";
  Map database = map({{"backend", options.backend}});
  if (sqlite) {
    database.set("name", options.name.empty() ? "oas.db" : options.name);
  } else {
    if (!options.name.empty()) database.set("name", options.name);
    database.set("host", options.host.empty() ? "localhost" : options.host);
    if (!options.user.empty()) database.set("user", options.user);
  }
  const Map settings =
      map({{"database", database},
           {"stores", map({{"default", options.store},
                           {options.store, map({{"protocol", "file"}, {"location", options.location}})}})}});
  // One setting a line, so that an editor shows what there is.
  std::string text = "{\n  \"database\": {";
  std::string_view comma = "";
  for (const auto& [key, value] : database.items) {
    text += fmt::format("{}\n    {}: {}", comma, to_json(key), to_json(value));
    comma = ",";
  }
  text += fmt::format(
      "\n  }},\n  \"stores\": {{\n    \"default\": {0},\n    {0}: {{\"protocol\": \"file\", \"location\": {1}}}\n  "
      "}}\n}}\n",
      to_json(options.store), to_json(options.location));
  Settings::parse(text);  // refuses what could not be read again
  fs::create_directories(program.folder / options.location);
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush())
    throw Error(Errc::access, fmt::format("write {}: it cannot be written", file.string()), file.string());
  if (program.json)
    program.print(map({{"file", file.string()}}));
  else
    write_out(fmt::format("wrote {}\n", file.string()));
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
      tell("store " + name, config.protocol, e.what());
    }
  }
  return result;
}

}  // namespace oas::cli
