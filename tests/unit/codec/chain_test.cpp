#include <gtest/gtest.h>

#include "codec/codec.hpp"
#include "support/memory_sink.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

// A codec that only has a name and something inside.
class Named final : public Codec {
 public:
  Named(std::string name, std::string inner) : name_(std::move(name)), inner_(std::move(inner)) {}
  std::string_view name() const noexcept override { return name_; }
  std::string inner_type(bool) const override { return inner_; }
  Value encode(const Value& value, const Site&, ObjectSink&) const override { return value; }
  Value decode(const Value& stored, const Site&, const ObjectSource&) const override { return stored; }

 private:
  std::string name_, inner_;
};

std::shared_ptr<const Codec> named(std::string name, std::string inner) {
  return std::make_shared<Named>(std::move(name), std::move(inner));
}

std::vector<std::string> names(const Chain& chain) {
  std::vector<std::string> names;
  for (const auto& codec : chain.codecs) names.emplace_back(codec->name());
  return names;
}
using Names = std::vector<std::string>;

TEST(Registry, HasTheBuiltInCodecs) {
  EXPECT_EQ(Registry().names(), (Names{"attach", "blob", "filepath", "hash", "npy", "object", "~external"}));
}

TEST(Registry, TakesCodecsWithGoodAndNewNames) {
  Registry registry;
  registry.add(named("graph_2", "<blob>"));
  EXPECT_EQ(registry.at("graph_2")->name(), "graph_2");
  for (const char* name : {"", "Graph", "2graph", "gra ph", "graph@x", "graph-2", "_graph", "gräph"})
    EXPECT_EQ(code_of([&] { registry.add(named(name, "bytes")); }), Errc::usage) << name;
  EXPECT_EQ(code_of([&] { registry.add(named("graph_2", "bytes")); }), Errc::usage);
  EXPECT_EQ(code_of([&] { registry.add(named("blob", "bytes")); }), Errc::usage);
  EXPECT_EQ(code_of([&] { registry.add(nullptr); }), Errc::usage);
}

TEST(Registry, UnknownNamesTheNearest) {
  try {
    Registry().at("blub");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::definition);
    EXPECT_NE(std::string(e.what()).find("blob"), std::string::npos) << e.what();
  }
}

TEST(Chain, OfBuiltInCodecs) {
  const Registry registry;
  const Chain in_table = resolve(registry, "<blob>");
  EXPECT_EQ(names(in_table), Names{"blob"});
  EXPECT_EQ(in_table.column, "bytes");
  EXPECT_FALSE(in_table.in_store);
  EXPECT_FALSE(is_object(in_table));

  const Chain raw = resolve(registry, " < blob @ raw > ");
  EXPECT_EQ(names(raw), (Names{"blob", "hash"}));
  EXPECT_EQ(raw.column, "json");
  EXPECT_EQ(raw.store, "raw");
  EXPECT_TRUE(is_object(raw));
  EXPECT_FALSE(is_staged(raw));

  const Chain object = resolve(registry, "<object@>");
  EXPECT_TRUE(object.in_store);
  EXPECT_EQ(object.store, "");
  EXPECT_TRUE(is_staged(object));
  EXPECT_FALSE(refers_only(object));

  const Chain filepath = resolve(registry, "<filepath@>");
  EXPECT_TRUE(refers_only(filepath));
  EXPECT_FALSE(is_object(filepath));
}

TEST(Chain, OfACoreTypeHasNoCodecs) {
  const Chain chain = resolve(Registry(), "varchar(30)");
  EXPECT_TRUE(chain.codecs.empty());
  EXPECT_EQ(chain.column, "varchar(30)");
  const auto store = test::memory_store();
  test::MemorySink sink(store);
  const Site site{"lab", "scan", "name", {}, nullptr};
  EXPECT_EQ(encode(chain, "x", site, sink), Value("x"));
  EXPECT_EQ(decode(chain, "x", site, test::MemorySource(store)), Value("x"));
}

TEST(Chain, HandsTheStoreInwardUnlessTheInnerNamesOne) {
  Registry registry;
  registry.add(named("outer", "<middle>"));
  registry.add(named("middle", "<blob>"));
  registry.add(named("cold", "<blob@archive>"));
  const Chain handed = resolve(registry, "<outer@raw>");
  EXPECT_EQ(names(handed), (Names{"outer", "middle", "blob", "hash"}));
  EXPECT_EQ(handed.store, "raw");
  EXPECT_TRUE(is_object(handed));
  EXPECT_EQ(resolve(registry, "<outer>").column, "bytes");
  const Chain own = resolve(registry, "<cold@raw>");
  EXPECT_EQ(own.store, "archive");
  EXPECT_TRUE(resolve(registry, "<cold>").in_store);
}

TEST(Chain, WhatCannotBeIsADefinitionError) {
  Registry registry;
  registry.add(named("self", "<self>"));
  registry.add(named("ping", "<pong>"));
  registry.add(named("pong", "<ping@x>"));
  registry.add(named("odd", "varchar(3)"));
  registry.add(named("lost", "<nowhere>"));
  for (const char* type : {"<self>", "<ping@>", "<odd>", "<lost>", "<hash>", "<npy>", "<object>", "<filepath>", "<>",
                           "<@raw>", "<nope@raw>"})
    EXPECT_EQ(code_of([&] { resolve(registry, type); }), Errc::definition) << type;
}

TEST(Chain, ErrorsSayWhere) {
  const Chain chain = resolve(Registry(), "<npy@raw>");
  try {
    validate(chain, "text", Site{"lab", "scan", "movie", "raw", nullptr});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::usage);
    EXPECT_NE(std::string(e.what()).find("<npy> of lab.scan.movie"), std::string::npos) << e.what();
  }
}

TEST(Chain, ManagedPathsFailClosed) {
  const Registry registry;
  const Value stored = map({{"path", "_hash/lab/x"}, {"store", "raw"}});
  EXPECT_EQ(managed_paths(resolve(registry, "<blob@raw>"), stored), Names{"_hash/lab/x"});
  EXPECT_TRUE(managed_paths(resolve(registry, "<blob@raw>"), Value()).empty());
  EXPECT_TRUE(managed_paths(resolve(registry, "<blob>"), Bytes()).empty());
  EXPECT_TRUE(managed_paths(resolve(registry, "<filepath@>"), stored).empty());
  EXPECT_EQ(code_of([&] { managed_paths(resolve(registry, "<object@>"), Map{}); }), Errc::decode);
}

}  // namespace
}  // namespace oas::codec
