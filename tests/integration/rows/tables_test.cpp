// Tables: their tiers and names, references, parts, indexes, what declaring again says, and what drop takes along.
#include <algorithm>

#include "lab.hpp"

namespace oas::test {
namespace {

struct Subject : Manual {
  static constexpr Definition definition = R"(
    # who took part
    subject_id : int32   # number on the collar
    ---
    species='mouse' : varchar(30)
  )";
};
struct Rig : Lookup {
  static constexpr Definition definition = R"(
    rig : varchar(10)
    ---
    rate : float64
  )";
};
struct Scan : Manual {
  using references = References<Subject, Rig>;
  static constexpr Definition definition = R"(
    -> Subject
    scan : int16
    ---
    -> [nullable] Rig
    -> [nullable, unique] Subject.proj(partner='subject_id')
    image=null : <npy@>
    index(scan, rig)
  )";
  struct Frame : Part<Scan> {
    static constexpr Definition definition = R"(
      -> master
      frame : int32
      ---
      pixels : <blob@>
    )";
  };
  struct Spot : Part<Scan> {
    static constexpr Definition definition = R"(
      -> master.Frame
      spot : int32
    )";
  };
};
struct Analysis : Computed {
  static constexpr Definition definition = "-> Scan\n---\nscore : float64";
};

class Tables : public Lab {
 protected:
  void declare_all() {
    Schema schema = lab();
    schema.table<Subject>();
    schema.table<Rig>();
    schema.table<Scan>();
    schema.table<Scan::Frame>();
    schema.table<Scan::Spot>();
    schema.table<Analysis>();
  }
  void fill() {
    Schema schema = lab();
    for (int id = 1; id <= 2; ++id) {
      schema["Subject"].insert1({{"subject_id", id}});
      schema["Scan"].insert1({{"subject_id", id}, {"scan", 1}, {"image", counting(4, id)}});
      schema["Analysis"].insert1({{"subject_id", id}, {"scan", 1}, {"score", 0.5}});
      for (int frame = 0; frame < 3; ++frame) {
        schema["Scan.Frame"].insert1(
            {{"subject_id", id}, {"scan", 1}, {"frame", frame}, {"pixels", counting(3, frame)}});
        schema["Scan.Spot"].insert1({{"subject_id", id}, {"scan", 1}, {"frame", frame}, {"spot", 0}});
      }
    }
  }
  /// MySQL knows to the second when a table was made.
  static std::vector<std::string> in_order(std::vector<std::string> names) {
    if (on_mysql()) std::ranges::sort(names);
    return names;
  }
};
OAS_EVERYWHERE(Tables);

using Names = std::vector<std::string>;

TEST_P(Tables, NamesFollowTheTiers) {
  declare_all();
  EXPECT_EQ(in_order(lab().tables()), in_order({"subject", "#rig", "scan", "scan__frame", "scan__spot", "__analysis"}));
  EXPECT_EQ(lab()["__analysis"].tier(), Tier::computed);
  EXPECT_EQ(lab()["Scan"].tier(), Tier::manual);
  EXPECT_EQ(lab()["Scan.Frame"].name(), "scan__frame");
  EXPECT_EQ(lab()["Rig"].tier(), Tier::lookup);
  EXPECT_EQ(lab()["subject"].tier(), Tier::manual);
  EXPECT_EQ(lab()["scan__spot"].tier(), Tier::part);
  EXPECT_EQ(lab()["subject"].schema(), "lab");
  EXPECT_EQ(session().schemas(), Names{"lab"});
  EXPECT_EQ(raw()->cell("SELECT count(*) FROM " + raw()->table("scan__frame")), "0");
}

TEST_P(Tables, ReferencesBringTheKey) {
  declare_all();
  const Heading scan = lab()["Scan"].heading();
  Names columns;  // of a table that is gone when they are read
  for (const Attribute& attribute : lab()["Scan"].heading()) columns.push_back(attribute.name);
  EXPECT_EQ(columns.size(), scan.size());
  EXPECT_EQ(scan.primary_key(), (Names{"subject_id", "scan"}));
  EXPECT_EQ(scan.names(), (Names{"subject_id", "scan", "rig", "partner", "image"}));
  EXPECT_TRUE(scan.at("rig").nullable);
  EXPECT_EQ(scan.at("rig").type, "varchar(10)");
  EXPECT_EQ(scan.at("subject_id").lineage, "lab.subject.subject_id");
  EXPECT_EQ(scan.at("partner").lineage, "lab.subject.subject_id");
  EXPECT_EQ(lab()["Scan.Spot"].heading().primary_key(), (Names{"subject_id", "scan", "frame", "spot"}));
  EXPECT_EQ(lab()["Scan.Spot"].heading().at("subject_id").lineage, "lab.subject.subject_id");
  EXPECT_EQ(lab()["Scan.Spot"].heading().at("frame").lineage, "lab.scan__frame.frame");
}

TEST_P(Tables, ReferencesAreKept) {
  declare_all();
  fill();
  auto scan = lab().table<Scan>();
  refused(Errc::constraint, {"insert into lab.scan"}, [&] { scan.insert1({{"subject_id", 9}, {"scan", 1}}); });
  refused(Errc::constraint, {"insert into lab.scan"}, [&] {
    scan.insert1({{"subject_id", 1}, {"scan", 2}, {"rig", "none"}});
  });
  scan.insert1({{"subject_id", 1}, {"scan", 2}, {"partner", 2}});
  refused(Errc::duplicate, {"insert into lab.scan"}, [&] {
    scan.insert1({{"subject_id", 1}, {"scan", 3}, {"partner", 2}, {"image", counting(9)}});
  });
  const auto partner = (scan & key({{"scan", 2}})).fetch1<"partner">();
  static_assert(std::is_same_v<decltype(partner), const std::optional<std::int32_t>>);
  EXPECT_EQ(partner, 2);
  refused(Errc::constraint, {"update lab.scan"}, [&] {
    scan.update1({{"subject_id", 1}, {"scan", 2}, {"partner", 77}});
  });
}

TEST_P(Tables, UniqueIndexesAreKept) {
  auto table =
      declare("Indexed", "id : int32\n---\na : int32\nb : varchar(5)\nx=null : <npy@>\nunique index(a, b)\nindex(b)");
  table.insert({Row{{"id", 1}, {"a", 1}, {"b", "x"}}, Row{{"id", 2}, {"a", 1}, {"b", "y"}}});
  refused(Errc::duplicate, {"insert into lab.indexed"}, [&] {
    table.insert1({{"id", 3}, {"a", 1}, {"b", "x"}, {"x", counting(2)}});
  });
  refused(Errc::duplicate, {"update lab.indexed"}, [&] { table.update1({{"id", 2}, {"b", "x"}}); });
  EXPECT_EQ(raw()->cell(on_postgres() ? "SELECT count(*) FROM pg_index WHERE indrelid = 'lab.indexed'::regclass AND "
                                        "indisunique AND NOT indisprimary"
                        : on_mysql()  ? "SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE "
                                        "TABLE_SCHEMA = 'lab' AND TABLE_NAME = 'indexed' AND NOT NON_UNIQUE AND "
                                        "INDEX_NAME <> 'PRIMARY'"
                                      : "SELECT count(*) FROM pragma_index_list('lab.indexed') WHERE \"unique\" = 1 "
                                        "AND origin = 'c'"),
            "1");
}

TEST_P(Tables, DeletingTakesPartsAndDependents) {
  declare_all();
  fill();
  auto one = lab()["Subject"] & key({{"subject_id", 1}});
  const auto plan = one.would_remove();
  std::map<std::string, std::size_t> rows(plan.begin(), plan.end());
  EXPECT_EQ(
      rows,
      (std::map<std::string, std::size_t>{
          {"lab.subject", 1}, {"lab.scan", 1}, {"lab.scan__frame", 3}, {"lab.scan__spot", 3}, {"lab.__analysis", 1}}));
  EXPECT_EQ(plan.back().first, "lab.subject");
  EXPECT_EQ(lab()["Scan.Frame"].size(), 6U);
  expect_tidy(5);  // two images, three contents of frames
  EXPECT_EQ(one.remove(), 9U);
  EXPECT_EQ(lab()["Scan.Frame"].size(), 3U);
  expect_tidy(4);
  EXPECT_EQ(lab()["Subject"].remove(), 9U);
  expect_tidy(0);
  EXPECT_EQ(lab()["Subject"].remove(), 0U);
}

TEST_P(Tables, PartsGoWithTheirMasterOnly) {
  declare_all();
  fill();
  refused(Errc::constraint, {"lab.scan__frame", "part", "delete rows of the master"},
          [&] { lab()["Scan.Frame"].remove(); });
  // A lookup that only a part refers to cannot take the part's rows without their master.
  Schema schema = lab();
  schema.declare("Color", Tier::lookup, "color : varchar(9)");
  schema.declare("Picture", Tier::manual, "id : int32");
  schema.declare("Pixel", Tier::part, "-> master\nn : int32\n---\n-> Color", "Picture");
  schema["Color"].insert1({{"color", "red"}});
  schema["Picture"].insert1({{"id", 1}});
  schema["Picture.Pixel"].insert1({{"id", 1}, {"n", 1}, {"color", "red"}});
  refused(Errc::constraint, {"lab.picture__pixel", "lab.picture"}, [&] { schema["Color"].remove(); });
  EXPECT_EQ(schema["Picture"].remove(), 2U);
  EXPECT_EQ(schema["Color"].remove(), 1U);
}

TEST_P(Tables, DeclaringAgainAgrees) {
  declare_all();
  fill();
  const auto before = everything();
  declare_all();
  close();
  declare_all();
  for (const std::string& name : lab().tables()) {
    auto table = lab()[name];
    const std::string own = class_name_of(name), master = own.substr(0, own.find('.'));
    if (table.tier() == Tier::part)
      lab().declare(own.substr(own.find('.') + 1), Tier::part, table.describe(), master);
    else
      lab().declare(own, table.tier(), table.describe());
  }
  EXPECT_EQ(everything(), before);
}

TEST_P(Tables, DescribeDeclaresTheSameTableElsewhere) {
  declare_all();
  declare("Full", R"(
    # all there is: 100%
    a : varchar(8)   # with "quotes" and 'others'
    b : datetime(3)
    ---
    n=-5 : int16
    word='it''s "x"; #no : comment' : varchar(30)
    price=1.50 : decimal(5,2)
    side='left' : enum('left','right')  # which
    made=CURRENT_TIMESTAMP : datetime
    maybe=null : json
    cells : <blob>
    array : <npy@cold>
    index(n, side)
    unique index(word)
  )");
  Schema copy = session().schema("copy");
  for (const std::string& name : lab().tables()) {
    auto table = lab()[name];
    const std::string own = class_name_of(name), master = own.substr(0, own.find('.'));
    const std::string text = table.describe();
    SCOPED_TRACE(text);
    auto again = table.tier() == Tier::part ? copy.declare(own.substr(own.find('.') + 1), Tier::part, text, master)
                                            : copy.declare(own, table.tier(), text);
    EXPECT_EQ(again.describe(), text);
    EXPECT_EQ(again.name(), table.name());
    EXPECT_EQ(again.heading().names(), table.heading().names());
    for (const Attribute& a : table.heading()) {
      const Attribute& b = again.heading().at(a.name);
      EXPECT_EQ(a.type, b.type);
      EXPECT_EQ(a.fallback, b.fallback);
      EXPECT_EQ(a.nullable, b.nullable);
      EXPECT_EQ(a.comment, b.comment);
    }
  }
}

TEST_P(Tables, AnotherDefinitionIsAnErrorThatNamesTheDifferences) {
  declare_all();
  const auto differs = [&](std::initializer_list<std::string_view> words, std::string_view text) {
    SCOPED_TRACE(text);
    refused(Errc::definition, words, [&] { declare("Subject", text); });
  };
  differs({"declare lab.subject", "species", "varchar(30)", "varchar(40)"},
          "# who took part\nsubject_id : int32 # number on the collar\n---\nspecies='mouse' : varchar(40)");
  differs({"species", "rat"}, "subject_id : int32 # number on the collar\n---\nspecies='rat' : varchar(30)");
  differs({"species"}, "subject_id : int32\n---\nspecies=null : varchar(30)");
  differs({"weight"}, "subject_id : int32\n---\nspecies='mouse' : varchar(30)\nweight : float64");
  differs({"species"}, "subject_id : int32");
  differs({"species", "key"}, "subject_id : int32\nspecies : varchar(30)");
  refused(Errc::definition, {"declare lab.scan", "image", "<npy@>", "<npy@cold>"}, [&] {
    declare(
        "Scan",
        "-> Subject\nscan : int16\n---\n-> [nullable] Rig\n-> [nullable, unique] Subject.proj(partner='subject_id')\n"
        "image=null : <npy@cold>\nindex(scan, rig)");
  });
  refused(Errc::definition, {"declare lab.scan", "index (rig, scan)"}, [&] {
    declare(
        "Scan",
        "-> Subject\nscan : int16\n---\n-> [nullable] Rig\n-> [nullable, unique] Subject.proj(partner='subject_id')\n"
        "image=null : <npy@>\nindex(scan, rig)\nindex(rig, scan)");
  });
  refused(Errc::definition, {"declare lab.scan", "subject"}, [&] {
    declare("Scan",
            "subject_id : int32\nscan : int16\n---\n-> [nullable] Rig\n"
            "-> [nullable, unique] Subject.proj(partner='subject_id')\nimage=null : <npy@>\nindex(scan, rig)");
  });
}

TEST_P(Tables, DropTakesPartsRowsAndObjects) {
  declare_all();
  fill();
  refused(Errc::constraint, {"drop lab.subject", "refers to", "first"}, [&] { lab()["Subject"].drop(); });
  refused(Errc::constraint, {"drop lab.scan", "lab.__analysis", "first"}, [&] { lab()["Scan"].drop(); });
  refused(Errc::constraint, {"drop lab.scan__frame", "part", "scan"}, [&] { lab()["Scan.Frame"].drop(); });
  lab()["Analysis"].drop();
  lab()["Scan"].drop();
  EXPECT_EQ(in_order(lab().tables()), in_order({"subject", "#rig"}));
  expect_tidy(0);
  EXPECT_EQ(raw()->cell("SELECT count(*) FROM " + raw()->table("~lineage") + " WHERE table_name LIKE '%scan%'"), "0");
  fails(Errc::unknown_table, {"Scan"}, [&] { lab()["Scan"]; });
  declare_all();
  EXPECT_EQ(lab()["Scan"].size(), 0U);
}

TEST_P(Tables, DropInsideATransactionIsUndoneWithIt) {
  declare_all();
  fill();
  const auto before = everything();
  EXPECT_THROW(session().transaction([&] {
    lab()["Analysis"].drop();
    lab()["Scan"].drop();
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(before, everything());
  EXPECT_EQ(lab()["Scan"].size(), 2U);
}

TEST_P(Tables, DroppingASchemaTakesAllOfIt) {
  declare_all();
  fill();
  Schema other = session().schema("other");
  other.declare("Thing", Tier::manual, "id : int32\n---\nx : <npy@>").insert1({{"id", 1}, {"x", counting(2)}});
  lab().drop();
  EXPECT_EQ(objects().size(), 1U);
  EXPECT_TRUE(lab().tables().empty());
  EXPECT_EQ(session().schema("lab").tables(), Names{});
  declare_all();
  fill();
  EXPECT_EQ(lab()["Scan"].size(), 2U);
}

TEST_P(Tables, ASchemaThatOthersReferToStays) {
  declare_all();
  Schema other = session().schema("other");
  other.declare("Note", Tier::manual, "-> lab.Subject\n---\ntext : varchar(20)");
  refused(Errc::constraint, {"lab", "other.note"}, [&] { lab().drop(); });
}

TEST_P(Tables, ReferencesReachIntoOtherSchemas) {
  declare_all();
  fill();
  Schema other = session().schema("other");
  auto notes = other.declare("Note", Tier::manual, "-> lab.Subject\n---\ntext : varchar(20)\nfile : <attach@>");
  notes.insert1({{"subject_id", 1}, {"text", "hi"}, {"file", Attachment("a", Bytes::copy("b"))}});
  EXPECT_EQ((lab()["Subject"] * notes).size(), 1U);
  refused(Errc::constraint, {"drop lab.subject", "refers to"}, [&] { lab()["Subject"].drop(); });
  EXPECT_EQ((lab()["Subject"] & key({{"subject_id", 1}})).remove(), 10U);
  EXPECT_TRUE(notes.empty());
  expect_tidy(4);
}

TEST_P(Tables, SingletonsHoldOneRow) {
  auto table = declare("Config", "---\nrate : float64\nimage=null : <npy@>");
  EXPECT_TRUE(table.empty());
  table.insert1({{"rate", 2.0}, {"image", counting(3)}});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.heading().names(), (Names{"rate", "image"}));
  EXPECT_TRUE(table.heading().primary_key().empty());
  EXPECT_EQ(table.keys(), std::vector<Row>(1));
  EXPECT_EQ(table.fetch1("rate").as<double>(), 2.0);
  refused(Errc::duplicate, {"insert into lab.config"}, [&] { table.insert1({{"rate", 3.0}}); });
  EXPECT_EQ(table.insert1({{"rate", 3.0}, {"image", counting(5)}}, {.skip_duplicates = true}), 0U);
  table.update1({{"rate", 4.0}});
  EXPECT_EQ(table.fetch1("rate").as<double>(), 4.0);
  expect_tidy(1);
  EXPECT_EQ(table.insert1({{"rate", 5.0}, {"image", counting(5)}}, {.replace = true}), 1U);
  EXPECT_EQ(table.fetch1("image").as<NpyRef>().load(), counting(5));
  expect_tidy(1);
  EXPECT_EQ(table.describe(), lab().declare("Config", Tier::manual, table.describe()).describe());
  EXPECT_EQ(table.remove(), 1U);
  expect_tidy(0);
}

TEST_P(Tables, TablesByTheirNameAtRunTime) {
  declare_all();
  fill();
  close();
  auto frames = lab()["Scan.Frame"];
  EXPECT_EQ(frames.size(), 6U);
  EXPECT_EQ(frames.limit(1).fetch1().at<Array>("pixels").size(), 3U);
  fails(Errc::unknown_table, {"schema lab", "Subjcet", "subject"}, [&] { lab()["Subjcet"]; });
  fails(Errc::unknown_table, {"declare one first"}, [&] { session().schema("empty")["x"]; });
}

}  // namespace
}  // namespace oas::test
