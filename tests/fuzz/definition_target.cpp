// Any bytes as a definition: a table whose description declares the same table again, in every database, or a typed
// error that says where.
#include "core/text.hpp"
#include "db/marker.hpp"
#include "db/registry.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"
#include "schema/declare.hpp"

namespace {

using namespace oas;

constexpr std::size_t slack = 1 << 16;  // of messages

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every name is that of a table with some of the names that attributes often have.
schema::Context context_of(const db::Dialect& dialect) {
  schema::Context context;
  context.dialect = &dialect;
  context.codec = [](std::string_view, bool in_store) {
    return schema::CodecColumn{in_store ? "json" : "bytes", in_store};
  };
  context.parent = [](std::string_view reference) {
    schema::Parent parent;
    const std::size_t dot = reference.find('.');
    parent.table.schema = dot == reference.npos || reference[0] < 'a' ? "lab" : reference.substr(0, dot);
    parent.table.name = "subject";
    parent.table.columns = {{"a", "int8", {}, false, ":int8:who"},
                            {"b", "enum('a','b')", {}, false, ":enum('a','b'):"},
                            {"c", "varchar(9)", {}, false, ""}};
    parent.table.primary_key = {"a", "b"};
    return parent;
  };
  return context;
}

void declares_again(const schema::ParsedDefinition& definition, const db::Dialect& dialect) {
  const schema::Context context = context_of(dialect);
  schema::Declaration first;
  std::vector<std::string> statements;
  try {
    first = schema::declare(definition, "lab", "scan", context);
    statements = dialect.portable_table(first.table, first.lineage);
  } catch (const Error& error) {
    require(error.code() == Errc::definition && valid_utf8(error.what()));
    return;
  }
  for (const std::string& sql : statements) require(valid_utf8(sql) && sql.find('\0') == sql.npos);
  const std::string described = schema::describe(first.table);
  const schema::Declaration again = schema::declare(schema::parse_definition(described), "lab", "scan", context);
  require(again.table == first.table && again.lineage == first.lineage);
  require(dialect.portable_table(again.table, again.lineage) == statements);
  require(schema::describe(again.table) == described);
  require(schema::differences(first.table, again.table).empty());
}

void run(BytesView input) {
  schema::ParsedDefinition definition;
  try {
    const fuzz::MemoryBound bound(slack + schema::definition_factor * input.size());
    definition = schema::parse_definition(as_text(input));
  } catch (const Error& error) {
    require(error.code() == Errc::definition && valid_utf8(error.what()));
    require(error.target().starts_with("line ") && std::string_view(error.what()).size() < 2000);
    return;
  }
  for (const std::string_view name : db::dialect_names()) declares_again(definition, db::dialect_of(name));
}

}  // namespace

OAS_FUZZ_TARGET(run)
