// Every blob of the golden cases: read to the same value, written to the same bytes, or refused. What is expected comes
// from what a case says and from its bytes, never from its name, so that any folder of cases can be run.
#include <zlib.h>

#include <algorithm>
#include <map>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "format/array_data.hpp"
#include "format/blob.hpp"
#include "format/dtype.hpp"
#include "support/golden_value.hpp"
#include "unit/format/golden.hpp"

namespace oas::format {
namespace {

using testing::golden_cases;
using testing::GoldenCase;
using testing::SameValue;
using Compress = PackOptions::Compress;

std::string sha256_hex(BytesView bytes) { return hex(sha256(std::span(&bytes, 1))); }

// ---- what the bytes say, without our reader

struct Plain {
  Bytes bytes;
  bool all_used = true;  // by the compressed stream
};

// nullopt if the envelope is damaged.
std::optional<Plain> plain_bytes(const Bytes& blob) {
  constexpr std::size_t prefix = 14;
  if (!blob.text().starts_with(std::string_view("ZL123\0", 6))) return Plain{blob};
  if (blob.size() < prefix) return std::nullopt;
  std::vector<std::byte> out(1 << 24);
  uLongf written = out.size();
  uLong used = blob.size() - prefix;
  if (uncompress2(reinterpret_cast<Bytef*>(out.data()), &written, reinterpret_cast<const Bytef*>(blob.data() + prefix),
                  &used) != Z_OK)
    return std::nullopt;
  out.resize(written);
  return Plain{Bytes(std::move(out)), used == blob.size() - prefix};
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  if (at + size <= bytes.size()) std::memcpy(&number, bytes.data() + at, size);
  return number;
}

// Why we refuse what the reference reads, or nothing.
std::string reason_to_refuse(const Bytes& blob, std::string_view refusal) {
  const auto plain = plain_bytes(blob);
  if (!plain) return {};
  const std::string_view text = plain->bytes.text();
  if (!text.starts_with(std::string_view("mYm\0", 4)) && !text.starts_with(std::string_view("dj0\0", 4)))
    return "no blob: the reference reads None";
  if (!plain->all_used) return "bytes after the compressed stream";
  if (text.substr(4, 1) == "A") {
    const std::size_t at = 13 + 8 * number_at(text, 5, 8);
    const std::uint64_t element = number_at(text, at, 4);
    if (element <= 2 || element == 16) return "elements of a type that is only a name";
    if ((element == 14 || element == 15) && number_at(text, at + 4, 4) != 0)
      return "complex integers of 64 bits, which may fit no float";
  }
  if (text.substr(4, 1) == "F" && refusal.find("differ in shape") != std::string_view::npos)
    return "fields of which some are repeated";
  if (text.substr(4, 1) == "d" && std::ranges::any_of(text, [](char c) { return (c & 0x80) != 0; }))
    return "digits that are not 0 to 9";
  if (text.substr(4, 1) == "t" && number_at(text, 9, 8) / 10'000'000'000 > 23) return "an hour of three digits";
  return {};
}

// ---- what a case says

// What was packed may be something that only Python has: {"t": "other"}, or times with zones.
std::optional<Value> expressible(const Value* notation) {
  if (!notation) return std::nullopt;
  try {
    return untyped(*notation);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool mentions(const Value& notation, std::string_view what) {
  return to_json(notation).find(what) != std::string::npos;
}

// Characters in two dimensions: the reference writes them in row order, and everybody reads column order.
bool has_character_matrix(const Value& value) {
  const Array* array = value.get_if<Array>();
  return array && array->dtype() == DType::bytes && !array->is_both_orders();
}

// The notation of what was packed as that of what is read: texts become objects; a cell array without elements has one
// dimension; what has no dimensions is a scalar, if it is not the field of a structure.
Value as_read(const Value& notation, bool is_field = false) {
  if (const Seq* list = notation.get_if<Seq>()) {
    Seq out;
    for (const Value& item : list->items) out.items.push_back(as_read(item, is_field));
    return out;
  }
  const Map* note = notation.get_if<Map>();
  if (!note) return notation;
  Map out;
  for (const auto& [name, member] : note->items) out.items.emplace_back(name, as_read(member, name == Value("fields")));
  const Value* dtype = out.find("dtype");
  if (out.at("t") == Value("matcell") && out.at("v").as<Seq>().items.empty()) out.set("shape", list({0}));
  if (out.at("t") != Value("array") || !dtype) return out;
  if (*dtype == Value("unicode")) {
    Seq items;
    for (const Value& text : out.at("v").as<Seq>().items) items.items.emplace_back(map({{"t", "str"}, {"v", text}}));
    return map({{"t", "array"}, {"dtype", "object"}, {"shape", out.at("shape")}, {"v", std::move(items)}});
  }
  if (!is_field && out.find("b64") && out.at("shape").as<Seq>().items.empty()) out.set("np_scalar", true);
  return out;
}

struct Count {
  std::size_t read = 0, refused = 0, written = 0, not_expressible = 0;
};

void expect_refused(const Bytes& blob, Count& count) {
  try {
    const Value value = unpack(blob);
    ADD_FAILURE() << "was read as " << to_typed(value).substr(0, 200);
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Errc::decode || error.code() == Errc::unsupported) << error.what();
    EXPECT_NE(std::string(error.what()).find("blob"), std::string::npos) << error.what();
  }
  ++count.refused;
}

void read_case(const GoldenCase& golden, const Bytes& blob, Count& count) {
  const Value *expected = golden.find("value"), *source = golden.find("source");
  const std::string error = golden.text("value_error");
  // Python cannot hold some values, and the reference reads no characters beyond ASCII. We do.
  const bool only_python = error.starts_with("TypeError: unhashable") ||
                           error.find("'ascii' codec") != std::string::npos ||
                           error == "ValueError: no field of name ";  // numpy gives it another name
  if (!expected && !source && !only_python) return expect_refused(blob, count);
  std::optional<Value> value;
  try {
    value = unpack(blob);
  } catch (const Error& e) {
    const std::string reason = reason_to_refuse(blob, e.what());
    EXPECT_FALSE(reason.empty()) << e.what();
    return expect_refused(blob, count);
  }
  ++count.read;
  SameValue same;
  if (expected) {
    EXPECT_TRUE(same(typed(*value), *expected)) << same.why();
  } else if (source && expressible(source) && !mentions(*source, "|S1")) {
    EXPECT_TRUE(same(typed(*value), as_read(*source))) << same.why();
  }
  // What was read can be written, and is read again as the same.
  const std::string notation = to_typed(*value);
  EXPECT_EQ(to_typed(from_typed(notation)), notation);
  EXPECT_EQ(to_typed(unpack(pack_joined(*value))), to_json(as_read(typed(*value))));
}

// The same bytes, or at least the same inside of an envelope that another zlib made.
bool same_bytes(const Value& value, const Bytes& blob, bool compress) {
  const Bytes packed = pack_joined(value, {compress ? Compress::always : Compress::never});
  if (packed == blob) return true;
  const auto ours = plain_bytes(packed), theirs = plain_bytes(blob);
  const bool other_zlib = std::string_view(zlibVersion()).find("ng") != std::string_view::npos;
  return other_zlib && ours && theirs && ours->bytes == theirs->bytes;
}

void write_case(const GoldenCase& golden, const Bytes& blob, Count& count) {
  const bool compress = golden.find("compress_requested")->as<bool>();
  const auto source = expressible(golden.find("source"));
  const auto value = golden.find("value") ? std::optional(untyped(*golden.find("value"))) : std::nullopt;
  if (source && has_character_matrix(*source)) {
    const Array &characters = source->as<Array>(), read = unpack(pack_joined(*source)).as<Array>();
    const Array rows = characters.to_order(Array::Order::row), texts = read.to_order(Array::Order::row);
    ASSERT_TRUE(std::ranges::equal(rows.shape(), texts.shape()));
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(texts.data().data()[4 * i], rows.data().data()[i]);
    ++count.written;
    return;
  }
  // What the reference read may be less than what it packed, or only what it packed can be said at all.
  const bool written = (source && same_bytes(*source, blob, compress)) || (value && same_bytes(*value, blob, compress));
  // The order of a set is Python's own.
  const bool has_set = value && mentions(*golden.find("value"), R"("t": "set")");
  if (!written && (has_set || (!value && !source))) {
    EXPECT_TRUE(same_bytes(unpack(blob), blob, compress));
    ++count.not_expressible;
    return;
  }
  EXPECT_TRUE(written) << "ours: " << hex(pack_joined(source ? *source : *value)).substr(0, 400);
  ++count.written;
  const Value& whole = source ? *source : *value;
  EXPECT_EQ(to_typed(unpack(pack_joined(whole))), to_typed(unpack(pack_joined(whole, {Compress::never}))));
}

// Refusals to pack have no value; the reason tells of most what it was.
std::optional<Value> refused_value(const std::string& error) {
  constexpr std::string_view type = "DataJointError: Type ", unknown = " is ambiguous or unknown";
  if (error.starts_with(type) && error.ends_with(unknown)) {
    const std::string name = error.substr(type.size(), error.size() - type.size() - unknown.size());
    if (name == "[]" || name == "object" || name == "StringDType()") return std::nullopt;  // no such type of ours
    return Array::zeros(parse_dtype(name), {2});
  }
  if (error.find("surrogates not allowed") != std::string::npos) return Value("\xED\xA0\x80");
  if (error.find("Integers are limited") != std::string::npos) return BigInt{std::string(157'900, '9')};
  return std::nullopt;
}

void refuse_case(const GoldenCase& golden, Count& count) {
  const auto value = refused_value(golden.text("error"));
  if (!value) {
    EXPECT_NE(golden.text("error").find("Error"), std::string::npos);
    ++count.not_expressible;  // objects that only Python has
    return;
  }
  try {
    pack(*value);
    ADD_FAILURE() << "was packed";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Errc::usage || error.code() == Errc::unsupported) << error.what();
  }
  ++count.refused;
}

TEST(BlobGolden, EveryCase) {
  std::map<std::string, Count> kinds;
  const auto cases = golden_cases("blobs");
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name);
    const std::string kind = golden.text("kind");
    Count& count = kinds[kind];
    if (kind == "pack_error") {
      EXPECT_NO_THROW(refuse_case(golden, count));
      continue;
    }
    const Bytes blob = testing::golden_file("blobs", golden);
    EXPECT_EQ(sha256_hex(blob), golden.text("sha256")) << "the file is not the one that the case is about";
    EXPECT_NO_THROW(read_case(golden, blob, count));
    if (kind == "pack")
      EXPECT_NO_THROW(write_case(golden, blob, count));
    else
      EXPECT_TRUE(kind == "literal" || kind == "raw") << "a kind that this test does not know: " << kind;
  }
  for (const auto& [kind, count] : kinds)
    std::printf("golden blobs, %s: %zu read, %zu written, %zu refused, %zu not expressible\n", kind.c_str(), count.read,
                count.written, count.refused, count.not_expressible);
  EXPECT_FALSE(cases.empty()) << "no cases in " << testing::golden_folder() / "blobs";
}

}  // namespace
}  // namespace oas::format
