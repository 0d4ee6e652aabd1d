#include "conformance/store/store_suite.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>

namespace oas::test {
namespace {

class StoreSuite : public ::testing::TestWithParam<StoreCase> {
 protected:
  std::shared_ptr<Store> store_ = GetParam().open();

  void SetUp() override {
    if (!store_) GTEST_SKIP() << "no server " << GetParam().name << ": run it through tools/with_servers";
  }

  Version put(const std::string& key, std::string_view text) {
    const auto version = store_->write(key, as_bytes(text));
    if (!version) throw std::logic_error("an unconditional write was refused");
    return *version;
  }
  std::optional<std::string> get(const std::string& key) const {
    const auto object = store_->read(key);
    if (!object) return std::nullopt;
    return std::string(object->data.text());
  }
  std::vector<std::string> keys(std::string_view prefix = "", std::string_view after = "", std::size_t limit = 1000) {
    std::vector<std::string> found;
    for (const ObjectInfo& entry : store_->list(prefix, after, limit).entries) found.push_back(entry.key);
    return found;
  }
};

template <class Call>
Errc code_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Errc::internal;
}

void in_parallel(int threads, const std::function<void(int)>& work) {
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) all.emplace_back(work, t);
  for (std::thread& thread : all) thread.join();
}

std::vector<std::string> legal_keys() {
  std::vector<std::string> keys = {"plain",
                                   "a/b/c",
                                   "_hash/lab/abcdefghijklmnopqrstuvwxyz",
                                   "name=a b",
                                   "100%",
                                   "say%20%22hi%22",
                                   "#lookup",
                                   "__computed",
                                   "it's",
                                   "naïve☃",
                                   "日本/語",
                                   "x:y*?\"<>|\\z",
                                   "...",
                                   "..a",
                                   "a..",
                                   ".hidden",
                                   "-dash",
                                   " space ",
                                   "tab\tnewline\n",
                                   "\x01\x7f",
                                   "frames_AbC-_123.zarr/c/0/0/0",
                                   "a=1/b=2/s/t/k=3/field_Xy-_9Z.npy"};
  keys.push_back(std::string(255, 'p'));
  std::string longest;
  while (longest.size() < 1024)
    longest += std::string(longest.size() + 101 <= 1024 ? 100 : 1024 - longest.size(), 'k') + "/";
  longest.resize(1024);
  if (longest.back() == '/') longest.back() = 'k';
  keys.push_back(longest);
  return keys;
}

TEST_P(StoreSuite, SaysWhatItCanDo) {
  EXPECT_EQ(store_->traits().atomic_create, GetParam().traits.atomic_create);
  EXPECT_EQ(store_->traits().conditional_write, GetParam().traits.conditional_write);
  EXPECT_EQ(store_->traits().whole_objects, GetParam().traits.whole_objects);
  EXPECT_EQ(store_->traits().max_single_write, GetParam().traits.max_single_write);
  EXPECT_EQ(store_->traits().at_once, GetParam().traits.at_once);
  EXPECT_FALSE(store_->name().empty());
  EXPECT_FALSE(store_->location().empty());
}

TEST_P(StoreSuite, WhatIsNotThereIsNoError) {
  EXPECT_FALSE(store_->stat("nothing"));
  EXPECT_FALSE(store_->read("no/thing"));
  EXPECT_FALSE(store_->remove("no/thing/at/all"));
  EXPECT_TRUE(store_->list("").entries.empty());
  EXPECT_TRUE(store_->list("no/such").entries.empty());
}

TEST_P(StoreSuite, ReadsBackWhatWasWritten) {
  const auto before = std::chrono::system_clock::now() - std::chrono::minutes(5);
  const Version version = put("a/b", "hello");
  const auto object = store_->read("a/b");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->data.text(), "hello");
  EXPECT_EQ(object->size, 5u);
  EXPECT_EQ(object->version, version);
  const auto info = store_->stat("a/b");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->key, "a/b");
  EXPECT_EQ(info->size, 5u);
  EXPECT_EQ(info->version, version);
  EXPECT_FALSE(version.is_absent());
  EXPECT_GT(info->modified, std::chrono::duration_cast<std::chrono::microseconds>(before.time_since_epoch()).count());
}

TEST_P(StoreSuite, GathersParts) {
  std::vector<std::string> texts;
  std::string whole;
  for (int i = 0; i < 3000; ++i) {  // more than one call of the kernel takes
    texts.push_back(i % 7 == 0 ? "" : "part " + std::to_string(i) + ";");
    whole += texts.back();
  }
  std::vector<BytesView> parts;
  for (const std::string& text : texts) parts.push_back(as_bytes(text));
  ASSERT_TRUE(store_->write("parts", parts));
  EXPECT_EQ(get("parts"), whole);
  ASSERT_TRUE(store_->write("no parts", std::span<const BytesView>()));
  EXPECT_EQ(get("no parts"), "");
}

TEST_P(StoreSuite, KeepsEmptyObjects) {
  put("empty", "");
  EXPECT_EQ(get("empty"), "");
  EXPECT_EQ(store_->stat("empty")->size, 0u);
  EXPECT_TRUE(store_->read("empty", {0, 0})->data.empty());
  EXPECT_EQ(keys(), std::vector<std::string>{"empty"});
}

TEST_P(StoreSuite, TakesEveryLegalKey) {
  for (const std::string& key : legal_keys()) {
    SCOPED_TRACE(key);
    if (key.size() > GetParam().longest_key || key.find_first_of(GetParam().refused) != key.npos) {
      EXPECT_EQ(code_of([&] { put(key, "refused"); }), Errc::usage);
      EXPECT_EQ(code_of([&] { store_->upload(key)->commit(); }), Errc::usage);
      continue;
    }
    if (key.find_first_of(GetParam().untaken) != key.npos) continue;
    put(key, "at " + key);
    EXPECT_EQ(get(key), "at " + key);
    EXPECT_EQ(store_->stat(key)->key, key);
    EXPECT_EQ(keys(key), std::vector<std::string>{key});
    EXPECT_TRUE(store_->remove(key));
    EXPECT_FALSE(store_->stat(key));
  }
}

TEST_P(StoreSuite, RefusesEveryIllegalKey) {
  using namespace std::string_literals;
  for (const std::string& key : {""s, "/"s, "/a"s, "a/"s, "a//b"s, "."s, ".."s, "a/.."s, "../a"s, "a/../b"s, "./a"s,
                                 "a/./b"s, "nul\0"s, "\xff"s, "half \xe2\x98"s, "overlong \xc0\xaf"s,
                                 "surrogate \xed\xa0\x80"s, "beyond \xf4\x90\x80\x80"s, std::string(1025, 'k')}) {
    SCOPED_TRACE(key);
    EXPECT_EQ(code_of([&] { store_->stat(key); }), Errc::usage);
    EXPECT_EQ(code_of([&] { store_->read(key); }), Errc::usage);
    EXPECT_EQ(code_of([&] { store_->write(key, BytesView()); }), Errc::usage);
    EXPECT_EQ(code_of([&] { store_->upload(key); }), Errc::usage);
    EXPECT_EQ(code_of([&] { store_->remove(key); }), Errc::usage);
    const std::vector<std::string> one{key};
    EXPECT_EQ(code_of([&] { store_->remove_many(one); }), Errc::usage);
    EXPECT_EQ(code_of([&] { store_->sync(one); }), Errc::usage);
  }
  EXPECT_TRUE(keys().empty());
}

TEST_P(StoreSuite, AnObjectAndAFolderOfOneNameBothLiveOrAreRefused) {
  const Errc refused = GetParam().objects_in_objects ? Errc::usage : Errc::unavailable;
  put("a", "object");
  try {
    put("a/b", "below it");
    EXPECT_EQ(get("a/b"), "below it");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), refused) << e.what();
    EXPECT_EQ(get("a/b"), std::nullopt);
    EXPECT_FALSE(store_->remove("a/b"));
  }
  EXPECT_EQ(get("a"), "object");
}

TEST_P(StoreSuite, AFolderAndAnObjectOfItsNameBothLiveOrAreRefused) {
  if (!GetParam().objects_in_objects) GTEST_SKIP() << "the server loses what is in the folder";
  put("c/d", "below");
  EXPECT_EQ(get("c"), std::nullopt);
  EXPECT_FALSE(store_->stat("c"));
  EXPECT_FALSE(store_->remove("c"));
  const Version absent = Version::absent();
  for (const Version* expect : {static_cast<const Version*>(nullptr), &absent}) {
    try {
      EXPECT_TRUE(store_->write("c", as_bytes("above it"), expect));
      EXPECT_TRUE(store_->remove("c"));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::usage) << e.what();
    }
  }
  EXPECT_EQ(get("c/d"), "below");
}

TEST_P(StoreSuite, OverwritesAndChangesTheVersion) {
  std::set<std::string> versions;
  for (int i = 0; i < 200; ++i) {  // faster than a clock of files ticks, and always of the same size
    versions.insert(put("k", std::to_string(1000 + i)).tag);
    EXPECT_EQ(get("k"), std::to_string(1000 + i));
  }
  EXPECT_EQ(versions.size(), 200u);
}

TEST_P(StoreSuite, RemovingAndWritingAgainChangesTheVersion) {
  std::set<std::string> versions;
  for (int i = 0; i < 200; ++i) {
    versions.insert(put("k", "same").tag);
    EXPECT_TRUE(store_->remove("k"));
  }
  EXPECT_EQ(versions.size(), store_->traits().content_versions ? 1u : 200u);
}

TEST_P(StoreSuite, CreatesOnlyWhereNothingIs) {
  const Version absent = Version::absent();
  const auto first = store_->write("d/k", as_bytes("first"), &absent);
  ASSERT_TRUE(first);
  EXPECT_FALSE(store_->write("d/k", as_bytes("second"), &absent));
  EXPECT_EQ(get("d/k"), "first");
  EXPECT_EQ(store_->stat("d/k")->version, *first);
  EXPECT_TRUE(store_->remove("d/k"));
  EXPECT_TRUE(store_->write("d/k", as_bytes("third"), &absent));
  EXPECT_EQ(get("d/k"), "third");
  EXPECT_EQ(keys(), std::vector<std::string>{"d/k"});
}

TEST_P(StoreSuite, OfSeveralCreatorsOneWins) {
  if (!store_->traits().atomic_create) GTEST_SKIP() << "no atomic_create";
  for (int round = 0; round < 50; ++round) {
    const std::string key = "race/" + std::to_string(round) + "/k";
    std::atomic<int> winner = -1;
    std::atomic<int> winners = 0;
    in_parallel(4, [&](int t) {
      const Version absent = Version::absent();
      const std::string text = "thread " + std::to_string(t);
      if (store_->write(key, as_bytes(text), &absent)) {
        winner = t;
        ++winners;
      }
    });
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(get(key), "thread " + std::to_string(winner));
  }
}

TEST_P(StoreSuite, CreatesUnderKeysThatNobodyElseKnows) {
  const std::vector<BytesView> parts = {as_bytes("one, "), as_bytes(""), as_bytes("two")};
  const auto version = store_->create("new/folder/k", parts);
  ASSERT_TRUE(version);
  EXPECT_EQ(get("new/folder/k"), "one, two");
  EXPECT_EQ(store_->stat("new/folder/k")->version, *version);
  EXPECT_FALSE(store_->create("new/folder/k", {}));
  EXPECT_EQ(get("new/folder/k"), "one, two");
  ASSERT_TRUE(store_->create("new/folder/beside", {}));
  EXPECT_EQ(get("new/folder/beside"), "");
  const Version after = put("new/folder/k", "another");
  EXPECT_NE(after, *version);
  EXPECT_EQ(keys(), (std::vector<std::string>{"new/folder/beside", "new/folder/k"}));
  for (const char* const bad : {"", "/k", "a/../b"}) {
    EXPECT_EQ(code_of([&] { store_->create(bad, parts); }), Errc::usage) << bad;
  }
}

TEST_P(StoreSuite, OfSeveralWhoCreateOneWins) {
  if (!store_->traits().atomic_create) GTEST_SKIP() << "no atomic_create";
  for (int round = 0; round < 50; ++round) {
    const std::string key = "created/" + std::to_string(round) + "/k";
    std::atomic<int> winners = 0;
    in_parallel(4, [&](int) {
      const BytesView text = as_bytes("all of them say this");
      if (store_->create(key, {&text, 1})) ++winners;
    });
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(get(key), "all of them say this");
  }
}

TEST_P(StoreSuite, WritesOnConditionOfAVersion) {
  const Version first = put("k", "first");
  if (!store_->traits().conditional_write) {
    EXPECT_EQ(code_of([&] { store_->write("k", as_bytes("x"), &first); }), Errc::unsupported);
    return;
  }
  const auto second = store_->write("k", as_bytes("second"), &first);
  ASSERT_TRUE(second);
  EXPECT_NE(*second, first);
  EXPECT_FALSE(store_->write("k", as_bytes("third"), &first));
  EXPECT_EQ(get("k"), "second");
  EXPECT_TRUE(store_->remove("k"));
  EXPECT_FALSE(store_->write("k", as_bytes("fourth"), &*second));
  EXPECT_FALSE(store_->stat("k"));
  EXPECT_FALSE(store_->write("never/was", as_bytes("fifth"), &first));
  EXPECT_TRUE(keys().empty());
}

TEST_P(StoreSuite, ConditionalWritersLoseNoUpdate) {
  if (!store_->traits().conditional_write) GTEST_SKIP() << "no conditional_write";
  constexpr int threads = 4;
  constexpr int each = 25;
  put("n/counter", "0");
  in_parallel(threads, [&](int) {
    for (int done = 0; done < each;) {
      const auto object = store_->read("n/counter");
      ASSERT_TRUE(object);
      const std::string next = std::to_string(std::stoi(std::string(object->data.text())) + 1);
      if (store_->write("n/counter", as_bytes(next), &object->version)) ++done;
    }
  });
  EXPECT_EQ(get("n/counter"), std::to_string(threads * each));
}

TEST_P(StoreSuite, ReadsRanges) {
  put("k", "0123456789");
  EXPECT_EQ(store_->read("k", {3, 4})->data.text(), "3456");
  EXPECT_EQ(store_->read("k", {3, 4})->size, 10u);
  EXPECT_EQ(store_->read("k", {7, std::nullopt})->data.text(), "789");
  EXPECT_EQ(store_->read("k", {0, 10})->data.text(), "0123456789");
  EXPECT_EQ(store_->read("k", {10, std::nullopt})->data.text(), "");
  EXPECT_EQ(store_->read("k", {10, 0})->data.text(), "");
  EXPECT_EQ(store_->read("k", {5, 0})->data.text(), "");
}

TEST_P(StoreSuite, RefusesRangesPastTheEnd) {
  put("k", "0123456789");
  for (const ByteRange& range : {ByteRange{11, std::nullopt}, ByteRange{11, 0}, ByteRange{0, 11}, ByteRange{10, 1},
                                 ByteRange{1, UINT64_MAX}, ByteRange{UINT64_MAX, UINT64_MAX}}) {
    EXPECT_EQ(code_of([&] { store_->read("k", range); }), Errc::usage) << range.offset;
  }
  EXPECT_FALSE(store_->read("not there", {11, 5}));
}

TEST_P(StoreSuite, AReaderOfOneVersionSeesNoOther) {
  const Version first = put("k", "first");
  EXPECT_EQ(store_->read("k", {}, &first)->data.text(), "first");
  EXPECT_EQ(store_->read("k", {1, 2}, &first)->data.text(), "ir");
  put("k", "other");
  EXPECT_EQ(code_of([&] { store_->read("k", {}, &first); }), Errc::conflict);
  EXPECT_EQ(code_of([&] { store_->read("k", {1, 2}, &first); }), Errc::conflict);
  EXPECT_TRUE(store_->remove("k"));
  EXPECT_FALSE(store_->read("k", {}, &first));
  const Version absent = Version::absent();
  EXPECT_EQ(code_of([&] { store_->read("k", {}, &absent); }), Errc::usage);
}

TEST_P(StoreSuite, ReadersNeverSeeHalves) {
  if (!GetParam().replaces_at_once) GTEST_SKIP() << "the server truncates what it replaces";
  constexpr std::size_t size = 200'000;
  put("big", std::string(size, 'a'));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) {
      const std::string text(size + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
      store_->write("big", as_bytes(text));
    }
    stop = true;
  });
  std::size_t reads = 0;
  do {
    const auto object = store_->read("big");
    if (!object) {
      ADD_FAILURE() << "it vanished while it was replaced";
      break;
    }
    const std::string_view text = object->data.text();
    EXPECT_EQ(text.size(), object->size);
    EXPECT_EQ(text.find_first_not_of(text[0]), std::string_view::npos);
    ++reads;
  } while (!stop);
  writer.join();
  EXPECT_GT(reads, 0u);
}

TEST_P(StoreSuite, UploadsAppearAtCommit) {
  auto upload = store_->upload("u/k");
  upload->append(as_bytes("one "));
  upload->append({});
  upload->append(as_bytes("two"));
  EXPECT_FALSE(store_->stat("u/k"));
  EXPECT_TRUE(keys().empty());
  const Version version = upload->commit();
  EXPECT_EQ(get("u/k"), "one two");
  EXPECT_EQ(store_->stat("u/k")->version, version);
  EXPECT_EQ(code_of([&] { upload->append(as_bytes("more")); }), Errc::usage);
  EXPECT_EQ(code_of([&] { upload->commit(); }), Errc::usage);
  upload.reset();
  EXPECT_EQ(get("u/k"), "one two");

  auto over = store_->upload("u/k");
  over->append(as_bytes("new"));
  EXPECT_EQ(get("u/k"), "one two");
  over->commit();
  EXPECT_EQ(get("u/k"), "new");

  store_->upload("empty")->commit();
  EXPECT_EQ(get("empty"), "");
}

TEST_P(StoreSuite, UploadsNotCommittedLeaveNothing) {
  put("kept", "old");
  for (const char* key : {"kept", "u/never"}) {
    auto upload = store_->upload(key);
    upload->append(as_bytes("discarded"));
  }
  EXPECT_EQ(keys(), std::vector<std::string>{"kept"});
  EXPECT_EQ(get("kept"), "old");
}

TEST_P(StoreSuite, WhatAnUploadLeavesIsFoundAndFreed) {
  put("kept", "old");
  const std::string large(std::size_t{40} << 20, 'x');  // some of it is on its way before the end
  auto upload = store_->upload("u/large");
  upload->append(as_bytes(large));
  auto found = store_->unfinished("u/");
  if (found.empty()) return;  // it leaves nothing, or will send it all at the end
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key, "u/large");
  EXPECT_GT(found[0].begun, 0);
  EXPECT_TRUE(store_->unfinished("other/").empty());
  EXPECT_FALSE(store_->stat("u/large"));
  store_->abandon(found[0]);
  store_->abandon(found[0]);
  if (GetParam().aborted_uploads) {
    try {  // parts that were under way may still come, as S3 says: then it is all there
      upload->commit();
      EXPECT_EQ(get("u/large"), large);
      EXPECT_TRUE(store_->remove("u/large"));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::conflict) << e.what();
    }
  }
  EXPECT_TRUE(store_->unfinished("").empty());
  upload = store_->upload("u/large");
  upload->append(as_bytes(large));
  upload.reset();
  EXPECT_TRUE(store_->unfinished("").empty());
  EXPECT_EQ(keys(), std::vector<std::string>{"kept"});
}

TEST_P(StoreSuite, KeepsLargeObjectsWhole) {
  std::string large(std::size_t{45} << 20, 'x');
  std::mt19937 random(5);
  for (std::size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>(random());
  const std::size_t half = 20'000'001;
  const std::vector<BytesView> parts{as_bytes(std::string_view(large).substr(0, half)),
                                     as_bytes(std::string_view(large).substr(half))};
  ASSERT_TRUE(store_->write("large", parts));
  const auto object = store_->read("large");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size, large.size());
  EXPECT_TRUE(object->data.text() == large);
  EXPECT_EQ(object->version, store_->stat("large")->version);
  EXPECT_TRUE(store_->read("large", {1, large.size() - 2})->data.text() == large.substr(1, large.size() - 2));
  const Version absent = Version::absent();
  EXPECT_FALSE(store_->write("large", parts, &absent));
  auto upload = store_->upload("streamed");
  for (std::size_t at = 0; at < large.size(); at += 7'000'003)
    upload->append(as_bytes(std::string_view(large).substr(at, 7'000'003)));
  upload->commit();
  EXPECT_TRUE(store_->read("streamed")->data.text() == large);
}

TEST_P(StoreSuite, RemovesOne) {
  put("a/b", "1");
  put("a/c", "2");
  EXPECT_TRUE(store_->remove("a/b"));
  EXPECT_FALSE(store_->remove("a/b"));
  EXPECT_FALSE(store_->stat("a/b"));
  EXPECT_EQ(keys(), std::vector<std::string>{"a/c"});
}

TEST_P(StoreSuite, RemovesMany) {
  std::vector<std::string> gone;
  for (int i = 0; i < 50; ++i) gone.push_back("m/" + std::to_string(i % 5) + "/" + std::to_string(i));
  for (const std::string& key : gone) put(key, "x");
  put("m/kept", "y");
  gone.push_back("m/was/never/there");
  gone.push_back(gone.front());
  EXPECT_TRUE(store_->remove_many(gone).empty());
  EXPECT_EQ(keys(), std::vector<std::string>{"m/kept"});
  EXPECT_TRUE(store_->remove_many({}).empty());
}

TEST_P(StoreSuite, ListsInByteOrder) {
  std::vector<std::string> all = {"a",     "a-b",       "a-b/c", "a.b", "a0",  "ab/",    "b/a/x", "b/a-/x",
                                  "b/a.x", "b/a/x-y/z", "ä",     "Z",   "b/b", "b/a/x0", "~",     "\x01"};
  std::erase(all, "ab/");
  std::erase(all, "a-b/c");  // beside an object "a-b"
  if (!GetParam().refused.empty()) std::erase(all, "\x01");
  all.insert(all.end(), {"c-d/e", "c/d", "c.d/e", "c0/d"});
  std::mt19937 order(7);
  std::shuffle(all.begin(), all.end(), order);
  for (const std::string& key : all) put(key, key);
  std::ranges::sort(all);
  EXPECT_EQ(keys(), all);
  const Page page = store_->list("");
  EXPECT_FALSE(page.more);
  for (const ObjectInfo& entry : page.entries) {
    EXPECT_EQ(entry.size, entry.key.size());
    EXPECT_EQ(entry.version, store_->stat(entry.key)->version);
    EXPECT_EQ(entry.modified, store_->stat(entry.key)->modified);
  }
  for (std::size_t limit = 1; limit <= all.size() + 1; ++limit) {
    std::vector<std::string> paged;
    for (Page part = {{}, true}; part.more;) {
      part = store_->list("", paged.empty() ? "" : paged.back(), limit);
      ASSERT_LE(part.entries.size(), limit);
      ASSERT_TRUE(!part.more || part.entries.size() == limit);
      for (const ObjectInfo& entry : part.entries) paged.push_back(entry.key);
    }
    EXPECT_EQ(paged, all) << limit;
  }
}

TEST_P(StoreSuite, ListsAnyPrefixAfterAnyText) {
  std::vector<std::string> all = {
      "_hash/lab/aa",  "_hash/lab/ab", "_hash/lab2/aa",    "_hash/lab-x/aa", "_schema/lab/t/f.npy",
      "_schema/lab/t", "top",          "_hash/lab/ab.ext", "日本",           "日木"};
  std::erase(all, "_schema/lab/t");
  for (const std::string& key : all) put(key, "x");
  std::ranges::sort(all);
  std::vector<std::string> texts = {"",
                                    "_",
                                    "_hash",
                                    "_hash/",
                                    "_hash/lab",
                                    "_hash/lab/",
                                    "_hash/lab/a",
                                    "日",
                                    "\xe6",
                                    "\xe6\x97",
                                    "zzz",
                                    "/",
                                    "//",
                                    "..",
                                    "../x",
                                    "a/../",
                                    "_hash//",
                                    "_hash/lab/aa/",
                                    "\xff",
                                    std::string(3000, 'x')};
  texts.insert(texts.end(), all.begin(), all.end());
  for (const std::string& prefix : texts) {
    for (const std::string& after : texts) {
      std::vector<std::string> expected;
      std::ranges::copy_if(all, std::back_inserter(expected),
                           [&](const std::string& key) { return key.starts_with(prefix) && key > after; });
      EXPECT_EQ(keys(prefix, after), expected) << "prefix " << prefix << ", after " << after;
    }
  }
  EXPECT_EQ(code_of([&] { store_->list("", "", 0); }), Errc::usage);
}

TEST_P(StoreSuite, RandomKeysAreListedAsTheyAre) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string letters = GetParam().objects_in_objects ? "ab-./0" : "ab-.0";
  std::set<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    std::string key;
    for (std::size_t length = 1 + random() % 9; key.size() < length;) key += letters[random() % letters.size()];
    try {
      put(key, "x");
      expected.insert(key);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::usage) << e.what();
    }
  }
  EXPECT_EQ(keys(), std::vector<std::string>(expected.begin(), expected.end()));
  const std::string after = *std::next(expected.begin(), static_cast<std::ptrdiff_t>(random() % expected.size()));
  EXPECT_EQ(keys("", after), std::vector<std::string>(expected.upper_bound(after), expected.end()));
}

TEST_P(StoreSuite, SyncsWhatIsThere) {
  std::vector<std::string> written;
  for (int i = 0; i < 12; ++i) {
    written.push_back("s/" + std::to_string(i));
    put(written.back(), "x");
  }
  store_->sync({});
  store_->sync(std::span(written).first(3));
  store_->sync(written);
}

TEST_P(StoreSuite, SeveralThreadsAtOnce) {
  if (!GetParam().replaces_at_once) GTEST_SKIP() << "it shows late what was done";
  constexpr int threads = 4;
  in_parallel(threads, [&](int t) {
    const std::string mine = "t" + std::to_string(t);
    for (int i = 0; i < 40; ++i) {
      const std::string key = "shared/" + mine + "/" + std::to_string(i);  // the folders come and go under all of them
      const std::string text = mine + " " + std::to_string(i);
      ASSERT_TRUE(store_->write(key, as_bytes(text)));
      ASSERT_EQ(store_->read(key)->data.text(), text);
      auto upload = store_->upload("shared/u/" + mine);
      upload->append(as_bytes(text));
      upload->commit();
      ASSERT_GE(store_->list("shared/" + mine + "/").entries.size(), 1u);
      ASSERT_TRUE(store_->remove("shared/u/" + mine));
      ASSERT_TRUE(store_->remove(key));
    }
  });
  EXPECT_TRUE(keys().empty());
}

TEST_P(StoreSuite, ErrorsNameTheStoreAndTheObject) {
  put("folder/object", "0123");
  try {
    store_->read("folder/object", {5, 1});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("read folder/object in store " + store_->name()), std::string::npos)
        << e.what();
    EXPECT_EQ(std::string(e.what()).find("in store", std::string(e.what()).find("in store") + 1), std::string::npos);
    EXPECT_EQ(e.target(), "store " + store_->name() + ", folder/object");
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreSuite, ::testing::ValuesIn(store_cases()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace oas::test
