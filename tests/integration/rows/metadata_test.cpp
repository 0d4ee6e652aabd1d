// What a row holds for an object, member by member, and where the object lies: as docs/format/metadata.md and
// docs/format/paths.md say, read with the database's own client.
#include <algorithm>
#include <regex>

#include "lab.hpp"

namespace oas::test {
namespace {

class Metadata : public Lab {
 protected:
  Map cell(const std::string& table, const std::string& attribute, const std::string& where = "1 = 1") {
    return from_json(raw()->cell("SELECT \"" + attribute + "\" FROM " + raw()->table(table) + " WHERE " + where),
                     "a cell")
        .as<Map>();
  }
  static std::vector<std::string> members(const Map& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map.items) names.push_back(name.as<std::string>());
    std::ranges::sort(names);
    return names;
  }
  static void expect_match(const std::string& text, const std::string& pattern) {
    EXPECT_TRUE(std::regex_match(text, std::regex(pattern))) << text << " is not " << pattern;
  }
  static std::string text(const Map& map, std::string_view name) { return map.at(name).as<std::string>(); }
};
OAS_EVERYWHERE(Metadata);

using Names = std::vector<std::string>;
const std::string stamp = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00)";

TEST_P(Metadata, OfHashedContent) {
  auto table = declare("Hashed", R"(
    id : int32
    ---
    h : <hash@>
    b : <blob@cold>
    a : <attach@>
  )");
  table.insert1(
      {{"id", 1}, {"h", Bytes::copy("hello")}, {"b", counting(4)}, {"a", Attachment("n.txt", Bytes::copy("c"))}});
  const Map h = cell("hashed", "h"), b = cell("hashed", "b"), a = cell("hashed", "a");
  for (const Map& one : {h, b, a}) EXPECT_EQ(members(one), (Names{"hash", "path", "schema", "size", "store"}));
  // MD5 of "hello", 5d41402abc4b2a76b9719d911017c592, in base32.
  EXPECT_EQ(text(h, "hash"), "lvauakv4jmvhnolrtwiraf6fsi");
  EXPECT_EQ(text(h, "path"), "_hash/lab/lvauakv4jmvhnolrtwiraf6fsi");
  EXPECT_EQ(text(h, "schema"), "lab");
  EXPECT_EQ(text(h, "store"), "main");  // `@` alone is written down as what it means
  EXPECT_EQ(h.at("size").as<int>(), 5);
  EXPECT_EQ(text(b, "store"), "cold");
  EXPECT_EQ(text(b, "path"), "_hash/lab/" + text(b, "hash"));
  expect_match(text(b, "hash"), "[a-z2-7]{26}");
  EXPECT_EQ(a.at("size").as<int>(), 7);
  EXPECT_EQ(store().read(text(a, "path"))->data.text(), std::string_view("n.txt\0c", 7));
  EXPECT_EQ(store("cold").read(text(b, "path"))->data.size(), b.at("size").as<std::size_t>());
  EXPECT_TRUE(store("cold").read(text(b, "path"))->data.text().starts_with(std::string_view("mYm\0", 4)));
}

TEST_P(Metadata, OfArraysFilesAndFolders) {
  auto table = declare("Named", R"(
    subject : varchar(40)
    day : date
    ---
    npy : <npy@cold>
    file : <object@>
    bare : <object@>
    bytes : <object@>
    folder : <object@>
  )");
  file("in.zarr/b", "22");
  file("in.zarr/a/c", "1");
  table.insert1({{"subject", "a/b c"},
                 {"day", Date(2024, 3, 7)},
                 {"npy", Array::zeros<float>({3, 0, 2})},
                 {"file", file("x.tar.gz", "gz")},
                 {"bare", file("bare", "none")},
                 {"bytes", Bytes::copy("bytes")},
                 {"folder", path("in.zarr")}});
  const std::string row = R"(_schema/lab/named/subject=a%2Fb%20c/day=2024-03-07/)", token = R"(_[A-Za-z0-9_-]{8})";
  const Map npy = cell("named", "npy");
  EXPECT_EQ(members(npy), (Names{"dtype", "path", "shape", "store"}));
  expect_match(text(npy, "path"), row + "npy" + token + R"(\.npy)");
  EXPECT_EQ(text(npy, "store"), "cold");
  EXPECT_EQ(text(npy, "dtype"), "float32");
  EXPECT_TRUE(npy.at("shape") == Value(list({3, 0, 2})));
  EXPECT_TRUE(store("cold").stat(text(npy, "path")));

  const Names of_object{"ext", "is_dir", "item_count", "path", "size", "store", "timestamp"};
  for (const char* name : {"file", "bare", "bytes", "folder"}) {
    const Map one = cell("named", name);
    EXPECT_EQ(members(one), of_object) << name;
    EXPECT_EQ(text(one, "store"), "main");
    expect_match(text(one, "timestamp"), stamp);
    EXPECT_EQ(one.at("is_dir").as<bool>(), std::string_view(name) == "folder");
  }
  const Map one = cell("named", "file"), bare = cell("named", "bare"), bytes = cell("named", "bytes");
  expect_match(text(one, "path"), row + "file" + token + R"(\.gz)");
  EXPECT_EQ(text(one, "ext"), ".gz");
  EXPECT_EQ(one.at("size").as<int>(), 2);
  EXPECT_TRUE(one.at("item_count").is_null());
  expect_match(text(bare, "path"), row + "bare" + token);
  EXPECT_EQ(text(bare, "ext"), "");
  expect_match(text(bytes, "path"), row + "bytes" + token);
  EXPECT_TRUE(bytes.at("ext").is_null());

  const Map folder = cell("named", "folder");
  expect_match(text(folder, "path"), row + "folder" + token);
  EXPECT_TRUE(folder.at("ext").is_null());
  EXPECT_EQ(folder.at("size").as<int>(), 3);
  EXPECT_EQ(folder.at("item_count").as<int>(), 2);
  const auto manifest = from_json(store().read(text(folder, "path") + ".manifest.json")->data.text(), "it").as<Map>();
  EXPECT_EQ(members(manifest), (Names{"created", "files", "item_count", "total_size"}));
  EXPECT_TRUE(manifest.at("files") ==
              Value(list({map({{"path", "a/c"}, {"size", 1}}), map({{"path", "b"}, {"size", 2}})})));
  EXPECT_EQ(manifest.at("total_size").as<int>(), 3);
  expect_match(text(manifest, "created"), stamp);
  EXPECT_EQ(store().read(text(folder, "path") + "/a/c")->data.text(), "1");
}

TEST_P(Metadata, OfFilepaths) {
  auto table = declare("Referring", "id : int32\n---\nit : <filepath@>");
  store().write("raw/a", as_bytes("123"));
  table.insert({Row{{"id", 1}, {"it", "raw//./a"}}, Row{{"id", 2}, {"it", "raw"}}});
  const Map one = cell("referring", "it", "id = 1"), two = cell("referring", "it", "id = 2");
  for (const Map& m : {one, two}) {
    EXPECT_EQ(members(m), (Names{"is_dir", "path", "size", "store", "timestamp"}));
    expect_match(text(m, "timestamp"), stamp);
  }
  EXPECT_EQ(text(one, "path"), "raw/a");
  EXPECT_EQ(one.at("size").as<int>(), 3);
  EXPECT_FALSE(one.at("is_dir").as<bool>());
  EXPECT_TRUE(two.at("size").is_null());
  EXPECT_TRUE(two.at("is_dir").as<bool>());
}

TEST_P(Metadata, OfStagedObjects) {
  auto table = declare("Staged", "id : int32\n---\nfolder : <object@>\nfile : <object@cold>");
  {
    auto staged = table.staged_insert1({{"id", 5}});
    const Folder folder = staged.store("folder", "zarr");
    folder.write("a", "1");
    folder.write("b/c", "22");
    auto upload = staged.open("file");
    upload->append(as_bytes("333"));
    upload->commit();
    EXPECT_EQ(staged.commit(), 1U);
  }
  const Map folder = cell("staged", "folder"), one = cell("staged", "file");
  EXPECT_EQ(members(folder), (Names{"ext", "is_dir", "item_count", "path", "size", "store", "timestamp"}));
  expect_match(text(folder, "path"), R"(_schema/lab/staged/id=5/folder_[A-Za-z0-9_-]{8}\.zarr)");
  EXPECT_EQ(text(folder, "ext"), ".zarr");
  EXPECT_EQ(folder.at("size").as<int>(), 3);
  EXPECT_EQ(folder.at("item_count").as<int>(), 2);
  EXPECT_TRUE(one.at("ext").is_null());
  EXPECT_EQ(text(one, "store"), "cold");
  EXPECT_EQ(one.at("size").as<int>(), 3);
  EXPECT_FALSE(one.at("is_dir").as<bool>());
  EXPECT_EQ(store().list(text(folder, "path")).entries.size(), 3U);  // two files and the manifest
}

TEST_P(Metadata, PathsFollowTheSettingsOfTheStore) {
  Session own(settings(R"("hash_prefix": "h/", "schema_prefix": "objects", "subfolding": [2, 3],
                          "partition_pattern": "{subject}/{nothing}/{day}", "token_length": 12)"),
              options());
  Schema schema = own.schema("lab");
  auto table = schema.declare("Scan2P", Tier::lookup, R"(
    trial : int16
    subject : int32
    day : date
    ---
    h : <hash@>
    n : <npy@>
  )");
  table.insert1(
      {{"trial", -3}, {"subject", 5}, {"day", Date(2024, 3, 7)}, {"h", Bytes::copy("hello")}, {"n", counting(1)}});
  EXPECT_EQ(text(cell("#scan2_p", "h"), "path"), "h/lab/lv/aua/lvauakv4jmvhnolrtwiraf6fsi");
  expect_match(text(cell("#scan2_p", "n"), "path"),
               R"(objects/subject=5/day=2024-03-07/lab/#scan2_p/trial=-3/n_[A-Za-z0-9_-]{12}\.npy)");
  EXPECT_EQ(table.fetch1("n").as<NpyRef>().load(), counting(1));
}

TEST_P(Metadata, WithoutPrefixesObjectsGoWithTheirRowsAndNothingElse) {
  Session own(settings(R"("hash_prefix": "", "schema_prefix": "", "filepath_prefix": "mine")"), options());
  auto table =
      own.schema("lab").declare("Scan", Tier::manual, "id : int32\n---\nn : <npy@>\nh : <hash@>\nf : <filepath@>");
  store().write("mine/lab/f", as_bytes("theirs"));
  const Row row{{"id", 1}, {"n", counting(1)}, {"h", Bytes::copy("hello")}, {"f", "mine/lab/f"}};
  table.insert1(row);
  EXPECT_TRUE(text(cell("scan", "n"), "path").starts_with("lab/scan/id=1/n_"));
  fails(Errc::duplicate, {}, [&] { table.insert1(row); });
  EXPECT_EQ(objects().size(), 3U);
  table.remove();
  EXPECT_EQ(objects(), std::vector<std::string>{"mine/lab/f"});
}

TEST_P(Metadata, CellsOfBlobsInTheTable) {
  auto table = declare("Packed", "id : int32\n---\nb : <blob>\na : <attach>");
  table.insert1({{"id", 1}, {"b", "text"}, {"a", Attachment("f", Bytes::copy("c"))}});
  EXPECT_EQ(raw()->cell("SELECT b FROM " + raw()->table("packed")), std::string("dj0\0\5\4\0\0\0\0\0\0\0text", 17));
  EXPECT_EQ(raw()->cell("SELECT a FROM " + raw()->table("packed")), std::string("f\0c", 3));
  if (on_mysql()) return;  // which has no function that tells a cell's type
  const std::string type_of = on_postgres() ? "pg_typeof" : "typeof";
  EXPECT_EQ(raw()->cell("SELECT " + type_of + "(b) FROM " + raw()->table("packed")), on_postgres() ? "bytea" : "blob");
}

}  // namespace
}  // namespace oas::test
