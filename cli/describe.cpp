#include "verbs.hpp"

namespace oas::cli {

int describe(Program& program, const std::string& name) {
  const Table<> table = program.table(name);
  const std::string text = table.describe();
  if (!program.json) {
    write_out(text);
    if (!text.ends_with('\n')) write_out("\n");
    return done;
  }
  Seq attributes;
  for (const Attribute& a : table.heading()) {
    if (a.hidden) continue;
    attributes.items.emplace_back(map({{"name", a.name},
                                       {"type", a.type},
                                       {"in_key", a.in_key},
                                       {"nullable", a.nullable},
                                       {"has_default", a.fallback.kind != db::Default::Kind::none},
                                       {"comment", a.comment}}));
  }
  program.print(map({{"name", full_name(table)},
                     {"tier", tier_name(table.tier())},
                     {"definition", text},
                     {"attributes", std::move(attributes)}}));
  return done;
}

}  // namespace oas::cli
