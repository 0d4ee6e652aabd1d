#include "schema/declare.hpp"

#include <gtest/gtest.h>

#include <map>

#include <oas/error.hpp>

namespace {

using namespace oas::schema;
using oas::Tier;
using oas::db::Default;
using oas::db::TableDef;

/// A small database: tables declared one after the other refer to those before them.
class Lab {
 public:
  Lab() {
    context_.parent = [this](std::string_view name) -> Parent {
      const auto at = tables_.find(name);
      if (at == tables_.end()) throw oas::Error(oas::Errc::unknown_table, "there is no such table", std::string(name));
      return at->second;
    };
    context_.codec = [](std::string_view codec, bool in_store) -> CodecColumn {
      if (codec != "blob" && codec != "npy") throw oas::Error(oas::Errc::definition, "there is no such codec");
      return {in_store ? "json" : "bytes", in_store};
    };
  }
  Declaration declare(std::string_view class_name, std::string_view text, Tier tier = Tier::manual) {
    Declaration d = declare_as(oas::table_name(tier, class_name), text);
    oas::Lineage lineage(d.lineage.begin(), d.lineage.end());
    tables_[std::string(class_name)] = {d.table, lineage};
    return d;
  }
  Declaration declare_as(std::string_view name, std::string_view text) const {
    return oas::schema::declare(parse_definition(text), "lab", name, context_);
  }

 private:
  std::map<std::string, Parent, std::less<>> tables_;
  Context context_;
};

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const oas::Error& e) {
    return e.what();
  }
  return "accepted";
}

constexpr const char* subject = "subject_id : int8 # unique id\n---\nname : varchar(40)";

TEST(Declare, MakesColumnsWithTheirTypes) {
  Lab lab;
  const TableDef t = lab.declare("Scan", R"(
    # scans
    id : int32   # which
    ---
    x=5 : int8
    raw=null : <blob@cold>  # data
    here : <blob>
    old : mediumint  # plain
    index(x)
    unique index(x, old)
  )")
                         .table;
  EXPECT_EQ(t.schema, "lab");
  EXPECT_EQ(t.name, "scan");
  EXPECT_EQ(t.comment, "scans");
  EXPECT_EQ(t.primary_key, std::vector<std::string>{"id"});
  const std::vector<oas::db::ColumnDef> columns = {
      {"id", "int32", {}, false, ":int32:which"},
      {"x", "int8", {Default::Kind::literal, "5"}, false, ":int8:"},
      {"raw", "json", {Default::Kind::null, ""}, true, ":<blob@cold>:data"},
      {"here", "bytes", {}, false, ":<blob>:"},
      {"old", "mediumint", {}, false, "plain"}};
  EXPECT_EQ(t.columns, columns);
  const std::vector<oas::db::IndexDef> indexes = {
      {{"x"}, false, false}, {{"x", "old"}, true, false}, {{"raw"}, false, true}};
  EXPECT_EQ(t.indexes, indexes);
}

TEST(Declare, BringsTheKeysOfParentsWithTheirTypes) {
  Lab lab;
  lab.declare("Subject", subject);
  lab.declare("Session", "-> Subject\nsession : uuid");
  const Declaration d =
      lab.declare("Scan", "-> Session\nn : int16\n---\n-> [nullable, unique] Subject.proj(other='subject_id')");
  const TableDef& t = d.table;
  ASSERT_EQ(t.columns.size(), 4u);
  EXPECT_EQ(t.columns[0], (oas::db::ColumnDef{"subject_id", "int8", {}, false, ":int8:unique id"}));
  EXPECT_EQ(t.columns[1], (oas::db::ColumnDef{"session", "uuid", {}, false, ":uuid:"}));
  EXPECT_EQ(t.columns[3], (oas::db::ColumnDef{"other", "int8", {}, true, ":int8:unique id"}));
  EXPECT_EQ(t.primary_key, (std::vector<std::string>{"subject_id", "session", "n"}));
  ASSERT_EQ(t.foreign_keys.size(), 2u);
  EXPECT_EQ(t.foreign_keys[0],
            (oas::db::ForeignKeyDef{{"subject_id", "session"}, "lab", "session", {"subject_id", "session"}, false}));
  EXPECT_EQ(t.foreign_keys[1], (oas::db::ForeignKeyDef{{"other"}, "lab", "subject", {"subject_id"}, true}));
  const std::vector<std::pair<std::string, std::string>> lineage = {{"subject_id", "lab.subject.subject_id"},
                                                                    {"session", "lab.session.session"},
                                                                    {"other", "lab.subject.subject_id"},
                                                                    {"n", "lab.scan.n"}};
  EXPECT_EQ(d.lineage, lineage);
}

TEST(Declare, KeepsWhatIsThereAlready) {
  Lab lab;
  lab.declare("Subject", subject);
  const Declaration d = lab.declare("Copy", "subject_id : int8 # mine\n-> Subject\n---\nx : int8");
  EXPECT_EQ(d.table.columns[0].comment, ":int8:mine");
  EXPECT_EQ(d.table.primary_key.size(), 1u);
  EXPECT_EQ(d.lineage.front().second, "lab.subject.subject_id");
  EXPECT_EQ(lab.declare("After", "-> Subject\nsubject_id : int8\nx : int8").table.columns.size(), 2u);
  const Declaration other = lab.declare("Other", "-> Subject\nsubject_id : varchar(9)\nsubject_id : int8\n");
  EXPECT_EQ(other.table.columns[0].type, "int8");
  ASSERT_EQ(other.notes.size(), 2u) << "each line that does nothing is told";
  EXPECT_NE(other.notes[0].find("line 3, column 1"), std::string::npos) << other.notes[0];
  EXPECT_NE(other.notes[1].find("line 2, column 1"), std::string::npos) << other.notes[1];
}

TEST(Declare, MakesASingletonWithoutAKey) {
  Lab lab;
  const Declaration d = lab.declare("Settings", "---\nn=0 : int32");
  EXPECT_EQ(d.table.primary_key, std::vector<std::string>{"_singleton"});
  EXPECT_EQ(
      d.table.columns.back(),
      (oas::db::ColumnDef{"_singleton", "bool", {Default::Kind::literal, "1"}, false, ":bool:singleton primary key"}));
  EXPECT_EQ(d.lineage.front().second, "lab.settings._singleton");
  EXPECT_NE(message([&] { lab.declare("Child", "-> Settings\nk : int8"); }).find("holds one row"), std::string::npos);
}

TEST(Declare, NotesComputedKeysOfTheirOwn) {
  Lab lab;
  lab.declare("Subject", subject);
  EXPECT_TRUE(lab.declare("Stack", "-> Subject\n---\nx : float64", Tier::computed).notes.empty());
  for (const Tier tier : {Tier::computed, Tier::imported})
    EXPECT_EQ(lab.declare("Own", "-> Subject\nk : int8", tier).notes.size(), 1u);
  EXPECT_TRUE(lab.declare_as("__stack__frame", "-> Stack\nframe : int8").notes.empty());
}

TEST(Declare, HiddenColumnsThatSettingsAskFor) {
  Context context;
  context.job_metadata = context.provenance = true;
  const auto hidden = [&](const char* table) {
    std::vector<std::string> names;
    for (const auto& column : declare(parse_definition("---\nx : int8"), "lab", table, context).table.columns)
      if (column.name.starts_with('_')) names.push_back(column.name);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(hidden("scan"), (Names{"_singleton", "_prov"}));
  EXPECT_EQ(hidden("__scan"), (Names{"_singleton", "_job_start_time", "_job_duration", "_job_version"}));
  EXPECT_EQ(hidden("__scan__part"), Names{"_singleton"});
  EXPECT_EQ(hidden("#scan"), Names{"_singleton"});
}

TEST(Declare, TheLastReferenceSaysWhereAnAttributeComesFrom) {
  Lab lab;
  lab.declare("A", "x : int8");
  lab.declare("B", "x : int8");
  const Declaration d = lab.declare("C", "-> A\n---\ny : int8\n-> B");
  EXPECT_EQ(d.lineage, (oas::db::Origins{{"x", "lab.b.x"}}));
  EXPECT_EQ(d.table.columns.size(), 2u);
}

TEST(Declare, ProjectionsRenameAndMustNameWhatIsThere) {
  Lab lab;
  lab.declare("Pair", "a : int8\nb : int16\n---\nc : int8");
  const TableDef t = lab.declare("Swap", "-> Pair.proj(a='b', b='a', ...)").table;
  EXPECT_EQ(t.foreign_keys[0].columns, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(t.columns[0].type, "int8");
  EXPECT_EQ(lab.declare("Some", "-> Pair().proj('c', d=\"c\")").table.columns.size(), 2u);
  const auto why = [&](const char* text) { return message([&] { lab.declare("Bad", text); }); };
  EXPECT_NE(why("-> Pair.proj(x='nothing')").find("no attribute nothing to project"), std::string::npos);
  EXPECT_NE(why("-> Pair.proj(x='a', y='a')").find("a is projected twice"), std::string::npos);
  EXPECT_NE(why("-> Pair.proj(b='a')").find("two attributes would be b"), std::string::npos);
}

TEST(Declare, NamesTheLineInTheWay) {
  Lab lab;
  lab.declare("Subject", subject);
  EXPECT_NE(message([&] {
              lab.declare("A", "-> Nothing");
            }).find("declare lab.a, line 1, column 1 of the definition, reference -> Nothing"),
            std::string::npos);
  EXPECT_NE(message([&] {
              lab.declare("A", "a : int8\n---\nx : <mine>");
            }).find("declare lab.a, line 3, column 1 of the definition, attribute x"),
            std::string::npos);
  EXPECT_NE(message([&] {
              lab.declare("A", "a : int8\nindex(b)");
            }).find("line 2, column 1 of the definition: index (b): there is no attribute b"),
            std::string::npos);
}

TEST(Describe, IsWhatOneWouldWrite) {
  Lab lab;
  lab.declare("Subject", subject);
  const TableDef t = lab.declare("Scan", R"(
    # scans
    -> Subject
    n : int16  # which
    ---
    label="it's" : varchar(20)
    -> [nullable] Subject.proj(other='subject_id')
    made=CURRENT_TIMESTAMP : datetime
    index(label)
  )")
                         .table;
  EXPECT_EQ(describe(t),
            "# scans\n"
            "-> Subject\n"
            "n                    : int16  # which\n"
            "---\n"
            "label=\"it's\"         : varchar(20)\n"
            "-> [nullable] Subject.proj(other='subject_id')\n"
            "made=CURRENT_TIMESTAMP : datetime\n"
            "index(label)\n");
}

class RoundTrip : public testing::TestWithParam<const char*> {};
TEST_P(RoundTrip, DeclaresTheSameTableAgain) {
  Lab lab;
  lab.declare("Subject", subject);
  lab.declare("Session", "-> Subject\nsession : int16");
  lab.declare("Rig", "rig : varchar(8)", Tier::lookup);
  const TableDef first = lab.declare_as("scan", GetParam()).table;
  const std::string text = describe(first);
  const TableDef again = lab.declare_as("scan", text).table;
  EXPECT_EQ(again, first) << text;
  EXPECT_TRUE(differences(first, again).empty());
}
INSTANTIATE_TEST_SUITE_P(
    All, RoundTrip,
    testing::Values(
        "id : int32", "", "---\na=1 : int8", "# c\n-> Session\n-> Rig\n---\n-> [nullable] Rig.proj(r2='rig')",
        "id : int32\n---\n-> Subject\n-> [unique] Rig\nx : int8\nunique index(x, rig)",
        "-> Session\n---\n-> Subject\n-> Subject.proj(a='subject_id')\n-> Session.proj(b='subject_id', c='session')",
        "-> Session\n-> Session.proj(s2='session')\n---\nx : int8",
        "id : int32\n---\na=null : <blob@raw> # x\nb : <npy@>\nc : <blob>\nd=null : enum('a','b') # y",
        "id=5 : int32\n---\na='x \"y\" it''s' : varchar(20)\nb=\"\" : varchar(1)\nc=-1.5 : decimal(5, 2)\n"
        "d=\"null\" : varchar(9)\ne=\"a b\" : varchar(9)\nf=false : bool\ng=CURRENT_TIMESTAMP : datetime(3)",
        "n : int unsigned # native\n---\nt : text\nu : timestamp"));

TEST(Differences, AreToldInWords) {
  Lab lab;
  lab.declare("Subject", subject);
  const TableDef declared =
      lab.declare_as("scan", "id : int32\n---\na=1 : int8\nb : <blob@raw>\n-> Subject\nindex(a)").table;
  const TableDef existing =
      lab.declare_as("scan", "id : int32\nn : int8\n---\na=2 : int8\nb=null : <blob@cold>\nc : int8").table;
  const std::vector<std::string> told = differences(declared, existing);
  const auto says = [&](std::string_view words) {
    return std::any_of(told.begin(), told.end(),
                       [&](const std::string& t) { return t.find(words) != std::string::npos; });
  };
  EXPECT_TRUE(says("attribute subject_id is not in the existing table"));
  EXPECT_TRUE(says("attribute a is declared with default '1', the existing table has default '2'"));
  EXPECT_TRUE(says("attribute b is declared as <blob@raw>, in the existing table it is <blob@cold>"));
  EXPECT_TRUE(says("attribute b is declared not nullable, in the existing table it is"));
  EXPECT_TRUE(says("attribute c of the existing table is not declared"));
  EXPECT_TRUE(says("the primary key is declared as (id), in the existing table it is (id, n)"));
  EXPECT_TRUE(says("the reference (subject_id) to lab.subject (subject_id) is not in the existing table"));
  EXPECT_TRUE(says("the index (a) is not in the existing table"));
}

TEST(Differences, KnowNumbersInOtherSpellings) {
  Lab lab;
  const TableDef declared =
      lab.declare_as("scan", "id : int8\n---\na=1.50 : decimal(10,4)\nb=true : bool\nc=01 : varchar(2)").table;
  TableDef existing = declared;
  existing.columns[1].fallback.literal = "1.5000";
  existing.columns[2].fallback.literal = "true";
  EXPECT_TRUE(differences(declared, existing).empty());
  existing.columns[2].fallback.literal = "0";
  existing.columns[3].fallback.literal = "1";
  EXPECT_EQ(differences(declared, existing).size(), 2u);
}

TEST(Differences, IgnoreWhatDoesNotMatterToRows) {
  Lab lab;
  const TableDef declared = lab.declare_as("scan", "id : decimal(5,2)\n---\na : int8 # x\nb=null : <blob@>").table;
  TableDef existing =
      lab.declare_as("scan", "# other\nid : decimal(5, 2)\n---\na : int8 # y\nb=null : <blob@>\nindex(a)").table;
  existing.columns.push_back({"_job_version", "varchar(64)", {}, true, ""});
  existing.indexes.pop_back();  // the one that leads to objects
  existing.columns[2].fallback.kind = Default::Kind::none;
  EXPECT_TRUE(differences(declared, existing).empty());
}

}  // namespace
