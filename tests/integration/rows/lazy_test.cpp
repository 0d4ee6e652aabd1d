// Which requests reach the stores: none that is not needed, no byte twice.
#include "lab.hpp"
#include "support/gathering_store.hpp"

namespace oas::test {
namespace {

class Requests : public Lab {
 protected:
  void forget() {
    store().clear();
    store("cold").clear();
  }
  std::vector<StoreCall> calls() { return store().calls(); }
  std::uint64_t read() { return store().bytes("read"); }
};
OAS_EVERYWHERE(Requests);

TEST_P(Requests, AThousandReferencesMakeNone) {
  auto table = declare("Recording", "id : int32\n---\nx : <npy@>\ny : <object@>\nz=null : <filepath@>");
  std::vector<Row> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back({{"id", i}, {"x", counting(i)}, {"y", Bytes::copy("12345")}});
  table.insert(rows);
  forget();
  std::uint64_t elements = 0, bytes = 0;
  std::vector<NpyRef> refs;
  for (const Row& row : table) {
    refs.push_back(row.at<NpyRef>("x"));
    const NpyRef& ref = refs.back();
    elements += static_cast<std::uint64_t>(ref.shape()[0]);
    bytes += ref.nbytes() + row.at<ObjectRef>("y").size();
    EXPECT_EQ(ref.dtype(), DType::i64);
    EXPECT_FALSE(ref.path().empty());
    EXPECT_FALSE(ref.is_loaded());
    EXPECT_FALSE(row.at<ObjectRef>("y").is_folder());
  }
  EXPECT_EQ(refs.size(), 1000U);
  EXPECT_EQ(elements, 499'500U);
  EXPECT_EQ(bytes, 499'500U * 8 + 5000);
  EXPECT_EQ(table.size(), 1000U);
  EXPECT_EQ((table & where("id > {}", 500)).keys().size(), 499U);
}

// Without a word about it in the options.
TEST_P(Requests, AsManyAsTheStoreSaysAreUnderWayAtOnce) {
  constexpr std::size_t at_once = 12;
  std::shared_ptr<GatheringStore> gathering;
  SessionOptions wishes;
  wishes.wrap_store = [&](std::shared_ptr<Store> opened) -> std::shared_ptr<Store> {
    return gathering = std::make_shared<GatheringStore>(std::move(opened), at_once);
  };
  Session session(settings(), wishes);
  std::vector<Row> rows;
  for (int i = 0; i < 40; ++i) rows.push_back({{"id", i}, {"x", counting(50, i)}});

  auto lazy = session.schema("lab").declare("Lazy", Tier::manual, "id : int32\n---\nx : <npy@>");
  lazy.insert(rows);
  EXPECT_EQ(gathering->most(), at_once);
  std::vector<NpyRef> refs;
  for (const Row& row : lazy.order_by("id")) refs.push_back(row.at<NpyRef>("x"));
  const std::vector<Array> arrays = load(refs);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(arrays[static_cast<std::size_t>(i)], counting(50, i));
  EXPECT_EQ(gathering->most(), at_once);

  auto read = session.schema("lab").declare("Read", Tier::manual, "id : int32\n---\nx : <blob@>");
  read.insert(rows);
  EXPECT_EQ(gathering->most(), at_once);
  gathering->let_pass(1 + 2 + 4 + 8);  // a fetch begins with one row and doubles, as most programs want few
  EXPECT_EQ(read.fetch().size(), 40U);
  EXPECT_EQ(gathering->most(), at_once);
}

TEST_P(Requests, LoadingReadsOnce) {
  auto table = declare("Recording", "id : int32\n---\nx : <npy@>");
  table.insert1({{"id", 1}, {"x", counting(100'000)}});
  const NpyRef ref = table.fetch1("x").as<NpyRef>();
  const NpyRef copy = ref;
  forget();
  EXPECT_EQ(ref.load(), counting(100'000));
  EXPECT_TRUE(copy.is_loaded());
  EXPECT_EQ(copy.load().as<std::int64_t>()[99'999], 99'999);
  EXPECT_EQ(copy.load(rows(10, 2)).as<std::int64_t>()[1], 11);
  EXPECT_EQ(calls().size(), 1U);
  EXPECT_LE(read(), 800'000U + 200);
}

TEST_P(Requests, SlicesReadWhatTheySpan) {
  auto table = declare("Recording", "id : int32\n---\nx : <npy@>");
  std::vector<double> elements(4000 * 256);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<double>(i);
  table.insert1({{"id", 1}, {"x", Array(std::span(elements), {4000, 256})}});
  const auto fresh = [&] {
    forget();
    return table.fetch1("x").as<NpyRef>();
  };
  {
    const NpyRef ref = fresh();
    const Array part = ref.load(rows(1000, 250));
    EXPECT_EQ(part.shape()[0], 250);
    EXPECT_EQ(part.as<double>()[0], 256'000.0);
    EXPECT_LE(static_cast<double>(read()), 1.1 * static_cast<double>(part.nbytes()));
    EXPECT_EQ(calls().size(), 2U);  // header, rows
    forget();
    EXPECT_EQ(ref.load(rows(3999, 1)).as<double>()[255], static_cast<double>(elements.size() - 1));
    EXPECT_EQ(calls().size(), 1U);  // the header is known
    EXPECT_EQ(read(), 256U * 8);
  }
  {
    const NpyRef ref = fresh();
    const Array part = ref.load({slice(-100), slice(0, 128, 2)});
    EXPECT_EQ(part.shape()[0], 100);
    EXPECT_EQ(part.shape()[1], 64);
    EXPECT_EQ(part.to_order(Array::Order::row).as<double>()[65], 3901.0 * 256 + 2);
    EXPECT_LE(read(), 100U * 256 * 8 + 200);
  }
  {
    const NpyRef ref = fresh();
    EXPECT_EQ(ref.load(rows(5, 0)).size(), 0U);
    fails(Errc::usage, {"4000"}, [&] { static_cast<void>(ref.load(rows(3990, 20))); });
    fails(Errc::usage, {}, [&] { static_cast<void>(ref.load({all, all, all})); });
    EXPECT_TRUE(calls().empty());
  }
}

TEST_P(Requests, RangesOfFiles) {
  auto table = declare("Movie", "id : int32\n---\nx : <object@>");
  table.insert1({{"id", 1}, {"x", Bytes::copy(std::string(1'000'000, 'm'))}});
  const ObjectRef movie = table.fetch1("x").as<ObjectRef>();
  forget();
  EXPECT_EQ(movie.read({500, 1000}).size(), 1000U);
  EXPECT_EQ(read(), 1000U);
  EXPECT_EQ(calls().size(), 1U);
  const auto reader = movie.open();
  std::vector<std::byte> buffer(100);
  reader->seek(999'950);
  EXPECT_EQ(reader->read(buffer), 50U);
  EXPECT_EQ(reader->read(buffer), 0U);
  EXPECT_EQ(read(), 1050U);
}

TEST_P(Requests, SmallBlobsCostOneWriteEach) {
  auto table = declare("Blob", "id : int32\n---\nx : <blob@>");
  table.insert1({{"id", -1}, {"x", -1}});  // the first write of a session looks for what a crash has left
  forget();
  std::vector<Row> rows;
  for (int i = 0; i < 50; ++i) rows.push_back({{"id", i}, {"x", counting(10, i)}});
  table.insert(rows);
  EXPECT_EQ(store().count("write"), 50U);
  EXPECT_EQ(store().count("stat"), 0U);
  EXPECT_EQ(store().count("list"), 0U);
  EXPECT_EQ(store().count("read"), 0U);
  EXPECT_EQ(store().count("write") + store().count("sync"), calls().size());
  EXPECT_EQ(store().count("sync"), 1U);
  forget();
  EXPECT_EQ(table.fetch().size(), 51U);
  EXPECT_EQ(store().count("read"), 51U);
  EXPECT_EQ(calls().size(), 51U);
}

TEST_P(Requests, ContentThatIsThereIsNotSentAgain) {
  auto table = declare("Blob", "id : int32\n---\nx : <blob@>");
  const Array big = counting(100'000);
  table.insert1({{"id", 1}, {"x", big}});
  forget();
  table.insert1({{"id", 2}, {"x", big}});
  EXPECT_EQ(store().bytes("write") + store().bytes("append"), 0U);
  EXPECT_EQ(store().count("stat"), 1U);
  forget();
  std::vector<Row> rows;
  for (int i = 10; i < 60; ++i) rows.push_back({{"id", i}, {"x", "the same"}});
  table.insert(rows);
  EXPECT_EQ(store().count("write") + store().count("upload"), 1U);
}

TEST_P(Requests, SkippedRowsSendNothing) {
  auto table = declare("Blob", "id : int32\n---\nx : <blob@>\ny : <npy@>");
  table.insert1({{"id", 1}, {"x", 1}, {"y", counting(1)}});
  forget();
  EXPECT_EQ(table.insert1({{"id", 1}, {"x", counting(1000)}, {"y", counting(2000)}}, {.skip_duplicates = true}), 0U);
  EXPECT_TRUE(calls().empty());
}

TEST_P(Requests, DeletingListsNothing) {
  file("in/a", "1");
  file("in/b", "2");
  auto table = declare("Blob", "id : int32\n---\nx : <blob@>\ny : <npy@>");
  for (int i = 0; i < 20; ++i) table.insert1({{"id", i}, {"x", i}, {"y", counting(i)}});
  forget();
  EXPECT_EQ((table & where("id < 10")).remove(), 10U);
  EXPECT_EQ(store().count("list"), 0U);
  EXPECT_EQ(store().count("read"), 0U);
  EXPECT_EQ(objects().size(), 20U);
  forget();
  auto plain = declare("Plain", "id : int32");
  plain.insert1({{"id", 1}});
  plain.remove();
  EXPECT_TRUE(calls().empty());
}

TEST_P(Requests, QueriesAndDeclarationsMakeNone) {
  auto table = declare("Blob", "id : int32\n---\nx : <blob@>\nf=null : <object@>");
  table.insert1({{"id", 1}, {"x", 5}});
  close();
  const auto again = [&] {
    return lab().declare("Blob", Tier::manual, "id : int32\n---\nx : <blob@>\nf=null : <object@>");
  };
  auto same = again();
  forget();
  EXPECT_EQ(same.size(), 1U);
  EXPECT_EQ(same.proj("id").fetch().size(), 1U);
  EXPECT_EQ(same.keys().size(), 1U);
  EXPECT_FALSE(same.empty());
  EXPECT_EQ(unread(same).fetch().size(), 1U);
  EXPECT_TRUE(calls().empty());
}

TEST_P(Requests, FoldersReadTheirManifestOnceAndFilesWhenAsked) {
  file("z/a", "1");
  file("z/b/c", "22");
  auto table = declare("Folder", "id : int32\n---\nf : <object@>");
  table.insert1({{"id", 1}, {"f", path("z")}});
  const ObjectRef folder = table.fetch1("f").as<ObjectRef>();
  forget();
  EXPECT_EQ(folder.size(), 3U);
  EXPECT_TRUE(folder.is_folder());
  EXPECT_TRUE(calls().empty());
  EXPECT_EQ(folder.read("b/c").text(), "22");
  EXPECT_EQ(calls().size(), 1U);
  EXPECT_EQ(folder.files().size(), 2U);
  EXPECT_EQ(calls().size(), 2U);
  EXPECT_EQ(store().count("list"), 0U);
}

}  // namespace
}  // namespace oas::test
