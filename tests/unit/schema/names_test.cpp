#include <gtest/gtest.h>

#include <oas/definition.hpp>
#include <oas/error.hpp>

namespace {

struct Scan2P : oas::Imported {
  struct Frame : oas::Part<Scan2P> {};
};

TEST(Names, PutAnUnderscoreBeforeEveryCapital) {
  EXPECT_EQ(oas::table_name(oas::Tier::manual, "ProcessedEMG"), "processed_e_m_g");
  EXPECT_EQ(oas::table_name(oas::Tier::lookup, "Scan2P"), "#scan2_p");
  EXPECT_EQ(oas::table_name(oas::Tier::imported, "AB"), "_a_b");
  EXPECT_EQ(oas::table_name(oas::Tier::computed, "Scan"), "__scan");
  EXPECT_EQ(oas::table_name(oas::Tier::part, "Frame", "_scan"), "_scan__frame");
}

TEST(Names, LoseTheUnderscoresOfTheClass) { EXPECT_EQ(oas::table_name(oas::Tier::manual, "My_Table"), "my_table"); }

TEST(Names, MustBeCamelCase) {
  for (const char* bad : {"", "scan", "2Scan", "Scan-2", "Größe", "Scan Two", "_Scan"}) {
    try {
      oas::table_name(oas::Tier::manual, bad);
      FAIL() << bad;
    } catch (const oas::Error& e) {
      EXPECT_EQ(e.code(), oas::Errc::definition) << bad;
    }
  }
}

TEST(Names, AreAtMost64Bytes) {
  EXPECT_EQ(oas::table_name(oas::Tier::lookup, "S" + std::string(62, 'x')).size(), 64u);
  try {
    oas::table_name(oas::Tier::lookup, "S" + std::string(100'000, 'x'));
    FAIL();
  } catch (const oas::Error& e) {
    EXPECT_EQ(e.code(), oas::Errc::definition);
    EXPECT_LT(std::string(e.what()).size(), 500u);
  }
  EXPECT_THROW(oas::table_name(oas::Tier::lookup, "S" + std::string(63, 'x')), oas::Error);
}

TEST(Names, PartsNeedAMasterThatIsNoPart) {
  EXPECT_THROW(oas::table_name(oas::Tier::part, "Frame", "scan__frame"), oas::Error);
  EXPECT_THROW(oas::table_name(oas::Tier::part, "Frame"), oas::Error);
}

TEST(Names, ComeBackAsClasses) {
  EXPECT_EQ(oas::class_name_of("#scan2_p"), "Scan2P");
  EXPECT_EQ(oas::class_name_of("__processed_e_m_g"), "ProcessedEMG");
  EXPECT_EQ(oas::class_name_of("_scan__frame_part"), "Scan.FramePart");
  EXPECT_THROW(oas::class_name_of("~lineage"), oas::Error);
}

TEST(Names, OfStructsAreKnownToTheCompiler) {
  static_assert(oas::detail::class_name<Scan2P>() == "Scan2P");
  static_assert(oas::detail::class_name<Scan2P::Frame>() == "Frame");
  static_assert(oas::detail::master_name<Scan2P::Frame>() == "Scan2P");
  static_assert(oas::detail::master_name<Scan2P>().empty());
  static_assert(oas::detail::tier_of_class<Scan2P::Frame>() == oas::Tier::part);
  struct Local : oas::Lookup {};
  static_assert(oas::detail::class_name<Local>() == "Local");
}

}  // namespace
