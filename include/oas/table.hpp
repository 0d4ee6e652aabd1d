// Table: a query over one whole table that can also take rows. Table<> knows its attributes at run time; Table<T>
// has its definition from a struct, so that the compiler checks attribute names and types.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <oas/attribute.hpp>
#include <oas/definition.hpp>
#include <oas/query.hpp>
#include <oas/staged.hpp>

namespace oas {

struct InsertOptions {
  /// A row whose key exists is left as it is, and its objects are not kept.
  bool skip_duplicates = false;
  /// A row whose key exists takes the new values; the objects it no longer refers to go.
  bool replace = false;
  /// Names that the table has not are passed over instead of refused.
  bool ignore_extra_fields = false;
  /// Objects being written or waiting to be, in bytes: the bound on memory beyond the caller's own.
  std::size_t window = std::size_t{64} << 20;
};

/// Columns for an insert of many rows: each an Array of one dimension, or a list, all of one length.
struct Columns {
  std::vector<std::pair<std::string, Value>> columns;
};
Columns columns(std::initializer_list<std::pair<std::string, Value>> items);

/// A source of rows: returns false at the end.
using RowSource = std::function<bool(Row&)>;

template <class T>
class TypedQuery;

template <class T = void>
class Table;

/// The table without its type.
template <>
class Table<void> : public Query {
 public:
  Table(std::shared_ptr<SessionState> session, std::shared_ptr<const Tree> tree)
      : Query(std::move(session), std::move(tree)) {}
  const std::string& schema() const;
  const std::string& name() const;  ///< as in the database, with the prefix of its tier
  Tier tier() const;
  /// The definition as one would write it; declares the same table again.
  std::string describe() const;

  /// All rows or none. Returns the number of rows that are new or replaced.
  /// Errors: unknown_attribute, missing_attribute, usage (types, ranges, duplicate names) before anything is written;
  /// duplicate, constraint. Cost: objects in parallel, one statement a row set, one commit.
  std::size_t insert(const RowSource& rows, InsertOptions options = {});
  /// Rows that lie in memory are not copied.
  std::size_t insert(std::span<const Row> rows, InsertOptions options = {});
  std::size_t insert(const std::vector<Row>& rows, InsertOptions options = {}) {
    return insert(std::span<const Row>(rows), options);
  }
  std::size_t insert(const Columns& columns, InsertOptions options = {});
  /// From a query: attributes by name. Objects are copied, not shared.
  std::size_t insert(const Query& query, InsertOptions options = {});
  template <std::ranges::input_range Range>
  requires(std::convertible_to<std::ranges::range_reference_t<Range>, const Row&> &&
           !std::convertible_to<Range, std::span<const Row>> &&
           !std::derived_from<std::remove_cvref_t<Range>, Query>) std::size_t
      insert(Range&& range, InsertOptions options = {}) {
    auto it = std::ranges::begin(range);
    return insert(RowSource([&range, it, started = false](Row& row) mutable {
                    if (started) ++it;
                    started = true;
                    if (it == std::ranges::end(range)) return false;
                    row = *it;
                    return true;
                  }),
                  options);
  }
  std::size_t insert1(Row row, InsertOptions options = {});
  /// The whole key and the attributes to change; exactly one row must have the key (usage).
  void update1(const Row& row);
  /// One row whose objects are written in place; see staged.hpp. The whole primary key comes first.
  StagedInsert staged_insert1(Row key);
  /// Several rows that become real together.
  StagedInsert staged_insert();
  /// Drops the table with its parts, its rows and their objects. Tables that refer to it must go first (constraint).
  void drop();
};

/// A restriction of a Table<T>: still knows the attributes of T.
template <class T>
class TypedQuery : public Query {
 public:
  explicit TypedQuery(Query query) : Query(std::move(query)) {}
  TypedQuery operator&(const Condition& condition) const { return TypedQuery(Query::operator&(condition)); }
  TypedQuery operator&(const Query& other) const { return TypedQuery(Query::operator&(other)); }
  TypedQuery operator-(const Condition& condition) const { return TypedQuery(Query::operator-(condition)); }
  TypedQuery operator-(const Query& other) const { return TypedQuery(Query::operator-(other)); }
  template <class... Items>
  TypedQuery order_by(const Items&... items) const {
    return TypedQuery(Query::order_by(items...));
  }
  TypedQuery limit(std::uint64_t n) const { return TypedQuery(Query::limit(n)); }
  TypedQuery offset(std::uint64_t n) const { return TypedQuery(Query::offset(n)); }

  using Query::fetch1;
  /// `fetch1<"raw_data">()`, or several: a tuple. A name that T has not does not compile.
  template <fixed_string Name>
  detail::attribute_t<T, Name> fetch1() const {
    return Query::fetch1(Name.view()).template as<detail::attribute_t<T, Name>>();
  }
  template <fixed_string First, fixed_string Second, fixed_string... More>
  auto fetch1() const {
    const Row row = fetch1_of({std::string(First.view()), std::string(Second.view()), std::string(More.view())...});
    return std::tuple<detail::attribute_t<T, First>, detail::attribute_t<T, Second>, detail::attribute_t<T, More>...>{
        row.at<detail::attribute_t<T, First>>(First.view()), row.at<detail::attribute_t<T, Second>>(Second.view()),
        row.at<detail::attribute_t<T, More>>(More.view())...};
  }

 private:
  Row fetch1_of(std::vector<std::string> names) const { return Query::fetch1(std::move(names)); }
};

template <class T>
class Table : public Table<void> {
 public:
  explicit Table(Table<void> table) : Table<void>(std::move(table)) {}
  TypedQuery<T> all() const { return TypedQuery<T>(*this); }
  TypedQuery<T> operator&(const Condition& condition) const { return all() & condition; }
  TypedQuery<T> operator&(const Query& other) const { return all() & other; }
  TypedQuery<T> operator-(const Condition& condition) const { return all() - condition; }
  TypedQuery<T> operator-(const Query& other) const { return all() - other; }
  template <class... Items>
  TypedQuery<T> order_by(const Items&... items) const {
    return all().order_by(items...);
  }
  TypedQuery<T> limit(std::uint64_t n) const { return all().limit(n); }
  TypedQuery<T> offset(std::uint64_t n) const { return all().offset(n); }
  using Query::fetch1;
  template <fixed_string... Names>
  requires(sizeof...(Names) > 0) auto fetch1() const { return all().template fetch1<Names...>(); }
};

}  // namespace oas
