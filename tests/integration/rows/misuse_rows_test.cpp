// Wrong rows are refused with an error that says what, where and what to do, and nothing changes.
#include <cmath>

#include "lab.hpp"

namespace oas::test {
namespace {

class MisusedRows : public Lab {
 protected:
  Table<> all = declare("All", R"(
    id : int32
    ---
    i8=null : int8
    i64=null : int64
    f32=null : float32
    f64=null : float64
    b=null : bool
    d=null : decimal(5,2)
    c=null : char(3)
    v=null : varchar(4)
    e=null : enum('left','right')
    day=null : date
    at=null : datetime
    u=null : uuid
    raw=null : bytes
    j=null : json
    blob=null : <blob@>
    npy=null : <npy@>
    object=null : <object@>
    attach=null : <attach@>
    hash=null : <hash@>
    path=null : <filepath@>
  )");
  Table<> scan = declare("Scan", "scan : int32\n---\nimage : <npy@>\nnote : varchar(9)");
  MisusedRows() { scan.insert1({{"scan", 3}, {"image", counting(2)}, {"note", "old"}}); }

  // Objects come first in the row before, so that something would have been written.
  void refuses(const char* attribute, const Value& value, std::initializer_list<std::string_view> words,
               Errc code = Errc::usage) {
    SCOPED_TRACE(std::string(attribute) + " = " + value.describe());
    refused(code, {"insert into lab.all, row 2", attribute}, [&] {
      all.insert({Row{{"id", 1}, {"npy", counting(3)}}, Row{{"id", 2}, {"blob", "x"}, {attribute, value}}});
    });
    fails(code, words, [&] { all.insert1({{"id", 2}, {attribute, value}}); });
  }
};
OAS_EVERYWHERE(MisusedRows);

TEST_P(MisusedRows, WrongTypes) {
  refuses("i8", "five", {"i8", "int8"});
  refuses("i8", 1.5, {"i8"});
  refuses("i64", list({1}), {"i64"});
  refuses("f64", "much", {"f64"});
  refuses("b", "yes", {"b"});
  refuses("d", "abc", {"d"});
  refuses("v", 5, {"v", "varchar(4)"});
  refuses("v", Bytes::copy("ab"), {"v"});
  refuses("e", 1, {"e"});
  refuses("day", "someday", {"day"});
  refuses("at", 5.0, {"at"});
  refuses("u", "not-a-uuid", {"u"});
  refuses("raw", "text", {"raw"});
  refuses("j", counting(2), {"j"});
  refuses("npy", "text", {"an array is wanted", "text"});
  refuses("object", 5, {"object", "wanted"});
  refuses("attach", 5, {"attach", "wanted"});
  refuses("hash", "text", {"bytes are wanted"});
  refuses("path", 5, {"a path in the store is wanted"});
  refuses("blob", Attachment("a", Bytes()), {"pack a blob"});
}

TEST_P(MisusedRows, ValuesOutOfRange) {
  refuses("i8", 128, {"int8", "-128 to 127 fit"});
  refuses("i8", -129, {"int8", "-128 to 127"});
  refuses("i64", UINT64_MAX, {"i64"});
  refuses("f32", 1e300, {"f32"});
  if (!on_postgres()) refuses("f64", std::nan(""), {"f64"});  // there it is a number like others
  refuses("d", Decimal{"1000.00"}, {"d", "decimal(5,2)"});
  refuses("b", 2, {"b"});
  refuses("c", "abcd", {"c", "char(3)"});
  refuses("v", "äöüßé", {"varchar(4)"});
  refuses("v", std::string("a\0b", 3), {"v"});
  refuses("v", "\xff\xfe", {"v", "UTF-8"});
  refuses("e", "up", {"left", "right"});
  refuses("e", "Left", {"enum"});
  refuses("i64", BigInt{"99999999999999999999"}, {"i64"});
}

TEST_P(MisusedRows, MissingAndUnknownAttributes) {
  refused(Errc::missing_attribute, {"insert into lab.scan, row 2", "attribute note is missing", "varchar(9)"}, [&] {
    scan.insert({Row{{"scan", 4}, {"image", counting(2)}, {"note", ""}}, Row{{"scan", 5}, {"image", counting(2)}}});
  });
  refused(Errc::missing_attribute, {"attribute image is null"}, [&] {
    scan.insert1({{"scan", 4}, {"image", nullptr}, {"note", ""}});
  });
  refused(Errc::missing_attribute, {"attribute scan is missing"}, [&] {
    scan.insert1({{"image", counting(2)}, {"note", ""}});
  });
  refused(Errc::missing_attribute, {"attribute scan"}, [&] { scan.insert1({}); });
  refused(Errc::unknown_attribute, {"row 1", "imgae", "image"}, [&] {
    scan.insert1({{"scan", 4}, {"image", counting(1)}, {"imgae", counting(1)}, {"note", ""}});
  });
  refused(Errc::unknown_attribute, {"_hidden"}, [&] {
    scan.insert1({{"scan", 4}, {"image", counting(1)}, {"note", ""}, {"_hidden", 1}});
  });
  refused(Errc::usage, {"attribute note is given twice", "once"}, [&] {
    scan.insert1(Row(std::vector<Row::Item>{{"scan", 4}, {"image", counting(1)}, {"note", "a"}, {"note", "b"}}));
  });
}

TEST_P(MisusedRows, Duplicates) {
  refused(Errc::duplicate, {"insert into lab.scan: duplicate primary key (scan=3)", "skip_duplicates"}, [&] {
    scan.insert1({{"scan", 3}, {"image", counting(7)}, {"note", "new"}});
  });
  refused(Errc::duplicate, {"(scan=8)"}, [&] {
    scan.insert({Row{{"scan", 8}, {"image", counting(7)}, {"note", "a"}},
                 Row{{"scan", 8}, {"image", counting(8)}, {"note", "b"}}});
  });
}

TEST_P(MisusedRows, TheErrorKnowsItsTarget) {
  try {
    scan.insert1({{"scan", 4}, {"image", 5}, {"note", ""}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.target(), "lab.scan.image");
    EXPECT_FALSE(e.retryable());
  }
  try {
    scan.insert1({{"scan", 3}, {"image", counting(1)}, {"note", ""}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.target(), "lab.scan");
    EXPECT_FALSE(e.native().empty());
  }
}

TEST_P(MisusedRows, FilesThatAreNotThere) {
  const std::string missing = path("nothing/here.bin").string();
  refuses("attach", Attachment(std::filesystem::path(missing)), {"here.bin"});
  refuses("attach", missing, {"here.bin"});
  refuses("object", missing, {"here.bin"});
  std::filesystem::create_directories(path("folder"));
  refuses("attach", path("folder").string(), {"folder"});
  std::filesystem::create_symlink("/etc/hostname", path("folder/link"));
  refuses("object", path("folder").string(), {"link", "leaves the folder"});
}

TEST_P(MisusedRows, AttachmentsStayInTheFolderTheyAreSavedTo) {
  for (const std::string& name : {std::string("../x"), std::string("a/b"), std::string(".."), std::string("."),
                                  std::string(), std::string("a\\b"), std::string("a\0b", 3)}) {
    EXPECT_THROW(Attachment(name, Bytes()), Error) << name;
  }
  // A row that somebody else wrote, in the table and in the store.
  auto table = declare("Document", "id : int32\n---\nhere=null : <attach>\nthere=null : <attach@>");
  table.insert1({{"id", 1},
                 {"here", Attachment("ab__x", Bytes::copy("content"))},
                 {"there", Attachment("ab__x", Bytes::copy("content"))}});
  raw()->run("UPDATE " + raw()->table("document") + " SET here = ?", {std::string("../../x\0content", 15)});
  std::filesystem::create_directories(path("deep/out"));
  const auto before = everything();
  const Attachment attachment = table.fetch1("here").as<Attachment>();
  fails(Errc::access, {"../../x"}, [&] { static_cast<void>(attachment.save_to(path("deep/out"))); });
  EXPECT_FALSE(std::filesystem::exists(path("x")));
  EXPECT_TRUE(std::filesystem::is_empty(path("deep/out")));
  EXPECT_EQ(before, everything());
  std::filesystem::create_directory_symlink("/tmp", path("deep/link"));
  const Attachment good = table.fetch1("there").as<Attachment>();
  std::filesystem::create_symlink(path("outside"), path("deep/out/ab__x"));  // a name that is a way out
  try {
    const auto saved = good.save_to(path("deep/out"));
    EXPECT_NE(saved.filename(), "ab__x");
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), to_string(Errc::access));
  }
  EXPECT_FALSE(std::filesystem::exists(path("outside")));
}

TEST_P(MisusedRows, FilepathsStayInTheStoreAndOutOfItsSections) {
  const std::string ours = objects().at(0);
  ASSERT_TRUE(ours.starts_with("_schema/lab/scan/"));
  refuses("path", "../secret", {"..", "leave the store"}, Errc::access);
  refuses("path", "a/../../secret", {"leave the store"}, Errc::access);
  refuses("path", "/etc/passwd", {"root of the store"}, Errc::access);
  refuses("path", "", {"path"});
  refuses("path", ours, {"_schema/", "belongs to rows"}, Errc::access);
  refuses("path", "./" + ours, {"belongs to rows"}, Errc::access);
  refuses("path", "_hash/x", {"_hash/", "belongs to rows"}, Errc::access);
  refuses("path", "_schema", {"belongs to rows"}, Errc::access);
  refuses("path", "mine/none", {"there is nothing", "main"}, Errc::missing_object);
  if (on_files()) {
    file("outside/secret", "s");
    std::filesystem::create_directory_symlink(path("outside"), path("main/way"));
    std::filesystem::create_symlink(path("outside/secret"), path("main/out"));
    refuses("path", "way/secret", {"way"}, Errc::access);
    refuses("path", "out", {"out"}, Errc::access);
  }
  Session bounded(settings(R"("filepath_prefix": "mine")"), options());
  auto table = bounded.schema("lab")["all"];
  store().write("theirs/a", as_bytes("1"));
  store().write("mine/a", as_bytes("1"));
  refused(Errc::access, {"only from under mine/"}, [&] { table.insert1({{"id", 1}, {"path", "theirs/a"}}); });
  refused(Errc::access, {"only from under mine/"}, [&] { table.insert1({{"id", 1}, {"path", "mine"}}); });
  table.insert1({{"id", 1}, {"path", "mine/a"}});
}

TEST_P(MisusedRows, DeleteWhereItIsNotClear) {
  auto part = lab().declare("Frame", Tier::part, "-> master\nn : int32\n---\nx : <blob@>", "Scan");
  part.insert1({{"scan", 3}, {"n", 1}, {"x", 1}});
  refused(Errc::constraint, {"delete from lab.scan__frame", "part", "master"}, [&] { part.remove(); });
  refused(Errc::constraint, {"delete from lab.scan__frame"}, [&] { (part & key({{"n", 1}})).would_remove(); });
  refused(Errc::usage, {"delete", "join", "restrict"}, [&] { (scan * part).remove(); });
  refused(Errc::usage, {"delete"}, [&] { scan.proj("note").remove(); });
  refused(Errc::usage, {"delete"}, [&] { scan.limit(1).remove(); });
  refused(Errc::usage, {"delete"}, [&] { scan.aggr(part, "k = count(*)").remove(); });
  EXPECT_EQ(scan.remove(), 2U);
}

TEST_P(MisusedRows, ForeignKeys) {
  auto child = declare("Child", "-> Scan\n---\nx : <npy@>");
  refused(Errc::constraint, {"insert into lab.child"}, [&] { child.insert1({{"scan", 9}, {"x", counting(3)}}); });
  refused(Errc::constraint, {"insert into lab.child"}, [&] {
    child.insert({Row{{"scan", 3}, {"x", counting(3)}}, Row{{"scan", 9}, {"x", counting(3)}}});
  });
  refused(Errc::constraint, {"insert into lab.child"}, [&] {
    session().transaction([&] {
      child.insert1({{"scan", 3}, {"x", counting(3)}});
      child.insert1({{"scan", 9}, {"x", counting(4)}});
    });
  });
}

TEST_P(MisusedRows, CollectInsideATransaction) {
  refused(Errc::usage, {"collect", "transaction"}, [&] { session().transaction([&] { session().collect(); }); });
}

}  // namespace
}  // namespace oas::test
