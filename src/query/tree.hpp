// Tree: what a query asks for, as immutable nodes that are shared between queries. Each node knows the heading of its
// rows; rendering to SQL is in render.hpp. Pure: knows no session and no database.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <oas/condition.hpp>
#include <oas/db.hpp>
#include <oas/heading.hpp>

#include "query/expression.hpp"

namespace oas {

class Tree;
using TreePtr = std::shared_ptr<const Tree>;

/// A table as it is in the database.
struct TableInfo {
  db::TableDef def;
  Heading heading;
};

namespace query {

/// Attributes that must be equal: of this query, of the other one.
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// An attribute of a result: one of the source's (perhaps under a new name), or computed.
struct Column {
  std::string name;
  std::string source;  ///< of the source's attribute; empty if computed
  Expression computed;
};
struct OrderItem {
  std::string attribute;
  bool descending = false;
};

struct Base {
  std::shared_ptr<const TableInfo> table;
};
struct Restriction {
  TreePtr source;
  Condition condition;
  bool negated;
};
/// Rows that have (or, negated, have not) a row in `other` with equal pairs. No pairs: that has any row.
struct SemiJoin {
  TreePtr source, other;
  Pairs pairs;
  bool negated;
};
struct Projection {
  TreePtr source;
  std::vector<Column> columns;
};
struct Join {
  TreePtr left, right;
  std::vector<std::string> common;
};
/// One row for each row of `left`; in `columns`, sources are of `left` and computed ones are over rows of `right`.
struct Aggregation {
  TreePtr left, right;
  std::vector<std::string> common;
  std::vector<Column> columns;
};
struct Order {
  TreePtr source;
  std::vector<OrderItem> items;
};
struct Top {
  TreePtr source;
  std::optional<std::uint64_t> limit, offset;
};

using Node = std::variant<Base, Restriction, SemiJoin, Projection, Join, Aggregation, Order, Top>;

TreePtr base(std::shared_ptr<const TableInfo> table);
/// Errors: unknown_attribute, syntax, usage.
TreePtr restrict(TreePtr source, Condition condition, bool negated = false);
/// On all common attributes. Errors: usage if one of them has not the same origin on both sides.
TreePtr restrict(TreePtr source, TreePtr other, bool negated = false);
/// On these pairs, whatever their origin: how dependent rows are found along a reference.
TreePtr restrict_on(TreePtr source, TreePtr other, Pairs pairs, bool negated = false);
/// "name", "new = old", "new = expression", "...". Errors: unknown_attribute, syntax, usage.
TreePtr project(TreePtr source, const std::vector<std::string>& items);
/// Errors: usage as restrict().
TreePtr join(TreePtr left, TreePtr right);
/// Every row of `left`, also those without a row in `right`: there count() is 0 and other aggregates are NULL. The
/// primary key of `left` must be among the attributes of `right`. Items as for project(); computed ones are aggregates
/// over `right`. Errors: as project() and join().
TreePtr aggregate(TreePtr left, TreePtr right, const std::vector<std::string>& items);
/// "attribute", "attribute desc", "KEY", "KEY desc". Replaces an earlier order.
TreePtr order_by(TreePtr source, const std::vector<std::string>& items);
/// Of rows without an order those that come first by the primary key. limit() and offset() in either order mean the
/// same; a second limit() or offset() applies to the result of the first.
TreePtr limit(TreePtr source, std::uint64_t rows);
TreePtr offset(TreePtr source, std::uint64_t rows);

}  // namespace query

class Tree {
 public:
  /// For the functions above.
  Tree(query::Node node, Heading heading, std::size_t depth)
      : node_(std::move(node)), heading_(std::move(heading)), depth_(depth) {}
  const query::Node& node() const noexcept { return node_; }
  const Heading& heading() const noexcept { return heading_; }
  std::size_t depth() const noexcept { return depth_; }
  /// The table if this is one, restricted or not (no projection, order or limit); else nullptr.
  const TableInfo* table() const noexcept;

 private:
  query::Node node_;
  Heading heading_;
  std::size_t depth_;
};

}  // namespace oas
