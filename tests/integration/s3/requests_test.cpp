// What rows ask of a server of S3, counted on the wire.
#include <gtest/gtest.h>
#include <oas/oas.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "support/s3_faults.hpp"
#include "support/s3_server.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

constexpr const char* variable = "OAS_TEST_S3_VERSITYGW";
using Counts = std::map<std::string, int>;

class S3Requests : public ::testing::Test {
 protected:
  void SetUp() override {
    OAS_NEED_S3(variable)
    const S3Server server = s3_server(variable).value();
    proxy_.emplace(server.port, s3_kind);
    Settings settings;
    settings.set("database", map({{"backend", "sqlite"}, {"name", (folder_.path() / "lab.db").string()}}));
    Map store = map({{"protocol", "s3"}});
    for (const auto& [key, value] : server.options(S3Server::fresh_location(), proxy_->port())) store.set(key, value);
    store.set("part_size", std::int64_t{5} << 20);
    settings.set("stores.main", store);
    settings.set("collector.foreign_writers", false);
    session_.emplace(std::move(settings), SessionOptions{.log = [](LogLevel, std::string_view) {}, .concurrency = 16});
    session_->store("main")->probe();
  }

  Table<> declare(const std::string& type) {
    return session_->schema("lab").declare("Item", Tier::manual, "id : int32\n---\nx : " + type);
  }
  static std::vector<Row> rows(int count) {
    std::vector<Row> all;
    for (int i = 0; i < count; ++i) {
      std::vector<std::int64_t> numbers(100);
      for (int k = 0; k < 100; ++k) numbers[static_cast<std::size_t>(k)] = i * 1000 + k;
      all.push_back(Row{{"id", i}, {"x", Array::own(std::move(numbers))}});
    }
    return all;
  }
  /// Since the last time.
  Counts asked() {
    const auto all = proxy_->asked();
    Counts counts;
    for (std::size_t i = seen_; i < all.size(); ++i) ++counts[all[i]];
    seen_ = all.size();
    return counts;
  }

  TempFolder folder_;
  std::optional<HttpProxy> proxy_;
  std::optional<Session> session_;
  std::size_t seen_ = 0;
};

TEST_F(S3Requests, OneForEachContentInAndOneOut) {
  auto table = declare("<blob@main>");
  asked();
  table.insert(rows(50));
  EXPECT_EQ(asked(), (Counts{{"put", 50}}));
  EXPECT_EQ(table.fetch().size(), 50U);
  EXPECT_EQ(asked(), (Counts{{"get", 50}}));
}

TEST_F(S3Requests, NoneForReferencesAndAtMostTwoForASlice) {
  auto table = declare("<npy@main>");
  table.insert(rows(20));
  std::vector<std::int64_t> numbers(1'000'000);
  table.insert1(Row{{"id", 20}, {"x", Array::own(std::move(numbers))}});
  asked();
  const auto all = table.order_by("id").fetch();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].at<NpyRef>("x").shape()[0], 100);
  EXPECT_EQ(asked(), Counts());
  EXPECT_EQ(all[20].at<NpyRef>("x").load(oas::rows(5000, 10'000)).shape()[0], 10'000);
  const Counts slice = asked();
  ASSERT_EQ(slice.size(), 1U);
  EXPECT_EQ(slice.begin()->first, "range");
  EXPECT_LE(slice.begin()->second, 2);
}

TEST_F(S3Requests, AThousandRowsGoInThree) {
  for (const std::string type : {"<npy@main>", "<blob@main>", "<object@main>"}) {
    SCOPED_TRACE(type);
    auto table = declare(type);
    auto thousand = rows(1000);
    if (type == "<object@main>")
      for (Row& row : thousand) row.set("x", Bytes::copy("object " + std::to_string(row.at<int>("id"))));
    table.insert(thousand);
    asked();
    EXPECT_EQ(table.remove(), 1000U);
    session_->collect();
    const Counts gone = asked();
    EXPECT_EQ(gone.size(), 1U) << "nothing is listed, and nothing looked for";
    EXPECT_LE(gone.at("delete_many"), 3);
    table.drop();
  }
}

// What is in a folder, nobody but its listing tells.
TEST_F(S3Requests, AFolderIsListedOnceAndGoesInOne) {
  auto table = declare("<object@main>");
  const auto source = folder_.path() / "source";
  std::filesystem::create_directories(source / "deep");
  for (const char* name : {"a", "b", "deep/c"}) std::ofstream(source / name) << name;
  for (int i = 0; i < 20; ++i) table.insert1(Row{{"id", i}, {"x", source}});
  asked();
  EXPECT_EQ(table.remove(), 20U);
  EXPECT_EQ(asked(), (Counts{{"list", 20}, {"delete_many", 20}}));
  EXPECT_TRUE(session_->store("main")->list("_").entries.empty());
}

TEST_F(S3Requests, WhatWasWrittenInVainGoesInThree) {
  auto table = declare("<blob@main>");
  table.insert(rows(1));
  asked();
  auto doubled = rows(100);
  std::rotate(doubled.begin(), doubled.begin() + 1, doubled.end());
  EXPECT_THROW(table.insert(doubled), Error);
  EXPECT_EQ(session_->audit().objects, 1U);
  Counts gone = asked();
  EXPECT_EQ(gone.at("put"), 100);
  EXPECT_EQ(gone.at("delete_many"), 1);
  EXPECT_LE(gone.at("uploads"), 3) << "once by the collector, and by the audit once for each of its two sections";
}

TEST_F(S3Requests, ContentThatIsThereIsRefused) {
  auto table = declare("<blob@main>");
  table.insert(rows(10));
  asked();
  auto again = rows(10);
  for (std::size_t i = 0; i < again.size(); ++i) again[i].set("id", 100 + static_cast<std::int64_t>(i));
  table.insert(again);
  EXPECT_EQ(asked(), (Counts{{"put", 10}}));
}

TEST_F(S3Requests, LargerContentIsAskedForAndSentOnce) {
  auto table = declare("<blob@main>");
  std::string noise(11 << 20, ' ');  // that no compression makes small
  std::minstd_rand random(5);
  for (char& c : noise) c = static_cast<char>(random() >> 8);
  const auto insert = [&](std::int64_t id, std::size_t bytes) {
    table.insert1(Row{{"id", id}, {"x", Bytes::copy(std::string_view(noise).substr(0, bytes))}});
  };
  insert(0, 1000);  // the bucket is seen
  asked();
  insert(1, 100'000);
  EXPECT_EQ(asked(), (Counts{{"head", 1}, {"put", 1}}));
  insert(2, 100'000);
  EXPECT_EQ(asked(), (Counts{{"head", 1}}));
  insert(3, 11 << 20);
  EXPECT_EQ(asked(), (Counts{{"head", 1}, {"begin", 1}, {"part", 3}, {"complete", 1}}));
  insert(4, 11 << 20);
  EXPECT_EQ(asked(), (Counts{{"head", 1}}));
}

TEST_F(S3Requests, WhoMayNotListOrDeleteInsertsAndFetches) {
  proxy_->always({"list", "uploads", "delete", "delete_many", "abort"},
                 s3_fault::error("not_permitted", "403 Forbidden", "AccessDenied"));
  auto table = declare("<npy@main>");
  table.insert(rows(20));
  table.insert(rows(20), {.replace = true});
  EXPECT_EQ((table & where("id = 7")).fetch1().at<NpyRef>("x").load().as<std::int64_t>()[3], 7003);
  EXPECT_EQ(table.remove(), 20U) << "rows need no permission of the store";
  const Collected collected = session_->collect();
  EXPECT_EQ(collected.removed, 0U);
  EXPECT_EQ(collected.waiting, 40U);
  ASSERT_FALSE(collected.errors.empty());
  EXPECT_EQ(collected.errors[0].code(), Errc::access) << collected.errors[0].what();
  EXPECT_NE(std::string(collected.errors[0].what()).find("main"), std::string::npos) << collected.errors[0].what();
  proxy_->always({});
  EXPECT_EQ(session_->collect().removed, 40U);
  const Audit audit = session_->audit({.deep = true});
  EXPECT_EQ(audit.dangling + audit.damaged + audit.leaked, 0U);
  EXPECT_TRUE(session_->store("main")->list("_").entries.empty());
}

TEST_F(S3Requests, AFreshKeyIsNeverAskedFor) {
  auto table = declare("<npy@main>");
  std::vector<std::int64_t> numbers(1'400'000);  // 11 MB: three parts
  asked();
  table.insert1(Row{{"id", 1}, {"x", Array::own(std::move(numbers))}});
  EXPECT_EQ(asked(), (Counts{{"begin", 1}, {"part", 3}, {"complete", 1}}));
}

}  // namespace
}  // namespace oas::test
