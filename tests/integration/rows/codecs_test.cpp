// Every codec, in the table, in the default store and in a named one: what goes in comes out.
#include <complex>

#include "lab.hpp"

namespace oas::test {
namespace {

class Codecs : public Lab {
 protected:
  static std::vector<std::pair<std::string, std::string>> places(const std::string& codec, bool in_table) {
    std::vector<std::pair<std::string, std::string>> out{{"<" + codec + "@>", "main"},
                                                         {"<" + codec + "@cold>", "cold"}};
    if (in_table) out.insert(out.begin(), {"<" + codec + ">", ""});
    return out;
  }
  Table<> table_of(const std::string& type) {
    return declare("Table" + std::to_string(++tables_), "id : int32\n---\nit : " + type);
  }
  std::size_t all_objects() { return objects("main").size() + objects("cold").size(); }

 private:
  int tables_ = 0;
};
OAS_EVERYWHERE(Codecs);

template <class T>
Array numbers(Shape shape, Array::Order order = Array::Order::row) {
  std::size_t count = 1;
  for (const auto n : shape) count *= static_cast<std::size_t>(n);
  std::vector<T> elements(count);
  for (std::size_t i = 0; i < count; ++i) elements[i] = static_cast<T>(static_cast<float>(i % 100));
  const auto bytes = std::as_bytes(std::span(elements));
  return Array(detail::dtype_of<T>::value, std::move(shape), Bytes::copy(bytes), order);
}

template <class T>
void add_of(std::vector<Array>& out) {
  out.push_back(numbers<T>({2, 3}));
  out.push_back(numbers<T>({2, 3, 4}, Array::Order::column));
  out.push_back(numbers<T>({}));
  out.push_back(numbers<T>({0}));
  out.push_back(numbers<T>({3, 0, 2}));
  out.push_back(numbers<T>({40'000}));
}

std::vector<Array> arrays_of_blobs() {
  std::vector<Array> out;
  add_of<std::int8_t>(out);
  add_of<std::int16_t>(out);
  add_of<std::int32_t>(out);
  add_of<std::int64_t>(out);
  add_of<std::uint8_t>(out);
  add_of<std::uint16_t>(out);
  add_of<std::uint32_t>(out);
  add_of<std::uint64_t>(out);
  add_of<float>(out);
  add_of<double>(out);
  add_of<std::complex<float>>(out);
  add_of<std::complex<double>>(out);
  out.emplace_back(DType::bool_, Shape{2, 2}, Bytes::copy(std::string_view("\1\0\0\1", 4)));
  out.emplace_back(ArrayType{DType::datetime64, 8, false, "datetime64[us]"}, Shape{2},
                   Bytes::copy(std::string_view("abcdefgh\0\0\0\0\0\0\0\0", 16)));
  return out;
}

std::vector<Array> arrays_of_files() {
  std::vector<Array> out = arrays_of_blobs();
  const Bytes bytes = Bytes::copy(std::string_view("\0<abcdefghijklmnopqrstuv", 24));
  out.emplace_back(DType::f16, Shape{3, 4}, bytes);
  out.emplace_back(ArrayType{DType::timedelta64, 8, false, "timedelta64[s]"}, Shape{3}, bytes);
  out.emplace_back(ArrayType{DType::i16, 2, true, ">i2"}, Shape{12}, bytes);
  out.emplace_back(ArrayType{DType::f64, 8, true, ">f8"}, Shape{3}, bytes);
  out.emplace_back(ArrayType{DType::bytes, 3, false, "|S3"}, Shape{2, 4}, bytes);
  out.emplace_back(ArrayType{DType::raw, 8, false, "|V8"}, Shape{3}, bytes);
  out.emplace_back(ArrayType{DType::text, 4, false, "<U1"}, Shape{1}, Bytes::copy(std::string_view("a\0\0\0", 4)));
  out.emplace_back(ArrayType{DType::record, 12, false, "[('a', '<i4'), ('b', '<f8')]"}, Shape{2}, bytes);
  return out;
}

std::string shown(const Array& array) { return Value(array).describe(); }

TEST_P(Codecs, BlobsHoldArraysOfEveryType) {
  const auto arrays = arrays_of_blobs();
  for (const auto& [type, place] : places("blob", true)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    std::vector<Row> rows;
    for (std::size_t i = 0; i < arrays.size(); ++i) rows.push_back({{"id", i}, {"it", arrays[i]}});
    EXPECT_EQ(table.insert(rows), arrays.size());
    std::size_t i = 0;
    for (const Row& row : table.order_by("id")) {
      const Array back = row["it"];
      EXPECT_TRUE(back.to_order(Array::Order::row) == arrays[i].to_order(Array::Order::row)) << shown(arrays[i]);
      ++i;
    }
    EXPECT_EQ(i, arrays.size());
    EXPECT_EQ(table.remove(), arrays.size());
  }
  expect_tidy(0);
}

TEST_P(Codecs, NpyFilesHoldArraysOfEveryType) {
  const auto arrays = arrays_of_files();
  for (const auto& [type, place] : places("npy", false)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    std::vector<Row> rows;
    for (std::size_t i = 0; i < arrays.size(); ++i) rows.push_back({{"id", i}, {"it", arrays[i]}});
    table.insert(rows);
    EXPECT_EQ(objects(place).size(), arrays.size());
    std::size_t i = 0;
    for (const Row& row : table.order_by("id")) {
      const NpyRef ref = row.at<NpyRef>("it");
      EXPECT_EQ(ref.type(), arrays[i].type());
      EXPECT_TRUE(std::ranges::equal(ref.shape(), arrays[i].shape())) << shown(arrays[i]);
      EXPECT_EQ(ref.nbytes(), arrays[i].nbytes());
      EXPECT_TRUE(ref.load() == arrays[i]) << shown(arrays[i]);
      EXPECT_EQ(ref.store(), place);
      ++i;
    }
    EXPECT_EQ(i, arrays.size());
    EXPECT_EQ(table.remove(), arrays.size());
  }
  expect_tidy(0);
}

TEST_P(Codecs, BlobsHoldNestedValues) {
  std::vector<Value> values{true,
                            -1,
                            INT64_MIN,
                            BigInt{"123456789012345678901234567890"},
                            0.1,
                            std::complex<double>(1, -2),
                            "",
                            "ü☃",
                            Bytes::copy(std::string_view("\0\1", 2)),
                            Decimal{"1.20"},
                            Date(1, 1, 1),
                            Time{1},
                            DateTime(Date(2024, 2, 29), 5),
                            Uuid::parse("0123456789abcdef0123456789abcdef"),
                            Seq{},
                            Map{},
                            tuple({1, list({2, tuple({})})}),
                            Seq{Seq::Kind::set, {1, "b"}},
                            map({{"array", counting(5)}, {"none", nullptr}, {"map", map({{"deep", list({map({})})}})}}),
                            Map{{{1, "one"}, {tuple({1, 2}), "pair"}}},
                            Cells{true, {1, 2}, {"a", counting(2)}},
                            Fields{true, {1, 1}, {{"f", Cells{true, {1, 1}, {3.0}}}}}};
  Value deep = 1;
  for (int i = 0; i < 100; ++i) deep = list({deep});
  values.push_back(deep);
  values.push_back(std::string(100'000, 'x'));
  for (const auto& [type, place] : places("blob", true)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    for (std::size_t i = 0; i < values.size(); ++i) table.insert1({{"id", i}, {"it", values[i]}});
    std::size_t i = 0;
    for (const Row& row : table.order_by("id")) {
      EXPECT_TRUE(row["it"] == values[i]) << i << ": " << row["it"].describe() << " for " << values[i].describe();
      ++i;
    }
    EXPECT_EQ(i, values.size());
    table.drop();
  }
  expect_tidy(0);
}

TEST_P(Codecs, AttachmentsKeepNameAndContent) {
  const auto local = file("in/report ü.tar.gz", std::string("first\0second", 12));
  for (const auto& [type, place] : places("attach", true)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    table.insert1({{"id", 1}, {"it", Attachment(local)}});
    table.insert1({{"id", 2}, {"it", local}});
    table.insert1({{"id", 3}, {"it", Attachment("empty", Bytes())}});
    table.insert1({{"id", 4}, {"it", Attachment("a.bin", Bytes::copy(std::string(300'000, 'z')))}});
    const auto at = [&](int id) { return (table & key({{"id", id}})).fetch1("it").as<Attachment>(); };
    EXPECT_EQ(at(1).name(), "report ü.tar.gz");
    EXPECT_EQ(at(1).bytes().text(), std::string_view("first\0second", 12));
    EXPECT_TRUE(at(1).file().empty());
    EXPECT_TRUE(at(1) == at(2));
    EXPECT_EQ(at(3).size(), 0U);
    EXPECT_EQ(at(4).size(), 300'000U);
    const std::size_t contents = place.empty() ? 0 : objects(place).size();
    EXPECT_EQ(contents, place.empty() ? 0U : 3U);  // the first two are one content
    const auto folder = path("out" + place);
    EXPECT_EQ(at(1).save_to(folder), folder / "report ü.tar.gz");
    EXPECT_EQ(std::filesystem::file_size(folder / "report ü.tar.gz"), 12U);
    EXPECT_EQ(table.remove(), 4U);
  }
  expect_tidy(0);
}

TEST_P(Codecs, HashedBytes) {
  for (const auto& [type, place] : places("hash", false)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    table.insert1({{"id", 1}, {"it", Bytes::copy("same")}});
    table.insert({Row{{"id", 2}, {"it", Bytes::copy("same")}}, Row{{"id", 3}, {"it", Bytes()}}});
    EXPECT_EQ(objects(place).size(), 2U);
    EXPECT_EQ((table & key({{"id", 2}})).fetch1("it").as<Bytes>().text(), "same");
    EXPECT_EQ((table & key({{"id", 3}})).fetch1("it").as<Bytes>().size(), 0U);
    EXPECT_EQ((table & key({{"id", 1}})).remove(), 1U);
    EXPECT_EQ(objects(place).size(), 2U);
    EXPECT_EQ(table.remove(), 2U);
  }
  EXPECT_EQ(all_objects(), 0U);
}

TEST_P(Codecs, ObjectsAreFilesFoldersAndBytes) {
  file("movie.final.avi", "film");
  file("README", "text");
  file("data.zarr/zarr.json", "{}");
  file("data.zarr/c/0/0", "chunk");
  file("data.zarr/c/0/empty", "");
  std::filesystem::create_directories(path("nothing"));
  for (const auto& [type, place] : places("object", false)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    table.insert({Row{{"id", 1}, {"it", path("movie.final.avi")}}, Row{{"id", 2}, {"it", path("README")}},
                  Row{{"id", 3}, {"it", path("data.zarr")}}, Row{{"id", 4}, {"it", Bytes::copy("raw")}},
                  Row{{"id", 5}, {"it", Attachment("name.txt", Bytes::copy("kept"))}},
                  Row{{"id", 6}, {"it", path("nothing")}}});
    const auto at = [&](int id) { return (table & key({{"id", id}})).fetch1("it").as<ObjectRef>(); };
    EXPECT_TRUE(at(1).path().ends_with(".avi")) << at(1).path();
    EXPECT_EQ(at(1).read().text(), "film");
    EXPECT_EQ(at(1).size(), 4U);
    EXPECT_EQ(at(2).read().text(), "text");
    EXPECT_EQ(at(4).read({1, 2}).text(), "aw");
    EXPECT_TRUE(at(5).path().ends_with(".txt"));
    const ObjectRef folder = at(3);
    EXPECT_TRUE(folder.is_folder());
    EXPECT_EQ(folder.size(), 7U);
    EXPECT_EQ(folder.files(), (std::vector<FileInfo>{{"c/0/0", 5}, {"c/0/empty", 0}, {"zarr.json", 2}}));
    EXPECT_EQ(folder.read("c/0/0").text(), "chunk");
    EXPECT_EQ(folder.read("c/0/empty").size(), 0U);
    folder.verify();
    const auto target = path("copy-" + place);
    folder.download(target);
    EXPECT_EQ(std::filesystem::file_size(target / "c/0/0"), 5U);
    EXPECT_TRUE(std::filesystem::exists(target / "c/0/empty"));
    EXPECT_TRUE(at(6).is_folder());
    EXPECT_TRUE(at(6).files().empty());
    EXPECT_EQ(table.remove(), 6U);
    EXPECT_EQ(all_objects(), 0U);
  }
  expect_tidy(0);
}

TEST_P(Codecs, FilepathsReferToWhatIsThere) {
  for (const auto& [type, place] : places("filepath", false)) {
    SCOPED_TRACE(type);
    auto table = table_of(type);
    store(place).write("mine/a.txt", as_bytes("there"));
    store(place).write("mine/folder/b", as_bytes("1"));
    table.insert({Row{{"id", 1}, {"it", "mine/a.txt"}}, Row{{"id", 2}, {"it", "mine/./folder"}}});
    const auto at = [&](int id) { return (table & key({{"id", id}})).fetch1("it").as<ObjectRef>(); };
    EXPECT_EQ(at(1).read().text(), "there");
    EXPECT_EQ(at(1).size(), 5U);
    EXPECT_TRUE(at(2).is_folder());
    EXPECT_EQ(at(2).path(), "mine/folder");
    EXPECT_EQ(at(2).files().size(), 1U);
    EXPECT_EQ(table.remove(), 2U);
    EXPECT_EQ(objects(place).size(), 2U);  // not ours
  }
}

TEST_P(Codecs, UpdatedObjectsReplaceTheOldOnes) {
  auto table = declare("Updated", R"(
    id : int32
    ---
    n : int32
    npy : <npy@>
    blob : <blob@cold>
    object : <object@>
  )");
  table.insert1({{"id", 7}, {"n", 1}, {"npy", counting(3)}, {"blob", "old"}, {"object", Bytes::copy("old")}});
  const auto old = objects();
  table.update1({{"id", 7}, {"npy", counting(4)}, {"blob", "new"}});
  const Row row = table.fetch1();
  EXPECT_EQ(row.at<NpyRef>("npy").load(), counting(4));
  EXPECT_EQ(row.at<std::string>("blob"), "new");
  EXPECT_EQ(row.at<ObjectRef>("object").read().text(), "old");
  EXPECT_NE(row.at<NpyRef>("npy").path().find("/lab/updated/id=7/npy_"), std::string::npos)
      << row.at<NpyRef>("npy").path();
  EXPECT_EQ(objects().size(), 2U);
  EXPECT_EQ(objects("cold").size(), 1U);
  EXPECT_NE(objects(), old);
  table.update1({{"id", 7}, {"blob", "new"}, {"n", 2}});  // the same content again
  EXPECT_EQ(table.fetch1("blob").as<std::string>(), "new");
  EXPECT_EQ(table.fetch1("n").as<int>(), 2);
  expect_tidy(3);
  refused(Errc::usage, {"update lab.updated", "id=8", "insert it first"}, [&] {
    table.update1({{"id", 8}, {"npy", counting(1)}});
  });
  refused(Errc::usage, {"nothing to change"}, [&] { table.update1({{"id", 7}}); });
  refused(Errc::missing_attribute, {"n"}, [&] { table.update1({{"id", 7}, {"n", nullptr}}); });
  refused(Errc::unknown_attribute, {"npx", "npy"}, [&] { table.update1({{"id", 7}, {"npx", counting(1)}}); });
}

}  // namespace
}  // namespace oas::test
