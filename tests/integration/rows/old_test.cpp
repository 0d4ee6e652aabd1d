// Schemas as DataJoint for Python made them before 2.0, by hand (docs/format/old.md): read if a setting says so, never
// written, never collected. tests/interop/live/old.py has those that it really made.
#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "lab.hpp"

namespace oas::test {
namespace {

class OldData : public Lab {
 protected:
  void make() {
    raw()->run("CREATE DATABASE lab");
    for (const char* store : {"main", "cold"}) {
      raw()->run("CREATE TABLE lab.`~external_" + std::string(store) +
                 "` (`hash` binary(16) NOT NULL COMMENT ':uuid:hash of contents', `size` bigint unsigned NOT NULL, "
                 "`attachment_name` varchar(255) DEFAULT NULL, `filepath` varchar(1000) DEFAULT NULL, `contents_hash` "
                 "binary(16) DEFAULT NULL COMMENT ':uuid:', `timestamp` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, "
                 "PRIMARY KEY (`hash`)) ENGINE=InnoDB");
    }
    raw()->run("CREATE TABLE lab.`#rig` (rig int NOT NULL, PRIMARY KEY (rig)) ENGINE=InnoDB");
    raw()->run("INSERT INTO lab.`#rig` VALUES (1), (2)");
    raw()->run(
        "CREATE TABLE lab.scan (rig int NOT NULL, id int NOT NULL, tag binary(16) DEFAULT NULL COMMENT ':uuid:', "
        "inside "
        "longblob COMMENT 'packed', outside binary(16) DEFAULT NULL COMMENT ':blob@main:in a store', folded binary(16) "
        "DEFAULT NULL COMMENT ':blob@cold:', note longblob COMMENT ':attach:', film binary(16) DEFAULT NULL COMMENT "
        "':attach@main:', raw binary(16) DEFAULT NULL COMMENT ':filepath@cold:', PRIMARY KEY (rig, id), FOREIGN KEY "
        "(rig) "
        "REFERENCES lab.`#rig` (rig) ON UPDATE CASCADE ON DELETE RESTRICT, FOREIGN KEY (outside) REFERENCES "
        "lab.`~external_main` (`hash`), FOREIGN KEY (folded) REFERENCES lab.`~external_cold` (`hash`), FOREIGN KEY "
        "(film) "
        "REFERENCES lab.`~external_main` (`hash`), FOREIGN KEY (raw) REFERENCES lab.`~external_cold` (`hash`)) "
        "ENGINE=InnoDB, COMMENT 'before 2.0'");
    raw()->run("INSERT INTO lab.scan (rig, id, tag) VALUES (1, 0, ?)", {std::string(15, '\0') + "\5"});
  }

  static std::string md5_of(std::string_view text) {
    const BytesView whole[] = {as_bytes(text)};
    return std::string(Bytes::copy(BytesView(md5(whole))).text());
  }
  static std::string hexadecimal(const std::string& bytes) { return hex(as_bytes(bytes)); }

  /// One line of ~external_STORE, and its file; returns the hash.
  std::string external(const std::string& store, const std::string& hash, const std::string& path,
                       const std::string& content, const std::string& more = "") {
    file(store + "/" + path, content);
    raw()->run(
        "INSERT INTO lab.`~external_" + store + "` SET hash = ?, size = " + std::to_string(content.size()) + more,
        {hash});
    return hash;
  }
  std::string blob_in(const std::string& store, const Value& value, const std::vector<std::size_t>& folds) {
    const std::string content(pack_blob_joined(value, true).text()), hash = md5_of(content);
    std::string path = "lab/";
    std::size_t at = 0;
    for (const std::size_t fold : folds) {
      path += hexadecimal(hash).substr(at, fold) + "/";
      at += fold;
    }
    return external(store, hash, path + hexadecimal(hash), content);
  }
  void put(int id, const std::string& column, const std::string& cell) {
    raw()->run("INSERT INTO lab.scan SET rig = 1, id = " + std::to_string(id) + ", " + column + " = ?", {cell});
  }

  Session open_old(const std::string& of_cold = {}) {
    Settings settings = this->settings({}, of_cold);
    settings.set("database.legacy", true);
    return Session(settings, options());
  }
  static Value fetch(Session& session, int id, const char* attribute) {
    return (session.schema("lab")["scan"] & where("id = {}", id)).fetch1(attribute);
  }
};

TEST_P(OldData, IsRead) {
  make();
  const Value value = list({counting(3), "text", map({{"a", 1}})});
  put(1, "inside", std::string(pack_blob_joined(value, true).text()));
  put(2, "outside", blob_in("main", value, {2, 2}));
  put(3, "folded", blob_in("cold", value, {1, 3}));
  put(4, "note", std::string("a.txt\0content", 13));
  const std::string film("a film"), hash = md5_of(std::string("b.tar.gz\0", 9) + film);
  const std::string name = hexadecimal(hash);
  put(5, "film",
      external("main", hash, "lab/" + name.substr(0, 2) + "/" + name.substr(2, 2) + "/" + name + ".b.tar.gz", film,
               ", attachment_name = 'b.tar.gz'"));
  const std::string raw_path = "day 1/raw.dat", content = "raw";
  put(6, "raw",
      external("cold", md5_of(raw_path), raw_path, content,
               ", filepath = '" + raw_path + "', contents_hash = UNHEX('" + hexadecimal(md5_of(content)) + "')"));
  // Moved here from before 0.12: lies where its line says.
  const std::string moved(pack_blob_joined(value, true).text()), at = "lab/0123abc";
  put(7, "outside",
      external("main", md5_of(at), at, moved,
               ", filepath = '" + at + "', contents_hash = UNHEX('" + hexadecimal(md5_of(moved)) + "')"));

  Session session = open_old(R"("subfolding": [1, 3])");
  EXPECT_EQ(fetch(session, 0, "tag").as<Uuid>().text(), "00000000-0000-0000-0000-000000000005");
  for (const char* attribute : {"inside", "outside", "folded", "note", "film", "raw"})
    EXPECT_TRUE(fetch(session, 0, attribute).is_null()) << attribute;
  EXPECT_EQ(fetch(session, 1, "inside"), value);
  EXPECT_EQ(fetch(session, 2, "outside"), value);
  EXPECT_EQ(fetch(session, 3, "folded"), value);
  EXPECT_EQ(fetch(session, 4, "note").as<Attachment>(), Attachment("a.txt", Bytes::copy("content")));
  EXPECT_EQ(fetch(session, 5, "film").as<Attachment>(), Attachment("b.tar.gz", Bytes::copy(film)));
  const ObjectRef file = fetch(session, 6, "raw").as<ObjectRef>();
  EXPECT_EQ(file.path(), raw_path);
  EXPECT_EQ(file.size(), content.size());
  EXPECT_EQ(file.read().text(), content);
  file.verify();
  EXPECT_EQ(fetch(session, 7, "outside"), value);

  // Whole rows, renamed, joined, counted; in the order of the keys.
  const Table<> scan = session.schema("lab")["scan"];
  EXPECT_EQ(scan.fetch().size(), 8U);
  EXPECT_EQ((scan.proj({"other = outside"}) & where("id = 2")).fetch1("other"), value);
  EXPECT_EQ(*(scan * session.schema("lab")["#rig"]).order_by({"id"}).fetch().at(3).find("folded"), value);
  EXPECT_EQ((scan & where("outside IS NOT NULL")).size(), 2U);
  EXPECT_NE(scan.describe().find("blob@main"), std::string::npos) << scan.describe();
  EXPECT_EQ(scan.describe().find("external"), std::string::npos) << scan.describe();
}

TEST_P(OldData, IsReadOnlyIfASettingSaysSo) {
  make();
  put(1, "inside", std::string("\1\2"));
  const Table<> scan = lab()["scan"];
  for (const char* attribute : {"outside", "folded", "note", "film", "raw"})
    fails(Errc::unsupported, {attribute, "database.legacy"}, [&] { scan.proj({attribute}).fetch(); });
  fails(Errc::unsupported, {"database.legacy"}, [&] { scan.fetch(); });
  // Bytes for DataJoint 2, as they lie there.
  EXPECT_EQ((scan & where("id = 1")).fetch1("inside").as<Bytes>().text(), "\1\2");
  EXPECT_EQ(scan.proj({"tag"}).fetch().size(), 2U);
}

TEST_P(OldData, IsNeverWritten) {
  make();
  const std::string outside = blob_in("main", Value("kept"), {2, 2});
  put(1, "outside", outside);
  for (const bool legacy : {false, true}) {
    Session session = legacy ? open_old() : open();
    Schema schema = session.schema("lab");
    const Table<> scan = schema["scan"], rig = schema["#rig"];
    const auto unwritten = [&](const std::function<void()>& call) {
      refused(Errc::unsupported, {"before DataJoint 2.0", "scan."}, call);
    };
    unwritten([&] { Table<>(scan).insert1({{"rig", 1}, {"id", 9}}); });
    unwritten([&] { Table<>(rig).insert1({{"rig", 9}}); });
    unwritten([&] { Table<>(scan).update1({{"rig", 1}, {"id", 1}, {"tag", nullptr}}); });
    unwritten([&] { scan.remove(); });
    unwritten([&] { rig.remove(); });
    unwritten([&] { Table<>(scan).drop(); });
    unwritten([&] { schema.drop(); });
    unwritten([&] { schema.declare("More", Tier::manual, "id : int32\n---\nx : int32"); });
    unwritten([&] { schema.init(); });
  }
}

TEST_P(OldData, IsNotWrittenFromOtherSchemas) {
  make();
  Session session = open_old();
  Table<> own = session.schema("own").declare("Run", Tier::manual, "-> lab.Rig\nrun : int32\n---\nb : <blob@main>");
  own.insert1({{"rig", 1}, {"run", 1}, {"b", "new"}});
  refused(Errc::unsupported, {"before DataJoint 2.0"}, [&] { session.schema("lab")["#rig"].remove(); });
  EXPECT_EQ((own * session.schema("lab")["#rig"]).fetch().size(), 1U);
}

TEST_P(OldData, IsNeverCollected) {
  make();
  put(1, "outside", blob_in("main", Value("kept"), {2, 2}));
  // Even where a section of today's lies over it, and nothing refers to what is there.
  const std::string path = "_hash/lab/aa/bb/nobody";
  external("main", md5_of(path), path, "not ours", ", filepath = '" + path + "'");
  Session session = open_old();
  Table<> own = session.schema("own").declare("Run", Tier::manual, "run : int32\n---\nb : <blob@main>");
  own.insert1({{"run", 1}, {"b", "goes"}});
  const auto before = objects();
  own.remove();
  session.collect();
  EXPECT_EQ(session.audit({.deep = true, .repair = true}).leaked, 0U);
  EXPECT_EQ(objects().size() + 1, before.size());
  EXPECT_EQ(fetch(session, 1, "outside"), Value("kept"));
  EXPECT_TRUE(std::filesystem::exists(this->path("main") / path));
}

TEST_P(OldData, IsReadWithItsDamageNamed) {
  make();
  put(1, "inside", "no blob");
  put(2, "note", "no end of a name");
  const std::string outside = blob_in("main", Value("changed"), {2, 2}), name = hexadecimal(outside);
  put(3, "outside", outside);
  const std::string path = "lab/" + name.substr(0, 2) + "/" + name.substr(2, 2) + "/" + name;
  std::string content(pack_blob_joined(Value("chanced"), true).text());
  file("main/" + path, content);
  put(4, "folded", blob_in("cold", Value("gone"), {2, 2}));
  std::filesystem::remove_all(this->path("cold") / "lab");
  raw()->run("SET foreign_key_checks = 0");
  put(5, "film", std::string(16, '\7'));  // without its line
  const std::string up = "../up", hash = md5_of(up);
  raw()->run("INSERT INTO lab.`~external_cold` SET hash = ?, size = 1, filepath = '../up'", {hash});
  put(6, "raw", hash);
  Session session = open_old();
  fails(Errc::decode, {"inside"}, [&] { fetch(session, 1, "inside"); });
  fails(Errc::decode, {"note"}, [&] { fetch(session, 2, "note"); });
  fails(Errc::integrity, {"outside", path, "~external_main", name}, [&] { fetch(session, 3, "outside"); });
  fails(Errc::missing_object, {"folded", "cold"}, [&] { fetch(session, 4, "folded"); });
  fails(Errc::decode, {"film", "missing"}, [&] { fetch(session, 5, "film"); });
  fails(Errc::decode, {"raw", "path"}, [&] { fetch(session, 6, "raw"); });
}

TEST_P(OldData, CannotBeDeclared) {
  for (const char* type : {"<~external@main>", "blob@main", "attach", "filepath@cold"})
    fails(Errc::definition, {}, [&] { declare("Scan", "id : int32\n---\nx : " + std::string(type)); });
}

INSTANTIATE_TEST_SUITE_P(On, OldData, ::testing::Values("mariadb_file", "mysql_file"),
                         [](const auto& over) { return std::string(over.param); });

}  // namespace
}  // namespace oas::test
