#include "db/cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "core/json.hpp"
#include "core/text.hpp"
#include "db/type_words.hpp"

namespace oas::db {
namespace {

using Kind = CellType::Kind;

// Types

[[noreturn]] void no_such_type(std::string_view type, std::string_view why) {
  throw Error(Errc::definition,
              fmt::format("read the type {}: {}. use bool, int8 to int64, float32, float64, decimal(p,s), char(n), "
                          "varchar(n), enum('a','b'), date, datetime, datetime(n), uuid, json or bytes",
                          type, why));
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// 'a','b' with quotes doubled inside; labels without quotes are taken as they are.
std::vector<std::string> parse_labels(std::string_view type, std::string_view inside) {
  std::vector<std::string> labels;
  std::size_t i = 0;
  const auto skip_blanks = [&] {
    while (i < inside.size() && (inside[i] == ' ' || inside[i] == '\t')) ++i;
  };
  for (;;) {
    skip_blanks();
    std::string label;
    if (i < inside.size() && (inside[i] == '\'' || inside[i] == '"')) {
      const char quote = inside[i++];
      for (;; ++i) {
        if (i == inside.size()) no_such_type(type, "a quotation mark is not closed");
        if (inside[i] == quote) {
          if (i + 1 == inside.size() || inside[i + 1] != quote) break;
          ++i;
        }
        label += inside[i];
      }
      ++i;
      skip_blanks();
    } else {
      const std::size_t end = std::min(inside.find(',', i), inside.size());
      label = trimmed(inside.substr(i, end - i));
      i = end;
      if (label.empty()) no_such_type(type, "a value is missing");
    }
    labels.push_back(std::move(label));
    if (i == inside.size()) return labels;
    if (inside[i] != ',') no_such_type(type, "a comma is missing between two values");
    ++i;
  }
}

CellType of_kind(Kind kind) {
  CellType type;
  type.kind = kind;
  return type;
}

CellType integers(std::int64_t low, std::int64_t high) {
  CellType type = of_kind(Kind::integer);
  type.low = low;
  type.high = high;
  return type;
}

CellType integers_of(int bits, bool is_unsigned = false) {
  if (is_unsigned) return integers(0, (std::int64_t{1} << bits) - 1);
  const std::int64_t high = bits == 64 ? std::numeric_limits<std::int64_t>::max() : (std::int64_t{1} << (bits - 1)) - 1;
  return integers(-high - 1, high);
}

CellType real(bool single) {
  CellType type = of_kind(Kind::real);
  type.single = single;
  return type;
}

/// Of the rest of a native number type: "unsigned" or nothing.
bool parse_unsigned(std::string_view type, std::string_view rest) {
  if (rest.empty()) return false;
  if (rest == "unsigned") return true;
  no_such_type(type, fmt::format("'{}' is not supported here", rest));
}

// Text

/// Characters of UTF-8 text; nullopt if it is none.
std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    if (!take_code_point(text)) return std::nullopt;
  }
  return count;
}

// Decimals

/// ± 0.d1d2d3… · 10^point, without zeros at either end; zero has no digits.
struct Exact {
  bool negative = false;
  std::string digits;
  std::int64_t point = 0;
};

std::optional<Exact> parse_exact(std::string_view text) {
  Exact e;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) e.negative = text[i++] == '-';
  bool any = false, after = false;
  for (; i < text.size() && ((text[i] >= '0' && text[i] <= '9') || (text[i] == '.' && !after)); ++i) {
    if (text[i] == '.') {
      after = true;
      continue;
    }
    any = true;
    if (e.digits.empty() && text[i] == '0') {
      if (after) --e.point;
      continue;
    }
    e.digits += text[i];
    if (!after) ++e.point;
  }
  if (!any) return std::nullopt;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    ++i;
    if (i < text.size() && text[i] == '+') ++i;
    const auto exponent = number<std::int32_t>(text.substr(i));
    if (!exponent) return std::nullopt;
    e.point += *exponent;
  }
  while (!e.digits.empty() && e.digits.back() == '0') e.digits.pop_back();
  if (e.digits.empty()) e = {};
  return e;
}

/// With exactly `scale` digits after the point, rounded half away from zero; nullopt: too many digits before it.
std::optional<std::string> fixed_point(Exact e, int precision, int scale) {
  if (e.point > precision - scale) return std::nullopt;
  const std::int64_t kept = e.point + scale;  // digits that stay
  if (kept < 0)
    e.digits.clear();
  else if (static_cast<std::size_t>(kept) < e.digits.size()) {
    const bool up = e.digits[static_cast<std::size_t>(kept)] >= '5';
    e.digits.resize(static_cast<std::size_t>(kept));
    if (up) {
      std::size_t i = e.digits.size();
      while (i > 0 && e.digits[i - 1] == '9') e.digits[--i] = '0';
      if (i > 0)
        ++e.digits[i - 1];
      else {
        e.digits.insert(e.digits.begin(), '1');
        if (++e.point > precision - scale) return std::nullopt;
      }
    }
  }
  if (e.digits.find_first_not_of('0') == std::string::npos) e = {};
  const auto digit = [&](std::int64_t place) {  // of 10^place
    const std::int64_t index = e.point - 1 - place;
    return index >= 0 && index < static_cast<std::int64_t>(e.digits.size()) ? e.digits[static_cast<std::size_t>(index)]
                                                                            : '0';
  };
  std::string text = e.negative ? "-" : "";
  for (std::int64_t place = std::max<std::int64_t>(e.point, 1) - 1; place >= 0; --place) text += digit(place);
  if (scale > 0) text += '.';
  for (std::int64_t place = -1; place >= -scale; --place) text += digit(place);
  return text;
}

// Times

constexpr std::int64_t second = 1'000'000, day = 86'400 * second;

/// Rounds half up to the digits that are kept.
std::int64_t round_to(std::int64_t microseconds, int fraction) {
  std::int64_t unit = 1;
  for (int i = fraction; i < 6; ++i) unit *= 10;
  const std::int64_t rest = ((microseconds % unit) + unit) % unit;
  return microseconds - rest + (rest * 2 >= unit ? unit : 0);
}

std::string clock(std::int64_t microseconds, int fraction) {
  const std::int64_t s = microseconds / second;
  std::string text = fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  if (fraction > 0)
    text += fmt::format(".{:06}", microseconds % second).substr(0, static_cast<std::size_t>(fraction) + 1);
  return text;
}

// JSON

/// to_json writes NaN and infinity as Python does; databases take no such JSON. It has bounded the depth before.
bool all_finite(const Value& value) {
  if (const auto* d = value.get_if<double>()) return std::isfinite(*d);
  if (const auto* seq = value.get_if<Seq>()) return std::ranges::all_of(seq->items, all_finite);
  const auto* map = value.get_if<Map>();
  return !map || std::ranges::all_of(map->items, [](const auto& item) { return all_finite(item.second); });
}

// Conversion

[[noreturn]] void unfit(std::string_view spelling, const std::string& why) {
  throw Error(Errc::usage, fmt::format("store a value as {}: {}", spelling, why));
}
[[noreturn]] void wrong_kind(std::string_view spelling, const Value& value, std::string_view wanted) {
  unfit(spelling, fmt::format("it is {}. give {}", value.describe(), wanted));
}

/// Parse errors of texts are the caller's here, not the database's.
template <class T>
T parse_given(std::string_view spelling, const std::string& text, std::string_view wanted) {
  try {
    return T::parse(text);
  } catch (const Error&) {
    unfit(spelling, fmt::format("the text given is none. give {}", wanted));
  }
}

std::string day_text(std::string_view spelling, Date date) {
  if (date < Date(1, 1, 1) || date > Date(9999, 12, 31)) unfit(spelling, "only the years 1 to 9999 can be stored");
  return date.iso();
}

CellType parse_spelling(std::string_view spelling) {
  std::string text(trimmed(spelling));
  const std::size_t open = text.find('('), close = text.rfind(')');
  if ((open == text.npos) != (close == text.npos) || (open != text.npos && close < open)) {
    no_such_type(spelling, "a parenthesis is missing");
  }
  const bool has_arguments = open != text.npos;
  const std::string_view all = text;
  std::string word(trimmed(all.substr(0, open)));
  std::ranges::transform(word, word.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view inside = has_arguments ? trimmed(all.substr(open + 1, close - open - 1)) : std::string_view{};
  std::string rest(has_arguments ? trimmed(all.substr(close + 1)) : std::string_view{});
  if (!has_arguments) {
    if (const std::size_t blank = word.find_first_of(" \t"); blank != word.npos) {
      rest = trimmed(std::string_view(word).substr(blank));
      word.resize(blank);
    }
  }
  const auto plain = [&](CellType type) {
    if (has_arguments || !rest.empty()) no_such_type(spelling, fmt::format("{} takes nothing more", word));
    return type;
  };
  const auto argument = [&](int low, int high) {
    const auto n = number<int>(inside);
    if (!n || *n < low || *n > high || !rest.empty()) {
      no_such_type(spelling, fmt::format("{} takes one number from {} to {}", word, low, high));
    }
    return *n;
  };

  if (word == "bool" || word == "boolean") return plain(of_kind(Kind::boolean));
  if (word == "int8") return plain(integers_of(8));
  if (word == "int16") return plain(integers_of(16));
  if (word == "int32") return plain(integers_of(32));
  if (word == "int64") return plain(integers_of(64));
  if (word == "float32") return plain(real(true));
  if (word == "float64") return plain(real(false));
  if (word == "uuid") return plain(of_kind(Kind::uuid));
  if (word == "json") return plain(of_kind(Kind::json));
  if (word == "bytes") return plain(of_kind(Kind::bytes));
  if (word == "date") return plain(of_kind(Kind::date));
  if (word == "time" || word == "datetime" || word == "timestamp") {
    CellType type = of_kind(word == "time" ? Kind::time : Kind::datetime);
    if (has_arguments)
      type.fraction = argument(0, 6);
    else
      plain(type);
    return type;
  }
  if (word == "char" || word == "varchar") {
    CellType type = of_kind(Kind::text);
    type.length = static_cast<std::size_t>(argument(1, 1'000'000'000));
    return type;
  }
  if (word == "enum") {
    if (!has_arguments || inside.empty() || !rest.empty())
      no_such_type(spelling, "enum takes its values in parentheses");
    CellType type = of_kind(Kind::enumeration);
    type.labels = parse_labels(spelling, inside);
    return type;
  }
  if (word == "decimal" || word == "numeric" || word == "dec" || word == "fixed") {
    const std::size_t comma = std::min(inside.find(','), inside.size());
    const auto precision = has_arguments ? number<int>(trimmed(inside.substr(0, comma))) : 10;
    const auto scale = comma < inside.size() ? number<int>(trimmed(inside.substr(comma + 1))) : 0;
    if (!precision || !scale || *precision < 1 || *precision > 1000 || *scale < 0 || *scale > *precision ||
        !rest.empty()) {
      no_such_type(spelling, "it takes two numbers: at most 1000 digits in all, and of these those after the point");
    }
    CellType type = of_kind(Kind::decimal);
    type.precision = *precision;
    type.scale = *scale;
    return type;
  }
  // Native types; the width that MySQL shows integers with, "int(10)", means nothing.
  if (word == "tinyint") return integers_of(8, parse_unsigned(spelling, rest));
  if (word == "smallint") return integers_of(16, parse_unsigned(spelling, rest));
  if (word == "mediumint") return integers_of(24, parse_unsigned(spelling, rest));
  if (word == "int" || word == "integer") return integers_of(32, parse_unsigned(spelling, rest));
  if (word == "bigint") {
    if (parse_unsigned(spelling, rest)) no_such_type(spelling, "there are signed integers of 64 bits only");
    return integers_of(64);
  }
  if (word == "float") return plain(real(true));
  if (word == "double" || word == "real") return plain(real(false));
  if (word == "year") return plain(integers(1901, 2155));
  if (word == "tinytext" || word == "text" || word == "mediumtext" || word == "longtext")
    return plain(of_kind(Kind::text));
  if (word == "tinyblob" || word == "smallblob" || word == "blob" || word == "mediumblob" || word == "longblob") {
    return plain(of_kind(Kind::bytes));
  }
  no_such_type(spelling, "there is none of this name");
}

}  // namespace

CellType parse_type(std::string_view type) {
  CellType out = parse_spelling(type);
  out.spelling = type;
  return out;
}

Value to_portable_cell(const CellType& type, const Value& value) {
  if (value.is_null()) return value;
  const std::string& spelling = type.spelling;
  const auto* text = value.get_if<std::string>();
  const auto* integer = value.get_if<std::int64_t>();
  switch (type.kind) {
    case Kind::boolean:
      if (const auto* b = value.get_if<bool>()) return std::int64_t{*b};
      if (integer && (*integer == 0 || *integer == 1)) return *integer;
      wrong_kind(spelling, value, "true or false");
    case Kind::integer:
      if (integer && *integer >= type.low && *integer <= type.high) return *integer;
      if (integer || value.is<BigInt>())
        unfit(spelling, fmt::format("it is out of range. {} to {} fit", type.low, type.high));
      wrong_kind(spelling, value, "an integer");
    case Kind::real: {
      double number = 0;
      if (const auto* d = value.get_if<double>())
        number = *d;
      else if (integer) {
        number = static_cast<double>(*integer);
        if (std::abs(*integer / 2) > std::int64_t{1} << 52 &&
            (number >= 0x1p63 || static_cast<std::int64_t>(number) != *integer)) {
          unfit(spelling, "the integer given has more digits than a float keeps");
        }
      } else
        wrong_kind(spelling, value, "a number");
      if (!type.single) return number;
      if (std::isfinite(number) && std::abs(number) > double{std::numeric_limits<float>::max()}) {
        unfit(spelling, "it is out of range. up to 3.4e38 fits");
      }
      return double{static_cast<float>(number)};
    }
    case Kind::decimal: {
      std::string digits;
      if (const auto* d = value.get_if<Decimal>())
        digits = d->digits;
      else if (const auto* big = value.get_if<BigInt>())
        digits = big->digits;
      else if (integer)
        digits = std::to_string(*integer);
      else if (text)
        digits = *text;
      else
        wrong_kind(spelling, value, "a Decimal, its text or an integer");
      const auto exact = parse_exact(digits);
      if (!exact) unfit(spelling, "the text given is no finite decimal number");
      const auto fixed = fixed_point(*exact, type.precision, type.scale);
      if (!fixed)
        unfit(spelling, fmt::format("it is out of range. {} digits fit before the point", type.precision - type.scale));
      return *fixed;
    }
    case Kind::text: {
      if (!text) wrong_kind(spelling, value, "a text");
      const auto length = count_characters(*text);
      if (!length) unfit(spelling, "the text is not UTF-8");
      if (text->find('\0') != text->npos) unfit(spelling, "the text holds a NUL character. keep it in bytes");
      if (type.length != 0 && *length > type.length) {
        unfit(spelling, fmt::format("the text has {} characters. {} fit", *length, type.length));
      }
      return *text;
    }
    case Kind::enumeration:
      if (!text) wrong_kind(spelling, value, "one of its texts");
      if (std::ranges::find(type.labels, *text) == type.labels.end())
        unfit(spelling, "the text given is not among them");
      return *text;
    case Kind::date: {
      constexpr std::string_view wanted = "a Date, or a text such as 2026-01-31";
      if (const auto* d = value.get_if<Date>()) return day_text(spelling, *d);
      if (!text) wrong_kind(spelling, value, wanted);
      return day_text(spelling, parse_given<Date>(spelling, *text, wanted));
    }
    case Kind::time: {
      constexpr std::string_view wanted = "a Time, or a text such as 01:02:03.5";
      const auto* given = value.get_if<Time>();
      if (!given && !text) wrong_kind(spelling, value, wanted);
      const Time time = given ? *given : parse_given<Time>(spelling, *text, wanted);
      const std::int64_t rounded = round_to(time.microseconds, type.fraction);
      if (time.microseconds < 0 || rounded >= day) unfit(spelling, "it is not before midnight");
      return clock(rounded, type.fraction);
    }
    case Kind::datetime: {
      constexpr std::string_view wanted = "a DateTime, or a text such as 2026-01-31 01:02:03.5";
      DateTime time;
      if (const auto* t = value.get_if<DateTime>())
        time = *t;
      else if (const auto* d = value.get_if<Date>())
        time = DateTime(*d);
      else if (!text)
        wrong_kind(spelling, value, wanted);
      else if (text->size() == 10)
        time = DateTime(parse_given<Date>(spelling, *text, wanted));
      else
        time = parse_given<DateTime>(spelling, *text, wanted);
      if (time.microseconds > std::numeric_limits<std::int64_t>::max() - day)
        unfit(spelling, "only the years 1 to 9999 can be stored");
      const std::int64_t rounded = round_to(time.microseconds, type.fraction);
      const std::int64_t days = rounded / day - (rounded % day < 0);
      return day_text(spelling, Date::from_days(static_cast<std::int32_t>(days))) + " " +
             clock(rounded - days * day, type.fraction);
    }
    case Kind::uuid: {
      constexpr std::string_view wanted = "a Uuid, or its text";
      if (const auto* u = value.get_if<Uuid>()) return u->text();
      if (!text) wrong_kind(spelling, value, wanted);
      return parse_given<Uuid>(spelling, *text, wanted).text();
    }
    case Kind::json: {
      try {
        std::string json = to_json(value);
        if (all_finite(value)) return json;
      } catch (const Error& e) {
        throw e.within(fmt::format("store a value as {}", spelling));
      }
      unfit(spelling, "JSON in a column has no NaN and no infinity");
    }
    case Kind::bytes:
      if (value.is<Bytes>()) return value;
      wrong_kind(spelling, value, "bytes");
  }
  throw Error(Errc::internal, fmt::format("store a value as {}: the type is unknown", spelling));
}

Value from_portable_cell(const CellType& type, Value cell) {
  if (cell.is_null()) return cell;
  const auto fail = [&] {
    return Error(Errc::decode, fmt::format("read a cell as {}: it holds {} that is none. somebody else has written it",
                                           type.spelling, cell.describe()));
  };
  const auto* text = cell.get_if<std::string>();
  const auto* integer = cell.get_if<std::int64_t>();
  switch (type.kind) {
    case Kind::boolean:
      if (cell.is<bool>()) return cell;
      if (!integer || (*integer != 0 && *integer != 1)) throw fail();
      return *integer == 1;
    case Kind::integer:
      if (!integer || *integer < type.low || *integer > type.high) throw fail();
      return cell;
    case Kind::real:
      if (integer) return static_cast<double>(*integer);
      if (!cell.is<double>()) throw fail();
      return cell;
    case Kind::bytes:
      if (!cell.is<Bytes>()) throw fail();
      return cell;
    default: break;
  }
  if (!text) throw fail();
  try {
    switch (type.kind) {
      case Kind::decimal:
        if (!parse_exact(*text)) throw fail();
        return Decimal{*text};
      case Kind::date: return Date::parse(*text);
      case Kind::time: return Time::parse(*text);
      case Kind::datetime: return DateTime::parse(*text);
      case Kind::uuid: return Uuid::parse(*text);
      case Kind::json: return from_json(*text);
      default: return cell;
    }
  } catch (const Error&) {
    throw fail();
  }
}

/// 2026-1-2 10:00 as 2026-01-02 10:00:00.
std::string padded_time(std::string_view literal) {
  std::string out;
  int colons = 0;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    const auto digit = [&](std::size_t k) { return k < literal.size() && literal[k] >= '0' && literal[k] <= '9'; };
    const bool begins = digit(i) && !digit(i - 1) && (i == 0 || literal[i - 1] != '.');
    if (begins && !digit(i + 1)) out += '0';
    out += literal[i];
    colons += literal[i] == ':';
  }
  return colons == 1 ? out + ":00" : out;
}

Value parse_default(const CellType& type, std::string_view literal) {
  const auto fail = [&] {
    return Error(Errc::definition,
                 fmt::format("read the default of {}: '{}' is none. give a value of the type", type.spelling, literal));
  };
  switch (type.kind) {
    case Kind::boolean: {
      for (const std::string_view word : {"1", "true", "t", "yes", "y", "on"})
        if (same_letters(literal, word)) return true;
      for (const std::string_view word : {"0", "false", "f", "no", "n", "off"})
        if (same_letters(literal, word)) return false;
      throw fail();
    }
    case Kind::integer: {
      const auto n = number<std::int64_t>(literal.starts_with('+') ? literal.substr(1) : literal);
      if (!n) throw fail();
      return *n;
    }
    case Kind::real: {
      const auto n = number<double>(literal.starts_with('+') ? literal.substr(1) : literal);
      if (!n) throw fail();
      return *n;
    }
    case Kind::json: try { return from_json(literal);
      } catch (const Error&) {
        throw fail();
      }
    case Kind::bytes: throw fail();
    case Kind::date:
    case Kind::datetime: return padded_time(literal);
    default: return std::string(literal);
  }
}

int compare_decimals(std::string_view a, std::string_view b) noexcept try {
  const auto x = parse_exact(a), y = parse_exact(b);
  if (!x || !y) return x ? -1 : y ? 1 : a.compare(b) < 0 ? -1 : a == b ? 0 : 1;
  const auto sign = [](const Exact& e) { return e.digits.empty() ? 0 : e.negative ? -1 : 1; };
  if (sign(*x) != sign(*y)) return sign(*x) < sign(*y) ? -1 : 1;
  int larger = x->point != y->point ? (x->point < y->point ? -1 : 1) : x->digits.compare(y->digits);
  larger = (larger > 0) - (larger < 0);
  return sign(*x) < 0 ? -larger : larger;
} catch (const std::bad_alloc&) {
  return a.compare(b) < 0 ? -1 : a == b ? 0 : 1;
}

}  // namespace oas::db
