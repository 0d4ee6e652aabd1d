#include "db/mysql_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace oas::db {
namespace {

struct Token {
  enum class Kind : std::uint8_t { end, word, name, text, mark, other } kind = Kind::end;
  std::string_view text;  ///< as it is written; of a name without its quotation marks
  std::size_t at = 0;
};

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  Token next() {
    skip_blanks();
    const std::size_t first = at_;
    if (at_ == sql_.size()) return {Token::Kind::end, {}, first};
    const char c = sql_[at_];
    if (c == '`' || c == '\'' || c == '"') {
      skip_quoted(c);
      if (c != '`') return {Token::Kind::text, sql_.substr(first, at_ - first), first};
      return {Token::Kind::name, sql_.substr(first + 1, std::max<std::size_t>(at_ - first, 2) - 2), first};
    }
    if (!in_word(c)) return {c == '?' ? Token::Kind::mark : Token::Kind::other, sql_.substr(at_++, 1), first};
    while (at_ < sql_.size() && in_word(sql_[at_])) ++at_;
    return {Token::Kind::word, sql_.substr(first, at_ - first), first};
  }

 private:
  static bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
  }
  static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  bool here(std::string_view text) const { return sql_.substr(at_).starts_with(text); }

  void skip_blanks() {
    for (;;) {
      while (at_ < sql_.size() && is_blank(sql_[at_])) ++at_;
      if (here("/*") && !here("/*!") && !here("/*M!")) {
        const std::size_t end = sql_.find("*/", at_ + 2);
        at_ = end == sql_.npos ? sql_.size() : end + 2;
      } else if (here("#") || (here("--") && (at_ + 2 == sql_.size() || is_blank(sql_[at_ + 2])))) {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else {
        return;
      }
    }
  }
  void skip_quoted(char mark) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (sql_[at_] == '\\' && mark != '`') {
        ++at_;
      } else if (sql_[at_] == mark) {
        if (at_ + 1 == sql_.size() || sql_[at_ + 1] != mark) break;
        ++at_;
      }
    }
    at_ = std::min(at_ + 1, sql_.size());
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

bool is_word(const Token& token, std::string_view upper) {
  return token.kind == Token::Kind::word &&
         std::ranges::equal(token.text, upper, [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}
template <std::size_t N>
bool is_one_of(const Token& token, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return is_word(token, word); });
}

constexpr std::array<std::string_view, 8> reading{"SELECT",  "VALUES",   "TABLE", "SHOW",
                                                  "EXPLAIN", "DESCRIBE", "DESC",  "ANALYZE"};
constexpr std::array<std::string_view, 4> changing{"INSERT", "REPLACE", "UPDATE", "DELETE"};
constexpr std::array<std::string_view, 5> defining{"CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE"};
constexpr std::array<std::string_view, 8> before_table{"INTO",    "FROM",         "IGNORE", "QUICK",
                                                       "DELAYED", "LOW_PRIORITY", "UPDATE", "HIGH_PRIORITY"};

std::string unquoted(const Token& token) {
  std::string out;
  for (std::size_t i = 0; i < token.text.size(); ++i) {
    out += token.text[i];
    if (token.kind == Token::Kind::name && token.text[i] == '`') ++i;  // it is doubled
  }
  return out;
}

}  // namespace

MysqlText scan_mysql(std::string_view sql) {
  MysqlText out;
  Scanner scanner(sql);
  Token token = scanner.next();
  while (token.kind == Token::Kind::other && (token.text == "(" || token.text == ";")) token = scanner.next();
  if (token.kind == Token::Kind::end) return out;
  const bool insert = is_word(token, "INSERT") || is_word(token, "REPLACE");
  const bool with = is_word(token, "WITH");
  out.verb = is_one_of(token, reading) || with ? MysqlVerb::reads
             : is_one_of(token, changing)      ? MysqlVerb::changes
             : is_one_of(token, defining)      ? MysqlVerb::defines
             : is_word(token, "LOCK")          ? MysqlVerb::locks
                                               : MysqlVerb::forbidden;

  int depth = 0;
  bool named = out.verb != MysqlVerb::changes;  // or there is no table to name
  std::size_t lists = 0;
  for (token = scanner.next(); token.kind != Token::Kind::end;) {
    const bool symbol = token.kind == Token::Kind::other;
    if (symbol && token.text == ";") {
      while (token.kind == Token::Kind::other && token.text == ";") token = scanner.next();
      if (token.kind == Token::Kind::end) break;
      out.verb = MysqlVerb::several;
      return out;
    }
    if (symbol) depth += token.text == "(" ? 1 : token.text == ")" ? -1 : 0;
    if (with && depth == 0 && is_one_of(token, changing)) out.verb = MysqlVerb::changes;
    if (!named && (token.kind == Token::Kind::name || token.kind == Token::Kind::word) &&
        !is_one_of(token, before_table)) {
      named = true;
      out.table = unquoted(token);
      token = scanner.next();
      if (token.kind != Token::Kind::other || token.text != ".") continue;
      token = scanner.next();
      out.schema = std::exchange(out.table, unquoted(token));
    }
    out.upsert = out.upsert || (insert && depth == 0 && is_word(token, "DUPLICATE"));
    if (insert && depth == 0 && lists == 0 && is_word(token, "VALUES")) {
      token = scanner.next();
      const std::size_t first = token.at;
      bool marks = token.kind == Token::Kind::other && token.text == "(";
      for (token = scanner.next(); marks && token.kind == Token::Kind::mark;) {
        token = scanner.next();
        if (token.kind == Token::Kind::other && token.text == ",") token = scanner.next();
      }
      marks = marks && token.kind == Token::Kind::other && token.text == ")";
      ++lists;
      if (!marks) continue;  // somewhere inside of the list
      const std::size_t end = token.at + 1;
      token = scanner.next();
      if (token.kind == Token::Kind::other && token.text == ",") continue;  // there are more lists
      out.values = first;
      out.values_size = end - first;
      continue;
    }
    token = scanner.next();
  }
  return out;
}

std::string with_rows(std::string_view sql, const MysqlText& scanned, std::size_t rows) {
  const std::string_view list = sql.substr(scanned.values, scanned.values_size);
  std::string out(sql.substr(0, scanned.values));
  out.reserve(sql.size() + rows * (list.size() + 1));
  for (std::size_t i = 0; i < rows; ++i) {
    if (i > 0) out += ',';
    out += list;
  }
  return out += sql.substr(scanned.values + scanned.values_size);
}

}  // namespace oas::db
