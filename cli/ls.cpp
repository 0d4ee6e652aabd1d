#include <fmt/format.h>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {

std::string tier_name(Tier tier) {
  switch (tier) {
    case Tier::manual: return "manual";
    case Tier::lookup: return "lookup";
    case Tier::imported: return "imported";
    case Tier::computed: return "computed";
    case Tier::part: return "part";
  }
  return {};
}

int ls(Program& program, const std::string& name) {
  std::vector<Table<>> tables;
  const bool one = name.find('.') != std::string::npos;
  if (one) {
    tables.push_back(program.table(name));
  } else {
    std::vector<std::string> schemas;
    if (name.empty())
      schemas = program.session().schemas();
    else
      schemas.push_back(name);
    for (const std::string& schema_name : schemas) {
      Schema schema = program.schema(schema_name);
      for (const std::string& table : schema.tables()) tables.push_back(schema[table]);
    }
  }
  Columns columns({"table", "tier", "rows"}, {false, false, true});
  for (const Table<>& table : tables) {
    const std::size_t rows = table.size();
    if (program.json) {
      program.print(map({{"name", full_name(table)},
                         {"schema", table.schema()},
                         {"table", table.name()},
                         {"tier", tier_name(table.tier())},
                         {"rows", rows}}));
    } else {
      columns.add({printable(full_name(table)), tier_name(table.tier()), std::to_string(rows)});
    }
  }
  if (!program.json) columns.finish();
  return done;
}

}  // namespace oas::cli
