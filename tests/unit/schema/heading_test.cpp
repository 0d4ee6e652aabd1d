#include <gtest/gtest.h>

#include <oas/heading.hpp>

namespace {

oas::db::TableDef table() {
  oas::db::TableDef t;
  t.schema = "lab";
  t.name = "scan";
  t.columns = {{"id", "smallint", {}, false, ":int8:which one"},
               {"raw", "json", {}, false, ":<blob@cold>:"},
               {"here", "bytes", {}, true, ":<blob>:small: things"},
               {"old", "mediumint", {}, false, "of before"},
               {"odd", "bigint", {}, false, ":uint32:x"},
               {"_job_duration", "float32", {}, true, ":float32:"}};
  t.primary_key = {"id"};
  return t;
}

TEST(Heading, ReadsTypesFromComments) {
  const oas::Heading h = oas::heading_of(table(), {{"id", "lab.scan.id"}});
  ASSERT_EQ(h.size(), 6u);
  const oas::Attribute& id = h.at("id");
  EXPECT_EQ(id.type, "int8");
  EXPECT_EQ(id.column, "int8");
  EXPECT_EQ(id.comment, "which one");
  EXPECT_EQ(id.lineage, "lab.scan.id");
  EXPECT_TRUE(id.in_key);
  const oas::Attribute& raw = h.at("raw");
  EXPECT_EQ(raw.type, "<blob@cold>");
  EXPECT_EQ(raw.column, "json");
  EXPECT_EQ(raw.codec, "blob");
  EXPECT_EQ(raw.store, "cold");
  EXPECT_TRUE(raw.in_store);
  EXPECT_EQ(h.at("here").comment, "small: things");
  EXPECT_FALSE(h.at("here").in_store);
  EXPECT_TRUE(h.at("here").nullable);
}

TEST(Heading, KeepsWhatItDoesNotKnow) {
  const oas::Heading h = oas::heading_of(table());
  EXPECT_EQ(h.at("old").type, "mediumint");
  EXPECT_EQ(h.at("old").comment, "of before");
  EXPECT_EQ(h.at("odd").type, "uint32");    // shown
  EXPECT_EQ(h.at("odd").column, "bigint");  // used
}

TEST(Heading, KnowsTypesFromBeforeDataJoint2) {
  oas::db::TableDef t;
  t.columns = {{"packed", "longblob", {}, true, "of old"},      {"file", "longblob", {}, true, ":attach:"},
               {"blob", "binary(16)", {}, true, ":Blob@S-1:x"}, {"path", "binary(16)", {}, true, ":filepath@s:"},
               {"json", "json", {}, true, ":blob@s:"},          {"other", "binary(16)", {}, true, ":blobs@s:"},
               {"none", "binary(16)", {}, true, ":blob@:"}};
  for (const bool legacy : {false, true}) {
    const oas::Heading h = oas::heading_of(t, {}, legacy);
    EXPECT_EQ(h.at("packed").old, legacy);
    EXPECT_EQ(h.at("packed").codec, legacy ? "blob" : "");
    EXPECT_TRUE(h.at("file").old);
    EXPECT_EQ(h.at("file").codec, "attach");
    EXPECT_TRUE(h.at("blob").old);
    EXPECT_EQ(h.at("blob").type, "blob@S-1");
    EXPECT_EQ(h.at("blob").store, "S-1");
    EXPECT_EQ(h.at("path").column, "json");
    for (const char* name : {"json", "other", "none"}) EXPECT_FALSE(h.at(name).old) << name;
  }
}

TEST(Heading, HidesTheLibrarysOwn) {
  const oas::Heading h = oas::heading_of(table());
  EXPECT_TRUE(h.at("_job_duration").hidden);
  EXPECT_EQ(h.names(), (std::vector<std::string>{"id", "raw", "here", "old", "odd"}));
  EXPECT_EQ(h.primary_key(), std::vector<std::string>{"id"});
}

TEST(Heading, SaysWhatIsThereInstead) {
  const oas::Heading h = oas::heading_of(table());
  EXPECT_EQ(h.find("rwa"), nullptr);
  try {
    h.at("rwa");
    FAIL();
  } catch (const oas::Error& e) {
    EXPECT_EQ(e.code(), oas::Errc::unknown_attribute);
    EXPECT_NE(std::string(e.what()).find("raw"), std::string::npos) << e.what();
  }
}

TEST(Heading, RefusesTwoOfAName) {
  oas::Attribute a;
  a.name = "a";
  EXPECT_THROW(oas::Heading({a, a}), oas::Error);
}

TEST(Heading, ACodecItCannotReadIsOneThatIsNotKnown) {
  oas::db::TableDef t = table();
  for (const std::string type : {"<blob@@a<>", "<blob@a", "<>"}) {
    t.columns[1].comment = ":" + type + ":";
    EXPECT_EQ(oas::heading_of(t).attributes()[1].codec, type);
  }
}

TEST(Heading, OfNothingIsEmpty) {
  EXPECT_EQ(oas::Heading().size(), 0u);
  EXPECT_EQ(oas::Heading(), oas::Heading(std::vector<oas::Attribute>{}));
}

}  // namespace
