#include <fmt/format.h>

#include "verbs.hpp"

namespace oas::cli {

Tier tier_from(const std::string& name) {
  for (const Tier tier : {Tier::manual, Tier::lookup, Tier::imported, Tier::computed, Tier::part})
    if (tier_name(tier) == name) return tier;
  throw Error(Errc::usage,
              fmt::format("choose the tier {}: there is none. manual, lookup, imported, computed, part", name));
}

int declare(Program& program, const Declare& options) {
  const auto [schema_name, class_name] = split_name(options.table);
  const Tier tier = tier_from(options.tier);
  const std::size_t dot = class_name.find('.');
  if ((dot != std::string::npos) != (tier == Tier::part))
    throw Error(
        Errc::usage,
        fmt::format("declare {}: parts, and they alone, are named SCHEMA.Master.Part with --tier part", options.table),
        options.table);
  const std::string text = read_text(options.file);
  Schema schema = program.session(true).schema(schema_name);
  const Table<> table = dot == std::string::npos
                            ? schema.declare(class_name, tier, text)
                            : schema.declare(class_name.substr(dot + 1), tier, text, class_name.substr(0, dot));
  if (program.json)
    program.print(map({{"name", full_name(table)}, {"tier", tier_name(tier)}}));
  else
    write_out(fmt::format("{} is there\n", full_name(table)));
  return done;
}

}  // namespace oas::cli
