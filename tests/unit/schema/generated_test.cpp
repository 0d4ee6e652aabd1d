// Definitions put together at random: what describe() makes of their tables declares the same tables again, in every
// database.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "db/registry.hpp"
#include "schema/declare.hpp"

namespace {

using namespace oas;
using namespace oas::schema;

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::string definition() {
    names_ = {"subject_id", "session", "rig"};
    std::string text = one_of({"", "", "# of a kind\n", "# with a # inside #\n", "# \"quoted\" it's {x} 5%\n"});
    const int in_key = number(0, 3), below = number(0, 5);
    for (int i = 0; i < in_key; ++i) text += line(true);
    text += one_of({"---\n", "------ x\n", "  ---\n"});
    for (int i = 0; i < below; ++i) text += line(false);
    return text;
  }

 private:
  int number(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  std::string one_of(const std::vector<const char*>& what) {
    return what[static_cast<std::size_t>(number(0, static_cast<int>(what.size()) - 1))];
  }

  std::string line(bool key) {
    switch (number(0, 5)) {
      case 0: return reference(key);
      case 1: return key ? attribute(key) : index();
      default: return attribute(key);
    }
  }
  std::string reference(bool key) {
    std::string options = one_of({"", "", "[unique] "});
    if (!key) options = one_of({"", "[nullable] ", "[nullable, unique] ", "[unique]"});
    const std::string n = std::to_string(names_.size());
    switch (number(0, 4)) {
      case 0: return "-> " + options + "Subject\n";
      case 1: return "-> " + options + "Session  # which\n";
      case 2: names_.push_back("s" + n); return "-> " + options + "Subject.proj(s" + n + "='subject_id')\n";
      case 3: names_.push_back("t" + n); return "->" + options + "Session.proj(t" + n + "=\"session\", )\n";
      default: return "-> " + options + "vivarium.Rig\n";
    }
  }
  std::string index() {
    if (names_.size() < 4) return "# nothing to index\n";
    const auto some = [&] { return names_[static_cast<std::size_t>(number(3, static_cast<int>(names_.size()) - 1))]; };
    const std::string a = some(), b = some();
    return one_of({"index(", "unique index (", "INDEX ("}) + a + (a == b ? "" : ", " + b) + ")\n";
  }
  std::string attribute(bool key) {
    struct Kind {
      const char* type;
      std::vector<const char*> defaults;
    };
    static const std::vector<Kind> in_key{
        {"int8", {"", "=5", "=-1", "=+3"}},
        {"int64", {"", "=9223372036854775807"}},
        {"float64", {"", "=1e-3", "=.5"}},
        {"bool", {"", "=True", "=0", "=off"}},
        {"uuid", {""}},
        {"date", {"", "='2020-02-29'", "=2020-1-2", "=CURRENT_TIMESTAMP"}},
        {"datetime(3)", {"", "=CURRENT_TIMESTAMP(3)", "=current_timestamp"}},
        {"decimal(6, 2)", {"", "=1.50", "=1e2"}},
        {"char(4)", {"", "=\"\"", "='a''b'"}},
        {"varchar(40)",
         {"", "='say \"x\"'", "=\"it's: #1\"", "=a\"b", "=two words", "=\"null\"", "='\"''\":'", "=ü☃", "=\\",
          "=\"CURRENT_TIMESTAMP\"", "=\" x \"", "=\"a=b\""}},
        {"enum('a b', \"it's\", '', 'x:y')", {"", "='a b'", "=\"it's\"", "=\"\""}}};
    static const std::vector<Kind> others{
        {"json", {"", "=null", "='{\"a\": [1]}'"}}, {"bytes", {"", "=null"}},       {"<blob>", {"", "=null"}},
        {"< npy @ raw >", {"", "=null"}},           {"int unsigned", {"", "=5"}},   {"varchar( 9 )", {"", "=null"}},
        {"timestamp", {"", "=CURRENT_TIMESTAMP"}},  {"numeric(5,1)", {"", "=null"}}};
    const bool other = !key && number(0, 2) == 0;
    const auto& kinds = other ? others : in_key;
    const Kind& kind = kinds[static_cast<std::size_t>(number(0, static_cast<int>(kinds.size()) - 1))];
    std::string name = one_of({"a", "order", "x_1", "index"}) + std::to_string(names_.size());
    std::string fallback = !key && number(0, 3) == 0 ? "=null" : one_of(kind.defaults);
    std::string out = name + fallback + one_of({" : ", ":", "\t: "}) + kind.type +
                      one_of({"", "  # note", "# a # b#  #", " # say \"hi\" it's 5% \\ {x}", " # \tü", " ##"}) + "\n";
    if (!other) names_.push_back(std::move(name));
    return out;
  }

  std::mt19937 random_;
  std::vector<std::string> names_;
};

Context lab(const db::Dialect& dialect) {
  static const std::map<std::string, std::pair<const char*, const char*>, std::less<>> parents{
      {"Subject", {"lab", "subject_id : int8 # who \"he\" is\n---\nname : varchar(40)"}},
      {"Session", {"lab", "subject_id : int8\nsession : uuid"}},
      {"vivarium.Rig", {"vivarium", "rig : enum('a', 'b')"}}};
  Context context;
  context.dialect = &dialect;
  context.codec = [](std::string_view, bool in_store) { return CodecColumn{in_store ? "json" : "bytes", in_store}; };
  context.parent = [](std::string_view name) -> Parent {
    const auto at = parents.find(name);
    if (at == parents.end()) throw Error(Errc::unknown_table, "there is no such table");
    const std::string_view own = name.substr(name.find('.') == name.npos ? 0 : name.find('.') + 1);
    const Declaration d =
        declare(parse_definition(at->second.second), at->second.first, table_name(Tier::manual, own), {});
    return {d.table, {d.lineage.begin(), d.lineage.end()}};
  };
  return context;
}

TEST(Generated, DescriptionsDeclareTheSameTable) {
  const std::uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  Generator generator(seed);
  int accepted = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string text = generator.definition();
    const char* database = i % 3 == 0 ? "sqlite" : i % 3 == 1 ? "postgresql" : "mysql";
    const db::Dialect& dialect = db::dialect_of(database);
    const Context context = lab(dialect);
    Declaration first;
    std::vector<std::string> statements;
    try {
      first = declare(parse_definition(text), "lab", "scan", context);
      statements = dialect.portable_table(first.table, first.lineage);
    } catch (const Error& e) {  // some types are of one database only
      EXPECT_EQ(e.code(), Errc::definition) << text << e.what();
      continue;
    }
    ++accepted;
    const std::string described = describe(first.table);
    try {
      const Declaration again = declare(parse_definition(described), "lab", "scan", context);
      EXPECT_EQ(again.table, first.table) << text << "\n" << described;
      EXPECT_EQ(dialect.portable_table(again.table, again.lineage), statements) << text << "\n" << described;
      EXPECT_EQ(describe(again.table), described) << text;
    } catch (const Error& e) {
      ADD_FAILURE() << e.what() << "\n" << text << "\n" << described;
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(accepted, 300);
}

}  // namespace
