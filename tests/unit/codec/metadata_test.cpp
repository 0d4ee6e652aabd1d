#include "codec/metadata.hpp"

#include <gtest/gtest.h>

#include "core/json.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

TEST(Manifest, IsWrittenAsDataJointForPythonWritesIt) {
  const std::vector<FileInfo> files{{"one.txt", 1}, {"sub/two.txt", 2}, {"sub/deep/ü", 3}};
  EXPECT_EQ(manifest_text(files, 6, "2026-11-23T10:17:13.678597+00:00"), R"({
  "files": [
    {
      "path": "one.txt",
      "size": 1
    },
    {
      "path": "sub/two.txt",
      "size": 2
    },
    {
      "path": "sub/deep/\u00fc",
      "size": 3
    }
  ],
  "total_size": 6,
  "item_count": 3,
  "created": "2026-11-23T10:17:13.678597+00:00"
})");
  EXPECT_EQ(read_manifest(as_bytes(manifest_text(files, 6, "now"))), files);
  EXPECT_TRUE(read_manifest(as_bytes(manifest_text({}, 0, "now"))).empty());
}

TEST(Manifest, HostileOnesAreRefused) {
  const auto with = [](const std::string& files) { return "{\"files\": [" + files + "]}"; };
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("{\"files\": 3}"), std::string(),
        with(R"({"path": "../x", "size": 1})"), with(R"({"path": "/etc/x", "size": 1})"),
        with(R"({"path": "a/./x", "size": 1})"), with(R"({"path": "", "size": 1})"),
        with(R"({"path": "x\u0000y", "size": 1})"), with(R"({"path": "x", "size": -1})"),
        with(R"({"path": "x", "size": "1"})"), with(R"({"path": "x"})"), with(R"({"size": 1})"), with("3"),
        with(R"({"path": "x", "size": 1}, {"path": "x", "size": 1})"),
        with(R"({"path": "x", "size": 1}, {"path": "x/y", "size": 1})"), with(std::string(100'000, '['))})
    EXPECT_EQ(code_of([&] { read_manifest(as_bytes(text)); }), Errc::integrity) << text.substr(0, 60);
}

TEST(Metadata, HasTheMembersAndTheirOrder) {
  const Stored stored{"_hash/lab/abc", "raw", 24};
  EXPECT_EQ(to_json(hashed_metadata("abc", stored, "lab")),
            R"({"hash": "abc", "path": "_hash/lab/abc", "schema": "lab", "store": "raw", "size": 24})");
  EXPECT_EQ(to_json(object_metadata({"p", "raw", 4}, std::nullopt, std::nullopt, "now")),
            R"({"path": "p", "store": "raw", "size": 4, "ext": null, "is_dir": false, "item_count": null, )"
            R"("timestamp": "now"})");
  EXPECT_EQ(to_json(object_metadata({"p", "raw", 6}, ".zarr", 3, "now")),
            R"({"path": "p", "store": "raw", "size": 6, "ext": ".zarr", "is_dir": true, "item_count": 3, )"
            R"("timestamp": "now"})");
}

TEST(Metadata, IsReadWhateverElseIsThere) {
  const Metadata known =
      read_metadata(map({{"x", 1}, {"path", "a/b"}, {"store", "raw"}, {"size", 7}, {"is_dir", true}}));
  EXPECT_EQ(known.path, "a/b");
  EXPECT_EQ(known.store, "raw");
  EXPECT_EQ(known.size, 7u);
  EXPECT_TRUE(known.folder);
  EXPECT_EQ(read_metadata(map({{"path", "a"}, {"size", nullptr}})).size, std::nullopt);
}

TEST(Metadata, DamagedOrHostileIsDecode) {
  for (const Value& stored :
       {Value(), Value(3), Value("text"), Value(Map{}), Value(list({1})), Value(map({{"path", 3}})),
        Value(map({{"path", ""}})), Value(map({{"path", "../x"}})), Value(map({{"path", "/etc/passwd"}})),
        Value(map({{"path", "a//b"}})), Value(map({{"path", "a"}, {"store", 1}})),
        Value(map({{"path", "a"}, {"size", -1}})), Value(map({{"path", "a"}, {"size", "1"}})),
        Value(map({{"path", "a"}, {"is_dir", "yes"}})), Value(map({{"path", std::string(5000, 'x')}}))}) {
    EXPECT_EQ(code_of([&] { read_metadata(stored); }), Errc::decode) << stored.describe();
    EXPECT_EQ(code_of([&] { make_ref(stored, nullptr); }), Errc::decode) << stored.describe();
  }
}

TEST(Metadata, TimestampHasMicrosecondsAndZone) {
  const std::string text = utc_timestamp();
  ASSERT_EQ(text.size(), std::string_view("2026-11-23T10:17:13.670994+00:00").size()) << text;
  EXPECT_EQ(text[10], 'T');
  EXPECT_EQ(text[19], '.');
  EXPECT_EQ(text.substr(26), "+00:00");
}

}  // namespace
}  // namespace oas::codec
