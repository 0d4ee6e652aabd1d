#include "format/literal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <oas/error.hpp>

#include "core/text.hpp"

namespace oas::format {
namespace {

constexpr int deepest = 32;

// What Python's repr() escapes beyond ASCII: blanks, controls, marks of format, private characters. (It escapes too
// what its version of Unicode has not assigned; that differs from version to version.)
bool is_shown(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> hidden[] = {
      {0x7F, 0xA0},       {0xAD, 0xAD},        {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},
      {0x70F, 0x70F},     {0x890, 0x891},      {0x8E2, 0x8E2},     {0x1680, 0x1680},   {0x180E, 0x180E},
      {0x2000, 0x200F},   {0x2028, 0x202F},    {0x205F, 0x2064},   {0x2066, 0x206F},   {0x3000, 0x3000},
      {0xE000, 0xF8FF},   {0xFEFF, 0xFEFF},    {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
      {0x13430, 0x13438}, {0x1BCA0, 0x1BCA3},  {0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F},
      {0xF0000, 0xFFFFD}, {0x100000, 0x10FFFD}};
  return std::ranges::none_of(hidden, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Literal whole() {
    Literal literal = take();
    if (next() != '\0' || at_ != text_.size()) fail("something follows");
    return literal;
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw Error(Errc::decode, fmt::format("read the description of an array: at character {}: {}. it is damaged, or "
                                          "was not written by numpy",
                                          at_, why));
  }
  // The next character that is not white space, still to be taken; NUL at the end.
  char next() {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool skip(char expected) {
    if (next() != expected || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  Literal take() {
    if (++depth_ > deepest) fail("it is nested too deep");
    Literal literal = take_here();
    --depth_;
    return literal;
  }
  Literal take_here() {
    switch (next()) {
      case '{': return take_dict();
      case '[': return take_items(']', Literal::Kind::list);
      case '(': return take_items(')', Literal::Kind::tuple);
      case '\'':
      case '"': return {Literal::Kind::text, 0, take_text(), {}};
      case 'u':  // Python 2
        if (at_ + 1 == text_.size() || (text_[at_ + 1] != '\'' && text_[at_ + 1] != '"')) return take_word();
        ++at_;
        return {Literal::Kind::text, 0, take_text(), {}};
      default: return take_word();
    }
  }
  Literal take_dict() {
    Literal dict{Literal::Kind::dict, 0, {}, {}};
    ++at_;
    while (!skip('}')) {
      dict.items.push_back(take());
      if (!skip(':')) fail("a ':' is missing");
      dict.items.push_back(take());
      if (!skip(',') && next() != '}') fail("a ',' or '}' is missing");
    }
    return dict;
  }
  Literal take_items(char close, Literal::Kind kind) {
    Literal list{kind, 0, {}, {}};
    ++at_;
    bool comma = false;
    while (!skip(close)) {
      list.items.push_back(take());
      comma = skip(',');
      if (!comma && next() != close) fail("a ',' or a closing bracket is missing");
    }
    if (kind == Literal::Kind::tuple && list.items.size() == 1 && !comma) {  // only brackets around a value
      Literal item = std::move(list.items[0]);
      return item;
    }
    return list;
  }
  Literal take_word() {
    const std::size_t start = at_;
    at_ = std::min(text_.find_first_of(" \t\r\n,:()[]{}'\"", at_), text_.size());
    const std::string_view word = text_.substr(start, at_ - start);
    if (word == "True" || word == "False") return {Literal::Kind::boolean, word == "True", {}, {}};
    if (word == "None") return {};
    // Python 2 wrote long integers with an L.
    const char* end = word.data() + word.size() - (word.ends_with('L') ? 1 : 0);
    Literal integer{Literal::Kind::integer, 0, {}, {}};
    const auto [stop, error] = std::from_chars(word.data(), end, integer.number);
    const bool octal = end - word.data() > 1 && word[0] == '0';  // in Python 2
    if (error != std::errc{} || stop != end || octal) {
      at_ = start;
      fail("it is neither a text, a number nor a list");
    }
    return integer;
  }
  std::string take_text() {
    const char quote = text_[at_++];
    std::string out;
    while (true) {
      const std::size_t special = text_.find_first_of(quote == '"' ? "\"\\\n" : "'\\\n", at_);
      if (special == std::string_view::npos || text_[special] == '\n') fail("a text does not end");
      out += text_.substr(at_, special - at_);
      at_ = special + 1;
      if (text_[special] == quote) return out;
      take_escape(out);
    }
  }
  void take_escape(std::string& out) {
    const char escape = at_ < text_.size() ? text_[at_++] : '\0';
    switch (escape) {
      case '\\':
      case '\'':
      case '"': out.push_back(escape); return;
      case 'n': out.push_back('\n'); return;
      case 't': out.push_back('\t'); return;
      case 'r': out.push_back('\r'); return;
      case 'x': return take_code(out, 2);
      case 'u': return take_code(out, 4);
      case 'U': return take_code(out, 8);
      default: fail("an escape that is not known");
    }
  }
  void take_code(std::string& out, std::size_t digits) {
    const std::string_view hex = text_.substr(at_, digits);
    std::uint32_t code = 0;
    const auto [stop, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (hex.size() != digits || error != std::errc{} || stop != hex.data() + digits || !append_utf8(out, code))
      fail("an escape that is no character");
    at_ += digits;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

const Literal* Literal::find(std::string_view key) const {
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::text && items[i].text == key) return &items[i + 1];
  return nullptr;
}

Literal parse_literal(std::string_view utf8) { return Parser(utf8).whole(); }

std::string quote_literal(std::string_view utf8) {
  const char quote = utf8.find('\'') != std::string_view::npos && utf8.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  while (!utf8.empty()) {
    const std::string_view before = utf8;
    const auto taken = take_code_point(utf8);
    if (!taken) throw Error(Errc::usage, "describe an array: the name of a field is not UTF-8");
    const auto c = static_cast<std::uint32_t>(*taken);
    if (c == static_cast<unsigned char>(quote) || c == '\\')
      out += {'\\', static_cast<char>(c)};
    else if (c == '\n' || c == '\t' || c == '\r')
      out += {'\\', c == '\n' ? 'n' : c == '\t' ? 't' : 'r'};
    else if (c >= 0x20 && is_shown(*taken))
      out += before.substr(0, before.size() - utf8.size());
    else if (c < 0x100)
      out += fmt::format("\\x{:02x}", c);
    else
      out += c < 0x10000 ? fmt::format("\\u{:04x}", c) : fmt::format("\\U{:08x}", c);
  }
  out.push_back(quote);
  return out;
}

}  // namespace oas::format
