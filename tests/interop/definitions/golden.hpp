// Cases of tests/golden (or of the folder that OAS_GOLDEN names, laid out alike) and what is expected of us for them:
// what DataJoint for Python does, but for the rules of docs/compatibility.md, "Definitions", which are written down
// here once more as functions over the content of a case.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <oas/error.hpp>

#include "db/marker.hpp"

namespace oas::test {

using Json = nlohmann::json;

inline std::string golden() {
  const char* folder = std::getenv("OAS_GOLDEN");
  return folder ? folder : std::string(OAS_SOURCE_DIR) + "/tests/golden";
}
/// A folder without cases is a failure.
inline std::vector<Json> cases(const std::string& kind) {
  std::vector<Json> out;
  std::ifstream file(golden() + "/" + kind + "/index.jsonl");
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) out.push_back(Json::parse(line));
  EXPECT_FALSE(out.empty()) << "there are no cases in " << golden() << "/" << kind;
  return out;
}

inline bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex(pattern, std::regex::icase));
}
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// An attribute line taken apart with regular expressions: another way than the parser's.
struct Line {
  std::string name, fallback, type;
  explicit Line(const std::string& text) {
    static const std::regex form(R"re(^\s*(\w*)\s*(?:=((?:"[^"]*"|'[^']*'|[^:])*))?:\s*((?:"[^"]*"|'[^']*'|[^#])*))re");
    std::smatch found;
    if (!std::regex_search(text, found, form)) return;
    name = found[1];
    fallback = stripped(found[2]);
    type = stripped(found[3]);
  }
  static std::string stripped(const std::string& text) {
    return std::regex_replace(text, std::regex(R"(^\s+|\s+$)"), "");
  }
  bool has_default() const { return !fallback.empty() && !matches(fallback, "^null$"); }
  /// The default as a value: without its quotes.
  std::string value() const { return unquoted(fallback); }
  static std::string unquoted(const std::string& fallback) {
    if (fallback.size() < 2 || fallback.back() != fallback.front()) return fallback;
    if (fallback[0] == '"') return fallback.substr(1, fallback.size() - 2);
    if (fallback[0] == '\'') return replaced(fallback.substr(1, fallback.size() - 2), "''", "'");
    return fallback;
  }
};

/// The values of an enum as quotes tell them apart, and as commas do.
inline std::vector<std::string> enum_values(const std::string& type, const char* pattern) {
  const std::size_t open = type.find('('), close = type.rfind(')');
  std::vector<std::string> out;
  if (open == std::string::npos || close < open) return out;
  const std::string inside = type.substr(open + 1, close - open - 1);
  const std::regex item(pattern);
  for (std::sregex_iterator i(inside.begin(), inside.end(), item), end; i != end; ++i) out.push_back(i->str());
  return out;
}
/// Numbers between the parentheses of a type that it does not take on both servers: digits of a time, of a number, a
/// length.
inline bool has_bad_parameters(const std::string& type) {
  std::smatch found;
  static const std::regex form(R"(^([a-z]+)\s*\(([^()]*)\))", std::regex::icase);
  if (!std::regex_search(type, found, form)) return matches(type, R"(^[a-z]+\s*\()");
  std::vector<long long> numbers;
  static const std::regex list(R"(^\s*\d+\s*(,\s*\d+\s*)*$)");
  const std::string inside = found[2], word = found[1];
  if (!std::regex_match(inside, list)) return true;
  for (const std::string& one : enum_values("(" + inside + ")", R"(\d+)")) numbers.push_back(std::stoll(one));
  if (matches(word, "^(date)?time|^timestamp")) return numbers.size() > 1 || numbers[0] > 6;
  if (matches(word, "char$")) return numbers.size() > 1 || numbers[0] < 1 || numbers[0] > 255;
  if (matches(word, "int")) return numbers.size() > 1;
  if (!matches(word, "^(dec|decimal|numeric|fixed)$")) return numbers.size() > 2;
  const long long scale = numbers.size() > 1 ? numbers[1] : 0;
  return numbers.size() > 2 || numbers[0] < 1 || numbers[0] > 65 || scale > 30 || scale > numbers[0];
}

/// Is a text that begins as YYYY-M-D a day of the calendar? MySQL has no year 0.
inline bool is_day(const std::string& text) {
  unsigned month = 0, day = 0;
  int year = 0;
  return std::sscanf(text.c_str(), "%d-%u-%u", &year, &month, &day) == 3 && year > 0 &&
         std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)).ok();
}

/// Does a default say what no column of the type can hold? Numbers, words and dates that at least one of the servers
/// refuses, or takes for something else.
inline bool is_no_value(const Line& line) {
  const std::string value = line.value(), &type = line.type;
  const auto in_range = [&](double low, double high) {
    return matches(value, R"(^[+-]?\d+$)") && std::stod(value) >= low && std::stod(value) <= high;
  };
  if (matches(line.fallback, "^(null|current_timestamp)\\(.*[^0-9()].*\\)$|^null\\(")) return true;
  if (matches(line.fallback, "^current_timestamp(\\(\\d*\\))?$"))
    return !matches(type, "date|time|char|text") || matches(line.fallback, "\\(([789]|\\d\\d)");
  if (type == "int8") return !in_range(-128, 127);
  if (type == "int16") return !in_range(-32768, 32767);
  if (type == "int32") return !in_range(-2147483648.0, 2147483647.0);
  if (type == "int64") return !in_range(-9.2e18, 9.2e18);
  if (matches(type, "^float"))
    return !matches(value, R"(^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?(inf|infinity|nan)$)");
  if (matches(type, "^decimal")) {
    if (!matches(value, R"(^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$)")) return true;
    std::smatch p;
    static const std::regex digits(R"(^decimal\((\d+)\s*,\s*(\d+)\)$)");
    return std::regex_match(type, p, digits) &&
           std::abs(std::stod(value)) >=
               std::pow(10, std::stod(p[1]) - std::stod(p[2])) - 0.5 * std::pow(10, -std::stod(p[2]));
  }
  if (type == "bool") return !matches(value, "^(0|1|t|f|true|false|y|n|yes|no|on|off)$");
  if (type == "uuid") return !matches(value, "^[-0-9a-f]{32,36}$");
  if (type == "json") return !Json::accept(value);
  if (type == "date") return !matches(value, R"(^\d{4}-\d{1,2}-\d{1,2}$)") || !is_day(value);
  if (matches(type, "^datetime"))
    return !matches(value, R"(^\d{4}-\d{1,2}-\d{1,2}([ T]([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d(\.\d+)?)?)?$)") ||
           !is_day(value);
  if (matches(type, "^enum")) {
    return std::ranges::none_of(enum_values(type, R"re('(?:[^']|'')*'|"(?:[^"]|"")*"|[^,'"\s]+)re"),
                                [&](const std::string& one) { return Line::unquoted(one) == value; });
  }
  std::smatch length;
  if (std::regex_search(type, length, std::regex(R"(^(?:var)?char\s*\(\s*(\d+)\s*\))", std::regex::icase))) {
    const auto characters = std::ranges::count_if(value, [](char c) { return (c & 0xC0) != 0x80; });
    return characters + 7 * std::ranges::count(value, '\t') > std::stoll(length[1]);
  }
  return false;
}

inline bool has_odd_quotes(const std::string& text) {
  return std::ranges::count(text, '\'') % 2 != 0 || std::ranges::count(text, '"') % 2 != 0;
}
inline std::vector<std::string> quoted_values(const std::string& type) {
  return enum_values(type, R"re('(?:[^']|'')*'|"(?:[^"]|"")*")re");
}
inline bool has_twice(std::vector<std::string> values, bool with_case) {
  if (!with_case)
    for (std::string& v : values)
      for (char& c : v) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::ranges::sort(values);
  return std::ranges::adjacent_find(values) != values.end();
}
inline bool splits_at_other_commas(const std::string& type) {
  const auto values = quoted_values(type);
  return std::ranges::any_of(values, [](const std::string& v) { return v.find(',') != std::string::npos; }) ||
         std::ranges::any_of(values, [](const std::string& v) {
           return v.size() > 2 && matches(v.substr(1, v.size() - 2), R"re(^['"]|['"]$)re");
         });
}

/// Native types that PostgreSQL has not.
inline bool is_unknown_to_postgres(const std::string& type) {
  return matches(
             type,
             R"(^(tinyint|mediumint|year|fixed|double|(tiny|small|medium|long)?blob|(tiny|small|medium|long)text)\b)") ||
         matches(type,
                 R"(^(small|big)?int(eger)?\s*\(|unsigned|zerofill|auto_increment|^float\s*\(\d+\s*,|^real\s*\()");
}

/// Would a default as it is written end a text too early, or not at all? Only "…" may hold what it likes.
inline bool has_lonely_quote(const std::string& fallback) {
  if (fallback.empty()) return false;
  if (fallback[0] == '"') return fallback.size() < 2 || fallback.back() != '"';
  if (fallback[0] != '\'') return fallback.find('\'') != std::string::npos;
  if (fallback.size() < 2 || fallback.back() != '\'') return true;
  return replaced(fallback.substr(1, fallback.size() - 2), "''", "").find('\'') != std::string::npos;
}

/// Does an index line list what is no name of an attribute?
inline bool has_other_items(const std::string& line) {
  const auto items = enum_values(line.substr(0, line.find('#')), "[^,]+");
  static const std::regex name(R"(\s*([a-z][a-z0-9_]*)?\s*)");
  return std::ranges::any_of(items, [](const std::string& item) { return !std::regex_match(item, name); });
}

/// We refuse what DataJoint for Python accepts only for these reasons: a word of our message, and what must then be
/// true of the line and, for some, of the database.
struct Reason {
  const char* word;
  std::function<bool(const std::string& text, const Line& line, const std::string& database)> is_true;
};
inline const std::vector<Reason>& stricter() {
  using std::string;
  static const std::vector<Reason> reasons{
      {"(hidden_name)", [](const string& t, const Line&, const string&) { return t.starts_with("_"); }},
      {"(name_too_long)", [](const string&, const Line& l, const string&) { return l.name.size() > 64; }},
      {"postgresql takes 63",
       [](const string&, const Line& l, const string& d) { return d == "postgresql" && l.name.size() > 63; }},
      {"(bad_default)", [](const string&, const Line& l, const string&) { return is_no_value(l); }},
      {"give it the default",
       [](const string&, const Line& l, const string& d) {
         return is_no_value(l) || (d == "mysql" && matches(l.value(), "inf|nan"));
       }},
      {"(default_not_allowed)", [](const string&, const Line& l,
                                   const string&) { return l.has_default() && matches(l.type, "^bytes|^<|blob$"); }},
      {"(type_not_in_key)",
       [](const string&, const Line& l, const string&) { return matches(l.type, "^bytes|^json|^<|blob$"); }},
      {"(unclosed_quote)", [](const string&, const Line& l,
                              const string&) { return has_lonely_quote(l.fallback) || has_odd_quotes(l.type); }},
      {"(bad_enum)",
       [](const string&, const Line& l, const string&) {
         return has_twice(quoted_values(l.type), true) || has_odd_quotes(l.type) ||
                quoted_values(l.type).size() != enum_values(l.type, "[^,]+").size() ||
                matches(l.type, R"(,\s*\)|\(\s*,)");
       }},
      {"(bad_codec)",
       [](const string&, const Line& l, const string&) { return matches(l.type, "^<.*[:<].*>|^<[^a-z]"); }},
      {"(bad_type_parameter)", [](const string&, const Line& l, const string&) { return has_bad_parameters(l.type); }},
      {"read the type", [](const string&, const Line& l, const string&) { return has_bad_parameters(l.type); }},
      {"(unknown_type)", [](const string&, const Line& l, const string&) { return matches(l.type, R"(\(.*\).*\()"); }},
      {"(bad_index)",
       [](const string& t, const Line&, const string&) {
         return matches(t, R"re(index\s*\([\s,]*\)|index\s*\(.*[^\w\s,#].*\))re") || has_other_items(t);
       }},
      {"it names twice",
       [](const string& t, const Line&, const string&) { return matches(t, R"(index\s*\(.*\b(\w+)\b.*,\s*\1\b)"); }},
      {"(bad_reference)",
       [](const string& t, const Line&, const string&) {
         return matches(t, R"re(->\s*\(|proj\s*\(.*([A-Z]\w*\s*=|=\s*['"]\w*[^\w'"]))re");
       }},
      {"give it the same type", [](const string& t, const Line&, const string&) { return t.starts_with("->"); }},
      {"to project", [](const string& t, const Line&, const string&) { return matches(t, R"(proj\s*\()"); }},
      {"PostgreSQL has none of this name",
       [](const string&, const Line& l, const string& d) {
         return d == "postgresql" && is_unknown_to_postgres(l.type);
       }},
      {"make a PostgreSQL type", [](const string&, const Line& l,
                                    const string& d) { return d == "postgresql" && splits_at_other_commas(l.type); }},
      {"MySQL has none of this name",
       [](const string&, const Line& l, const string& d) {
         return d == "mysql" && matches(l.type, "^small(text|blob)$");
       }},
      {"MySQL wants its values in quotes",
       [](const string&, const Line& l, const string& d) { return d == "mysql" && quoted_values(l.type).empty(); }},
      {"compares values without their case",
       [](const string&, const Line& l, const string& d) {
         return d == "mysql" && has_twice(quoted_values(l.type), false);
       }},
      {"a default of bytes cannot be read back",
       [](const string&, const Line& l, const string& d) {
         return d == "mysql" && l.type == "uuid" && l.has_default();
       }},
      {"no keys of texts",
       [](const string&, const Line& l, const string& d) { return d == "mysql" && matches(l.type, "text$|blob$"); }},
      {"in MySQL it has at most",
       [](const string&, const Line& l, const string& d) { return d == "mysql" && has_bad_parameters(l.type); }},
      {"MySQL has at most 65 digits",
       [](const string&, const Line& l, const string& d) { return d == "mysql" && has_bad_parameters(l.type); }}};
  return reasons;
}
/// True if a refusal is one of those, said of the right content.
inline bool may_refuse(const std::string& message, const std::string& text, const std::string& database) {
  return std::ranges::any_of(stricter(), [&](const Reason& reason) {
    return message.find(reason.word) != std::string::npos && reason.is_true(text, Line(text), database);
  });
}

/// A comment as it was written: they put a backslash before every quote in it, but not in the type that is in front.
inline std::string comment_as_written(const std::string& comment) {
  const db::MarkedComment marked = db::read_marker(comment);
  const std::string front = comment.substr(0, comment.size() - marked.text.size());
  return front + replaced(std::string(marked.text), "\\\"", "\"");
}

/// What of a line of their SQL we write in another way, so that a text arrives as it was written.
inline std::string as_we_write(std::string sql, const std::string& database) {
  if (database == "postgresql") {
    const std::size_t is = sql.find(" IS '");
    if (sql.starts_with("COMMENT ON COLUMN") && is != std::string::npos) {
      const std::string comment = replaced(sql.substr(is + 5, sql.rfind('\'') - is - 5), "''", "'");
      return sql.substr(0, is + 5) + replaced(comment_as_written(comment), "'", "''") + "'";
    }
    return std::regex_replace(sql, std::regex("(DEFAULT current_timestamp)\\(\\)", std::regex::icase), "$1");
  }
  const std::size_t comment = std::min(sql.find(" COMMENT \""), sql.size());
  std::string head = replaced(sql.substr(0, comment), "\\", "\\\\"), tail = sql.substr(comment);
  static const std::regex yes("( tinyint NOT NULL DEFAULT )'(true|t|yes|y|on)'", std::regex::icase);
  static const std::regex no("( tinyint NOT NULL DEFAULT )'(false|f|no|n|off)'", std::regex::icase);
  head = std::regex_replace(std::regex_replace(head, yes, "$1'1'"), no, "$1'0'");
  if (tail.empty()) return head;
  const bool comma = tail.ends_with(",");
  const std::string text = comment_as_written(tail.substr(10, tail.size() - 11 - comma));
  return head + " COMMENT \"" + replaced(replaced(text, "\\", "\\\\"), "\"", "\\\"") + "\"" + (comma ? "," : "");
}

}  // namespace oas::test
