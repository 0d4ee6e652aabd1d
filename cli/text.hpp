// Values as people and scripts read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <oas/value.hpp>

namespace oas::cli {

/// What to_json can write. Arrays, files and references are summaries, {"kind": …}; docs/howto/cli.md lists them.
Value plain(const Value& value);
/// The same, but arrays come with their elements, under "data". References are not read.
Value plain_with_data(const Value& value);
/// The elements as nested lists.
Value nested(const Array& array);

/// One line for a person; arrays and files as summaries.
std::string brief(const Value& value);
/// Without what could steer a terminal: control characters are escaped, line ends too unless kept.
std::string printable(std::string_view text, bool keep_lines = false);
/// "12.3 kB"
std::string human_size(std::uint64_t bytes);

/// Rows of texts under a heading, in columns. Widths come from the first rows, so that a long table streams.
class Columns {
 public:
  /// `right`: which columns are numbers.
  Columns(std::vector<std::string> names, std::vector<bool> right);
  void add(std::vector<std::string> cells);
  /// Prints what is left. Returns the number of rows.
  std::size_t finish();

 private:
  void print(const std::vector<std::string>& cells) const;
  void print_waiting();

  std::vector<std::string> names_;
  std::vector<bool> right_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> waiting_;
  std::size_t rows_ = 0;
  bool begun_ = false;
};

}  // namespace oas::cli
