// What people type becomes values of the attribute's type. The rules are in docs/howto/cli.md.
#pragma once

#include <filesystem>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <oas/session.hpp>

namespace oas::cli {

/// A text of the command line or of a CSV file. "@file" reads a file where the type is one of files or arrays.
/// Errors: usage, syntax, decode.
Value from_text(const Attribute& attribute, const std::string& text);
/// A member of a line of JSON.
Value from_plain(const Attribute& attribute, const Value& json);

/// "attribute=value"; nullopt if it is something else, such as the name of a file.
std::optional<std::pair<std::string, std::string>> assignment(const std::string& argument);

enum class RowFormat { json, typed, csv };

/// Rows for a table, one after the other. Errors name the line.
class RowReader {
 public:
  /// `in` and `session` outlive the reader. `name` is for messages.
  RowReader(std::istream& in, std::string name, RowFormat format, const Heading& heading, Session& session);
  ~RowReader();
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;
  bool next(Row& row);

 private:
  bool next_json(Row& row);
  bool next_csv(Row& row);
  /// The fields of a record, nullopt for those that were empty and not quoted. False at the end.
  bool read_record(std::vector<std::optional<std::string>>& fields);
  Value from_notation(const Attribute& attribute, const Value& notation);
  std::filesystem::path unpack_folder(const Map& notation);

  std::istream& in_;
  std::string name_;
  RowFormat format_;
  const Heading heading_;
  Session& session_;
  std::size_t line_ = 0;
  std::vector<std::string> names_;  // of CSV
  std::filesystem::path folder_;    // made when a folder object arrives in a row
  std::size_t folders_ = 0;
};

}  // namespace oas::cli
