// The decorators that other tests rely on.
#include <gtest/gtest.h>

#include "store/registry.hpp"
#include "support/faulty_store.hpp"
#include "support/recording_store.hpp"

namespace oas::test {
namespace {

std::shared_ptr<Store> memory() { return store::open_store({.name = "m", .protocol = "memory"}); }

TEST(RecordingStore, RemembersEveryCall) {
  RecordingStore store(memory());
  store.write("k", as_bytes("12345"));
  store.read("k", {1, 2});
  store.read("none");
  store.stat("k");
  auto upload = store.upload("u");
  upload->append(as_bytes("123"));
  upload->commit();
  store.list("u");
  store.remove("k");
  const std::vector<std::string> keys{"u", "v"};
  store.sync(keys);
  store.remove_many(keys);
  const std::vector<StoreCall> expected = {{"write", "k", 5},  {"read", "k", 2},       {"read", "none", 0},
                                           {"stat", "k", 0},   {"upload", "u", 0},     {"append", "u", 3},
                                           {"commit", "u", 0}, {"list", "u", 1},       {"remove", "k", 0},
                                           {"sync", "u", 0},   {"remove_many", "u", 0}};
  EXPECT_EQ(store.calls(), expected);
  EXPECT_EQ(store.count("read"), 2u);
  EXPECT_EQ(store.bytes("read"), 2u);
  store.clear();
  EXPECT_TRUE(store.calls().empty());
}

TEST(FaultyStore, RefusesBeforeAnyEffect) {
  FaultyStore store(memory());
  store.refuse(2);
  EXPECT_TRUE(store.write("a", as_bytes("1")));
  EXPECT_THROW(store.write("b", as_bytes("1")), Error);
  EXPECT_FALSE(store.stat("b"));
  EXPECT_EQ(store.calls(), 3u);
}

TEST(FaultyStore, LosesTheAnswerAfterTheEffect) {
  FaultyStore store(memory());
  store.lose_answer(1);
  EXPECT_THROW(store.write("a", as_bytes("1")), Error);
  EXPECT_TRUE(store.stat("a"));
}

TEST(FaultyStore, CountsTheStepsOfAnUpload) {
  FaultyStore store(memory());
  store.lose_answer(3, Errc::access);
  auto upload = store.upload("u");
  upload->append(as_bytes("1"));
  EXPECT_THROW(upload->commit(), Error);
  EXPECT_TRUE(store.stat("u"));
  std::string seen;
  store.on_call(1, FaultyStore::When::before, [&](std::string_view verb, std::string_view key) {
    seen = std::string(verb) + " " + std::string(key);
  });
  store.remove("u");
  EXPECT_EQ(seen, "remove u");
}

}  // namespace
}  // namespace oas::test
