// Fragment: a piece of SQL with its parameters at the places where they stand. Placeholders get their numbers when the
// whole statement is there, so pieces can be put together in any order.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oas/db.hpp>

namespace oas::query {

class Fragment {
 public:
  Fragment() = default;
  Fragment(std::string text) : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  Fragment(std::string_view text) : text_(text) {}        // NOLINT(google-explicit-constructor)
  Fragment(const char* text) : text_(text) {}             // NOLINT(google-explicit-constructor)

  Fragment& operator+=(const Fragment& other);
  void parameter(Value value) { parameters_.emplace_back(text_.size(), std::move(value)); }

  bool empty() const noexcept { return text_.empty() && parameters_.empty(); }
  std::size_t size() const noexcept { return text_.size(); }
  /// With placeholders numbered from `first`. Errors: usage if there are more than the database takes.
  db::Sql finish(const db::Dialect& dialect, std::size_t first = 1) const;
  friend bool operator==(const Fragment&, const Fragment&) = default;

 private:
  std::string text_;
  std::vector<std::pair<std::size_t, Value>> parameters_;  // where in the text, in order
};

/// The pieces with a separator between them.
Fragment join(const std::vector<Fragment>& pieces, std::string_view separator);

}  // namespace oas::query
