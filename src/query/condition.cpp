#include "query/condition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace oas {
namespace {

constexpr std::size_t max_depth = 200;

Condition make(Condition::Node node) {
  for (const Condition& part : node.parts) node.depth = std::max(node.depth, part.node().depth + 1);
  if (node.depth > max_depth) {
    throw Error(Errc::usage,
                fmt::format("combine conditions: they are nested more than {} deep. put them into one list "
                            "for all_of or any_of",
                            max_depth));
  }
  return Condition(std::make_shared<const Condition::Node>(std::move(node)));
}

}  // namespace

Condition::Condition() : Condition(std::make_shared<const Node>()) {}

Condition key(Row row) { return keys({std::move(row)}); }

Condition keys(std::vector<Row> rows) {
  Condition::Node node;
  node.kind = Condition::Node::Kind::keys;
  node.rows = std::move(rows);
  return make(std::move(node));
}

Condition where_runtime(std::string_view text, std::vector<Value> values) {
  const std::size_t wanted = detail::count_parameters(text);
  if (wanted != values.size()) {
    throw Error(Errc::usage, fmt::format("make the condition '{}': it has {} {{}} and {} values were given",
                                         shown(text, 200), wanted, values.size()));
  }
  Condition::Node node;
  node.kind = Condition::Node::Kind::expression;
  node.text = text;
  node.values = std::move(values);
  return make(std::move(node));
}

Condition operator!(const Condition& condition) {
  Condition::Node node;
  node.kind = Condition::Node::Kind::negation;
  node.parts = {condition};
  return make(std::move(node));
}

Condition all_of(std::vector<Condition> conditions) {
  Condition::Node node;
  node.kind = Condition::Node::Kind::conjunction;
  node.parts = std::move(conditions);
  return make(std::move(node));
}

Condition any_of(std::vector<Condition> conditions) {
  Condition::Node node;
  node.kind = Condition::Node::Kind::disjunction;
  node.parts = std::move(conditions);
  return make(std::move(node));
}

}  // namespace oas
