// 1. A tree becomes a Block: one SELECT in parts. Each operator adds its part to the block of its source where SQL
// means
//    the same by that; otherwise the block is first closed into a sub-query that the new block selects from.
// 2. Every table and sub-query has an alias (t1, t2, … in order of appearance) and every column is qualified by it, so
//    parts of different blocks can be put together without looking at names.
#include "query/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "query/condition.hpp"
#include "query/fragment.hpp"

namespace oas::query {
namespace {

constexpr std::size_t long_expression = 4096;  // computed attributes are written out in full wherever they are used

struct Source {
  Fragment item;  // a table or a sub-query, with its alias
  std::string joined_by;
  Fragment on;
};
struct BlockColumn {
  std::string name;
  Fragment sql;
  bool plain = true;  // a column as it is, so it needs no parentheses
  bool renamed = false;
  bool in_key = false;
};
struct Block {
  std::vector<Source> from;
  std::vector<BlockColumn> columns;
  std::vector<Fragment> where;
  bool grouped = false;
  std::vector<Fragment> group;
  std::vector<std::pair<Fragment, bool>> order;  // true: descending
  std::optional<std::uint64_t> limit, offset;

  bool limited() const { return limit || offset; }
  /// Another condition or join can be added.
  bool open() const { return !grouped && !limited(); }
  const BlockColumn& column(std::string_view name) const {
    const auto found = std::ranges::find(columns, name, &BlockColumn::name);
    if (found == columns.end()) throw Error(Errc::internal, fmt::format("render a query: column '{}' is lost", name));
    return *found;
  }
};

Fragment in_parentheses(const Fragment& inner) {
  Fragment out("(");
  out += inner;
  out += ")";
  return out;
}
Fragment operator+(Fragment left, const Fragment& right) {
  left += right;
  return left;
}

// Databases bound the depth of expressions, and a long chain of OR is a deep one: halves of halves are not.
Fragment balanced(std::span<const Fragment> parts, std::string_view separator) {
  if (parts.size() <= 32) return join({parts.begin(), parts.end()}, separator);
  const std::size_t half = parts.size() / 2;
  Fragment out = in_parentheses(balanced(parts.first(half), separator));
  out += separator;
  return out + in_parentheses(balanced(parts.subspan(half), separator));
}

class Renderer {
 public:
  explicit Renderer(const db::Dialect& dialect) : dialect_(dialect) {}

  Block block(const Tree& tree) {
    return std::visit([&](const auto& node) { return block_of(tree, node); }, tree.node());
  }

  /// The block of a restricted table whose columns are qualified by the table's own name.
  Block block_for_where(const Tree& tree) {
    in_place_ = true;
    return block(tree);
  }

  Fragment statement(const Block& block, std::span<const std::string> names) {
    Fragment out("SELECT ");
    std::vector<Fragment> columns;
    for (const std::string& name : names) {
      const BlockColumn& column = block.column(name);
      columns.push_back(column.sql);
      if (column.renamed || !column.plain) columns.back() += " AS " + dialect_.quote(name);
    }
    if (columns.empty()) columns.push_back("NULL");
    out += join(columns, ", ");
    out += tail(block);
    if (!block.order.empty()) {
      std::vector<Fragment> items;
      for (const auto& [sql, descending] : block.order) {
        items.push_back(sql);
        if (descending) items.back() += " DESC";
      }
      out += " ORDER BY ";
      out += join(items, ", ");
    }
    if (block.limited()) {
      constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
      out += fmt::format(" LIMIT {}", std::min(block.limit.value_or(most), most));
      if (block.offset) out += fmt::format(" OFFSET {}", std::min(*block.offset, most));
    }
    return out;
  }

  Fragment count(const Tree& tree) {
    Block counted = block(tree);
    if (!counted.open()) close(counted, key_or_nothing(counted));
    return Fragment("SELECT count(*)") + tail(counted);
  }

 private:
  std::string alias() { return fmt::format("t{}", next_alias_++); }

  static std::vector<std::string> key_or_nothing(const Block& block) {
    std::vector<std::string> names;
    for (const BlockColumn& column : block.columns)
      if (column.in_key) names.push_back(column.name);
    return names;
  }
  static std::vector<std::string> all_names(const Block& block) {
    std::vector<std::string> names;
    for (const BlockColumn& column : block.columns) names.push_back(column.name);
    return names;
  }

  // FROM … WHERE … GROUP BY …
  Fragment tail(const Block& block) {
    Fragment out(" FROM ");
    for (const Source& source : block.from) {
      out += source.joined_by;
      out += source.item;
      if (source.on.empty()) continue;
      out += " ON ";
      out += source.on;
    }
    if (!block.where.empty()) {
      out += " WHERE ";
      out += balanced(block.where, " AND ");
    }
    if (!block.grouped) return out;
    if (block.group.empty()) return out + " HAVING count(*) > 0";  // no rows, no group
    out += " GROUP BY ";
    return out + join(block.group, ", ");
  }

  // Makes the block a sub-query, from which a new one selects everything, in the same order.
  void close(Block& block, const std::vector<std::string>& names) {
    Block outer;
    const std::string t = alias();
    outer.from.push_back({in_parentheses(statement(block, names)) + Fragment(" AS " + t), {}, {}});
    for (const std::string& name : names) {
      outer.columns.push_back({name, Fragment(t + "." + dialect_.quote(name)), true, false, block.column(name).in_key});
    }
    for (const auto& [sql, descending] : block.order) {
      const auto same =
          std::ranges::find_if(block.columns, [&wanted = sql](const BlockColumn& c) { return c.sql == wanted; });
      if (same == block.columns.end() || std::ranges::find(names, same->name) == names.end()) {
        outer.order.clear();
        break;
      }
      outer.order.emplace_back(outer.column(same->name).sql, descending);
    }
    block = std::move(outer);
  }
  void close(Block& block) { close(block, all_names(block)); }

  static Fragment sql_of(const BlockColumn& column) { return column.plain ? column.sql : in_parentheses(column.sql); }

  Fragment expression(const Expression& e, std::span<const Value> values, const Heading& heading, const Block& block) {
    return emit(e, values, heading, dialect_, [&](const Token& token) { return sql_of(block.column(token.text)); });
  }

  Fragment condition(const Condition& c, const Heading& heading, const Block& block) {
    const Condition::Node& node = c.node();
    switch (node.kind) {
      case Condition::Node::Kind::expression:
        return in_parentheses(expression(parse(node.text, heading, "the condition"), node.values, heading, block));
      case Condition::Node::Kind::keys: return keys(node.rows, heading, block);
      case Condition::Node::Kind::negation: {
        Fragment out = in_parentheses(condition(node.parts.front(), heading, block));
        return out + " IS NOT TRUE";  // and not NOT: what is unknown does not hold either
      }
      case Condition::Node::Kind::conjunction:
      case Condition::Node::Kind::disjunction: break;
    }
    const bool conjunction = node.kind == Condition::Node::Kind::conjunction;
    std::vector<Fragment> parts;
    for (const Condition& part : node.parts) parts.push_back(condition(part, heading, block));
    if (parts.empty()) return conjunction ? "1 = 1" : "1 = 0";
    if (parts.size() == 1) return parts.front();
    return in_parentheses(balanced(parts, conjunction ? " AND " : " OR "));
  }

  Fragment keys(const std::vector<Row>& rows, const Heading& heading, const Block& block) {
    const auto cell = [&](const Attribute& attribute, const Value& value) {
      return attribute.column.empty() ? bind(value, nullptr, dialect_) : dialect_.to_cell(attribute.column, value);
    };
    const bool one_attribute =
        rows.size() > 1 && std::ranges::all_of(rows, [&](const Row& row) {
          return row.size() == 1 && row.begin()->first == rows.front().begin()->first && !row.begin()->second.is_null();
        });
    if (one_attribute) {
      const Attribute& attribute = heading.at(rows.front().begin()->first);
      Fragment out = sql_of(block.column(attribute.name));
      out += " IN (";
      for (const Row& row : rows) {
        if (&row != rows.data()) out += ", ";
        out.parameter(cell(attribute, row.begin()->second));
      }
      return out + ")";
    }
    std::vector<Fragment> alternatives;
    for (const Row& row : rows) {
      std::vector<Fragment> equal;
      for (const auto& [name, value] : row) {
        const Attribute& attribute = heading.at(name);
        equal.push_back(sql_of(block.column(name)));
        if (value.is_null()) {
          equal.back() += " IS NULL";
        } else {
          equal.back() += " = ";
          equal.back().parameter(cell(attribute, value));
        }
      }
      if (equal.empty()) return "1 = 1";
      alternatives.push_back(equal.size() == 1 ? equal.front() : in_parentheses(join(equal, " AND ")));
    }
    if (alternatives.empty()) return "1 = 0";
    return alternatives.size() == 1 ? alternatives.front() : in_parentheses(balanced(alternatives, " OR "));
  }

  Block block_of(const Tree&, const Base& base) {
    const db::TableDef& def = base.table->def;
    const std::string table = dialect_.table(def.schema, def.name);
    Block out;
    std::string qualifier = table;
    if (in_place_) {
      in_place_ = false;  // only the outermost table
      out.from.push_back({Fragment(table), {}, {}});
    } else {
      qualifier = alias();
      out.from.push_back({Fragment(table + " AS " + qualifier), {}, {}});
    }
    for (const Attribute& attribute : base.table->heading) {
      const std::string column = qualifier + "." + dialect_.quote(attribute.name);
      if (attribute.old && attribute.in_store)
        out.columns.push_back({attribute.name, external(def, attribute, column), false, false, false});
      else
        out.columns.push_back({attribute.name, Fragment(column), true, false, attribute.in_key});
    }
    return out;
  }

  // What `blob@s`, `attach@s` and `filepath@s` of DataJoint before 2.0 refer to, as the JSON that codec/external.cpp
  // reads. A hash without its line is no NULL, but a text. It was on MySQL alone.
  Fragment external(const db::TableDef& def, const Attribute& attribute, const std::string& column) {
    const std::string t = alias();
    const auto of_line = [&](std::string_view name) { return t + "." + dialect_.quote(name); };
    Fragment out("COALESCE((SELECT JSON_OBJECT('kind', ");
    out.parameter(attribute.type.substr(0, attribute.type.find('@')));
    out += ", 'schema', ";
    out.parameter(def.schema);
    out += ", 'store', ";
    out.parameter(attribute.store);
    out += fmt::format(", 'hash', HEX({}), 'contents_hash', HEX({})", of_line("hash"), of_line("contents_hash"));
    for (const std::string_view name : {"size", "attachment_name", "filepath"})
      out += fmt::format(", '{}', {}", name, of_line(name));
    out += fmt::format(") FROM {} AS {} WHERE {} = {}), JSON_QUOTE(HEX({})))",
                       dialect_.table(def.schema, "~external_" + attribute.store), t, of_line("hash"), column, column);
    return out;
  }

  Block block_of(const Tree& tree, const Restriction& node) {
    Block out = block(*node.source);
    if (!out.open()) close(out);
    Fragment holds = condition(node.condition, tree.heading(), out);
    out.where.push_back(node.negated ? in_parentheses(holds) + " IS NOT TRUE" : std::move(holds));
    return out;
  }

  Block block_of(const Tree&, const SemiJoin& node) {
    Block out = block(*node.source);
    if (!out.open()) close(out);
    Block other = block(*node.other);
    if (!other.open()) close(other);
    other.order.clear();
    std::vector<Fragment> matching;
    for (const auto& [ours, theirs] : node.pairs)
      matching.push_back(sql_of(other.column(theirs)) + " = " + sql_of(out.column(ours)));
    other.where.insert(other.where.begin(), matching.begin(), matching.end());
    out.where.push_back(Fragment(node.negated ? "NOT EXISTS (SELECT 1" : "EXISTS (SELECT 1") + tail(other) + ")");
    return out;
  }

  Block block_of(const Tree& tree, const Projection& node) {
    Block out = block(*node.source);
    const auto computed = [](const Column& column) { return column.source.empty(); };
    if (out.grouped && std::ranges::any_of(node.columns, computed)) close(out);
    std::vector<BlockColumn> columns = select(tree, node.columns, node.source->heading(), out);
    if (std::ranges::any_of(columns, [](const BlockColumn& c) { return c.sql.size() > long_expression; })) {
      close(out);
      columns = select(tree, node.columns, node.source->heading(), out);
    }
    out.columns = std::move(columns);
    return out;
  }
  std::vector<BlockColumn> select(const Tree& tree, const std::vector<Column>& wanted, const Heading& heading,
                                  const Block& from) {
    std::vector<BlockColumn> columns;
    for (const Column& column : wanted) {
      if (column.source.empty()) {
        columns.push_back({column.name, expression(column.computed, {}, heading, from), false, true, false});
        continue;
      }
      columns.push_back(from.column(column.source));
      columns.back().name = column.name;
      columns.back().renamed = columns.back().renamed || column.name != column.source;
      columns.back().in_key = tree.heading().at(column.name).in_key;
    }
    return columns;
  }

  Block block_of(const Tree& tree, const Join& node) {
    Block left = block(*node.left);
    if (!left.open()) close(left);
    Block right = block(*node.right);
    if (!right.open() || right.from.size() > 1) close(right);
    Source joined = std::move(right.from.front());
    joined.joined_by = node.common.empty() ? " CROSS JOIN " : " JOIN ";
    joined.on = equal(left, right, node.common);
    left.from.push_back(std::move(joined));
    left.where.insert(left.where.end(), right.where.begin(), right.where.end());
    left.order.clear();
    std::vector<BlockColumn> columns;
    for (const Attribute& attribute : tree.heading()) {
      const bool ours = node.left->heading().find(attribute.name) != nullptr;
      columns.push_back((ours ? left : right).column(attribute.name));
      columns.back().in_key = attribute.in_key;
    }
    left.columns = std::move(columns);
    return left;
  }
  static Fragment equal(const Block& left, const Block& right, const std::vector<std::string>& common) {
    std::vector<Fragment> pairs;
    for (const std::string& name : common)
      pairs.push_back(sql_of(left.column(name)) + " = " + sql_of(right.column(name)));
    return join(pairs, " AND ");
  }

  Block block_of(const Tree& tree, const Aggregation& node) {
    Block out = block(*node.left);
    if (!out.open()) close(out);
    Block right = block(*node.right);
    if (!right.open() || right.from.size() > 1) close(right);
    out.order.clear();
    // The right side's conditions are part of the join: in WHERE they would drop rows of the left that have no match.
    Source joined = std::move(right.from.front());
    joined.joined_by = " LEFT JOIN ";
    std::vector<Fragment> on = right.where;
    if (!node.common.empty()) on.insert(on.begin(), equal(out, right, node.common));
    joined.on = on.empty() ? Fragment("1 = 1") : balanced(on, " AND ");
    out.from.push_back(std::move(joined));
    out.grouped = true;
    const auto group_by = [&](const Fragment& sql) {
      if (std::ranges::find(out.group, sql) == out.group.end()) out.group.push_back(sql);
    };
    for (const BlockColumn& column : out.columns)
      if (column.in_key) group_by(column.sql);

    // count(*) counts rows that belong, and so something that is NULL where none does.
    const auto right_key = std::ranges::find_if(right.columns, &BlockColumn::in_key);
    const std::string all_rows = right_key == right.columns.end() ? "*" : right_key->sql.finish(dialect_).text;
    std::vector<BlockColumn> columns;
    for (const Column& column : node.columns) {
      if (!column.source.empty()) {
        columns.push_back(out.column(column.source));
        columns.back().name = column.name;
        columns.back().renamed = columns.back().renamed || column.name != column.source;
        columns.back().in_key = tree.heading().at(column.name).in_key;
        group_by(columns.back().sql);
        continue;
      }
      const auto sql = [&](const Token& token) {
        const bool theirs = token.aggregated && node.right->heading().find(token.text) != nullptr;
        Fragment text = sql_of((theirs ? right : out).column(token.text));
        if (!token.aggregated) group_by(text);
        return text;
      };
      columns.push_back(
          {column.name, emit(column.computed, {}, node.right->heading(), dialect_, sql, all_rows), false, true, false});
    }
    out.columns = std::move(columns);
    return out;
  }

  Block block_of(const Tree&, const Order& node) {
    Block out = block(*node.source);
    if (out.limited()) close(out);
    out.order.clear();
    for (const OrderItem& item : node.items) out.order.emplace_back(out.column(item.attribute).sql, item.descending);
    return out;
  }

  Block block_of(const Tree& tree, const Top& node) {
    Block out = block(*node.source);
    if ((node.limit && out.limit) || (node.offset && out.offset)) close(out);
    if (out.order.empty()) {
      for (const std::string& name : tree.heading().primary_key()) out.order.emplace_back(out.column(name).sql, false);
    }
    if (node.limit) out.limit = node.limit;
    if (node.offset) out.offset = node.offset;
    return out;
  }

  const db::Dialect& dialect_;
  std::size_t next_alias_ = 1;
  bool in_place_ = false;
};

}  // namespace

db::Sql render(const Tree& tree, const db::Dialect& dialect) {
  return render_columns(tree, dialect, tree.heading().names());
}

db::Sql render_columns(const Tree& tree, const db::Dialect& dialect, std::span<const std::string> attributes) {
  for (const std::string& name : attributes)
    if (!tree.heading().find(name)) throw_unknown("fetch attributes", name, tree.heading());
  Renderer renderer(dialect);
  const Block block = renderer.block(tree);
  return renderer.statement(block, attributes).finish(dialect);
}

db::Sql render_keys(const Tree& tree, const db::Dialect& dialect) {
  return render_columns(tree, dialect, tree.heading().primary_key());
}

db::Sql render_count(const Tree& tree, const db::Dialect& dialect) {
  return Renderer(dialect).count(tree).finish(dialect);
}

std::optional<db::Sql> render_where(const Tree& tree, const db::Dialect& dialect, std::size_t first_placeholder) {
  if (!tree.table()) return std::nullopt;
  const Block block = Renderer(dialect).block_for_where(tree);
  if (block.where.empty()) return db::Sql{"1 = 1", {}};
  return balanced(block.where, " AND ").finish(dialect, first_placeholder);
}

}  // namespace oas::query
