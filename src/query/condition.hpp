// What a Condition is made of. See oas/condition.hpp for what users may write.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <oas/condition.hpp>

namespace oas {

struct Condition::Node {
  enum class Kind : std::uint8_t { expression, keys, negation, conjunction, disjunction };
  Kind kind = Kind::conjunction;
  std::string text;              ///< of an expression
  std::vector<Value> values;     ///< for each of its {}
  std::vector<Row> rows;         ///< of keys: one of them must match
  std::vector<Condition> parts;  ///< of negation (one), conjunction, disjunction
  std::size_t depth = 1;         ///< of nesting; bounded, because conditions are walked recursively
};

}  // namespace oas
