// Any bytes as a condition, and as a computed attribute: one expression over the attributes, the same when it is read
// again from what was understood, which no database can take for anything else; or a typed error.
#include "core/text.hpp"
#include "db/registry.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"
#include "query/expression.hpp"

namespace {

using namespace oas;
using query::Token;

constexpr std::size_t slack = 1 << 16;  // of messages

void require(bool holds) {
  if (!holds) std::abort();
}

const Heading& heading() {
  static const Heading all = [] {
    db::TableDef table;
    table.columns = {
        {"a", "int32", {}, false, ""},  {"b", "varchar(9)", {}, true, ""},        {"at", "datetime(3)", {}, true, ""},
        {"day", "date", {}, false, ""}, {"x", "float64", {}, false, ""},          {"ok", "bool", {}, false, ""},
        {"id", "uuid", {}, false, ""},  {"order", "decimal(5,2)", {}, false, ""}, {"say \"hi\"", "json", {}, true, ""}};
    return heading_of(table);
  }();
  return all;
}

std::string text_of(const query::Expression& expression) {
  std::string text;
  for (const Token& token : expression) {
    if (token.kind == Token::Kind::parameter)
      text += "{}";
    else if (token.kind == Token::Kind::attribute) {
      text += '"';
      for (const char c : token.text) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    } else
      text += token.text;
    text += ' ';
  }
  return text;
}

/// Outside of quotes there is nothing that ends a statement or begins a comment, and quotes and parentheses are closed.
void is_contained(std::string_view sql) {
  int depth = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i], next = i + 1 < sql.size() ? sql[i + 1] : ' ';
    if (c == '\'' || c == '"' || c == '`') {
      i = sql.find(c, i + 1);
      require(i != sql.npos);
      continue;
    }
    require(c != ';' && c != '#' && c != '\\' && c != '\0' && !(c == '-' && next == '-') && !(c == '/' && next == '*'));
    depth += (c == '(') - (c == ')');
    require(depth >= 0);
  }
  require(depth == 0);
}

void understood(std::string_view text, query::Aggregates aggregates) {
  query::Expression expression;
  try {
    const fuzz::MemoryBound bound(slack + query::expression_factor * text.size());
    expression = query::parse(text, heading(), "condition", aggregates);
  } catch (const Error& error) {
    require(error.code() == Errc::syntax || error.code() == Errc::unknown_attribute);
    require(valid_utf8(error.what()) && std::string_view(error.what()).size() < 4000);
    return;
  }
  const query::Expression again = query::parse(text_of(expression), heading(), "condition", aggregates);
  require(again.size() == expression.size());
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < again.size(); ++i) {
    require(again[i].kind == expression[i].kind && again[i].text == expression[i].text &&
            again[i].aggregated == expression[i].aggregated);
    parameters += again[i].kind == Token::Kind::parameter;
  }
  for (const std::string_view name : db::dialect_names()) {
    const db::Dialect& dialect = db::dialect_of(name);
    const auto column = [&](const Token& token) { return query::Fragment(dialect.quote(token.text)); };
    for (const Value& value : std::initializer_list<Value>{1, "2026-01-31", list({1, 2}), Seq{}}) {
      const std::vector<Value> values(parameters, value);
      try {
        const db::Sql sql = query::emit(expression, values, heading(), dialect, column).finish(dialect);
        require(valid_utf8(sql.text));
        is_contained(sql.text);
      } catch (const Error& error) {
        require(error.code() == Errc::syntax || error.code() == Errc::usage);
      }
    }
  }
}

void run(BytesView input) {
  understood(as_text(input), query::Aggregates::refused);
  understood(as_text(input), query::Aggregates::allowed);
}

}  // namespace

OAS_FUZZ_TARGET(run)
