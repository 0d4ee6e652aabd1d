#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {
namespace {

struct NamedRole {
  db::Role role;
  std::string_view name, what;
};
constexpr std::array roles{
    NamedRole{db::Role::reader, "reader", "fetches and audits"},
    NamedRole{db::Role::writer, "writer", "changes rows besides"},
    NamedRole{db::Role::declarer, "declarer", "declares tables besides; only the owner of a table can drop it"},
    NamedRole{db::Role::collector, "collector", "removes what no row refers to (oas gc), and changes no row"},
};

}  // namespace

int init(Program& program, const Init& options) {
  Schema schema = program.session().schema(options.schema);
  schema.init();
  bool any = false;
  for (const NamedRole& one : roles) {
    if (!options.roles.empty() && std::ranges::find(options.roles, one.name) == options.roles.end()) continue;
    const auto statements =
        schema.grants(one.role, options.to.empty() ? fmt::format("{}_{}", options.schema, one.name) : options.to);
    any = any || !statements.empty();
    if (!program.json && !statements.empty()) write_out(fmt::format("-- {}: {}\n", one.name, one.what));
    for (const std::string& statement : statements) {
      if (program.json)
        program.print(map({{"role", std::string(one.name)}, {"statement", statement}}));
      else
        write_out(statement + ";\n");
    }
  }
  program.note(fmt::format("{} is ready to be written to. {}", options.schema,
                           any ? "the statements are for whoever may grant; they cover the tables that are there now"
                               : "this database has no users, so there is nothing to grant"));
  return done;
}

}  // namespace oas::cli
