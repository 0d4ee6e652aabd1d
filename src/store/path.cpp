#include "store/path.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace oas::store {
std::string broken_rule(std::string_view key) {
  if (key.empty()) return "it is empty";
  if (key.size() > max_key_size) return fmt::format("it has {} bytes, more than {}", key.size(), max_key_size);
  if (key.find('\0') != std::string_view::npos) return "it has a NUL";
  if (key.front() == '/') return "it begins with '/', and keys are relative";
  if (!valid_utf8(key)) return "it is not UTF-8";
  for (std::size_t first = 0; first <= key.size();) {
    const std::size_t last = std::min(key.find('/', first), key.size());
    const std::string_view part = key.substr(first, last - first);
    if (part.empty()) return last == key.size() ? "it ends with '/'" : "it has an empty part ('//')";
    if (part == "." || part == "..") return fmt::format("it has the part '{}'", part);
    first = last + 1;
  }
  return {};
}

void check_key(std::string_view key) {
  const std::string rule = broken_rule(key);
  if (rule.empty()) return;
  throw Error(Errc::usage,
              fmt::format("key '{}': {}. keys are UTF-8 text, parts separated by '/', at most {} bytes", shown(key),
                          rule, max_key_size),
              shown(key));
}

Extent inside(const ByteRange& range, std::uint64_t object_size) {
  const bool starts_inside = range.offset <= object_size;
  if (starts_inside && !range.length) return {range.offset, object_size - range.offset};
  if (starts_inside && *range.length <= object_size - range.offset) return {range.offset, *range.length};
  throw Error(Errc::usage, fmt::format("bytes {} to {} were asked for: the object ends at {}", range.offset,
                                       range.length ? fmt::format("+{}", *range.length) : "the end", object_size));
}

}  // namespace oas::store
