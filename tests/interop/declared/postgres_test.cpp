// Tables that DataJoint for Python declared on a server: its statements, as golden data has them, are run there by the
// server's own client. What the library then reads is what it declares itself for the same definition; declaring it
// finds the table, and what describe() says declares it once more.
#include <sstream>
#include <tuple>

#include <oas/oas.hpp>

#include "db/registry.hpp"
#include "interop/definitions/golden.hpp"
#include "support/postgres.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

struct Case {
  std::string name;
  Json json;
};

std::vector<Case> declared_cases() {
  std::vector<Case> out;
  for (const Json& entry : cases("schema")) {
    Json json = entry;
    if (entry.contains("file")) {
      std::ifstream file(golden() + "/schema/" + entry["file"].get<std::string>());
      json = Json::parse(file);
    }
    if (json["postgresql"].contains("statements") && !json["postgresql"].contains("error"))
      out.push_back({entry["name"], json});
  }
  return out;
}

/// As its driver fills in arguments.
std::string filled_in(PostgresClient& client, const Json& statement) {
  std::string sql = statement["sql"];
  if (!statement.contains("args")) return sql;
  std::string out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql.compare(i, 2, "%s") == 0)
      out += client.quoted(statement["args"].at(next++)), ++i;
    else if (sql.compare(i, 2, "%%") == 0)
      out += '%', ++i;
    else
      out += sql[i];
  }
  return out;
}

Tier tier_of_case(const Case& c) {
  const std::string tier = c.json["tier"];
  return tier == "Lookup"     ? Tier::lookup
         : tier == "Imported" ? Tier::imported
         : tier == "Computed" ? Tier::computed
                              : Tier::manual;
}

class Declared : public testing::Test {
 protected:
  void SetUp() override {
    OAS_NEED_SERVER(postgres_variable)
    database_ = empty_postgres_database();
  }
  Session open() const {
    const TestServer server = test_server(postgres_variable).value();
    Settings settings = Settings::parse(R"({"database": {"backend": "postgresql"}, )" + stores + "}");
    settings.set("database.host", server.host);
    settings.set("database.port", server.port);
    settings.set("database.user", server.user);
    settings.set("database.password", server.password);
    settings.set("database.name", database_);
    return Session(std::move(settings));
  }
  static void expect_same(const Heading& theirs, const Heading& ours) {
    ASSERT_EQ(theirs.names(), ours.names());
    EXPECT_EQ(theirs.primary_key(), ours.primary_key());
    for (const Attribute& a : ours) {
      if (a.hidden) continue;
      const Attribute& b = theirs.at(a.name);
      // Of a native type, only the server's own word for it is kept.
      const bool native =
          matches(a.type, R"(^(dec|numeric|(small|big)?int(eger)?|serial|float|real|time|timestamp|text)\b)") ||
          matches(a.type, R"(^decimal(\(\d+\))?$)");
      if (!native) {
        EXPECT_EQ(b.type, a.type) << a.name;
        EXPECT_EQ(b.column, a.column) << a.name;
      }
      EXPECT_EQ(b.nullable, a.nullable) << a.name;
      EXPECT_EQ(b.lineage, a.lineage) << a.name;
      EXPECT_EQ(std::tie(b.codec, b.store, b.in_store), std::tie(a.codec, a.store, a.in_store)) << a.name;
    }
  }
  const std::string stores = R"("stores": {"default": "main", "main": {"protocol": "memory"}, "raw": {"protocol":
    "memory"}, "cold": {"protocol": "memory"}, "store": {"protocol": "memory"}})";
  std::string database_;
};

TEST_F(Declared, TablesAreFoundAgain) {
  PostgresClient client(database_);
  std::vector<Case> run;
  for (const Case& c : declared_cases()) {
    client.run("CREATE SCHEMA IF NOT EXISTS \"" + c.json["schema"].get<std::string>() + "\"");
    try {
      for (const Json& statement : c.json["postgresql"]["statements"]) {
        const std::string sql = filled_in(client, statement);
        if (matches(sql, "^\\s*CREATE TYPE")) {  // they ignore it if it is there
          client.run("DO " + client.quoted("BEGIN " + sql + "; EXCEPTION WHEN duplicate_object THEN NULL; END"));
        } else {
          client.run(sql);
        }
      }
      run.push_back(c);
    } catch (const std::runtime_error& e) {
      std::cout << c.name << ": " << e.what();
    }
  }
  // Our own declarations of the same definitions, where nothing is lost on the way.
  TempFolder folder;
  Session own(Settings::parse(R"({"database": {"backend": "sqlite", "name": ")" + (folder.path() / "lab.db").string() +
                              R"("}, )" + stores + "}"));
  Session session = open();
  int found = 0, refused = 0, compared = 0;
  for (const Case& c : run) {
    const std::string schema_name = c.json["schema"], class_name = c.json["class"];
    Schema schema = session.schema(schema_name);
    const auto before = schema.tables();
    const auto one = [&](const std::string& name, Tier tier, std::string definition, const std::string& master) {
      SCOPED_TRACE(c.name + " " + name);
      // Their names are those of Python; a table of another schema is written with it here.
      if (schema_name != "ios_gold")
        definition = std::regex_replace(definition, std::regex("-> *([A-Z])"), "-> ios_gold.$1");
      try {
        const auto table = schema.declare(name, tier, definition, master);
        EXPECT_EQ(schema.tables(), before) << "it was declared once more";
        ++found;
        try {
          const auto ours = own.schema(schema_name).declare(name, tier, definition, master);
          expect_same(table.heading(), ours.heading());
          ++compared;
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), Errc::definition) << e.what();  // a type of PostgreSQL alone
        }
      } catch (const Error& e) {
        bool by_rule = false;
        std::istringstream lines(definition);
        for (std::string line; std::getline(lines, line);)
          by_rule = by_rule || may_refuse(e.what(), line, "postgresql");
        EXPECT_TRUE(by_rule) << e.what();
        ++refused;
      }
    };
    one(class_name, tier_of_case(c), c.json["definition"], "");
    for (const Json& part : c.json["parts"]) one(part["class"], Tier::part, part["definition"], class_name);
  }
  std::cout << found << " tables found again, " << compared << " of them compared, " << refused
            << " refused by a rule\n";
  EXPECT_GT(compared, refused);
}

}  // namespace
}  // namespace oas::test
