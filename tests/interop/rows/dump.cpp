#include "interop/rows/dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <oas/error.hpp>

#include "core/encoding.hpp"
#include "unit/format/golden.hpp"

namespace oas::interop {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text)
      : rest_(text),
        mysql_(text.find("\n-- MariaDB dump") != text.npos || text.find("-- MySQL dump") != text.npos ||
               text.find("-- MariaDB dump") != text.npos) {}

  std::vector<DumpedTable> run() {
    while (!rest_.empty()) {
      if (take("CREATE TABLE "))
        create();
      else if (take("INSERT INTO "))
        insert();
      else if (take("COPY "))
        copy();
      else
        line();
    }
    return std::move(tables_);
  }

 private:
  [[noreturn]] void fail(std::string_view wanted) const {
    throw Error(Errc::syntax, fmt::format("read a dump: {} is wanted at: {}", wanted, rest_.substr(0, 60)));
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void need(std::string_view word) {
    if (!take(word)) fail(word);
  }
  void blanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front()))) rest_.remove_prefix(1);
  }
  std::string_view line() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return found;
  }
  // x, "x" or `x`; a schema in front is passed over.
  std::string name() {
    std::string found;
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '`')) {
      const std::size_t end = rest_.find(rest_.front(), 1);
      if (end == rest_.npos) fail("the end of a name");
      found = rest_.substr(1, end - 1);
      rest_.remove_prefix(end + 1);
    } else {
      while (!rest_.empty() && (std::isalnum(static_cast<unsigned char>(rest_.front())) || rest_.front() == '_')) {
        found += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    if (found.empty()) fail("a name");
    return take(".") ? name() : found;
  }
  DumpedTable& table(const std::string& wanted) {
    const auto found = std::ranges::find(tables_, wanted, &DumpedTable::name);
    if (found == tables_.end()) fail("CREATE TABLE before its rows");
    return *found;
  }

  void create() {
    DumpedTable made;
    made.name = name();
    for (line(); !rest_.starts_with(")"); line()) {  // a line a column, then the keys
      blanks();
      const bool column = rest_.front() == '`' || (!mysql_ && !rest_.starts_with("CONSTRAINT "));
      if (column) made.columns.push_back(name());
    }
    tables_.push_back(std::move(made));
  }

  void insert() {
    DumpedTable& into = table(name());
    blanks();
    need("VALUES");
    do {
      blanks();
      need("(");
      into.rows.emplace_back();
      do {
        blanks();
        into.rows.back().push_back(cell());
        blanks();
      } while (take(","));
      need(")");
      if (into.rows.back().size() != into.columns.size()) fail("as many values as columns");
      blanks();
    } while (take(","));
    need(";");
  }

  DumpedCell cell() {
    if (take("NULL")) return {};
    take("_binary ");
    if (take("0x")) {
      std::string digits = word();
      std::ranges::transform(digits, digits.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
      return {digits, true};
    }
    if (!take("'")) return {word(), false};
    std::string text;
    for (;;) {
      if (rest_.empty()) fail("the end of a text");
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\'' && !take("'")) break;
      if (c == '\\' && mysql_) {
        constexpr std::string_view letters = "0bnrtZ", mean{"\0\b\n\r\t\x1a", 6};
        const std::size_t at = letters.find(rest_.front());
        text += at == letters.npos ? rest_.front() : mean[at];
        rest_.remove_prefix(1);
      } else {
        text += c;
      }
    }
    if (!mysql_ && text.starts_with("\\x")) return {text.substr(2), true};
    return {text, false};
  }
  std::string word() {
    const std::size_t end = rest_.find_first_of(",)");
    const std::string found(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end, rest_.size()));
    return found;
  }

  void copy() {
    DumpedTable& into = table(name());
    line();  // the columns, in the order of the table
    for (std::string_view row = line(); row != "\\."; row = line()) {
      into.rows.emplace_back();
      for (std::size_t first = 0; first <= row.size();) {
        const std::size_t end = std::min(row.find('\t', first), row.size());
        into.rows.back().push_back(copied(row.substr(first, end - first)));
        first = end + 1;
      }
      if (into.rows.back().size() != into.columns.size()) fail("as many values as columns");
    }
  }
  static DumpedCell copied(std::string_view escaped) {
    if (escaped == "\\N") return {};
    std::string text;
    for (std::size_t i = 0; i < escaped.size(); ++i) {
      if (escaped[i] != '\\' || ++i == escaped.size()) {
        text += escaped[std::min(i, escaped.size() - 1)];
        continue;
      }
      constexpr std::string_view letters = "bfnrtv", mean = "\b\f\n\r\t\v";
      const std::size_t at = letters.find(escaped[i]);
      text += at == letters.npos ? escaped[i] : mean[at];
    }
    if (text.starts_with("\\x")) return {text.substr(2), true};
    return {text, false};
  }

  std::string_view rest_;
  bool mysql_;
  std::vector<DumpedTable> tables_;
};

}  // namespace

std::string DumpedCell::hex() const { return is_hex ? *text : oas::hex(as_bytes(*text)); }

std::vector<DumpedTable> read_dump(const std::filesystem::path& path) {
  const Bytes text = testing::read_file(path);
  return Reader(text.text()).run();
}

}  // namespace oas::interop
