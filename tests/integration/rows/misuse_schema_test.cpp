// Wrong definitions, names, settings and stores are refused before anything is made.
#include <unistd.h>

#include <fstream>

#include "lab.hpp"

namespace oas::test {
namespace {

class MisusedSchema : public Lab {
 protected:
  void refuses(std::string_view definition, std::initializer_list<std::string_view> words,
               Errc code = Errc::definition) {
    SCOPED_TRACE(definition);
    refused(code, words, [&] { declare("Thing", definition); });
  }
};
OAS_EVERYWHERE(MisusedSchema);

TEST_P(MisusedSchema, BrokenDefinitionsAreNamedWithLineAndColumn) {
  lab();
  refuses("id : int32\n---\nx : int33", {"declare lab.thing", "line 3", "column 5", "no such type", "int64"});
  refuses("id int32", {"line 1", "':' is missing"});
  refuses("Id : int32", {"line 1, column 1", "lower case"});
  refuses("_id : int32", {"begin with _"});
  refuses("id : ", {"line 1", "no type"});
  refuses("id : int32\n\n---\nx : <blob> y", {"line 4", "comment"});
  refuses("id : int32\n---\nx : <blob", {"line 3", "'<' has no '>'"});
  refuses("id : int32\n---\nx=\"a : varchar(3)", {"line 3", "quote"});
  refuses("id : int32\n---\nx=300 : int8", {"line 3", "default"});
  refuses("id : int32\n---\nx=\"toolong\" : varchar(3)", {"line 3", "default"});
  refuses("id=null : int32", {"line 1", "primary key"});
  refuses("id : <blob>", {"line 1", "primary key"});
  refuses("id : json", {"line 1", "primary key"});
  refuses("id : varchar(0)", {"line 1"});
  refuses("id : decimal(3,9)", {"line 1"});
  refuses("id : enum('a','a')", {"line 1", "enum"});
  refuses("id : int32\n---\nx : int8 #: comment", {"line 3", "comment"});
  refuses("id : int32\n---\nindex(", {"line 3"});
  refuses("id : int32\n---\nindex(nothing)", {"nothing"});
  refuses("id : int32\n---\n-> [cascade] Other", {"line 3", "nullable and unique"});
  refuses("-> [nullable] Other", {"line 1", "cannot be nullable"});
  refuses("-> Other & 'x = 1'", {"line 1", "without restriction"});
  refuses("id : int32\n---\nx : <npy>", {"<npy@>"});
  refuses("id : int32\n---\nx : <nonsense@>", {"nonsense"});
}

TEST_P(MisusedSchema, ReferencesThatLeadNowhere) {
  declare("Other", "other : int32");
  refuses("-> Othr\n---\nx : int8", {"declare lab.thing", "Othr", "Other"}, Errc::unknown_table);
  refuses("-> nowhere.Other", {"nowhere"}, Errc::unknown_table);
  refuses("-> Thing", {"Thing"}, Errc::unknown_table);
  refuses("id : int32\n---\n-> Other.proj(a='b')", {"b"});
  refuses("-> master", {"master"}, Errc::unknown_table);
  refused(Errc::unknown_table, {"master", "Nothing", "first"},
          [&] { lab().declare("P", Tier::part, "-> master", "Nothing"); });
}

TEST_P(MisusedSchema, Names) {
  lab();
  refused(Errc::definition, {"thing"}, [&] { declare("thing", "id : int32"); });
  refused(Errc::definition, {"1st"}, [&] { declare("1st", "id : int32"); });
  refused(Errc::definition, {}, [&] { declare("", "id : int32"); });
  refused(Errc::definition, {"64"}, [&] { declare("A" + std::string(64, 'x'), "id : int32"); });
  refused(Errc::definition, {"64"}, [&] { declare("Thing", std::string(65, 'a') + " : int32"); });
  const std::string longest(on_postgres() ? 63 : 64, 'a');
  declare("Long", longest + " : int32").insert1({{longest, 1}});
  for (const char* name : {"", "Lab", "1lab", "_lab", "lab-1", "lab.x", "~oas", "lab x", "läb"}) {
    refused(Errc::usage, {"open schema", "small letters"}, [&] { session().schema(name); });
  }
  refused(Errc::usage, {"63"}, [&] { session().schema(std::string(64, 'a')); });
  // Words of SQL are names as any other.
  auto words = declare("Select", "order : int32\n---\ngroup : varchar(5)\ntable : int8\nindex(table)");
  words.insert1({{"order", 1}, {"group", "by"}, {"table", 2}});
  EXPECT_EQ((words & where("table = {}", 2)).order_by("group").fetch1("group").as<std::string>(), "by");
}

TEST_P(MisusedSchema, StoresThatAreNotConfigured) {
  lab();
  refused(Errc::usage, {"declare lab.thing", "find store cld", "cold"},
          [&] { declare("Thing", "id : int32\n---\nx : <blob@cld>"); });
  fails(Errc::usage, {"cld", "cold"}, [&] { session().store("cld"); });
  Session bare(with_stores(R"({"only": {"protocol": "memory"}})"), options());
  fails(Errc::usage, {"stores.default"},
        [&] { bare.schema("bare").declare("Thing", Tier::manual, "id : int32\n---\nx : <blob@>"); });
  EXPECT_EQ(bare.schema("bare").tables(), std::vector<std::string>{});
}

TEST_P(MisusedSchema, Settings) {
  const auto wrong = [](std::string_view json, Errc code, std::initializer_list<std::string_view> words) {
    SCOPED_TRACE(json);
    fails(code, words, [&] { Settings::parse(json); });
  };
  wrong(R"({"database": {"nmae": "x"}})", Errc::usage, {"nmae", "name"});
  wrong(R"({"databse": {"name": "x"}})", Errc::usage, {"databse", "database"});
  // What belongs to a protocol is checked when its store is opened.
  const auto opens = [&](const std::string& store, std::initializer_list<std::string_view> words) {
    fails(Errc::usage, words, [&] { Session(with_stores("{\"a\": " + store + "}"), options()).store("a"); });
  };
  opens(R"({"protocol": "file", "location": "x", "locaton": "y"})", {"locaton", "location"});
  opens(R"({"protocol": "fiel", "location": "x"})", {"fiel", "file"});
  opens(R"({"protocol": "file"})", {"location"});
  wrong(R"({"stores": {"a": {"location": "x"}}})", Errc::usage, {"protocol"});
  wrong(R"({"stores": {"default": "b", "a": {"protocol": "memory"}}})", Errc::usage, {"b"});
  wrong(R"({"stores": {"a": {"protocol": "memory", "hash_prefix": "x", "schema_prefix": "x/y"}}})", Errc::usage, {"x"});
  wrong(R"({"stores": {"a": {"protocol": "memory", "token_length": "long"}}})", Errc::usage, {"token_length"});
  wrong(R"({"database": {"port": "abc"}})", Errc::usage, {"port"});
  wrong("{\n  \"database\": {,}\n}", Errc::syntax, {"line 2"});
  wrong("[]", Errc::usage, {"JSON object"});
  wrong(R"({"database": {"backend": "oracle", "name": "x"}})", Errc::usage, {"database.backend", "sqlite"});
}

class MisusedFolder : public MisusedSchema {};
INSTANTIATE_TEST_SUITE_P(On, MisusedFolder, ::testing::Values("sqlite_file"),
                         [](const auto&) { return std::string("sqlite_file"); });

TEST_P(MisusedFolder, ADatabaseThatIsNone) {
  const std::string text(5000, 'x');
  file("lab.db", text);
  fails(Errc::decode, {"lab.db"}, [&] { open().schema("lab"); });
  std::ifstream in(database_file(), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST_P(MisusedFolder, ADatabaseInAFolderThatIsNotThere) {
  Settings where = settings();
  where.set("database.name", path("none/lab.db").string());
  fails(Errc::unavailable, {"none/lab.db"}, [&] { Session(where, options()).schema("lab"); });
  EXPECT_FALSE(std::filesystem::exists(path("none")));
}

TEST_P(MisusedFolder, AStoreThatIsMissing) {
  auto table = declare("Thing", "id : int32\n---\nx=null : <blob@>");
  std::filesystem::remove_all(path("main"));
  fails(Errc::unavailable, {"main"}, [&] { table.insert1({{"id", 1}, {"x", 1}}); });
  EXPECT_FALSE(std::filesystem::exists(path("main")));  // it may be a disk that is not mounted
  EXPECT_TRUE(table.empty());
  table.insert1({{"id", 1}});  // nothing of it is needed
  std::filesystem::create_directories(path("main"));
  table.insert1({{"id", 2}, {"x", 1}});
  EXPECT_EQ((table & key({{"id", 2}})).fetch1("x").as<int>(), 1);
}

TEST_P(MisusedFolder, AStoreThatIsNotThereLater) {
  declare("Thing", "id : int32\n---\nx=null : <blob@>").insert1({{"id", 1}, {"x", 1}});
  close();
  std::filesystem::rename(path("main"), path("away"));
  auto table = lab()["thing"];
  fails(Errc::unavailable, {"main"}, [&] { table.insert1({{"id", 2}, {"x", 2}}); });
  EXPECT_EQ(table.size(), 1U);
  fails(Errc::unavailable, {"main"}, [&] { table.fetch(); });
  EXPECT_EQ(table.remove(), 1U);  // the row goes; its object waits
  EXPECT_TRUE(table.empty());
  std::filesystem::rename(path("away"), path("main"));
  EXPECT_EQ(session().collect().removed, 1U);
  expect_tidy(0);
}

TEST_P(MisusedFolder, AStoreThatMayOnlyBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  auto table = declare("Thing", "id : int32\n---\nx=null : <blob@>");
  std::filesystem::permissions(path("main"), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  refused(Errc::access, {"main"}, [&] { table.insert1({{"id", 1}, {"x", 1}}); });
  std::filesystem::permissions(path("main"), std::filesystem::perms::owner_all);
}

TEST_P(MisusedFolder, LinksInTheStoreAreNotFollowed) {
  auto table = declare("Thing", "id : int32\n---\nx : <blob@>");
  std::filesystem::create_directories(path("outside"));
  std::filesystem::create_directory_symlink(path("outside"), path("main/_hash"));
  fails(Errc::access, {"main"}, [&] { table.insert1({{"id", 1}, {"x", 1}}); });
  EXPECT_TRUE(table.empty());
  EXPECT_TRUE(std::filesystem::is_empty(path("outside")));
}

TEST_P(MisusedFolder, AStoreThatIsAFile) {
  auto table = declare("Thing", "id : int32\n---\nx : <blob@>");
  std::filesystem::remove_all(path("main"));
  file("main", "text");
  fails(Errc::usage, {"main", "not a folder"}, [&] { table.insert1({{"id", 1}, {"x", 1}}); });
  EXPECT_TRUE(table.empty());
}

TEST_P(MisusedFolder, AnObjectWhereAFolderMustBe) {
  auto table = declare("Thing", "id : int32\n---\nx : <blob@>");
  file("main/_hash", "text");
  refused(Errc::usage, {"main", "_hash"}, [&] { table.insert1({{"id", 1}, {"x", 1}}); });
}

}  // namespace
}  // namespace oas::test
