// The JSON that DataJoint for Python left in rows and beside folders, cut at every byte and with bits turned over: what
// is still JSON is read or refused, what is none is refused with the place.
#include <fmt/format.h>

#include <functional>
#include <random>

#include "codec/metadata.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "interop/rows/golden_rows.hpp"

namespace oas::interop {
namespace {

bool is_json(const std::string& text) {
  try {
    from_strict_json(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// `read` must end in an error of the code, or in nothing; it gives the number of those that it refused.
std::size_t damage(const std::string& whole, Errc code, const std::function<void(const std::string&)>& read) {
  std::mt19937 random(20'261'123);
  std::size_t refused = 0;
  const auto attempt = [&](const std::string& text) {
    try {
      read(text);
      EXPECT_TRUE(is_json(text)) << text;
    } catch (const Error& e) {
      ++refused;
      const std::string message = e.what();
      EXPECT_EQ(e.code(), code) << message;
      EXPECT_TRUE(valid_utf8(message) && message.size() < 1000) << message;
      EXPECT_TRUE(is_json(text) || message.find("at byte ") != message.npos ||
                  message.find("comes twice") != message.npos)
          << message << "\n"
          << text;
    }
  };
  for (std::size_t size = 0; size < whole.size(); ++size) attempt(whole.substr(0, size));
  for (int i = 0; i < 60; ++i) {
    std::string damaged = whole;
    for (int flips = 0; flips <= i % 3; ++flips)
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    attempt(damaged);
  }
  return refused;
}

TEST(DamagedRows, MetadataAndManifestsSayWhere) {
  std::size_t cells = 0, manifests = 0;
  for (const char* backend : {"postgresql", "mysql"}) {
    const GoldenRows golden(backend);
    for (const testing::GoldenCase& one : golden.cases) {
      const Value* raw = one.find("raw");
      if (!raw) continue;
      SCOPED_TRACE(one.name);
      for (const Value& row : raw->get_if<Seq>()->items) {
        for (const auto& [name, cell] : row.get_if<Map>()->items) {
          const std::string* text = cell.get_if<std::string>();
          if (!text || text->find("\"path\"") == std::string::npos || !is_json(*text)) continue;
          ++cells;
          const std::size_t refused = damage(*text, Errc::decode, [](const std::string& damaged) {
            codec::read_metadata(codec::parse_metadata(damaged));
          });
          EXPECT_GE(refused, text->size());  // the last brace closes it
        }
      }
    }
    for (const StoredFile& file : golden.files) {
      if (!file.key.ends_with(".manifest.json")) continue;
      ++manifests;
      SCOPED_TRACE(file.key);
      const std::string text(golden.content(file).text());
      EXPECT_GE(
          damage(text, Errc::integrity, [](const std::string& damaged) { codec::read_manifest(as_bytes(damaged)); }),
          text.size() - 1);
    }
  }
  testing::tell_cases("rows, metadata damaged", cells);
  if (manifests != 0) testing::tell_cases("rows, manifests damaged", manifests);
}

}  // namespace
}  // namespace oas::interop
