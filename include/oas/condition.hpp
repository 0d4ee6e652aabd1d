// Conditions restrict queries: a key, an expression with parameters, a query, and their combinations. A Condition is
// an immutable value, cheap to copy; it is checked against a heading when it meets a query, and runs when that does.
#pragma once

#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <oas/value.hpp>

namespace oas {

namespace detail {
constexpr std::size_t count_parameters(std::string_view text) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && i + 1 < text.size() && text[i + 1] == '}') ++n, ++i;
  }
  return n;
}
// Never defined as constexpr: naming it in a constant expression makes the compiler show its name.
void number_of_parameters_differs_from_number_of_braces();

/// A text whose number of {} the compiler has compared with the number of arguments.
template <class... Args>
struct where_text {
  std::string_view text;
  template <std::size_t N>
  consteval where_text(const char (&literal)[N]) : text(literal, N - 1) {  // NOLINT(google-explicit-constructor)
    if (count_parameters(text) != sizeof...(Args)) number_of_parameters_differs_from_number_of_braces();
  }
};
template <class T>
Value to_parameter(const T& argument) {
  if constexpr (std::is_constructible_v<std::string_view, const T&>)
    return Value(std::string_view(argument));
  else if constexpr (std::ranges::input_range<const T&> && !std::is_same_v<T, Bytes> && !std::is_same_v<T, Array>) {
    Seq list;
    for (const auto& item : argument) list.items.push_back(to_parameter(item));
    return list;
  } else
    return Value(argument);
}
}  // namespace detail

class Condition {
 public:
  struct Node;  ///< see query/condition.hpp
  /// True for every row.
  Condition();
  explicit Condition(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  const Node& node() const noexcept { return *node_; }

 private:
  std::shared_ptr<const Node> node_;
};

/// Rows whose attributes equal these values; a null value asks for NULL. An attribute that the query has not is an
/// error (unknown_attribute).
Condition key(Row row);
/// Rows that equal one of the keys; no key at all: no row.
Condition keys(std::vector<Row> rows);
/// An SQL expression over attributes; each {} takes a value, a list of values goes behind `in`. Values never enter
/// the text. Identifiers must be attributes, functions must be known to the database: anything else (statements,
/// sub-queries, comments, several statements) is an error (syntax, unknown_attribute) when it meets a query.
template <class... Args>
Condition where(detail::where_text<std::type_identity_t<Args>...> text, const Args&... args);
/// The same from a text that arrives at run time; the number of {} is checked here. Errors: usage.
Condition where_runtime(std::string_view text, std::vector<Value> values = {});

Condition operator!(const Condition& condition);
Condition all_of(std::vector<Condition> conditions);  ///< of none: true
Condition any_of(std::vector<Condition> conditions);  ///< of none: false

template <class... Args>
Condition where(detail::where_text<std::type_identity_t<Args>...> text, const Args&... args) {
  return where_runtime(text.text, std::vector<Value>{detail::to_parameter(args)...});
}

}  // namespace oas
