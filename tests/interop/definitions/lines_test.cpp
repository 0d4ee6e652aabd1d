// One line of a definition → the SQL of its column, its index, its type, for PostgreSQL and MySQL.
#include <oas/definition.hpp>
#include <oas/tools.hpp>

#include "db/postgres_dialect.hpp"
#include "db/registry.hpp"
#include "golden.hpp"
#include "schema/definition.hpp"

namespace oas::test {
namespace {

const std::vector<std::string> databases{"postgresql", "mysql"};

struct Defined {
  std::string refusal;  ///< empty: accepted
  std::vector<std::string> statements;
  std::string create() const {
    for (const std::string& sql : statements)
      if (sql.starts_with("CREATE TABLE")) return sql;
    return {};
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::istringstream in(create());
    for (std::string line; std::getline(in, line);)
      out.push_back(line.ends_with(",") ? line.substr(0, line.size() - 1) : line);
    return out;
  }
};
Defined define_text(const std::string& text, const std::string& database, const std::string& schema = "{database}") {
  DefineOptions options;
  options.schema = schema;
  try {
    return {"", define({"T", Tier::manual, text}, database, options).statements};
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::definition) << e.what();
    EXPECT_TRUE(matches(e.what(), "line \\d+, column \\d+")) << e.what();
    return {e.what(), {}};
  }
}
std::string comment_in(const Defined& defined, const std::string& column) {
  const std::string begin = "COMMENT ON COLUMN \"{database}\".\"t\".\"" + column + "\" IS '";
  for (const std::string& sql : defined.statements)
    if (sql.starts_with(begin)) return replaced(sql.substr(begin.size(), sql.size() - begin.size() - 1), "''", "'");
  return {};
}

TEST(Lines, AreOfKnownKinds) {
  const std::vector<std::string> known{"attribute",      "index",      "is_foreign_key", "tier",
                                       "enum_type_name", "index_name", "alter"};
  for (const Json& c : cases("lines"))
    EXPECT_NE(std::ranges::find(known, c["kind"].get<std::string>()), known.end()) << c["name"] << " is not tested";
}

TEST(Lines, Attributes) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "attribute") continue;
    ++ran;
    const std::string line = c["line"], name = c["name"];
    const std::string text = c["in_key"].get<bool>() ? line : "oas_key : int32\n---\n" + line;
    for (const std::string& database : databases) {
      const Json& theirs = c[database];
      const Defined ours = define_text(text, database);
      const std::string what = name + " for " + database + ": `" + line + "` " + ours.refusal;
      if (theirs.contains("error")) {
        EXPECT_FALSE(ours.refusal.empty()) << what << " is accepted; they say: " << theirs["message"];
        continue;
      }
      if (!ours.refusal.empty()) {
        EXPECT_TRUE(may_refuse(ours.refusal, Line::stripped(line), database)) << what;
        continue;
      }
      const std::string wanted = as_we_write(theirs["sql"], database);
      const auto lines = ours.lines();
      EXPECT_NE(std::ranges::find(lines, wanted), lines.end()) << what << "\nwanted " << wanted << "\n"
                                                               << ours.create();
      const std::string comment = theirs["comment"].is_null() ? "" : theirs["comment"].get<std::string>();
      if (database == "postgresql") {
        EXPECT_EQ(comment_in(ours, theirs["name"]), comment_as_written(comment)) << what;
      }
      const auto parsed = schema::parse_definition(text).attributes.back();
      EXPECT_EQ(parsed.in_store ? Json(parsed.store) : Json(nullptr), theirs["store"]) << what;
    }
  }
  std::cout << ran << " attribute lines\n";
}

TEST(Lines, Indexes) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "index") continue;
    ++ran;
    const std::string line = c["line"];
    detail::IndexLine index;
    EXPECT_EQ(detail::read_index(line, index), c["is_index"].get<bool>()) << line;
    if (!c["is_index"].get<bool>()) continue;
    // Of all the names in it there are attributes.
    std::string text = "oas_key : int32\n---\n";
    const std::regex word(R"(\b[a-z]\w*)");
    const std::string inside = line.substr(line.find('('));
    for (std::sregex_iterator i(inside.begin(), inside.end(), word), end; i != end; ++i)
      text += i->str() + " : int32\n";
    for (const std::string& database : databases) {
      const Defined ours = define_text(text + line, database);
      if (!ours.refusal.empty()) {
        EXPECT_TRUE(c[database].contains("error") || may_refuse(ours.refusal, line, database)) << ours.refusal;
        continue;
      }
      ASSERT_FALSE(c[database].contains("error")) << line;
      const std::string wanted = c[database].at(0);
      if (database == "mysql") {
        const auto lines = ours.lines();
        EXPECT_NE(std::ranges::find(lines, wanted), lines.end()) << line << "\n" << ours.create();
      } else {
        const std::string columns = replaced(wanted.substr(wanted.find('(')), ",", ", ");
        EXPECT_TRUE(std::ranges::any_of(ours.statements, [&](const std::string& sql) {
          return sql.starts_with(wanted.starts_with("unique") ? "CREATE UNIQUE INDEX" : "CREATE INDEX") &&
                 sql.ends_with(" " + columns);
        })) << line;
      }
    }
  }
  std::cout << ran << " index lines\n";
}

TEST(Lines, References) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "is_foreign_key") continue;
    ++ran;
    const std::string line = c["line"];
    bool reference = false;
    try {
      reference = !schema::parse_definition("---\n" + line).references.empty();
    } catch (const Error& e) {  // taken for one, if it is a bad one
      reference = matches(e.what(), "\\((arrow_not_first|bad_reference\\w*)\\)");
    }
    EXPECT_EQ(reference, c["result"].get<bool>()) << line;
  }
  std::cout << ran << " reference lines\n";
}

TEST(Lines, Tiers) {
  int ran = 0;
  const std::map<std::string, Tier> tiers = {{"Manual", Tier::manual},
                                             {"Lookup", Tier::lookup},
                                             {"Imported", Tier::imported},
                                             {"Computed", Tier::computed},
                                             {"Part", Tier::part}};
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "tier") continue;
    ++ran;
    const std::string table = c["table"];
    std::optional<Tier> wanted;
    if (!c["tiers"].empty()) wanted = tiers.at(c["tiers"][0]);
    EXPECT_EQ(tier_of(table), wanted) << table;
  }
  std::cout << ran << " table names\n";
}

TEST(Lines, EnumTypes) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "enum_type_name") continue;
    ++ran;
    const std::string type = c["type"];
    const std::string ddl = c["ddl"].at(0);  // CREATE TYPE "schema"."enum_…
    const std::string schema = ddl.substr(13, ddl.find('"', 13) - 13);
    const Defined ours = define_text("oas_key : int32\n---\nx : " + type, "postgresql", schema);
    if (!ours.refusal.empty()) {
      EXPECT_TRUE(may_refuse(ours.refusal, "x : " + type, "postgresql")) << ours.refusal;
      if (splits_at_other_commas(type)) continue;
    } else
      EXPECT_EQ(ours.statements.front(), ddl);
    const db::PostgresEnum made = db::postgres_enum(type);
    EXPECT_EQ("\"{database}\".\"" + made.name + "\"", c["sql_type"]);
    for (const auto& [name, labels] : c["pending"].items()) {
      EXPECT_EQ(name, made.name);
      std::vector<std::string> theirs = labels;
      for (std::string& label : theirs) label = replaced(label, "''", "'");
      EXPECT_EQ(made.labels, theirs);
    }
  }
  std::cout << ran << " enum types\n";
}

TEST(Lines, IndexNames) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "index_name") continue;
    ++ran;
    db::TableDef table;
    table.schema = "sch";
    table.name = c["table"];
    table.columns = {{"oas_key", "int32", {}, false, ""}};
    table.primary_key = {"oas_key"};
    for (const std::string column : c["columns"]) table.columns.push_back({column, "int32", {}, false, ""});
    table.indexes = {{c["columns"], c["unique"].get<bool>()}};
    const auto ours = db::dialect_of("postgresql").portable_table(table, {});
    EXPECT_NE(std::ranges::find(ours, c["ddl"].get<std::string>()), ours.end()) << c["ddl"];
  }
  std::cout << ran << " names of indexes\n";
}

// We alter no tables. But what they would add is a column as we declare it, and where they see no change there is none.
TEST(Lines, Alterations) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "alter") continue;
    ++ran;
    const std::string name = c["name"];
    for (const std::string& database : databases) {
      const Json& theirs = c[database];
      const Defined ours = define_text(c["definition"], database);
      if (theirs.contains("error")) {  // most of them cannot be altered, and can be declared
        if (matches(c["definition"], "(^|\n)_")) {
          EXPECT_FALSE(ours.refusal.empty()) << name;
        }
        continue;
      }
      ASSERT_EQ(ours.refusal, "") << name;
      const auto lines = ours.lines();
      for (const std::string clause : theirs["clauses"]) {
        std::smatch column;
        if (!std::regex_search(clause, column, std::regex(R"(^(?:ADD|MODIFY|CHANGE \S+) (.*?)\s*(?:AFTER \S+)?$)")))
          continue;
        const std::string wanted = as_we_write(column[1], database);
        EXPECT_NE(std::ranges::find(lines, wanted), lines.end()) << name << ": " << wanted << "\n" << ours.create();
      }
      for (const std::string sql : theirs["before"])
        EXPECT_NE(std::ranges::find(ours.statements, replaced(sql, "\"sch\"", "\"{database}\"")), ours.statements.end())
            << sql;
      if (database == "postgresql") {
        for (const auto& [column, comment] : theirs["comments"].items()) {
          EXPECT_EQ(comment_in(ours, column), comment.get<std::string>()) << name;
        }
      }
    }
  }
  std::cout << ran << " alterations\n";
}

}  // namespace
}  // namespace oas::test
