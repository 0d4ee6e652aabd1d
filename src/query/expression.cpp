// The parser is one pass with a stack of what is open and one bit of state: whether an operand or an operator must
// come next. That is enough to know that a text is one expression, which is what makes it safe to pass on.
#include "query/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/nearest.hpp"
#include "core/text.hpp"

namespace oas::query {
namespace {

constexpr std::size_t max_text = 64 * 1024;
constexpr std::size_t max_open = 100;
constexpr std::int64_t day = 86'400'000'000;

constexpr std::array<std::string_view, 22> keywords{
    "and", "or",   "not",   "in",     "is",      "null",     "like",   "case",   "when", "then", "else",
    "end", "true", "false", "escape", "between", "distinct", "exists", "select", "as",   "asc",  "desc"};
constexpr std::array<std::string_view, 14> operators{"<>", "!=", "<=", ">=", "==", "||", "=",
                                                     "<",  ">",  "+",  "-",  "*",  "/",  "%"};
constexpr std::array<std::string_view, 16> aggregates{
    "count",    "sum",        "avg",     "min",      "max",         "total",      "std",          "stddev",
    "variance", "stddev_pop", "var_pop", "var_samp", "stddev_samp", "string_agg", "group_concat", "bit_xor"};
constexpr std::array<std::string_view, 8> comparisons{"=", "==", "<>", "!=", "<", "<=", ">", ">="};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& set, std::string_view word) {
  return std::ranges::find(set, word) != set.end();
}
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

class Parser {
 public:
  Parser(std::string_view text, const Heading& heading, std::string_view what, Aggregates allowed)
      : text_(text), heading_(heading), what_(what), allowed_(allowed) {}

  Expression run() {
    if (text_.size() > max_text) fail(0, fmt::format("it is longer than {} bytes", max_text));
    if (!valid_utf8(text_)) {
      std::string_view rest = text_;
      while (take_code_point(rest)) {
      }
      fail(text_.size() - rest.size(), "this is not UTF-8");
    }
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) step();
    if (operand_next_) fail(text_.size(), out_.empty() ? "it is empty" : "it ends where a value must follow");
    if (!open_.empty()) {
      fail(open_.back().start,
           open_.back().kind == Open::Kind::conditional ? "this case has no end" : "this parenthesis is not closed");
    }
    return std::move(out_);
  }

 private:
  struct Open {
    enum class Kind : std::uint8_t { group, list, call, conditional } kind;
    std::size_t start;
    bool aggregate = false;
  };

  [[noreturn]] void fail(std::size_t place, std::string_view why) const {
    // People count characters, not bytes.
    const auto column = 1 + std::ranges::count_if(text_.substr(0, place), [](char c) { return (c & 0xC0) != 0x80; });
    throw Error(Errc::syntax, fmt::format("read {} '{}' at column {}: {}", what_, shown(text_, 200), column, why),
                fmt::format("column {} of {}", column, what_));
  }
  void skip_blanks() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
  }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool last_is(std::string_view word) const {
    return !out_.empty() && out_.back().kind == Token::Kind::word && out_.back().text == word;
  }

  void put(Token::Kind kind, std::string text) {
    const bool aggregated = std::ranges::any_of(open_, &Open::aggregate);
    out_.push_back({kind, std::move(text), aggregated});
  }
  void operand(std::size_t start, Token::Kind kind, std::string text) {
    if (!operand_next_) fail(start, "an operator is missing before this");
    if (last_is("in")) fail(start, "a list must follow 'in': write in (…) or in {}");
    put(kind, std::move(text));
    operand_next_ = false;
  }
  void binary(std::size_t start, std::string text) {
    if (operand_next_) fail(start, fmt::format("a value must stand before '{}'", text));
    put(Token::Kind::word, std::move(text));
    operand_next_ = true;
  }

  void step() {
    const std::size_t start = at_;
    const char c = peek();
    if (letter(c)) return word(start);
    if (digit(c) || (c == '.' && digit(peek(1)))) return number(start);
    if (c == '\'') return operand(start, Token::Kind::word, quoted('\''));
    if (c == '"') return attribute(start, quoted('"'));
    if (c == '{' && peek(1) == '}') return parameter(start);
    if (c == '(') return open(start);
    if (c == ')') return close(start);
    if (c == ',') return comma(start);
    if ((c == '-' && peek(1) == '-') || (c == '/' && peek(1) == '*') || c == '#')
      fail(start, "comments are not allowed here");
    if (c == ';') fail(start, "';' is not allowed: one expression, no statements");
    if (c == '\\') fail(start, "'\\' is not allowed. give the text as a value for {}");
    for (const std::string_view op : operators) {
      if (!text_.substr(at_).starts_with(op)) continue;
      at_ += op.size();
      if (operand_next_ && (op == "-" || op == "+") && !last_is("in")) return put(Token::Kind::word, std::string(op));
      if (operand_next_ && op == "*" && !open_.empty() && open_.back().kind == Open::Kind::call && last_is("(") &&
          out_[out_.size() - 2].text == "count") {
        put(Token::Kind::all_rows, "*");
        operand_next_ = false;
        return;
      }
      return binary(start, op == "==" ? "=" : op == "!=" ? "<>" : std::string(op));
    }
    fail(start, static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? "a control character is not allowed here"
                                                                  : "this character is not part of an expression");
  }

  void word(std::size_t start) {
    while (letter(peek()) || digit(peek())) ++at_;
    const std::string_view name = text_.substr(start, at_ - start);
    const std::string low = lower(name);
    if (among(keywords, low)) return keyword(start, low);
    skip_blanks();
    if (peek() == '(') return function(start, low);
    if (peek() == '.') fail(at_, "names of tables are not allowed here: name the attribute alone");
    attribute(start, std::string(name));
  }

  void attribute(std::size_t start, const std::string& name) {
    if (!operand_next_) fail(start, "an operator is missing before this");
    if (!heading_.find(name)) throw_unknown(fmt::format("read {} '{}'", what_, shown(text_, 200)), name, heading_);
    operand(start, Token::Kind::attribute, name);
  }

  void function(std::size_t start, const std::string& name) {
    const bool aggregate = among(aggregates, name);
    if (aggregate && allowed_ == Aggregates::refused)
      fail(start, fmt::format("{}() is over many rows. use aggr, and restrict its result", name));
    operand(start, Token::Kind::function, name);
    if (aggregate && out_.back().aggregated) fail(start, "an aggregate inside of an aggregate has no meaning");
    push({Open::Kind::call, at_++, aggregate});
    put(Token::Kind::word, "(");
    operand_next_ = true;
    skip_blanks();
    if (peek() == ')' && !aggregate) {
      operand_next_ = false;
      close(at_);
    }
  }

  void keyword(std::size_t start, const std::string& low) {
    const bool in_case = !open_.empty() && open_.back().kind == Open::Kind::conditional;
    if (low == "as" || low == "asc" || low == "desc") fail(start, fmt::format("'{}' is not allowed here", low));
    if (low == "exists" || low == "select")
      fail(start, "sub-queries are not allowed here. restrict by the other query instead");
    if (low == "null" || low == "true" || low == "false") return operand(start, Token::Kind::word, low);
    if (low == "and" || low == "or" || low == "is" || low == "like" || low == "between" || low == "escape")
      return binary(start, low);
    if (low == "in") {
      binary(start, low);
      skip_blanks();
      if (peek() != '(' && !(peek() == '{' && peek(1) == '}'))
        fail(at_, "a list must follow 'in': write in (…) or in {}");
      return;
    }
    if (low == "not") {
      // Before an operand it negates; after one it belongs to the "in", "like" or "between" behind it.
      if (operand_next_) {
        if (last_is("in")) fail(start, "a list must follow 'in': write in (…) or in {}");
        return put(Token::Kind::word, low);
      }
      skip_blanks();
      const std::size_t next = at_;
      while (letter(peek())) ++at_;
      const std::string after = lower(text_.substr(next, at_ - next));
      if (after != "in" && after != "like" && after != "between") fail(start, "an operator is missing before this");
      put(Token::Kind::word, low);
      return keyword(next, after);
    }
    if (low == "distinct") {
      if (open_.empty() || !open_.back().aggregate || !last_is("(")) fail(start, "'distinct' is for count(distinct …)");
      return put(Token::Kind::word, low);
    }
    if (low == "case") {
      operand(start, Token::Kind::word, low);
      push({Open::Kind::conditional, start});
      operand_next_ = true;
      return;
    }
    if (!in_case) fail(start, fmt::format("'{}' stands outside of case … end", low));
    if (low == "end") {
      if (operand_next_) fail(start, "a value must stand before 'end'");
      open_.pop_back();
      return put(Token::Kind::word, low);
    }
    if (operand_next_ && !(low == "when" && last_is("case")))  // when, then, else
      fail(start, fmt::format("a value must stand before '{}'", low));
    put(Token::Kind::word, low);
    operand_next_ = true;
  }

  void number(std::size_t start) {
    while (digit(peek())) ++at_;
    if (peek() == '.') ++at_;
    while (digit(peek())) ++at_;
    if ((peek() == 'e' || peek() == 'E') &&
        (digit(peek(1)) || ((peek(1) == '+' || peek(1) == '-') && digit(peek(2))))) {
      at_ += 2;
      while (digit(peek())) ++at_;
    }
    if (letter(peek()) || peek() == '.') fail(start, "this is not a number");
    operand(start, Token::Kind::word, std::string(text_.substr(start, at_ - start)));
  }

  // A text in 'quotes' comes back in quotes; a name in "quotes" comes back without.
  std::string quoted(char quote) {
    const std::size_t start = at_++;
    std::string out;
    for (;; ++at_) {
      if (at_ >= text_.size()) fail(start, "this quote is not closed");
      const char c = text_[at_];
      if (c == quote) {
        if (peek(1) != quote) break;
        ++at_;
        if (quote == '\'') out += c;
      }
      if (c == '\\') fail(at_, "'\\' is not allowed in a quoted text. give the text as a value for {}");
      if (c == '\0') fail(at_, "a control character is not allowed here");
      if (c == '{' && peek(1) == '}') fail(at_, "{} is not allowed in quotes. give the whole text as a value for {}");
      out += c;
    }
    ++at_;
    return quote == '\'' ? "'" + out + "'" : out;
  }

  void parameter(std::size_t start) {
    if (!operand_next_) fail(start, "an operator is missing before this");
    at_ += 2;
    put(Token::Kind::parameter, {});
    operand_next_ = false;
  }

  void push(Open open) {
    if (open_.size() >= max_open) fail(open.start, fmt::format("more than {} parentheses are open", max_open));
    open_.push_back(open);
  }
  void open(std::size_t start) {
    if (!operand_next_) fail(start, "an operator is missing before this");
    const bool list = last_is("in");
    ++at_;
    push({list ? Open::Kind::list : Open::Kind::group, start});
    put(Token::Kind::word, "(");
  }
  void close(std::size_t start) {
    if (open_.empty() || open_.back().kind == Open::Kind::conditional) fail(start, "this parenthesis was not opened");
    if (operand_next_) fail(start, "a value must stand before ')'");
    ++at_;
    open_.pop_back();
    put(Token::Kind::word, ")");
  }
  void comma(std::size_t start) {
    if (open_.empty() || (open_.back().kind != Open::Kind::list && open_.back().kind != Open::Kind::call))
      fail(start, "',' stands outside of a list");
    ++at_;
    binary(start, ",");
  }

  std::string_view text_;
  const Heading& heading_;
  std::string_view what_;
  Aggregates allowed_;
  std::size_t at_ = 0;
  bool operand_next_ = true;
  std::vector<Open> open_;
  Expression out_;
};

bool is_word(const Expression& e, std::size_t i, std::string_view word) {
  return i < e.size() && e[i].kind == Token::Kind::word && e[i].text == word;
}
bool is_comparison(const Expression& e, std::size_t i) {
  return i < e.size() && e[i].kind == Token::Kind::word && among(comparisons, e[i].text);
}

// What the parameter at `i` is compared with: the attribute beside it, if there is one beside it. Indices before the
// beginning wrap around to beyond the end, where nothing is.
const Attribute* compared_with(const Expression& e, std::size_t i, const Heading& heading) {
  const auto attribute_at = [&](std::size_t k) -> const Attribute* {
    return k < e.size() && e[k].kind == Token::Kind::attribute ? heading.find(e[k].text) : nullptr;
  };
  if (is_comparison(e, i + 1)) {
    if (const Attribute* after = attribute_at(i + 2)) return after;
  }
  std::size_t k = i;
  if (is_word(e, k - 1, "and") && is_word(e, k - 3, "between"))
    k -= 2;  // x between a and {}
  else {
    while (is_word(e, k - 1, "(") || is_word(e, k - 1, ",") ||
           (k != i && k != 0 && e[k - 1].kind == Token::Kind::parameter))
      --k;
    if (k != i && !is_word(e, k - 1, "in")) return nullptr;  // an argument of a function
  }
  if (!is_comparison(e, k - 1) && !is_word(e, k - 1, "between") && !is_word(e, k - 1, "in")) return nullptr;
  k -= is_word(e, k - 2, "not") ? 3 : 2;
  return attribute_at(k);
}

// What a list must be so that its items can be bound; nullopt: it is one value.
std::optional<std::vector<Value>> list_items(const Value& value) {
  if (const Seq* seq = value.get_if<Seq>()) return seq->items;
  const Array* array = value.get_if<Array>();
  if (!array || array->ndim() != 1) return std::nullopt;
  std::vector<Value> items;
  const Array native = array->to_native();
  const auto take = [&]<class T>(T) {
    for (const T item : native.as<T>()) items.emplace_back(item);
  };
  switch (native.dtype()) {
    case DType::i8: take(std::int8_t{}); break;
    case DType::i16: take(std::int16_t{}); break;
    case DType::i32: take(std::int32_t{}); break;
    case DType::i64: take(std::int64_t{}); break;
    case DType::u8: take(std::uint8_t{}); break;
    case DType::u16: take(std::uint16_t{}); break;
    case DType::u32: take(std::uint32_t{}); break;
    case DType::u64: take(std::uint64_t{}); break;
    case DType::f32: take(float{}); break;
    case DType::f64: take(double{}); break;
    default:
      throw Error(Errc::usage, fmt::format("use {} as a list in a condition: only numbers can be", value.describe()));
  }
  return items;
}

}  // namespace

void throw_unknown(std::string_view what, std::string_view name, const Heading& heading) {
  std::vector<std::string_view> known;
  for (const Attribute& attribute : heading.attributes()) known.push_back(attribute.name);
  throw Error(Errc::unknown_attribute,
              fmt::format("{}: there is no attribute '{}'. {}", what, shown(name, 100), suggest_name(name, known)),
              shown(name, 100));
}

Expression parse(std::string_view text, const Heading& heading, std::string_view what, Aggregates aggregates_allowed) {
  return Parser(text, heading, what, aggregates_allowed).run();
}

namespace {

std::string spelling(const std::string& name, const db::Dialect& dialect) {
  if (auto spelt = dialect.function(name)) return *std::move(spelt);
  throw Error(Errc::syntax,
              fmt::format("use {} in a query: {} has it not, or it is not allowed in queries", name, dialect.name()));
}

// Times are kept with the digits that the column has. Equal times must become equal cells, and others must not: so a
// finer time than the column can hold keeps its own digits.
Value bind_time(const Value& value, const std::string& column, std::string_view finest, const db::Dialect& dialect) {
  Value cell = dialect.to_cell(column, value);
  return dialect.from_cell(column, cell) == value ? cell : dialect.to_cell(finest, value);
}

}  // namespace

Value bind(const Value& value, const Attribute* attribute, const db::Dialect& dialect) {
  if (value.is_null()) return value;
  const std::string& column = attribute && attribute->codec.empty() ? attribute->column : std::string();
  const bool datetime = column.starts_with("datetime") || column.starts_with("timestamp");
  const bool date = !datetime && column.starts_with("date");
  const auto* moment = value.get_if<DateTime>();
  const auto* text = value.get_if<std::string>();
  if (column == "uuid" || column == "bool" || (text && (datetime || date))) return dialect.to_cell(column, value);
  if (moment && date) {
    if (moment->microseconds % day == 0)
      return dialect.to_cell(column, Date::from_days(static_cast<std::int32_t>(moment->microseconds / day)));
  }
  if (moment && datetime) return bind_time(value, column, "datetime(6)", dialect);
  if (const auto* whole = value.get_if<Date>(); whole && datetime) return dialect.to_cell(column, DateTime(*whole));
  if (value.is<Time>() && column.starts_with("time")) return bind_time(value, column, "time(6)", dialect);
  // Numbers and texts compare as they are.
  if (text) return value;
  for (const auto& [is_this, type] :
       std::initializer_list<std::pair<bool, std::string_view>>{{value.is<bool>(), "bool"},
                                                                {value.is<std::int64_t>(), "int64"},
                                                                {value.is<double>(), "float64"},
                                                                {value.is<Bytes>(), "bytes"},
                                                                {value.is<Date>(), "date"},
                                                                {value.is<Time>(), "time(6)"},
                                                                {moment != nullptr, "datetime(6)"},
                                                                {value.is<Uuid>(), "uuid"},
                                                                {value.is<Decimal>(), "decimal(65,30)"}}) {
    if (is_this) return dialect.to_cell(type, value);
  }
  if (const Array* array = value.get_if<Array>(); array && array->ndim() == 0) {
    if (array->dtype() == DType::f32 || array->dtype() == DType::f64) return value.as<double>();
    return value.as<std::int64_t>();
  }
  throw Error(Errc::usage,
              fmt::format("compare with {}: a condition takes numbers, texts, dates and the like", value.describe()));
}

Fragment emit(const Expression& expression, std::span<const Value> values, const Heading& heading,
              const db::Dialect& dialect, const std::function<Fragment(const Token&)>& column,
              std::string_view all_rows) {
  Fragment out;
  std::size_t next = 0;
  const auto name_of_empty = [&](const Attribute* attribute) {
    return attribute ? column({Token::Kind::attribute, attribute->name}) : Fragment("NULL");
  };
  // Of each open parenthesis, what is written for its end: patterns put the whole call into other words.
  std::vector<std::string> ends;
  std::optional<std::string> pattern_end;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const Token& token = expression[i];
    const bool tight = i == 0 || is_word(expression, i - 1, "(") || token.text == ")" || token.text == "," ||
                       expression[i - 1].kind == Token::Kind::function;
    if (!tight) out += " ";
    switch (token.kind) {
      case Token::Kind::word:
        if (token.text == "(") {
          if (!pattern_end) out += "(";
          ends.push_back(std::exchange(pattern_end, std::nullopt).value_or(")"));
        } else if (token.text == ")") {
          out += ends.back();
          ends.pop_back();
        } else
          out += token.text == "||" || token.text == "%" ? spelling(token.text, dialect) : token.text;
        break;
      case Token::Kind::attribute: out += column(token); break;
      case Token::Kind::all_rows: out += all_rows; break;
      case Token::Kind::function: {
        const std::string spelt = spelling(token.text, dialect);
        const std::size_t hole = spelt.find("{}");
        out += spelt.substr(0, hole);
        if (hole != std::string::npos) pattern_end = spelt.substr(hole + 2);
        break;
      }
      case Token::Kind::parameter: {
        const Value& value = values[next++];
        const Attribute* attribute = compared_with(expression, i, heading);
        const bool bare = is_word(expression, i - 1, "in");
        const bool alone =
            is_word(expression, i - 1, "(") && is_word(expression, i - 2, "in") && is_word(expression, i + 1, ")");
        const auto items = list_items(value);
        if (!items && bare) {
          throw Error(Errc::usage,
                      fmt::format("make a condition: 'in {{}}' takes a list, and {} was given", value.describe()));
        }
        if (items && !bare && !alone) throw Error(Errc::usage, "make a condition: a list can only stand behind 'in'");
        if (bare) out += "(";
        if (!items) {
          out.parameter(bind(value, attribute, dialect));
        } else if (items->empty()) {  // a list without items is no SQL; a query without rows is
          out += "SELECT ";
          out += name_of_empty(attribute);
          out += " WHERE 1 = 0";
        } else {
          for (std::size_t k = 0; k < items->size(); ++k) {
            if (k) out += ", ";
            out.parameter(bind((*items)[k], attribute, dialect));
          }
        }
        if (bare) out += ")";
        break;
      }
    }
  }
  return out;
}

}  // namespace oas::query
