// Declared as DataJoint for Python declares it: the tables that its statements make and those that we declare for the
// same definitions are the same in the server's catalogue. What we have besides: the ledger, and what finds objects by
// their path. Job tables are its own.
#include <map>

#include "declared.hpp"

namespace oas::test {
namespace {

using Catalogue = std::map<std::string, std::vector<std::string>>;  // of each table all there is to say

class InTheCatalogue : public Declared {
 protected:
  /// "schema.table" and what it says of it, in order.
  Catalogue catalogue() {
    Catalogue out;
    for (const char* query : on_postgres() ? of_postgres : of_mysql)
      for (const auto& row : run(query)) {
        std::string line;
        for (std::size_t i = 1; i < row.size(); ++i) line += row[i] + " | ";
        out[row[0]].push_back(line);
      }
    for (const auto& row : run("SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name = "
                               "'~lineage'")) {
      const std::string table = on_postgres() ? "\"" + row[0] + "\".\"~lineage\"" : "`" + row[0] + "`.`~lineage`";
      for (const auto& line : run("SELECT table_name, attribute_name, lineage FROM " + table + " ORDER BY 1, 2"))
        out[row[0] + "." + line[0]].push_back("lineage " + line[1] + " | " + line[2]);
    }
    return out;
  }

 private:
  static inline const std::vector<const char*> of_postgres{
      "SELECT relnamespace::regnamespace || '.' || relname, 'table', relkind, relpersistence, "
      "obj_description(oid, 'pg_class') FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1",
      "SELECT relnamespace::regnamespace || '.' || relname, 'column', attname, format_type(atttypid, atttypmod), "
      "attnotnull, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum), attidentity, attgenerated, "
      "(SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = atttypid), "
      "(SELECT collname FROM pg_collation WHERE pg_collation.oid = attcollation) "
      "FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND "
      "adnum = attnum WHERE relkind = 'r' AND pg_class.oid >= 16384 AND attnum > 0 ORDER BY 1, attnum",
      "SELECT relnamespace::regnamespace || '.' || relname, 'constraint', conname, pg_get_constraintdef(c.oid), "
      "convalidated, condeferrable FROM pg_constraint c JOIN pg_class ON conrelid = pg_class.oid WHERE pg_class.oid >= "
      "16384 ORDER BY 1, conname",
      "SELECT relnamespace::regnamespace || '.' || relname, 'index', pg_get_indexdef(indexrelid) FROM pg_index JOIN "
      "pg_class ON indrelid = pg_class.oid WHERE pg_class.oid >= 16384 AND relkind = 'r' AND "
      "pg_get_indexdef(indexrelid) NOT LIKE '% ->> ''path''%' ORDER BY 1, 3"};
  static inline const std::vector<const char*> of_mysql{
      "SELECT CONCAT(table_schema, '.', table_name), 'table', table_type, engine, table_collation, table_comment FROM "
      "information_schema.tables WHERE table_schema LIKE 'ios%' ORDER BY 1",
      "SELECT CONCAT(table_schema, '.', table_name), 'column', column_name, column_type, is_nullable, column_default, "
      "column_comment, extra, character_set_name, collation_name FROM information_schema.columns WHERE table_schema "
      "LIKE 'ios%' AND column_name NOT LIKE '\\_oas\\_path\\_%' ORDER BY 1, ordinal_position",
      "SELECT CONCAT(table_schema, '.', table_name), 'constraint', constraint_name, ordinal_position, column_name, "
      "referenced_table_schema, referenced_table_name, referenced_column_name FROM "
      "information_schema.key_column_usage WHERE table_schema LIKE 'ios%' ORDER BY 1, 3, 4",
      "SELECT CONCAT(constraint_schema, '.', table_name), 'rule', constraint_name, update_rule, delete_rule, "
      "unique_constraint_name FROM information_schema.referential_constraints WHERE constraint_schema LIKE 'ios%' "
      "ORDER BY 1, 3",
      "SELECT CONCAT(table_schema, '.', table_name), 'index', index_name, seq_in_index, column_name, non_unique, "
      "collation, nullable, index_type FROM information_schema.statistics WHERE table_schema LIKE 'ios%' AND "
      "COALESCE(column_name, '_oas_path_') NOT LIKE '\\_oas\\_path\\_%' ORDER BY 1, 3, 4"};
};

TEST_P(InTheCatalogue, TablesAreAsTheyDeclareThem) {
  const auto all = declared_cases();
  empty();
  std::vector<const DeclaredCase*> there;
  for (const DeclaredCase& c : all)
    if (declare_theirs(c)) there.push_back(&c);
  const Catalogue theirs = catalogue();

  empty();
  std::map<std::pair<bool, bool>, Session> sessions;
  std::size_t refused = 0, declared = 0;
  for (const DeclaredCase* c : there) {
    const std::pair flags{c->config("jobs.add_job_metadata"), c->config("provenance.capture")};
    if (!sessions.contains(flags)) sessions.emplace(flags, open(flags.first, flags.second));
    for (const DeclaredTable& t : c->tables()) {
      SCOPED_TRACE(c->name + " " + t.class_name);
      try {
        sessions.at(flags).schema(c->schema).declare(t.class_name, t.tier, t.definition, t.master);
        ++declared;
      } catch (const Error& e) {
        EXPECT_TRUE(refused_by_rule(e, t.definition)) << e.what();
        ++refused;
      }
    }
  }
  const Catalogue ours = catalogue();

  std::size_t same = 0;
  for (const auto& [name, said] : ours) {
    if (name.find(".~oas_") != std::string::npos) continue;
    const auto other = theirs.find(name);
    if (other == theirs.end()) {
      ADD_FAILURE() << name << " is ours alone";
      continue;
    }
    EXPECT_EQ(said, other->second) << name;
    ++same;
  }
  const auto theirs_alone =
      std::ranges::count_if(theirs, [&](const auto& table) { return !ours.contains(table.first); });
  EXPECT_EQ(static_cast<std::size_t>(theirs_alone), refused);
  std::cout << same << " tables are the same, " << refused << " refused by a rule\n";
  EXPECT_GT(declared, refused);
}
OAS_DECLARED_ON_SERVERS(InTheCatalogue);

}  // namespace
}  // namespace oas::test
