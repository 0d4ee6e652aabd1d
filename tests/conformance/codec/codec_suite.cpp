// What every codec keeps to, built in or a program's own, in the table and in a store. A codec takes part by a line in
// `cases()`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "codec/codec.hpp"
#include "support/memory_sink.hpp"
#include "support/temp_folder.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

// A program's own codec with files of its own: lines of text, under a schema path.
class LinesCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "lines"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store) throw Error(Errc::definition, "use <lines> in the table: write <lines@>");
    return "json";
  }
  void validate(const Value& value) const override {
    if (!value.is<Seq>()) throw Error(Errc::usage, "store lines: a list is wanted, and there is " + value.describe());
  }
  Value encode(const Value& value, const Site& site, ObjectSink& sink) const override {
    validate(value);
    std::string text;
    for (const std::string& line : value.as<std::vector<std::string>>()) text += line + "\n";
    const Stored stored = sink.put_named(site, "txt", Bytes::copy(text));
    return map({{"path", stored.path}, {"store", stored.store}, {"size", stored.size}});
  }
  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    const Bytes bytes = source.ref(stored).read();
    Seq lines;
    std::string_view text = bytes.text();
    while (!text.empty()) {
      lines.items.emplace_back(text.substr(0, text.find('\n')));
      text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
    }
    return lines;
  }
};

// And one that is a view of another: a polygon as the blob of a dict.
class PolygonCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "polygon"; }
  std::string inner_type(bool) const override { return "<blob>"; }
  void validate(const Value& value) const override {
    const Array* corners = value.get_if<Array>();
    if (!corners || corners->ndim() != 2)
      throw Error(Errc::usage, "store a polygon: an array of corners is wanted, and there is " + value.describe());
  }
  Value encode(const Value& value, const Site&, ObjectSink&) const override {
    validate(value);
    return map({{"corners", value}});
  }
  Value decode(const Value& stored, const Site&, const ObjectSource&) const override {
    const Map* polygon = stored.get_if<Map>();
    if (!polygon || !polygon->find("corners")) throw Error(Errc::decode, "read a polygon: it has no corners");
    return polygon->at("corners");
  }
};

struct Case {
  std::string name;
  std::string type;
  std::vector<Value> good;   // come back equal, as `plain` tells
  std::vector<Value> wrong;  // usage, before anything is written
  bool managed = true;       // its objects belong to the row
};

// What a user gets, as a value that can be compared with what was given.
Value plain(const Value& value) {
  if (const NpyRef* ref = value.get_if<NpyRef>()) return ref->load();
  if (const ObjectRef* ref = value.get_if<ObjectRef>()) return ref->read();
  return value;
}

Array numbers() { return Array::own(std::vector<double>{1, -0.0, 3.5, 1e300, 5, 6}, {3, 2}); }

std::vector<Case> cases() {
  const Bytes bytes = Bytes::copy(std::string_view("a\0b", 3));
  const Attachment file("report.txt", bytes);
  const Value large = Bytes::copy(std::string(3'000'000, 'x'));
  const std::vector<Value> values{1,
                                  "text",
                                  bytes,
                                  large,
                                  Bytes(),
                                  true,
                                  list({1, nullptr, "x"}),
                                  map({{"a", numbers()}, {2, tuple({})}}),
                                  numbers(),
                                  Array::zeros<std::int16_t>({0, 3}),
                                  Array::zeros<float>({400, 500})};
  const std::vector<Value> attachments{file, Attachment("empty", Bytes()), Attachment("ü \n.x", bytes)};
  const std::vector<Value> arrays{numbers(), numbers().to_order(Array::Order::column), Array::zeros<bool>({}),
                                  Array::zeros<std::int8_t>({0, 3}), Array::zeros<std::complex<float>>({7})};
  const std::vector<Value> polygons{numbers(), Array::zeros<std::int32_t>({600, 2})};
  return {
      {"blob_in_table", "<blob>", values, {file, NpyRef(), ObjectRef()}},
      {"blob_in_store", "<blob@main>", values, {file, NpyRef(), ObjectRef()}},
      {"attach_in_table", "<attach>", attachments, {1, bytes, "/no/such/file", Attachment("/no/such/file")}},
      {"attach_in_store", "<attach@main>", attachments, {1, bytes, "/no/such/file", Attachment("/no/such/file")}},
      {"hash", "<hash@>", {bytes, large, Bytes()}, {1, "text", list({bytes}), file, numbers()}},
      {"npy", "<npy@>", arrays, {1, "text", bytes, list({1, 2}), Cells{}, file}},
      {"object",
       "<object@main>",
       {bytes, Bytes(), large},
       {1, numbers(), "/no/such/file", "/dev/null", list({}), Map{}}},
      {"filepath",
       "<filepath@main>",
       {},
       {1, bytes, "", "/", "/etc/passwd", "../x", "a/../x", "..", file, std::string("a\0b", 3), "."},
       false},
      {"own_files", "<lines@main>", {list({"one", "two"}), list({})}, {1, "text", numbers()}},
      {"own_chained", "<polygon>", polygons, {1, "text", Array::zeros<double>({2})}},
      {"own_chained_in_store", "<polygon@main>", polygons, {1, "text", Array::zeros<double>({2})}},
  };
}

class CodecSuite : public ::testing::TestWithParam<Case> {
 protected:
  CodecSuite() {
    registry_.add(std::make_shared<LinesCodec>());
    registry_.add(std::make_shared<PolygonCodec>());
    chain_ = resolve(registry_, GetParam().type);
    site_.store = chain_.in_store ? "main" : "";
  }
  Value stored(const Value& value) {
    validate(chain_, value, site_);
    return encode(chain_, value, site_, sink_);
  }
  Value fetched(const Value& value) { return decode(chain_, value, site_, test::MemorySource(store_)); }

  Registry registry_;
  Chain chain_;
  std::shared_ptr<Store> store_ = test::memory_store();
  test::MemorySink sink_{store_};
  Row key_{{"id", 1}, {"name", "a/b"}};
  Site site_{"lab", "scan", "data", {}, &key_};
};

TEST_P(CodecSuite, ValuesComeBack) {
  for (const Value& value : GetParam().good) {
    SCOPED_TRACE(value.describe());
    const Value column = stored(value);
    EXPECT_EQ(column.is<Bytes>(), chain_.column == "bytes");
    EXPECT_EQ(column.is<Map>(), chain_.column == "json");
    EXPECT_EQ(plain(fetched(column)), value);
  }
}

TEST_P(CodecSuite, NullPassesUntouched) {
  EXPECT_TRUE(stored(Value()).is_null());
  EXPECT_TRUE(fetched(Value()).is_null());
  EXPECT_EQ(sink_.written(), 0u);
}

TEST_P(CodecSuite, WrongTypesAreRefusedBeforeAnythingIsWritten) {
  for (const Value& value : GetParam().wrong) {
    const Errc code = code_of([&] { stored(value); });
    EXPECT_TRUE(code == Errc::usage || code == Errc::access) << value.describe() << ": " << to_string(code);
    EXPECT_EQ(sink_.written(), 0u) << value.describe();
  }
}

TEST_P(CodecSuite, TellsTheObjectsOfTheRow) {
  for (const Value& value : GetParam().good) {
    const Value column = stored(value);
    const std::vector<std::string> paths = managed_paths(chain_, column);
    ASSERT_EQ(paths.size(), chain_.in_store ? 1u : 0u);
    for (const std::string& path : paths) EXPECT_TRUE(store_->stat(path)) << path;
  }
}

TEST_P(CodecSuite, DamagedColumnsAreTypedErrors) {
  for (const Value& column : {Value(1), Value("text"), Value(Map{}), Value(map({{"path", 1}})),
                              Value(map({{"path", "../x"}, {"store", "main"}})),
                              Value(map({{"path", "a\nb/.."}, {"size", -3}})), Value(list({1})), Value(Bytes()),
                              Value(Bytes::copy("nonsense")), Value(Bytes::copy(std::string(100, '\xff')))}) {
    EXPECT_EQ(code_of([&] { fetched(column); }), Errc::decode) << column.describe();
    if (is_object(chain_)) {
      EXPECT_EQ(code_of([&] { managed_paths(chain_, column); }), Errc::decode) << column.describe();
    }
  }
}

TEST_P(CodecSuite, MissingAndChangedObjectsAreNoticed) {
  if (!chain_.in_store) return;
  for (const Value& value : GetParam().good) {
    const Value column = stored(value);
    const std::string path = managed_paths(chain_, column).at(0);
    Bytes content = store_->read(path)->data;
    store_->write(path, Bytes::copy(std::string(content.text()) + "x" + std::string(content.text())));
    const bool compared = chain_.codecs.back()->name() == "hash" || chain_.codecs.back()->name() == "object";
    if (compared) {
      EXPECT_EQ(code_of([&] { plain(fetched(column)); }), Errc::integrity);
    }
    store_->remove(path);
    EXPECT_EQ(code_of([&] { plain(fetched(column)); }), Errc::missing_object);
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CodecSuite, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// What only some codecs do.
class CodecTest : public ::testing::Test {
 protected:
  Value stored(const std::string& type, const Value& value) {
    const Chain chain = resolve(registry_, type);
    validate(chain, value, site_);
    return encode(chain, value, site_, sink_);
  }
  template <class T>
  T fetched(const std::string& type, const Value& column) {
    return decode(resolve(registry_, type), column, site_, test::MemorySource(store_)).as<T>();
  }
  std::filesystem::path file(const std::string& name, const std::string& content) {
    const std::filesystem::path path = temp_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  test::TempFolder temp_;
  Registry registry_;
  std::shared_ptr<Store> store_ = test::memory_store();
  test::MemorySink sink_{store_};
  Row key_{{"id", 1}};
  Site site_{"lab", "scan", "data", "main", &key_};
};

TEST_F(CodecTest, AttachmentsFromFiles) {
  const auto path = file("report.txt", "hello report\n");
  const Value column = stored("<attach@>", Attachment(path));
  EXPECT_EQ(column.get_if<Map>()->at("hash"), Value("on4is26r63vsgw63dmtntr25oq"));  // as DataJoint for Python has it
  EXPECT_EQ(stored("<attach@>", path), column);
  const auto back = fetched<Attachment>("<attach@>", column);
  EXPECT_EQ(back.name(), "report.txt");
  EXPECT_EQ(back.bytes().text(), "hello report\n");
}

TEST_F(CodecTest, SameContentIsStoredOnce) {
  const Value array = Array::zeros<double>({1000});
  EXPECT_EQ(stored("<blob@>", array), stored("<blob@>", array));
  EXPECT_EQ(store_->list("").entries.size(), 1u);
}

TEST_F(CodecTest, ObjectsFromFilesKeepTheirSuffix) {
  const Value column = stored("<object@>", file("two.tar.gz", "x"));
  EXPECT_EQ(column.get_if<Map>()->at("ext"), Value(".gz"));
  EXPECT_TRUE(column.get_if<Map>()->at("path").as<std::string>().ends_with(".gz"));
  EXPECT_EQ(stored("<object@>", file("noext", "x")).get_if<Map>()->at("ext"), Value(""));
  EXPECT_TRUE(stored("<object@>", Bytes::copy("x")).get_if<Map>()->at("ext").is_null());
}

TEST_F(CodecTest, FoldersWithAllTheirFiles) {
  file("data/one.txt", "1");
  file("data/sub/deep/three", "333");
  std::filesystem::create_symlink("one.txt", temp_.path() / "data/same");
  const Value column = stored("<object@>", temp_.path() / "data");
  EXPECT_EQ(column.get_if<Map>()->at("item_count"), Value(3));
  EXPECT_EQ(column.get_if<Map>()->at("size"), Value(5));
  const auto ref = fetched<ObjectRef>("<object@>", column);
  EXPECT_EQ(ref.files(), (std::vector<FileInfo>{{"one.txt", 1}, {"same", 1}, {"sub/deep/three", 3}}));
  EXPECT_EQ(ref.read("same").text(), "1");
  ref.verify();

  const auto copy = fetched<ObjectRef>("<object@>", stored("<object@>", ref));  // from one row to another
  EXPECT_NE(copy.path(), ref.path());
  EXPECT_EQ(copy.files(), ref.files());
  copy.verify();
}

TEST_F(CodecTest, FoldersRefuseWhatIsNoFileOfTheirs) {
  file("outside", "secret");
  const auto refused = [&](const std::string& name) {
    EXPECT_EQ(code_of([&] { stored("<object@>", temp_.path() / name); }), Errc::usage) << name;
    EXPECT_EQ(sink_.written(), 0u);
  };
  file("a/x", "");
  std::filesystem::create_symlink(temp_.path() / "outside", temp_.path() / "a/link");
  refused("a");
  file("b/x", "");
  std::filesystem::create_symlink(temp_.path() / "b", temp_.path() / "b/loop");
  refused("b");
  file("c/x", "");
  std::filesystem::create_symlink("nowhere", temp_.path() / "c/broken");
  refused("c");
}

TEST_F(CodecTest, FilepathsReferToWhatIsThere) {
  store_->write("in/day1/a.bin", as_bytes("12"));
  const Value column = stored("<filepath@>", "in//./day1/a.bin");
  EXPECT_EQ(column.get_if<Map>()->at("path"), Value("in/day1/a.bin"));
  EXPECT_EQ(column.get_if<Map>()->at("size"), Value(2));
  EXPECT_EQ(fetched<ObjectRef>("<filepath@>", column).read().text(), "12");
  const Value folder = stored("<filepath@>", "in/day1/");
  EXPECT_TRUE(folder.get_if<Map>()->at("size").is_null());
  EXPECT_EQ(fetched<ObjectRef>("<filepath@>", folder).files(), (std::vector<FileInfo>{{"a.bin", 2}}));
  EXPECT_EQ(code_of([&] { stored("<filepath@>", "in/day2"); }), Errc::missing_object);
}

TEST_F(CodecTest, FilepathsStayOutOfTheSections) {
  for (const char* path : {"_hash/lab/x", "_schema/lab/x", "in/x", "./_hash/lab/x", "_hash"})
    if (std::string_view(path) != "_hash") store_->write(path[0] == '.' ? path + 2 : path, as_bytes("1"));
  for (const char* path : {"_hash/lab/x", "_schema//lab/x", "./_hash/lab/x", "x/../_hash/lab/x", "_hash", "_schema/"})
    EXPECT_EQ(code_of([&] { stored("<filepath@>", path); }), Errc::access) << path;
  StoreConfig config;
  config.filepath_prefix = "/raw/";
  test::MemorySink narrow(store_, config);
  store_->write("raw/x", as_bytes("1"));
  const Chain chain = resolve(registry_, "<filepath@>");
  encode(chain, "raw/x", site_, narrow);
  EXPECT_EQ(code_of([&] { encode(chain, "in/x", site_, narrow); }), Errc::access);
  EXPECT_EQ(code_of([&] { encode(chain, "rawer/x", site_, narrow); }), Errc::access);
}

}  // namespace
}  // namespace oas::codec
