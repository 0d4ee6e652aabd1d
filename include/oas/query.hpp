// Query: what rows to get. An immutable value, cheap to copy; nothing runs before it is asked. A query belongs to the
// thread of its Session. Rows arrive decoded and streamed: memory does not grow with their number.
//
// Errors of everything that runs: unknown_table, access, unavailable; decode, integrity, missing_object when values
// cannot be had; usage, unknown_attribute, syntax when operators do not fit.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <oas/condition.hpp>
#include <oas/heading.hpp>
#include <oas/value.hpp>

namespace oas {

class Tree;
struct SessionState;

/// An input range of rows, read once: `for (const oas::Row& row : query)`. A row is valid until the next one.
class Rows {
 public:
  struct State;
  explicit Rows(std::shared_ptr<State> state) : state_(std::move(state)) {}

  class iterator {
   public:
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(std::shared_ptr<State> state) : state_(std::move(state)) { ++*this; }
    const Row& operator*() const;
    const Row* operator->() const { return &**this; }
    iterator& operator++();
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.state_ == nullptr; }

   private:
    std::shared_ptr<State> state_;
  };
  iterator begin() { return iterator(state_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::shared_ptr<State> state_;
};

class Query {
 public:
  Query(std::shared_ptr<SessionState> session, std::shared_ptr<const Tree> tree);

  /// Rows for which the condition holds; with a query: rows that match one of its rows in all common attributes.
  Query operator&(const Condition& condition) const;
  Query operator&(const Query& other) const;
  /// Rows for which it does not hold. A NULL in the other query never hides a row.
  Query operator-(const Condition& condition) const;
  Query operator-(const Query& other) const;
  /// Natural join. Common attributes must come from the same origin (foreign keys); otherwise rename one: usage.
  Query operator*(const Query& other) const;
  /// The primary key and the named attributes; "new = old" renames, "new = expression" computes, "..." keeps all.
  Query proj(const std::vector<std::string>& items) const;
  template <class... Items>
  Query proj(std::string_view first, const Items&... items) const {
    return proj(std::vector<std::string>{std::string(first), std::string(items)...});
  }
  /// One row for each row of this query, with aggregates over the rows of `other` that belong to it.
  Query aggr(const Query& other, const std::vector<std::string>& items) const;
  template <class... Items>
  Query aggr(const Query& other, std::string_view first, const Items&... items) const {
    return aggr(other, std::vector<std::string>{std::string(first), std::string(items)...});
  }
  /// "attribute" or "attribute desc", the first counts most; "KEY" stands for the primary key.
  Query order_by(const std::vector<std::string>& items) const;
  template <class... Items>
  Query order_by(std::string_view first, const Items&... items) const {
    return order_by(std::vector<std::string>{std::string(first), std::string(items)...});
  }
  Query limit(std::uint64_t rows) const;
  Query offset(std::uint64_t rows) const;

  const Heading& heading() const&;
  /// Of a query that ends with the expression a copy, so that `for (… : lab["Scan"].heading())` is safe.
  Heading heading() && { return std::as_const(*this).heading(); }
  /// The statement that would run, with placeholders: for people.
  std::string sql() const;
  /// Number of rows. Cost: one statement.
  std::size_t size() const;
  bool empty() const;
  /// Streams all rows. Cost: one statement; objects of `<blob@>` and the like are read ahead in parallel, within a
  /// window; `<npy@>`, `<object@>` and `<filepath@>` make no request.
  Rows rows() const;
  Rows::iterator begin() const { return rows().begin(); }
  std::default_sentinel_t end() const noexcept { return {}; }
  std::vector<Row> fetch() const;
  /// The primary keys.
  std::vector<Row> keys() const;
  /// The one row. Errors: usage if there is not exactly one.
  Row fetch1() const;
  Value fetch1(std::string_view attribute) const;
  Row fetch1(std::vector<std::string> attributes) const;

  /// Deletes these rows, the rows that depend on them, and the objects that no row needs any more. Only for a table
  /// or a restriction of one (usage). Part rows go with their master and not alone (constraint).
  /// Inside a transaction objects go after its commit. Returns the number of rows of all tables that went.
  std::size_t remove() const;
  /// What remove() would delete: rows for each table, full names, in the order of deletion. Nothing is changed.
  std::vector<std::pair<std::string, std::size_t>> would_remove() const;

  const std::shared_ptr<const Tree>& tree() const noexcept { return tree_; }
  const std::shared_ptr<SessionState>& session() const noexcept { return session_; }

 protected:
  std::shared_ptr<SessionState> session_;
  std::shared_ptr<const Tree> tree_;
};

}  // namespace oas
