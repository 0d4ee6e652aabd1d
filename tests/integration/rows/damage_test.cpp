// Bytes that are not what they were: in rows, in stores, in the settings of both. Nothing is believed.
#include <algorithm>

#include "lab.hpp"

namespace oas::test {
namespace {

class Damage : public Lab {
 protected:
  Table<> table = declare("Thing", R"(
    id : int32
    ---
    packed=null : <blob>
    kept=null : <blob@>
    hash=null : <hash@>
    attach=null : <attach>
    there=null : <attach@>
    npy=null : <npy@>
    object=null : <object@>
  )");
  std::string select(const std::string& what, int id = 1) {
    return raw()->cell("SELECT " + what + " FROM " + raw()->table("thing") + " WHERE id = " + std::to_string(id));
  }
  std::string path_of(const char* attribute, int id = 1) { return select(raw()->member(attribute, "path"), id); }
  void update(const std::string& what, const std::vector<std::string>& bytes = {}) {
    raw()->run("UPDATE " + raw()->table("thing") + " SET " + what, bytes);
  }
  void set(const char* attribute, const std::string& blob) { update(std::string(attribute) + " = ?", {blob}); }
  void set_json(const char* attribute, const std::string& text) {
    update(std::string(attribute) + " = '" + text + "'");
  }
  void change(const char* attribute, const std::string& member, const std::string& json) {
    update(std::string(attribute) + " = " + raw()->with_member(attribute, member, json));
  }
  void rewrite(const std::string& key, std::string_view bytes) { store().write(key, as_bytes(bytes)); }
};
OAS_EVERYWHERE(Damage);

TEST_P(Damage, BlobsInRows) {
  table.insert1({{"id", 1}, {"packed", list({"some text", counting(10)})}});
  const std::string good = select("packed");
  for (std::size_t cut = 0; cut < good.size(); cut += 3) {
    set("packed", good.substr(0, cut));
    fails(Errc::decode, {"fetch attribute packed"}, [&] { table.fetch1("packed"); });
  }
  for (const std::string& bad : {good + "x", std::string("nonsense"), std::string("mYm\0", 4),
                                 std::string("dj0\0\x02\xff\xff\xff\xff\xff\xff\xff\x7f", 13),
                                 std::string("ZL123\0\xff\xff\xff\xff\xff\xff\xff\x7fxx", 16)}) {
    set("packed", bad);
    fails(Errc::decode, {"fetch attribute packed"}, [&] { table.fetch1("packed"); });
  }
  EXPECT_EQ(table.fetch1("id").as<int>(), 1);  // the rest of the row is there
  set("packed", good);
  EXPECT_TRUE(table.fetch1("packed") == Value(list({"some text", counting(10)})));
}

TEST_P(Damage, AttachmentsInRows) {
  table.insert1({{"id", 1}, {"attach", Attachment("a", Bytes::copy("b"))}});
  set("attach", "no nul");
  fails(Errc::decode, {"fetch attribute attach", "NUL"}, [&] { table.fetch1("attach"); });
}

TEST_P(Damage, HashedObjects) {
  table.insert1(
      {{"id", 1}, {"kept", "right"}, {"hash", Bytes::copy("right")}, {"there", Attachment("a", Bytes::copy("b"))}});
  for (const char* attribute : {"kept", "hash", "there"}) {
    const std::string key = path_of(attribute);
    const std::string good(store().read(key)->data.text());
    std::string flipped = good;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    rewrite(key, flipped);
    fails(Errc::integrity, {attribute, key, "main", "hash"}, [&] { table.fetch1(attribute); });
    rewrite(key, good + "x");
    fails(Errc::integrity, {attribute, key}, [&] { table.fetch1(attribute); });
    rewrite(key, "");
    fails(Errc::integrity, {attribute, key}, [&] { table.fetch1(attribute); });
    store().remove(key);
    fails(Errc::missing_object, {attribute, key, "main"}, [&] { table.fetch1(attribute); });
    fails(Errc::missing_object, {attribute}, [&] {
      for (const Row& row : table) static_cast<void>(row);
    });
    rewrite(key, good);
    EXPECT_FALSE(table.fetch1(attribute).is_null());
  }
  expect_tidy(3);
}

TEST_P(Damage, ArraysInStores) {
  table.insert1({{"id", 1}, {"npy", counting(10'000)}});
  const std::string key = path_of("npy");
  const std::string good(store().read(key)->data.text());
  const auto fresh = [&] { return table.fetch1("npy").as<NpyRef>(); };
  const auto both = [&](std::initializer_list<Errc> codes, const std::string& bytes) {
    rewrite(key, bytes);
    for (const bool part : {false, true}) {
      const NpyRef ref = fresh();
      try {
        const Array array = part ? ref.load(rows(9990, 10)) : ref.load();
        ADD_FAILURE() << "was read: " << Value(array).describe() << (part ? " part" : "");
      } catch (const Error& e) {
        EXPECT_NE(std::ranges::find(codes, e.code()), codes.end()) << to_string(e.code()) << ": " << e.what();
        EXPECT_NE(std::string(e.what()).find(key), std::string::npos) << e.what();
      }
    }
  };
  both({Errc::integrity, Errc::decode}, "");
  both({Errc::integrity, Errc::decode}, good.substr(0, 5));
  both({Errc::integrity, Errc::decode}, good.substr(0, 100));
  both({Errc::integrity, Errc::decode}, good.substr(0, 128));
  both({Errc::integrity, Errc::decode}, good.substr(0, good.size() - 1));
  both({Errc::decode}, "X" + good.substr(1));
  std::string other = good;
  other.replace(other.find("10000"), 5, "10001");
  both({Errc::integrity, Errc::decode}, other);
  other = good;
  other.replace(other.find("<i8"), 3, "<f8");
  both({Errc::integrity}, other);
  other = good;
  other.replace(other.find("<i8"), 3, "|O8");
  both({Errc::unsupported, Errc::integrity}, other);
  store().remove(key);
  both({Errc::integrity, Errc::decode}, std::string(200, '\0'));
  store().remove(key);
  fails(Errc::missing_object, {key, "main"}, [&] { static_cast<void>(fresh().load()); });
  fails(Errc::missing_object, {key}, [&] { static_cast<void>(fresh().load(rows(0, 1))); });
  EXPECT_EQ(fresh().shape()[0], 10'000);  // the row knows
  EXPECT_EQ(session().audit().dangling, 1U);
  rewrite(key, good);
  EXPECT_EQ(fresh().load(), counting(10'000));
}

TEST_P(Damage, AnObjectRewrittenWhileItIsRead) {
  table.insert1({{"id", 1}, {"npy", counting(10'000)}, {"object", Bytes::copy("first")}});
  const NpyRef ref = table.fetch1("npy").as<NpyRef>();
  static_cast<void>(ref.load(rows(0, 1)));
  const std::string key = path_of("npy");
  std::string other(store().read(key)->data.text());
  other.back() ^= 1;  // some stores cannot tell versions of the same bytes
  rewrite(key, other);
  fails(Errc::conflict, {key}, [&] { static_cast<void>(ref.load(rows(5000, 1))); });
  EXPECT_EQ(table.fetch1("npy").as<NpyRef>().load(rows(5000, 1)).item<std::int64_t>(), 5000);
  const ObjectRef object = table.fetch1("object").as<ObjectRef>();
  static_cast<void>(object.read({0, 1}));
  rewrite(path_of("object"), "other");
  fails(Errc::conflict, {path_of("object")}, [&] { static_cast<void>(object.read({1, 1})); });
}

TEST_P(Damage, FilesAndFolders) {
  file("in/a", "1");
  file("in/b/c", "22");
  table.insert({Row{{"id", 1}, {"object", path("in")}}});
  const std::string key = path_of("object");
  const auto folder = [&] { return table.fetch1("object").as<ObjectRef>(); };
  folder().verify();
  rewrite(key + "/b/c", "333");
  fails(Errc::integrity, {key, "b/c has 3 bytes", "2"}, [&] { folder().verify(); });
  fails(Errc::integrity, {}, [&] { folder().download(path("copy")); });
  EXPECT_FALSE(std::filesystem::exists(path("copy")));
  store().remove(key + "/b/c");
  fails(Errc::missing_object, {key, "b/c is missing"}, [&] { folder().verify(); });
  fails(Errc::missing_object, {"b/c"}, [&] { folder().read("b/c"); });
  fails(Errc::missing_object, {}, [&] { folder().download(path("copy")); });
  EXPECT_FALSE(std::filesystem::exists(path("copy")));
  fails(Errc::access, {"../a"}, [&] { folder().read("../a"); });
  fails(Errc::usage, {"folder", "name one of its files"}, [&] { folder().read(); });
  for (const char* manifest :
       {"", "{", "[]", R"({"files": 5})",
        R"({"files": [{"path": "../x", "size": 1}], "total_size": 1, "item_count": 1})",
        R"({"files": [{"path": "a", "size": 1}, {"path": "a", "size": 1}], "total_size": 2, "item_count": 2})",
        R"({"files": [{"path": "a", "size": -1}], "total_size": 1, "item_count": 1})"}) {
    SCOPED_TRACE(manifest);
    rewrite(key + ".manifest.json", manifest);
    fails(Errc::integrity, {key, "manifest"}, [&] { folder().files(); });
    fails(Errc::integrity, {key}, [&] { folder().download(path("copy")); });
    EXPECT_FALSE(std::filesystem::exists(path("copy")));
  }
  EXPECT_EQ(table.remove(), 1U);  // a damaged folder can still go
  expect_tidy(0);
}

TEST_P(Damage, AFileOfAnotherSize) {
  table.insert1({{"id", 1}, {"object", Bytes::copy("right")}});
  const std::string key = path_of("object");
  rewrite(key, "wrong size");
  fails(Errc::integrity, {key, "10 bytes", "5"}, [&] { table.fetch1("object").as<ObjectRef>().read(); });
  fails(Errc::integrity, {key}, [&] { table.fetch1("object").as<ObjectRef>().verify(); });
  fails(Errc::integrity, {key}, [&] { table.fetch1("object").as<ObjectRef>().download(path("copy")); });
  EXPECT_FALSE(std::filesystem::exists(path("copy")));
  store().remove(key);
  fails(Errc::missing_object, {key}, [&] { table.fetch1("object").as<ObjectRef>().read(); });
  EXPECT_EQ(table.fetch1("object").as<ObjectRef>().size(), 5U);
}

TEST_P(Damage, MetadataInRows) {
  table.insert1({{"id", 1}, {"kept", 1}, {"npy", counting(3)}, {"object", Bytes::copy("x")}});
  const auto before = objects();
  const auto broken = [&](const char* attribute, const std::string& member, const std::string& json,
                          Errc code = Errc::decode) {
    SCOPED_TRACE(std::string(attribute) + "." + member + " = " + json);
    const std::string good = select(attribute);
    change(attribute, member, json);
    fails(code, {attribute}, [&] { table.fetch1(attribute); });
    set_json(attribute, good);
  };
  for (const char* attribute : {"kept", "npy", "object"}) {
    broken(attribute, "path", "5");
    broken(attribute, "path", "null");
    broken(attribute, "path", "\"../../secret\"");
    broken(attribute, "path", "\"/etc/passwd\"");
    broken(attribute, "path", "\"\"");
    broken(attribute, "store", "[]");
    broken(attribute, "store", "\"none\"", Errc::usage);
  }
  broken("kept", "hash", "5");
  broken("kept", "hash", "\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"", Errc::integrity);
  broken("npy", "shape", "[-1]");
  broken("npy", "shape", "\"(3,)\"");
  broken("npy", "shape", "[\"a\"]");
  broken("npy", "dtype", "\"object\"", Errc::unsupported);
  broken("npy", "dtype", "\"nonsense\"");
  broken("npy", "dtype", "null");
  for (const char* text : {"[]", "5", "\"text\"", "{}"}) {
    const std::string good = select("kept");
    set_json("kept", text);
    fails(Errc::decode, {"kept"}, [&] { table.fetch1("kept"); });
    // What cannot be read must not lead to a removal.
    fails(Errc::decode, {}, [&] { table.remove(); });
    EXPECT_EQ(objects(), before);
    set_json("kept", good);
  }
  EXPECT_EQ(table.remove(), 1U);
  expect_tidy(0);
}

TEST_P(Damage, AnAuditFindsIt) {
  table.insert({Row{{"id", 1}, {"kept", "a"}, {"npy", counting(3)}}, Row{{"id", 2}, {"kept", "b"}}});
  rewrite("_schema/lab/thing/id=9/npy_AAAAAAAA.npy", "nobody's");
  rewrite(path_of("kept", 2), "other");
  store().remove(path_of("npy"));
  const Audit quick = session().audit();
  EXPECT_EQ(quick.references, 3U);
  EXPECT_EQ(quick.dangling, 1U);
  EXPECT_EQ(quick.leaked, 1U);
  const Audit deep = session().audit({.deep = true});
  EXPECT_EQ(deep.damaged, 1U);
  ASSERT_EQ(deep.findings.size(), 3U);
  for (const Finding& finding : deep.findings) {
    if (finding.kind == Finding::Kind::leaked) continue;
    EXPECT_NE(finding.where.find("lab.thing"), std::string::npos) << finding.where;
    EXPECT_NE(finding.where.find("id"), std::string::npos) << finding.where;
  }
  EXPECT_EQ(session().audit({.repair = true}).leaked, 1U);
  EXPECT_EQ(session().audit().leaked, 0U);
  EXPECT_EQ(table.size(), 2U);
}

TEST_P(Damage, CellsThatAreNotOfTheirType) {
  auto dated = declare("Dated", "id : int32\n---\nday : date\nu : uuid\ne : enum('a','b')\nn : int8");
  dated.insert1({{"id", 1}, {"day", Date(2024, 1, 1)}, {"u", Uuid::random()}, {"e", "a"}, {"n", 1}});
  // A server's own types let little else in.
  const std::vector<const char*> of_sqlite{"day = '2024-99-01'", "u = 'zzz'", "n = 1000"},
      of_postgres{"day = 'infinity'"}, of_mysql{"day = '0000-00-00'", "e = ''"};
  for (const char* change : on_postgres() ? of_postgres : on_mysql() ? of_mysql : of_sqlite) {
    RawDatabase* const database = raw();
    if (on_mysql()) database->run("SET sql_mode = 'ANSI_QUOTES'");
    if (!on_a_server()) database->run("PRAGMA ignore_check_constraints = 1");
    database->run("UPDATE " + database->table("dated") + " SET " + change);
    const std::string attribute(change, std::string_view(change).find(' '));
    fails(Errc::decode, {"fetch attribute " + attribute}, [&] { dated.fetch1(attribute); });
  }
}

/// A store on a disk that is full after some writes.
class FullStore final : public StoreDecorator {
 public:
  FullStore(std::shared_ptr<Store> inner, int writes) : StoreDecorator(std::move(inner)), left_(writes) {}

 private:
  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    need_space(key);
    return StoreDecorator::do_write(key, parts, expect);
  }
  std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts) override {
    need_space(key);
    return StoreDecorator::do_create(key, parts);
  }
  void need_space(const std::string& key) {
    if (--left_ < 0) throw Error(Errc::unavailable, "write " + key + ": no space is left. make room", key, "ENOSPC");
  }
  std::atomic<int> left_;
};

TEST_P(Damage, AFullStore) {
  const auto before = everything();
  for (const int writes : {0, 1, 7}) {
    SessionOptions with = options();
    with.wrap_store = [wrap = with.wrap_store, writes](std::shared_ptr<Store> opened) -> std::shared_ptr<Store> {
      return std::make_shared<FullStore>(wrap(std::move(opened)), writes);
    };
    Session full(settings(), with);
    auto thing = full.schema("lab")["thing"];
    std::vector<Row> rows;
    for (int i = 0; i < 10; ++i) rows.push_back({{"id", i}, {"kept", counting(5, i)}});
    fails(Errc::unavailable, {"insert into lab.thing", "no space is left"}, [&] { thing.insert(rows); });
    fails(Errc::unavailable, {"no space is left"}, [&] { thing.insert(rows, {.window = 1}); });
    EXPECT_EQ(before, everything());
  }
}

}  // namespace
}  // namespace oas::test
