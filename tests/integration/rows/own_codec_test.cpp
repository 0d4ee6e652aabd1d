// Codecs of a program's own: one that writes objects of its own, and one on top of another.
#include "lab.hpp"

namespace oas::test {
namespace {

/// Lines of text as a file under a schema path.
class LinesCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "lines"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store) throw Error(Errc::definition, "use <lines> in the table: it lives in a store. write <lines@>");
    return "json";
  }
  void validate(const Value& value) const override {
    if (!value.is<Seq>()) throw Error(Errc::usage, "store lines: a list is wanted, and there is " + value.describe());
  }
  Value encode(const Value& value, const Site& site, ObjectSink& sink) const override {
    std::string text;
    for (const auto& line : value.as<std::vector<std::string>>()) text += line + '\n';
    const Stored stored = sink.put_named(site, "txt", Bytes::copy(text));
    return map({{"path", stored.path}, {"store", stored.store}, {"lines", value.as<Seq>().items.size()}});
  }
  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    const Bytes bytes = source.ref(stored).read();
    Seq lines;
    for (std::string_view text = bytes.text(); !text.empty(); text.remove_prefix(text.find('\n') + 1)) {
      lines.items.emplace_back(text.substr(0, text.find('\n')));
    }
    return lines;
  }
};

/// A graph: edges, packed as a blob.
class GraphCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "graph"; }
  std::string inner_type(bool) const override { return "<blob>"; }
  void validate(const Value& value) const override {
    if (!value.is<Map>()) throw Error(Errc::usage, "store a graph: a map is wanted, and there is " + value.describe());
  }
  Value encode(const Value& value, const Site&, ObjectSink&) const override {
    Seq edges;
    for (const auto& [from, to] : value.as<Map>().items) edges.items.push_back(tuple({from, to}));
    return edges;
  }
  Value decode(const Value& stored, const Site&, const ObjectSource&) const override {
    Map graph;
    for (const Value& edge : stored.as<Seq>().items)
      graph.items.emplace_back(edge.as<Seq>().items[0], edge.as<Seq>().items[1]);
    return graph;
  }
};

class OwnCodecs : public Lab {
 protected:
  static void add_to(Session& session) {
    session.add(std::make_shared<LinesCodec>());
    session.add(std::make_shared<GraphCodec>());
  }
  Table<> table() {
    return declare("Own", R"(
      id : int32
      ---
      text : <lines@>
      inside : <graph>
      outside : <graph@cold>
    )");
  }
  static Row row(int id) {
    return {{"id", id},
            {"text", list({"one", "two " + std::to_string(id)})},
            {"inside", map({{"a", "b"}})},
            {"outside", map({{id, "x"}, {"y", counting(3)}})}};
  }
};
OAS_EVERYWHERE(OwnCodecs);

TEST_P(OwnCodecs, InsertFetchAndDelete) {
  add_to(session());
  auto own = table();
  EXPECT_EQ(own.insert({row(1), row(2)}), 2U);
  EXPECT_EQ(objects().size(), 2U);
  EXPECT_EQ(objects("cold").size(), 2U);
  EXPECT_TRUE(objects()[0].starts_with("_schema/lab/own/id=1/text_")) << objects()[0];
  EXPECT_TRUE(objects()[0].ends_with(".txt"));
  EXPECT_TRUE(objects("cold")[0].starts_with("_hash/lab/"));
  for (const Row& found : own.order_by("id")) EXPECT_EQ(found, row(found.at<int>("id")));
  own.update1({{"id", 1}, {"text", list({"new"})}});
  EXPECT_TRUE((own & key({{"id", 1}})).fetch1("text") == Value(list({"new"})));
  expect_tidy(4);
  EXPECT_EQ((own & key({{"id", 1}})).remove(), 1U);
  expect_tidy(2);
  EXPECT_EQ(own.remove(), 1U);
  EXPECT_TRUE(objects().empty());
  EXPECT_TRUE(objects("cold").empty());
}

TEST_P(OwnCodecs, CheckEveryRowBeforeAnythingIsWritten) {
  add_to(session());
  auto own = table();
  Row wrong = row(2);
  wrong.set("text", 5);
  refused(Errc::usage, {"insert into lab.own, row 2", "attribute text", "a list is wanted, and there is int"}, [&] {
    own.insert({row(1), wrong});
  });
}

TEST_P(OwnCodecs, AreNeededToWriteAndNotToReadTheRest) {
  add_to(session());
  table().insert1(row(1));
  close();
  auto own = lab()["own"];
  EXPECT_EQ(own.proj("id").fetch().size(), 1U);
  fails(Errc::definition, {"lines"}, [&] { own.fetch(); });
  refused(Errc::unsupported, {"write to lab.own", "is not known here", "add its codec to the session"},
          [&] { own.insert1(row(2)); });
  refused(Errc::unsupported, {"delete from lab.own", "add its codec to the session"}, [&] { own.remove(); });
  refused(Errc::unsupported, {"drop lab.own", "add its codec to the session"}, [&] { own.drop(); });
  add_to(session());
  EXPECT_EQ(lab()["own"].fetch1(), row(1));
}

TEST_P(OwnCodecs, GivenWithTheOptionsAreKnownFromTheStart) {
  SessionOptions with = options();
  with.codecs = {std::make_shared<LinesCodec>(), std::make_shared<GraphCodec>()};
  Session own(settings(), with);
  own.schema("lab")
      .declare("Own", Tier::manual, "id : int32\n---\nx : <graph@>")
      .insert1({{"id", 1}, {"x", map({{1, 2}})}});
  EXPECT_TRUE(own.schema("lab")["own"].fetch1("x") == Value(map({{1, 2}})));
}

TEST_P(OwnCodecs, AreRefusedWithATakenOrMalformedName) {
  struct Named final : Codec {
    explicit Named(std::string own) : name_(std::move(own)) {}
    std::string_view name() const noexcept override { return name_; }
    std::string inner_type(bool) const override { return "bytes"; }
    Value encode(const Value& value, const Site&, ObjectSink&) const override { return value; }
    Value decode(const Value& value, const Site&, const ObjectSource&) const override { return value; }
    std::string name_;
  };
  fails(Errc::usage, {"blob"}, [&] { session().add(std::make_shared<Named>("blob")); });
  for (const char* name : {"", "Upper", "with space", "a@b", "1st"}) {
    fails(Errc::usage, {}, [&] { session().add(std::make_shared<Named>(name)); });
  }
  session().add(std::make_shared<LinesCodec>());
  fails(Errc::usage, {"lines"}, [&] { session().add(std::make_shared<LinesCodec>()); });
}

TEST_P(OwnCodecs, UnknownOnesAreNamedInDeclarations) {
  lab();
  refused(Errc::definition, {"declare lab.other", "grph"}, [&] { declare("Other", "id : int32\n---\nx : <grph@>"); });
  refused(Errc::definition, {"keeps its objects in a store", "<npy@>"},
          [&] { declare("Other", "id : int32\n---\nx : <npy>"); });
}

}  // namespace
}  // namespace oas::test
