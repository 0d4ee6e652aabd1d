#include <fmt/format.h>

#include <oas/tools.hpp>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {

int inspect(Program& program, const std::string& path) {
  const Inspection found = inspect_file(path, program.typed);
  if (program.typed) {
    if (!found.value)
      throw Error(Errc::usage, fmt::format("print {} as a typed value: a {} is a folder. use --json", path, found.kind),
                  path);
    write_out(to_typed(*found.value) + "\n");
    return done;
  }
  if (program.json) {
    Map line = map({{"kind", found.kind}});
    for (const auto& [name, fact] : found.facts.items) line.items.emplace_back(name, fact);
    if (found.value) line.set("value", plain(*found.value));
    program.print(line);
    return done;
  }
  write_out(found.kind + "\n");
  for (const auto& [name, fact] : found.facts.items) {
    const auto& key = *name.get_if<std::string>();
    const Seq* list = fact.get_if<Seq>();
    if (!list || list->items.empty() || !list->items[0].is<Map>()) {
      write_out(fmt::format("  {}: {}\n", printable(key), brief(fact)));
      continue;
    }
    write_out(fmt::format("  {}:\n", printable(key)));
    for (const Value& item : list->items) {
      std::string line;
      for (const auto& [part, value] : item.get_if<Map>()->items)
        line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", printable(*part.get_if<std::string>()), brief(value));
      write_out("    " + line + "\n");
    }
  }
  if (found.value && (found.value->is<Map>() || found.value->is<Seq>())) {
    const std::string text = brief(*found.value);
    write_out(fmt::format("  content: {}\n", text.size() > 2000 ? "long; use --json" : text));
  }
  return done;
}

}  // namespace oas::cli
