// What the library reads of tables that DataJoint for Python declared is what it declares itself for the same
// definition; declaring it finds the table.
#include <tuple>

#include "declared.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

class Found : public Declared {
 protected:
  static void expect_same(const Heading& theirs, const Heading& ours) {
    ASSERT_EQ(theirs.names(), ours.names());
    EXPECT_EQ(theirs.primary_key(), ours.primary_key());
    for (const Attribute& a : ours) {
      if (a.hidden) continue;
      const Attribute& b = theirs.at(a.name);
      // Of a native type, only the server's own word for it is kept.
      const bool native =
          matches(a.type, R"(^(dec|numeric|(small|big)?int(eger)?|serial|float|real|time|timestamp|text)\b)") ||
          matches(a.type, R"(^decimal(\(\d+\))?$)") || matches(a.type, R"(^(var)?char( |\( |\(\d+ ))");
      if (!native) {
        EXPECT_EQ(b.type, a.type) << a.name;
        EXPECT_EQ(b.column, a.column) << a.name;
      }
      EXPECT_EQ(b.nullable, a.nullable) << a.name;
      EXPECT_EQ(b.lineage, a.lineage) << a.name;
      EXPECT_EQ(std::tie(b.codec, b.store, b.in_store), std::tie(a.codec, a.store, a.in_store)) << a.name;
    }
  }
};

TEST_P(Found, TablesOfTheirs) {
  empty();
  std::vector<DeclaredCase> there;
  for (DeclaredCase& c : declared_cases())
    if (declare_theirs(c)) there.push_back(std::move(c));
  // Our own declarations of the same definitions, where nothing is lost on the way.
  TempFolder folder;
  Session own(Settings::parse(R"({"database": {"backend": "sqlite", "name": ")" + (folder.path() / "lab.db").string() +
                              R"("}, )" + stores() + "}"));
  Session session = open();
  int found = 0, refused = 0, compared = 0;
  for (const DeclaredCase& c : there) {
    Schema schema = session.schema(c.schema);
    const auto before = schema.tables();
    for (const DeclaredTable& t : c.tables()) {
      SCOPED_TRACE(c.name + " " + t.class_name);
      try {
        const auto table = schema.declare(t.class_name, t.tier, t.definition, t.master);
        EXPECT_EQ(schema.tables(), before) << "it was declared once more";
        ++found;
        try {
          const auto ours = own.schema(c.schema).declare(t.class_name, t.tier, t.definition, t.master);
          expect_same(table.heading(), ours.heading());
          ++compared;
        } catch (const Error& e) {
          // A type of this server alone, and what refers to such a table.
          EXPECT_TRUE(e.code() == Errc::definition || e.code() == Errc::unknown_table) << e.what();
        }
      } catch (const Error& e) {
        EXPECT_TRUE(refused_by_rule(e, t.definition)) << e.what();
        ++refused;
      }
    }
  }
  std::cout << found << " tables found again, " << compared << " of them compared, " << refused
            << " refused by a rule\n";
  EXPECT_GT(compared, refused);
}
OAS_DECLARED_ON_SERVERS(Found);

}  // namespace
}  // namespace oas::test
