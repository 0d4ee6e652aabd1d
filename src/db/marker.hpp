// What stands in front of a column's comment: `:type:comment` for attributes whose type the database does not know.
#pragma once

#include <string_view>

namespace oas::db {

struct MarkedComment {
  std::string_view type;  ///< empty if the comment has none
  std::string_view text;
};
/// Views into `comment`. A ':' in quotes belongs to the type, as in :enum('a:b'):.
inline MarkedComment read_marker(std::string_view comment) {
  if (!comment.starts_with(':')) return {{}, comment};
  std::size_t end = 1;
  for (char quote = 0; end < comment.size(); ++end) {
    const char c = comment[end];
    if (quote)
      quote = c == quote ? '\0' : quote;
    else if (c == ':')
      break;
    else if (c == '\'' || c == '"')
      quote = c;
  }
  if (end == comment.size()) end = comment.find(':', 1);
  if (end == std::string_view::npos || end == 1) return {{}, comment};
  return {comment.substr(1, end - 1), comment.substr(end + 1)};
}

}  // namespace oas::db
