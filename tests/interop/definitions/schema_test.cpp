// Whole definitions → every statement, for PostgreSQL and MySQL; and what describe() makes of them declares them again.
#include <random>

#include <oas/definition.hpp>
#include <oas/tools.hpp>

#include "codec/codec.hpp"
#include "codec/registry.hpp"
#include "db/registry.hpp"
#include "golden.hpp"
#include "schema/declare.hpp"

namespace oas::test {
namespace {

struct Case {
  std::string name;
  Json json;
  bool config(const char* key) const { return json["config"].contains(key) && json["config"][key] == true; }
};
std::vector<Case> read_cases() {
  std::vector<Case> out;
  for (const Json& entry : cases("schema")) {
    if (!entry.contains("file")) {
      out.push_back({entry["name"], entry});
      continue;
    }
    std::ifstream file(golden() + "/schema/" + entry["file"].get<std::string>());
    out.push_back({entry["name"], Json::parse(file)});
  }
  return out;
}
const Case* find(const std::vector<Case>& all, const std::string& name) {
  const auto at = std::ranges::find(all, name, &Case::name);
  return at == all.end() ? nullptr : &*at;
}
Tier tier_of_case(const Case& c) {
  const std::string tier = c.json["tier"];
  return tier == "Lookup"     ? Tier::lookup
         : tier == "Imported" ? Tier::imported
         : tier == "Computed" ? Tier::computed
                              : Tier::manual;
}
/// The tables of a case, the master first.
std::vector<NamedDefinition> tables_of(const Case& c) {
  const std::string schema = c.json["schema"];
  std::vector<NamedDefinition> out{{c.json["class"], tier_of_case(c), c.json["definition"], schema}};
  for (const Json& part : c.json["parts"])
    out.push_back({out[0].class_name + "." + part["class"].get<std::string>(), Tier::part, part["definition"], schema});
  return out;
}
void add_parents(const std::vector<Case>& all, const Case& c, std::vector<NamedDefinition>& out) {
  for (const std::string name : c.json["depends_on"]) {
    const Case* parent = find(all, name);
    if (!parent || std::ranges::find(out, name, &NamedDefinition::class_name) != out.end()) continue;
    add_parents(all, *parent, out);
    for (NamedDefinition& table : tables_of(*parent)) out.push_back(std::move(table));
  }
}

std::string normal(const std::string& sql) {
  return Line::stripped(std::regex_replace(sql, std::regex(R"(\s+)"), " "));
}

/// Their statements as we write them: with values written out, each once, without what they insert as rows.
std::vector<std::string> statements_of(const Json& theirs, const std::string& database) {
  std::vector<std::string> out;
  for (const Json& statement : theirs["statements"]) {
    std::string sql = statement["sql"], lines;
    if (statement.contains("args")) {
      for (const Json& value : statement["args"])
        sql.replace(sql.find("%s"), 2, "'" + replaced(value.get<std::string>(), "'", "''") + "'");
    } else {
      std::istringstream in(sql);
      for (std::string line; std::getline(in, line);) lines += as_we_write(line, database) + "\n";
      sql = lines;
    }
    sql = normal(sql);
    const bool lineage = sql.find("~lineage") != std::string::npos;
    if (sql.starts_with("INSERT") && !lineage) continue;
    const bool again = lineage && sql.starts_with("CREATE") && out.size() > 1 && out[out.size() - 2] == sql;
    if (!again) out.push_back(sql);
  }
  return out;
}

/// The order of types means nothing. Those of theirs that no column has are left from a definition that failed before,
/// or of a line that does nothing.
void tidy_types(std::vector<std::string>& theirs, std::vector<std::string>& ours, bool some_lines_do_nothing) {
  const auto is_type = [](const std::string& sql) { return sql.starts_with("CREATE TYPE"); };
  std::erase_if(theirs, [&](const std::string& sql) {
    if (!is_type(sql) || std::ranges::find(ours, sql) != ours.end()) return false;
    const std::string type = sql.substr(12, sql.find(" AS ENUM") - 12);
    return some_lines_do_nothing || std::ranges::none_of(theirs, [&](const std::string& other) {
             return other.starts_with("CREATE TABLE") && other.find(type) != std::string::npos;
           });
  });
  for (auto* statements : {&theirs, &ours})
    std::sort(statements->begin(), std::ranges::find_if_not(*statements, is_type));
}

/// They refuse what we accept only for these reasons.
bool may_accept(const std::vector<Case>& all, const Case& c, const std::string& database) {
  std::string text = c.json["definition"];
  for (const Json& part : c.json["parts"]) text += "\n" + part["definition"].get<std::string>();
  if (text.find('%') != std::string::npos) return true;  // their driver takes it for a format
  for (const std::string name : c.json["depends_on"]) {
    const Case* parent = find(all, name);
    if (parent && parent->json[database].contains("error")) return true;
    const std::string theirs = parent ? parent->json["definition"] : "";
    if (database == "mysql" && matches(theirs, "#.*\"")) return true;  // copied without its escape
  }
  if (database == "mysql") {  // quotes in comments; words for bools
    return matches(text, "enum\\([^\n]*\"|(^|\n)\\s*#[^\n]*\"") ||
           matches(text, "=\\s*['\"]?(t|true|yes|y|on|f|false|no|n|off)['\"]?\\s*:\\s*bool");
  }
  // MySQL's spelling of the time; indexes that get one name; enums of a schema that is not the one of the table which
  // brings them.
  const std::string theirs = c.json[database]["error"];
  return matches(text, "current_timestamp\\(\\)") || matches(theirs, "relation \"idx_\\S+\" already exists") ||
         matches(theirs,
                 "type \"\\w+\\.enum_\\w+\" does not exist|incompatible types: \\w+\\.enum_\\w+ and \\w+\\.enum_");
}

bool may_refuse_table(const std::string& message, const Case& c, const std::string& database) {
  std::istringstream in(c.json["definition"].get<std::string>());
  for (std::string line; std::getline(in, line);)
    if (may_refuse(message, Line::stripped(line), database)) return true;
  return false;
}

TEST(Schema, Statements) {
  const std::vector<Case> all = read_cases();
  for (const std::string database : {"postgresql", "mysql"}) {
    int same = 0, refused = 0, others = 0;
    for (const Case& c : all) {
      const Json& theirs = c.json[database];
      DefineOptions options;
      options.schema = c.json["schema"];
      options.job_metadata = c.config("jobs.add_job_metadata");
      options.provenance = c.config("provenance.capture");
      add_parents(all, c, options.references);
      std::vector<std::string> ours, notes;
      std::string refusal;
      for (const NamedDefinition& table : tables_of(c)) {
        try {
          const DefinedTable made = define(table, database, options);
          for (const std::string& sql : made.statements) ours.push_back(normal(sql));
          notes.insert(notes.end(), made.notes.begin(), made.notes.end());
          options.references.push_back(table);
        } catch (const Error& e) {
          refusal = e.what();
          EXPECT_EQ(e.code(), Errc::definition) << refusal;
          // The name of a class has no line.
          EXPECT_TRUE(matches(refusal, "line \\d+, column \\d+|class |name the table")) << refusal;
          break;
        }
      }
      const std::string what = c.name + " for " + database + ": " + refusal;
      if (theirs.contains("error")) {
        const bool expected = !refusal.empty() || may_accept(all, c, database);
        EXPECT_TRUE(expected) << what << " is accepted; they say: " << theirs["error"];
        ++(refusal.empty() ? others : refused);
        continue;
      }
      if (!refusal.empty()) {
        EXPECT_TRUE(may_refuse_table(refusal, c, database)) << what;
        ++others;
        continue;
      }
      auto wanted = statements_of(theirs, database);
      const auto nothing = std::ranges::count_if(
          notes, [](const std::string& note) { return note.find("does nothing") != std::string::npos; });
      tidy_types(wanted, ours, nothing != 0);
      EXPECT_EQ(ours, wanted) << what;
      std::ptrdiff_t warnings = 0;
      for (const std::string warning : theirs.value("warnings", Json::array()))
        warnings += warning.starts_with("Native type");
      const auto native = [](const std::string& note) {
        return note.find("of some databases only") != std::string::npos;
      };
      const auto told = std::ranges::count_if(notes, native);
      EXPECT_TRUE(told <= warnings && warnings <= told + nothing) << what;
      ++same;
    }
    std::cout << database << ": " << same << " tables with the same statements, " << refused << " refused by both, "
              << others << " by a rule\n";
  }
}

/// Its message, if it is refused: with the place in it, and small.
std::string refusal(const std::string& text) {
  try {
    schema::parse_definition(text);
    return {};
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::definition) << e.what();
    EXPECT_TRUE(std::string_view(e.target()).starts_with("line ")) << e.what();
    EXPECT_LT(std::string_view(e.what()).size(), 2000u) << e.what();
    return e.what();
  }
}

// Every definition cut at every byte, and with bits turned over.
TEST(Schema, DamagedDefinitionsSayWhere) {
  std::mt19937 random(20'261'123);
  std::size_t accepted = 0, refused = 0;
  const auto count = [&](const std::string& text) { ++(refusal(text).empty() ? accepted : refused); };
  for (const Case& c : read_cases()) {
    SCOPED_TRACE(c.name);
    for (const NamedDefinition& table : tables_of(c)) {
      for (std::size_t size = 0; size < table.text.size(); ++size) count(table.text.substr(0, size));
      for (int i = 0; i < 60 && !table.text.empty(); ++i) {
        std::string damaged = table.text;
        for (int flips = 0; flips <= i % 3; ++flips)
          damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
        count(damaged);
      }
    }
  }
  std::cout << accepted << " damaged definitions accepted, " << refused << " refused\n";
  EXPECT_GT(accepted, 0u);
  EXPECT_GT(refused, 0u);
}

/// Declares as a session would, without a database.
class Lab {
 public:
  explicit Lab(const db::Dialect& dialect) : dialect_(dialect) {}
  schema::Declaration declare(const NamedDefinition& table, const std::string& text, const Case& c) {
    const std::size_t dot = table.class_name.find('.');
    const std::string master = table.class_name.substr(0, dot);
    schema::Context context;
    context.dialect = &dialect_;
    context.job_metadata = c.config("jobs.add_job_metadata");
    context.provenance = c.config("provenance.capture");
    context.codec = [&](std::string_view codec, bool in_store) {
      const auto chain = codec::resolve(codecs_, "<" + std::string(codec) + (in_store ? "@>" : ">"));
      return schema::CodecColumn{chain.column, codec::is_object(chain)};
    };
    context.parent = [&](std::string_view reference) {
      std::string name(reference);
      if (name.starts_with("master")) name = master + name.substr(6);
      for (const auto& [schema, class_name] : known_)  // "lab.Subject"
        if (name == schema + "." + class_name) name = class_name;
      const auto at = tables_.find(name);
      if (at == tables_.end()) throw Error(Errc::definition, "there is no such table");
      return at->second;
    };
    const std::string master_table = table.tier == Tier::part ? tables_.at(master).table.name : "";
    const std::string own = dot == std::string::npos ? master : table.class_name.substr(dot + 1);
    return schema::declare(schema::parse_definition(text), table.schema, table_name(table.tier, own, master_table),
                           context);
  }
  void keep(const NamedDefinition& table, const schema::Declaration& d) {
    std::string real = class_name_of(d.table.name);  // My_Table is MyTable
    for (const std::string& name : {table.class_name, real}) {
      tables_[name] = {d.table, {d.lineage.begin(), d.lineage.end()}};
      known_.emplace_back(table.schema, name);
    }
  }

 private:
  const db::Dialect& dialect_;
  codec::Registry codecs_;
  std::map<std::string, schema::Parent, std::less<>> tables_;
  std::vector<std::pair<std::string, std::string>> known_;
};

TEST(Schema, DescriptionsDeclareTheSameTable) {
  for (const std::string database : {"sqlite", "postgresql", "mysql"}) {
    int ran = 0;
    const db::Dialect& dialect = db::dialect_of(database);
    Lab lab(dialect);
    for (const Case& c : read_cases()) {
      for (const NamedDefinition& table : tables_of(c)) {
        schema::Declaration first;
        std::vector<std::string> statements;
        try {
          first = lab.declare(table, table.text, c);
          statements = dialect.create_table(first.table);
          lab.keep(table, first);
        } catch (const Error&) {
          break;
        }
        ++ran;
        const std::string text = schema::describe(first.table);
        const schema::Declaration again = lab.declare(table, text, c);
        EXPECT_EQ(again.table, first.table) << text;
        EXPECT_EQ(again.lineage, first.lineage) << text;
        EXPECT_EQ(dialect.create_table(again.table), statements) << text;
        EXPECT_EQ(schema::describe(again.table), text);
        EXPECT_TRUE(schema::differences(first.table, again.table).empty()) << text;
        // As databases keep it, where nothing says which columns references brought but that they have no type.
        db::TableDef kept = first.table;
        for (db::ColumnDef& column : kept.columns) {
          if (column.origin.empty()) continue;
          column.origin.clear();
          column.comment = db::read_marker(column.comment).text;
        }
        const std::string kept_text = schema::describe(kept);
        EXPECT_TRUE(schema::differences(first.table, lab.declare(table, kept_text, c).table).empty()) << kept_text;
      }
    }
    std::cout << ran << " tables described for " << database << "\n";
    EXPECT_GT(ran, 0);
  }
}

}  // namespace
}  // namespace oas::test
