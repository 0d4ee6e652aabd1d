#include <gtest/gtest.h>

#include <numeric>

#include "codec/codec.hpp"
#include "support/gathering_store.hpp"
#include "support/memory_sink.hpp"
#include "support/recording_store.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

// A row with one attribute of a type, and what the store is asked.
class RefTest : public ::testing::Test {
 protected:
  Value stored(const std::string& type, const Value& value) {
    return encode(resolve(registry_, type), value, site_, sink_);
  }
  template <class T>
  T fetched(const std::string& type, const Value& metadata) {
    recorder_->clear();
    return decode(resolve(registry_, type), metadata, site_, test::MemorySource(recorder_)).as<T>();
  }
  static std::string path_of(const Value& metadata) { return metadata.get_if<Map>()->at("path").as<std::string>(); }

  Registry registry_;
  std::shared_ptr<Store> store_ = test::memory_store();
  std::shared_ptr<test::RecordingStore> recorder_ = std::make_shared<test::RecordingStore>(store_);
  test::MemorySink sink_{store_};
  Row key_{{"id", 1}};
  Site site_{"lab", "scan", "data", "main", &key_};
};

Array counting(Shape shape, Array::Order order = Array::Order::row) {
  std::vector<double> numbers(
      static_cast<std::size_t>(std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>())));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  const Array rows = Array::own(std::move(numbers), std::move(shape));
  return order == Array::Order::row ? rows : rows.to_order(order);
}

TEST_F(RefTest, MetadataOfAnArrayCostsNoRequest) {
  const auto ref = fetched<NpyRef>("<npy@>", stored("<npy@>", counting({100, 20})));
  EXPECT_EQ(Shape(ref.shape().begin(), ref.shape().end()), (Shape{100, 20}));
  EXPECT_EQ(ref.dtype(), DType::f64);
  EXPECT_EQ(ref.nbytes(), 16000u);
  EXPECT_FALSE(ref.is_loaded());
  EXPECT_TRUE(recorder_->calls().empty());
}

TEST_F(RefTest, WholeArrayIsReadOnceAndKept) {
  const Array array = counting({100, 20});
  const auto ref = fetched<NpyRef>("<npy@>", stored("<npy@>", array));
  const NpyRef copy = ref;
  EXPECT_EQ(ref.load(), array);
  EXPECT_TRUE(copy.is_loaded());
  EXPECT_EQ(copy.load(), array);
  EXPECT_EQ(copy.load(rows(3, 2)).as<double>()[0], 60.0);
  EXPECT_EQ(recorder_->calls().size(), 1u);
}

TEST_F(RefTest, ManyAreLoadedAtOnceAndInOrder) {
  for (const std::size_t at_once : {std::size_t{1}, std::size_t{7}}) {
    const auto gathering = std::make_shared<test::GatheringStore>(recorder_, at_once);
    std::vector<NpyRef> refs;
    std::vector<Array> arrays;
    for (std::int64_t i = 0; i < 50; ++i) {
      arrays.push_back(counting({10 + i, 3}));
      refs.push_back(
          decode(resolve(registry_, "<npy@>"), stored("<npy@>", arrays.back()), site_, test::MemorySource(gathering))
              .as<NpyRef>());
    }
    recorder_->clear();
    EXPECT_EQ(load(refs), arrays);
    EXPECT_EQ(gathering->most(), at_once);
    EXPECT_EQ(recorder_->calls().size(), 50u);
    EXPECT_EQ(load(refs), arrays);
    EXPECT_EQ(recorder_->calls().size(), 50u);  // they are kept
  }
}

TEST_F(RefTest, ManyAreLoadedOnceEachFromSeveralStores) {
  const Array one = counting({4}), two = counting({5}), three = counting({6});
  const auto ref = fetched<NpyRef>("<npy@>", stored("<npy@>", one));
  const auto loaded = fetched<NpyRef>("<npy@>", stored("<npy@>", two));
  loaded.load();
  const auto other = std::make_shared<test::RecordingStore>(test::memory_store());
  test::MemorySink sink(other);
  const Value metadata = encode(resolve(registry_, "<npy@>"), three, site_, sink);
  const auto distant = decode(resolve(registry_, "<npy@>"), metadata, site_, test::MemorySource(other)).as<NpyRef>();
  recorder_->clear();
  other->clear();
  const std::vector<NpyRef> refs{ref, distant, NpyRef(ref), loaded, distant};
  EXPECT_EQ(load(refs), (std::vector<Array>{one, three, one, two, three}));
  EXPECT_EQ(recorder_->calls().size(), 1u);
  EXPECT_EQ(other->calls().size(), 1u);
  EXPECT_TRUE(load({}).empty());
}

TEST_F(RefTest, OfManyTheOneThatFailsIsNamed) {
  std::vector<NpyRef> refs;
  std::vector<Value> metadata;
  for (std::int64_t i = 0; i < 20; ++i) metadata.push_back(stored("<npy@>", counting({10, i})));
  for (const Value& one : metadata) refs.push_back(fetched<NpyRef>("<npy@>", one));
  const std::string gone = path_of(metadata[12]);
  store_->remove(gone);
  try {
    load(refs);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::missing_object);
    EXPECT_NE(std::string(e.what()).find(gone), std::string::npos) << e.what();
  }
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(refs[i].is_loaded(), i < 12) << i;
  refs.emplace_back();
  recorder_->clear();
  EXPECT_EQ(code_of([&] { load(refs); }), Errc::usage);
  EXPECT_TRUE(recorder_->calls().empty());
}

TEST_F(RefTest, OnePercentTakesTwoRequestsThenOne) {
  const auto ref = fetched<NpyRef>("<npy@>", stored("<npy@>", counting({10000, 100})));  // 8 MB
  const Array part = ref.load(rows(5000, 100));
  EXPECT_EQ(Shape(part.shape().begin(), part.shape().end()), (Shape{100, 100}));
  EXPECT_EQ(part.as<double>()[0], 500000.0);
  EXPECT_EQ(recorder_->calls().size(), 2u);
  EXPECT_LE(recorder_->bytes("read"), 88000u);  // 1.1 times the slice
  ref.load(rows(0, 100));
  EXPECT_EQ(recorder_->calls().size(), 3u);  // the header is known by now
  EXPECT_FALSE(ref.is_loaded());
}

TEST_F(RefTest, SlicesAreThoseOfTheWhole) {
  for (const auto order : {Array::Order::row, Array::Order::column}) {
    const Array array = counting({300, 7, 5}, order);
    const auto ref = fetched<NpyRef>("<npy@>", stored("<npy@>", array));
    const auto part = ref.load({slice(10, 290, 7), all, slice(-2)});
    EXPECT_EQ(Shape(part.shape().begin(), part.shape().end()), (Shape{40, 7, 2}));
    const Array in_rows = part.to_order(Array::Order::row);
    std::size_t i = 0;
    for (int a = 10; a < 290; a += 7)
      for (int b = 0; b < 7; ++b)
        for (int c = 3; c < 5; ++c) ASSERT_EQ(in_rows.as<double>()[i++], (a * 7 + b) * 5 + c);
    EXPECT_EQ(ref.load().shape().size(), 3u);
    EXPECT_EQ(ref.load({slice(10, 290, 7), all, slice(-2)}).to_order(Array::Order::row), in_rows);
  }
}

TEST_F(RefTest, BadSlicesAndEmptyOnesMakeNoRequest) {
  const auto ref = fetched<NpyRef>("<npy@>", stored("<npy@>", counting({1000, 10})));
  EXPECT_EQ(code_of([&] { ref.load(rows(990, 11)); }), Errc::usage);
  EXPECT_EQ(code_of([&] { ref.load({all, all, all}); }), Errc::usage);
  const Array none = ref.load(rows(5, 0));
  EXPECT_EQ(Shape(none.shape().begin(), none.shape().end()), (Shape{0, 10}));
  EXPECT_TRUE(recorder_->calls().empty());
}

TEST_F(RefTest, RewrittenArrayIsConflict) {
  const Value metadata = stored("<npy@>", counting({1000, 10}));
  const auto ref = fetched<NpyRef>("<npy@>", metadata);
  ref.load(rows(0, 1));
  store_->write(path_of(metadata), store_->read(path_of(metadata))->data);
  EXPECT_EQ(code_of([&] { ref.load(rows(1, 1)); }), Errc::conflict);
  EXPECT_EQ(code_of([&] { ref.load(); }), Errc::conflict);
}

TEST_F(RefTest, ArrayThatIsNotWhatTheRowSays) {
  Value metadata = stored("<npy@>", counting({1000, 10}));
  const Bytes file = store_->read(path_of(metadata))->data;
  const auto load = [&] { fetched<NpyRef>("<npy@>", metadata).load(); };
  const auto load_rows = [&] { fetched<NpyRef>("<npy@>", metadata).load(rows(0, 3)); };

  metadata.get_if<Map>()->set("shape", list({2000, 10}));
  EXPECT_EQ(code_of(load), Errc::integrity);
  EXPECT_EQ(code_of(load_rows), Errc::integrity);
  metadata.get_if<Map>()->set("shape", list({INT64_MAX, INT64_MAX}));
  EXPECT_EQ(code_of(load_rows), Errc::decode);
  metadata.get_if<Map>()->set("shape", list({1000, 10}));
  metadata.get_if<Map>()->set("dtype", "int64");
  EXPECT_EQ(code_of(load_rows), Errc::integrity);
  metadata.get_if<Map>()->set("dtype", "float64");

  store_->write(path_of(metadata), file.slice(0, 40000));  // cut off
  EXPECT_EQ(code_of(load), Errc::decode);
  EXPECT_EQ(code_of(load_rows), Errc::integrity);
  store_->write(path_of(metadata), Bytes::copy(std::string(5000, 'x')));
  EXPECT_EQ(code_of(load), Errc::decode);
  EXPECT_EQ(code_of(load_rows), Errc::decode);
  store_->remove(path_of(metadata));
  EXPECT_EQ(code_of(load), Errc::missing_object);
  EXPECT_EQ(code_of(load_rows), Errc::missing_object);
}

TEST_F(RefTest, ReadsAndSeeksInAFile) {
  const Value metadata = stored("<object@>", Bytes::copy("0123456789"));
  const auto ref = fetched<ObjectRef>("<object@>", metadata);
  EXPECT_EQ(ref.size(), 10u);
  EXPECT_FALSE(ref.is_folder());
  EXPECT_TRUE(recorder_->calls().empty());
  EXPECT_EQ(ref.read().text(), "0123456789");
  EXPECT_EQ(ref.read({3, 4}).text(), "3456");
  EXPECT_EQ(code_of([&] { ref.read({3, 40}); }), Errc::usage);
  EXPECT_EQ(code_of([&] { ref.read("file"); }), Errc::usage);
  EXPECT_EQ(code_of([&] { ref.files(); }), Errc::usage);

  const auto reader = ref.open();
  std::array<std::byte, 8> buffer{};
  reader->seek(6);
  EXPECT_EQ(reader->read(buffer), 4u);
  EXPECT_EQ(reader->tell(), 10u);
  EXPECT_EQ(reader->read(buffer), 0u);
  EXPECT_EQ(code_of([&] { reader->seek(11); }), Errc::usage);
  ref.verify();

  store_->write(path_of(metadata), Bytes::copy("short"));
  EXPECT_EQ(code_of([&] { ref.read(); }), Errc::conflict);
  const auto again = fetched<ObjectRef>("<object@>", metadata);
  EXPECT_EQ(code_of([&] { again.read(); }), Errc::integrity);
  EXPECT_EQ(code_of([&] { again.verify(); }), Errc::integrity);
  store_->remove(path_of(metadata));
  EXPECT_EQ(code_of([&] { fetched<ObjectRef>("<object@>", metadata).read(); }), Errc::missing_object);
  EXPECT_EQ(code_of([&] { fetched<ObjectRef>("<object@>", metadata).verify(); }), Errc::missing_object);
}

TEST_F(RefTest, RecordedHashIsCompared) {
  store_->write("a", as_bytes("abc"));
  const auto with = [&](const char* hash) {
    return make_ref(map({{"path", "a"}, {"store", "main"}, {"size", 3}, {"hash", hash}}), store_);
  };
  with("saavbgb42jh3bvuwh56sryl7oi").verify();
  EXPECT_EQ(code_of([&] { with("saavbgb42jh3bvuwh56sryl7oj").verify(); }), Errc::integrity);
}

TEST_F(RefTest, FolderByItsManifestOrListing) {
  store_->write("f/a", as_bytes("1"));
  store_->write("f/b/c", as_bytes("22"));
  const ObjectRef ref =
      make_ref(map({{"path", "f"}, {"store", "main"}, {"size", 3}, {"is_dir", true}, {"item_count", 2}}), store_);
  const std::vector<FileInfo> files{{"a", 1}, {"b/c", 2}};
  EXPECT_EQ(ref.files(), files);  // no manifest: as a foreign staged insert leaves it
  ref.verify();
  store_->write("f.manifest.json", Bytes::copy(manifest_text(files, 3, "now")));
  EXPECT_EQ(ref.files(), files);
  ref.verify();
  EXPECT_EQ(ref.read("b/c").text(), "22");
  EXPECT_EQ(code_of([&] { ref.read(); }), Errc::usage);
  EXPECT_EQ(code_of([&] { ref.read("../x"); }), Errc::access);
  EXPECT_EQ(code_of([&] { ref.read("nope"); }), Errc::missing_object);

  store_->write("f/a", as_bytes("11"));
  store_->remove("f/b/c");
  try {
    ref.verify();
    FAIL();
  } catch (const Error& e) {  // every file is named
    EXPECT_EQ(e.code(), Errc::integrity);
    EXPECT_NE(std::string(e.what()).find("a has 2 bytes"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("b/c is missing"), std::string::npos) << e.what();
  }
}

TEST_F(RefTest, EmptyReferencesAreUsage) {
  EXPECT_EQ(code_of([] { ObjectRef().read(); }), Errc::usage);
  EXPECT_EQ(code_of([] { NpyRef().load(); }), Errc::usage);
  EXPECT_EQ(code_of([] { make_ref(map({{"path", "a"}}), nullptr).read(); }), Errc::usage);
}

}  // namespace
}  // namespace oas::codec
