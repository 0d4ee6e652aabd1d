#include "store/registry.hpp"

#include <gtest/gtest.h>

namespace oas::store {
namespace {

std::string why(const StoreConfig& config, std::span<const StoreDriver* const> extra = {}) {
  try {
    open_store(config, extra);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::usage);
    EXPECT_EQ(e.target(), "store raw");
    return e.what();
  }
  ADD_FAILURE() << "it was opened";
  return {};
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(OpenStore, AnUnknownProtocolNamesTheKnownOnes) {
  const std::string text = why({.name = "raw", .protocol = "flie"});
  EXPECT_TRUE(says(text, "open store raw: unknown protocol 'flie'")) << text;
  EXPECT_TRUE(says(text, "file, memory")) << text;
  EXPECT_TRUE(says(text, "did you mean file?")) << text;
}

TEST(OpenStore, AnUnknownSettingNamesTheNearestAndNeverItsValue) {
  const std::string text =
      why({.name = "raw", .protocol = "file", .options = {{"locatoin", "secret-value"}, {"sync", "true"}}});
  EXPECT_TRUE(says(text, "unknown setting 'locatoin'")) << text;
  EXPECT_TRUE(says(text, "did you mean location?")) << text;
  EXPECT_FALSE(says(text, "secret-value")) << text;
}

TEST(OpenStore, AMissingSettingIsNamed) {
  const std::string text = why({.name = "raw", .protocol = "file"});
  EXPECT_TRUE(says(text, "the setting 'location' is missing")) << text;
}

TEST(OpenStore, AWrongSyncIsRefused) {
  EXPECT_TRUE(says(why({.name = "raw", .protocol = "file", .options = {{"location", "/"}, {"sync", "yes"}}}), "sync"));
}

TEST(OpenStore, ADriverOfTheProgramComesFirst) {
  static constexpr std::string_view required[] = {"table"};
  static constexpr StoreDriver driver{
      "memory", required, {}, {}, [](const StoreConfig& config) { return store_drivers().at(1)->open(config); }};
  const StoreDriver* extra[] = {&driver};
  EXPECT_TRUE(says(why({.name = "raw", .protocol = "memory"}, extra), "'table' is missing"));
  const auto store = open_store({.name = "raw", .protocol = "memory", .options = {{"table", "x"}}}, extra);
  EXPECT_EQ(store->location(), "memory");
  EXPECT_EQ(store->name(), "raw");
}

}  // namespace
}  // namespace oas::store
