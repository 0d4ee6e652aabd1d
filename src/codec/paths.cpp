#include "codec/paths.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "store/path.hpp"

namespace oas::codec {
namespace {

constexpr std::size_t longest_part = 255;   // bytes: what file systems take
constexpr std::size_t longest_path = 900;   // bytes: leaves room in a key for what lies inside of a folder object
constexpr std::size_t longest_plain = 100;  // characters of a key's text; longer ones are cut
constexpr std::size_t kept_of_longer = 50;  // characters

std::string short_hash(std::string_view text) {
  const BytesView bytes = as_bytes(text);
  return hex(md5(std::span<const BytesView>(&bytes, 1))).substr(0, 8);
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '.' || c == '-' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// The offset of character `count`, or npos if there are no more.
std::size_t offset_of_character(std::string_view utf8, std::size_t count) {
  for (std::size_t i = 0; i < utf8.size(); ++i)
    if ((static_cast<unsigned char>(utf8[i]) & 0xC0) != 0x80 && count-- == 0) return i;
  return std::string_view::npos;
}

// The rule for text: cut if it is long, percent-encoded as a whole if it was long or holds what paths give a meaning.
std::string escaped(const std::string& text) {
  std::string kept = text;
  bool encode = text.find_first_of("/\\:*?\"<>|") != std::string::npos;
  if (offset_of_character(text, longest_plain) != std::string_view::npos) {
    kept = text.substr(0, offset_of_character(text, kept_of_longer)) + "_" + short_hash(text);
    encode = true;
  }
  // Ours besides: what no key may hold (NUL, broken UTF-8) is encoded too.
  return encode || !store::broken_rule("k=" + kept).empty() ? percent_encoded(kept) : kept;
}

// As numpy 2 writes a float32: the shortest digits that give it back, with an exponent from a million on.
std::string float32_text(float number) {
  const double size = std::abs(static_cast<double>(number));
  char buffer[32];
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e6) || !std::isfinite(number);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  char* const end = std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr;
  if (!plain) return std::string(buffer, end);
  double same_digits = number;
  std::from_chars(buffer, end, same_digits);
  return python_float_repr(same_digits);
}

// As Python writes bytes: b'…'.
std::string python_bytes(BytesView bytes) {
  const std::string_view text = as_text(bytes);
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out = std::string("b") + quote;
  for (const char c : text) {
    if (c == '\\' || c == quote)
      out += std::string("\\") + c;
    else if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c < 0x20 || c >= 0x7F)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + quote;
}

std::string datetime_text(DateTime value) {
  constexpr std::int64_t second = 1'000'000;
  constexpr std::int64_t day = 86'400 * second;
  std::int64_t of_day = value.microseconds % day;
  if (of_day < 0) of_day += day;
  const std::chrono::sys_days date{std::chrono::days((value.microseconds - of_day) / day)};
  const std::chrono::year_month_day ymd(date);
  of_day /= second;
  return fmt::format("{}-{:02}-{:02}T{:02}-{:02}-{:02}", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), of_day / 3600,
                     of_day / 60 % 60, of_day % 60);
}

std::string array_text(const Array& array) {
  if (array.ndim() == 0) {
    const Array one = array.to_native();
    switch (one.dtype()) {
      case DType::f32: return float32_text(one.item<float>());
      case DType::f64: return python_float_repr(one.item<double>());
      case DType::bool_: return one.item<bool>() ? "True" : "False";
      case DType::u64: return fmt::format("{}", Value(one).as<std::uint64_t>());
      case DType::i8:
      case DType::i16:
      case DType::i32:
      case DType::i64:
      case DType::u8:
      case DType::u16:
      case DType::u32: return fmt::format("{}", Value(one).as<std::int64_t>());
      default: break;
    }
  }
  throw Error(Errc::usage, fmt::format("make a path: {} cannot be a key", Value(array).describe()));
}

struct KeyText {
  std::string operator()(Null) const { return "None"; }
  std::string operator()(bool value) const { return value ? "True" : "False"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(const BigInt& value) const { return value.digits; }
  std::string operator()(double value) const { return python_float_repr(value); }
  std::string operator()(const std::string& value) const { return escaped(value); }
  std::string operator()(const Bytes& value) const { return escaped(python_bytes(value)); }
  std::string operator()(const Decimal& value) const { return escaped(value.digits); }
  std::string operator()(Date value) const { return value.iso(); }
  std::string operator()(Time value) const { return value.iso(); }
  std::string operator()(DateTime value) const { return datetime_text(value); }
  std::string operator()(const Uuid& value) const { return value.text(); }
  std::string operator()(const Array& value) const { return array_text(value); }
  template <class T>
  std::string operator()(const T& value) const {
    throw Error(Errc::usage, fmt::format("make a path: {} cannot be a key", Value(value).describe()));
  }
};

// "name=text" in at most `longest` bytes: what is longer is cut, and a hash of the whole stands for the rest.
std::string key_part(std::string_view name, const std::string& text, std::size_t longest) {
  std::string part = fmt::format("{}={}", name, text);
  if (part.size() <= longest) return part;
  const std::string hash = "_" + short_hash(part);
  std::size_t kept = longest - hash.size();
  while (kept > 0 && (static_cast<unsigned char>(part[kept]) & 0xC0) == 0x80) --kept;  // whole characters
  // … and whole escapes: a '%' just before the cut would lose its digits.
  for (std::size_t back = 1; back <= 2 && back <= kept; ++back)
    if (part[kept - back] == '%') kept -= back;
  return part.substr(0, kept) + hash;
}

std::string without_slashes(std::string_view text) {
  const std::size_t first = text.find_first_not_of('/');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of('/') - first + 1));
}

void append(std::string& path, std::string_view part) {
  if (part.empty()) return;
  if (!path.empty()) path += '/';
  path += part;
}

// The names in {braces}, in order.
std::vector<std::string_view> partition_names(std::string_view pattern) {
  std::vector<std::string_view> names;
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    std::size_t end = open + 1;
    while (end < pattern.size() && is_word(pattern[end])) ++end;
    if (end > open + 1 && end < pattern.size() && pattern[end] == '}')
      names.push_back(pattern.substr(open + 1, end - open - 1));
  }
  return names;
}

std::string checked(std::string path) {
  const std::string rule = store::broken_rule(path);
  if (!rule.empty()) throw Error(Errc::usage, fmt::format("make the path '{}': {}", shown(path), rule), shown(path));
  return path;
}

}  // namespace

std::string hash_section(const StoreConfig& config) { return without_slashes(config.hash_prefix.value_or("_hash")); }
std::string schema_section(const StoreConfig& config) {
  return without_slashes(config.schema_prefix.value_or("_schema"));
}

std::string filepath_section(const StoreConfig& config) { return without_slashes(config.filepath_prefix.value_or("")); }

std::string hashed_path(const StoreConfig& config, std::string_view schema, std::string_view hash) {
  const bool good = hash.size() == 26 &&
                    std::ranges::all_of(hash, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (!good)
    throw Error(Errc::usage, fmt::format("make the path of content '{}': a hash has 26 lower-case letters and digits",
                                         shown(hash, 40)));
  std::string path = hash_section(config);
  append(path, schema);
  std::string_view rest = hash;
  for (const int length : config.subfolding) {
    const std::string_view fold = rest.substr(0, static_cast<std::size_t>(std::max(length, 0)));
    append(path, fold);
    rest.remove_prefix(fold.size());
  }
  append(path, hash);
  return checked(std::move(path));
}

std::string key_text(const Value& value) { return std::visit(KeyText{}, value.variant()); }

std::string named_path(const StoreConfig& config, const Site& site, std::string_view extension,
                       std::string_view token) {
  static const Row no_key;
  const Row& key = site.key ? *site.key : no_key;
  std::vector<std::pair<std::string_view, std::string>> parts;  // in front, then behind the table
  std::set<std::string_view> in_front;
  const std::string pattern = config.partition_pattern.value_or("");
  for (const std::string_view name : partition_names(pattern)) {
    const Value* value = key.find(name);
    if (!value) continue;
    parts.emplace_back(name, key_text(*value));
    in_front.insert(name);
  }
  const std::size_t split = parts.size();
  for (const auto& [name, value] : key)
    if (!in_front.contains(name)) parts.emplace_back(name, key_text(value));

  const bool dotted = extension.empty() || extension.front() == '.';
  const std::string last = fmt::format("{}_{}{}{}", site.attribute, token, dotted ? "" : ".", extension);
  if (extension.find('/') != std::string_view::npos || last.size() > longest_part)
    throw Error(Errc::usage, fmt::format("make the path of an object with extension '{}': it is no end of a file name",
                                         shown(extension, 40)));

  // Keys that are too long together are cut further, until the path leaves room.
  for (const std::size_t longest : {longest_part, std::size_t{128}, std::size_t{64}, std::size_t{32}}) {
    std::string path = schema_section(config);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i == split) append(path, fmt::format("{}/{}", site.schema, site.table));
      append(path, key_part(parts[i].first, parts[i].second, longest));
    }
    if (parts.size() == split) append(path, fmt::format("{}/{}", site.schema, site.table));
    append(path, last);
    if (path.size() <= longest_path || longest == 32) return checked(std::move(path));
  }
  return {};  // not reached
}

std::string random_token(int length) {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, 16> random{};
  if (::getentropy(random.data(), random.size()) != 0)
    throw Error(Errc::unavailable, "make a token: the system's random source failed");
  std::string token;
  for (int i = 0; i < std::clamp(length, 4, 16); ++i) token += letters[random[static_cast<std::size_t>(i)] % 64];
  return token;
}

std::string manifest_path(std::string_view folder_path) { return std::string(folder_path) + ".manifest.json"; }

}  // namespace oas::codec
