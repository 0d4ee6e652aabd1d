#include "query/tree.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "query/condition.hpp"

namespace oas {

const TableInfo* Tree::table() const noexcept {
  for (const Tree* tree = this;;) {
    if (const auto* base = std::get_if<query::Base>(&tree->node_)) return base->table.get();
    if (const auto* restricted = std::get_if<query::Restriction>(&tree->node_))
      tree = restricted->source.get();
    else if (const auto* joined = std::get_if<query::SemiJoin>(&tree->node_))
      tree = joined->source.get();
    else
      return nullptr;
  }
}

namespace query {
namespace {

constexpr std::size_t max_depth = 500;  // trees are walked recursively

TreePtr make(Node node, Heading heading, std::size_t depth_below) {
  if (depth_below >= max_depth) {
    throw Error(Errc::usage,
                fmt::format("make a query: it has more than {} operators one upon the other. put conditions "
                            "together with all_of or any_of",
                            max_depth));
  }
  return std::make_shared<const Tree>(std::move(node), std::move(heading), depth_below + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}
std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void check(const Condition& condition, const Heading& heading) {
  const Condition::Node& node = condition.node();
  switch (node.kind) {
    case Condition::Node::Kind::expression: parse(node.text, heading, "the condition"); break;
    case Condition::Node::Kind::keys:
      for (const Row& row : node.rows) {
        for (const auto& [name, value] : row) {
          const Attribute* attribute = heading.find(name);
          if (!attribute) throw_unknown("restrict by a key", name, heading);
          if (!attribute->codec.empty() && !value.is_null()) {
            throw Error(Errc::usage, fmt::format("restrict by a key: '{}' is of type {}, whose values cannot be "
                                                 "compared. use other attributes",
                                                 name, attribute->type));
          }
        }
      }
      break;
    default:
      for (const Condition& part : node.parts) check(part, heading);
  }
}

// Attributes of one name on both sides; they must be the same thing.
std::vector<std::string> common_attributes(const Tree& left, const Tree& right, std::string_view what) {
  std::vector<std::string> common;
  for (const Attribute& ours : left.heading()) {
    const Attribute* theirs = ours.hidden ? nullptr : right.heading().find(ours.name);
    if (!theirs || theirs->hidden) continue;
    if (ours.lineage.empty() || ours.lineage != theirs->lineage) {
      const auto origin = [](const Attribute& a) { return a.lineage.empty() ? "no key" : a.lineage; };
      throw Error(Errc::usage,
                  fmt::format("{}: '{}' is on both sides and does not come from the same place ({}; {}). rename one of "
                              "them with proj(\"other_name = {}\"), or leave it out",
                              what, ours.name, origin(ours), origin(*theirs), ours.name),
                  ours.name);
    }
    common.push_back(ours.name);
  }
  return common;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}
bool all_in(const std::vector<std::string>& names, const std::vector<std::string>& set) {
  return std::ranges::all_of(names, [&](const std::string& name) { return contains(set, name); });
}

struct Item {
  std::string name;        // of the result
  std::string source;      // an attribute; empty if computed
  std::string expression;  // if computed
  bool rest = false;       // "..."
};

Item read_item(std::string_view text, const Heading& heading) {
  text = trim(text);
  if (text == "...") return {.name = {}, .source = {}, .expression = {}, .rest = true};
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    if (!is_name(text)) {
      throw Error(Errc::syntax, fmt::format("take the attribute '{}': this is not a name. name what is computed: "
                                            "\"new_name = {}\"",
                                            text.substr(0, 200), text.substr(0, 200)));
    }
    const Attribute* found = heading.find(text);
    if (!found || found->hidden) throw_unknown("take attributes", text, heading);
    return {.name = std::string(text), .source = std::string(text), .expression = {}};
  }
  const std::string_view name = trim(text.substr(0, equals));
  const std::string_view right = trim(text.substr(equals + 1));
  if (!is_name(name) || name.size() > 64) {
    throw Error(Errc::syntax, fmt::format("name the attribute '{}': names are lower-case letters, digits and _, begin "
                                          "with a letter, and have at most 64 characters",
                                          name.substr(0, 200)));
  }
  if (const Attribute* found = heading.find(right); found && !found->hidden)
    return {.name = std::string(name), .source = std::string(right), .expression = {}};
  return {.name = std::string(name), .source = {}, .expression = std::string(right)};
}

// What proj and aggr have in common: which columns come out, the primary key first. `computable` is what expressions
// are over.
struct Selection {
  std::vector<Column> columns;
  std::vector<Attribute> attributes;
};
Selection select(const Heading& source, const std::vector<std::string>& texts, const Heading& computable,
                 Aggregates aggregates) {
  std::vector<Item> items;
  std::set<std::string, std::less<>> asked, renamed, made;
  for (const std::string& text : texts) {
    items.push_back(read_item(text, source));
    const Item& item = items.back();
    if (item.rest) continue;
    if (item.name == item.source)
      asked.insert(item.name);
    else {
      made.insert(item.name);
      if (!item.source.empty()) renamed.insert(item.source);
    }
  }

  Selection out;
  std::set<std::string, std::less<>> names;
  const auto add = [&](std::string name, const Attribute* from, Expression computed, bool in_key) {
    if (!names.insert(name).second) {
      throw Error(Errc::usage,
                  fmt::format("take attributes: two would have the name '{}'. give one another name", name), name);
    }
    Attribute attribute = from ? *from : Attribute{};
    attribute.name = name;
    attribute.in_key = in_key;
    if (!from) attribute.nullable = true;
    out.attributes.push_back(std::move(attribute));
    out.columns.push_back({std::move(name), from ? from->name : std::string(), std::move(computed)});
  };

  // The key stays, perhaps under new names: the first of them, if the old one is not asked for besides.
  std::set<const Item*> done;
  for (const Attribute& attribute : source) {
    if (!attribute.in_key || attribute.hidden) continue;
    const auto rename = std::ranges::find_if(
        items, [&](const Item& i) { return i.source == attribute.name && i.name != attribute.name; });
    if (rename != items.end() && !asked.contains(attribute.name)) {
      done.insert(&*rename);
      add(rename->name, &attribute, {}, true);
    } else {
      add(attribute.name, &attribute, {}, true);
    }
  }
  for (const Item& item : items) {
    if (item.rest) {
      for (const Attribute& attribute : source) {
        const bool elsewhere = names.contains(attribute.name) || made.contains(attribute.name) ||
                               asked.contains(attribute.name) || renamed.contains(attribute.name);
        if (!attribute.in_key && !attribute.hidden && !elsewhere) add(attribute.name, &attribute, {}, false);
      }
    } else if (item.source.empty()) {
      const std::string what = fmt::format("the attribute {} =", item.name);
      Expression computed = parse(item.expression, computable, what, aggregates);
      const bool values =
          std::ranges::any_of(computed, [](const Token& t) { return t.kind == Token::Kind::parameter; });
      if (values) throw Error(Errc::syntax, fmt::format("read {} '{}': {{}} has no place here", what, item.expression));
      add(item.name, nullptr, std::move(computed), false);
    } else if (!done.contains(&item) && !(item.name == item.source && names.contains(item.name))) {
      add(item.name, source.find(item.source), {}, false);
    }
  }
  return out;
}

}  // namespace

TreePtr base(std::shared_ptr<const TableInfo> table) {
  Heading heading = table->heading;
  return make(Base{std::move(table)}, std::move(heading), 0);
}

TreePtr restrict(TreePtr source, Condition condition, bool negated) {
  check(condition, source->heading());
  Heading heading = source->heading();
  const std::size_t depth = source->depth();
  return make(Restriction{std::move(source), std::move(condition), negated}, std::move(heading), depth);
}

TreePtr restrict(TreePtr source, TreePtr other, bool negated) {
  Pairs pairs;
  for (std::string& name : common_attributes(*source, *other, "restrict by a query")) pairs.emplace_back(name, name);
  return restrict_on(std::move(source), std::move(other), std::move(pairs), negated);
}

TreePtr restrict_on(TreePtr source, TreePtr other, Pairs pairs, bool negated) {
  for (const auto& [ours, theirs] : pairs) {
    if (!source->heading().find(ours)) throw_unknown("restrict by a query", ours, source->heading());
    if (!other->heading().find(theirs)) throw_unknown("restrict by a query", theirs, other->heading());
  }
  Heading heading = source->heading();
  const std::size_t depth = std::max(source->depth(), other->depth());
  return make(SemiJoin{std::move(source), std::move(other), std::move(pairs), negated}, std::move(heading), depth);
}

TreePtr project(TreePtr source, const std::vector<std::string>& items) {
  Selection chosen = select(source->heading(), items, source->heading(), Aggregates::refused);
  const std::size_t depth = source->depth();
  return make(Projection{std::move(source), std::move(chosen.columns)}, Heading(std::move(chosen.attributes)), depth);
}

TreePtr join(TreePtr left, TreePtr right) {
  std::vector<std::string> common = common_attributes(*left, *right, "join");
  const Heading& l = left->heading();
  const Heading& r = right->heading();
  const std::vector<std::string> left_key = l.primary_key(), right_key = r.primary_key();
  // If one side's key is known on the other side, a row there meets at most one row here.
  std::vector<std::string> key = left_key;
  if (!all_in(right_key, common)) {
    if (all_in(left_key, common)) key.clear();
    for (const std::string& name : right_key)
      if (!contains(key, name)) key.push_back(name);
  }
  std::vector<Attribute> attributes;
  for (const bool in_key : {true, false}) {
    for (const Heading* side : {&l, &r}) {
      for (Attribute attribute : *side) {
        const bool twice = side == &r && contains(common, attribute.name);
        if (attribute.hidden || twice || contains(key, attribute.name) != in_key) continue;
        attribute.in_key = in_key;
        if (contains(common, attribute.name)) attribute.nullable = false;  // equal, so not NULL
        attributes.push_back(std::move(attribute));
      }
    }
  }
  const std::size_t depth = std::max(left->depth(), right->depth());
  return make(Join{std::move(left), std::move(right), std::move(common)}, Heading(std::move(attributes)), depth);
}

TreePtr aggregate(TreePtr left, TreePtr right, const std::vector<std::string>& items) {
  std::vector<std::string> common = common_attributes(*left, *right, "aggregate");
  for (const std::string& name : left->heading().primary_key()) {
    if (contains(common, name)) continue;
    throw Error(Errc::usage,
                fmt::format("aggregate: the other query has no attribute '{}', so its rows do not belong to one row of "
                            "this one each. join it with what has the whole primary key first",
                            name),
                name);
  }
  std::vector<Attribute> computable;
  for (const Attribute& attribute : right->heading())
    if (!attribute.hidden) computable.push_back(attribute);
  for (const Attribute& attribute : left->heading())
    if (!attribute.hidden && !contains(common, attribute.name)) computable.push_back(attribute);
  Selection chosen = select(left->heading(), items, Heading(std::move(computable)), Aggregates::allowed);
  for (const Column& column : chosen.columns) {
    for (const Token& token : column.computed) {
      if (token.kind != Token::Kind::attribute || token.aggregated || left->heading().find(token.text)) continue;
      throw Error(Errc::usage,
                  fmt::format("aggregate into '{}': '{}' has many values for one row. put it into an aggregate, for "
                              "example max({})",
                              column.name, token.text, token.text),
                  token.text);
    }
  }
  const std::size_t depth = std::max(left->depth(), right->depth());
  return make(Aggregation{std::move(left), std::move(right), std::move(common), std::move(chosen.columns)},
              Heading(std::move(chosen.attributes)), depth);
}

TreePtr order_by(TreePtr source, const std::vector<std::string>& texts) {
  const Heading& heading = source->heading();
  std::vector<OrderItem> items;
  for (const std::string& text : texts) {
    std::string_view name = trim(text);
    std::string direction;
    if (const std::size_t gap = name.find_first_of(" \t\r\n"); gap != std::string_view::npos) {
      direction = trim(name.substr(gap));
      std::ranges::transform(direction, direction.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      name = name.substr(0, gap);
    }
    if (!direction.empty() && direction != "asc" && direction != "desc") {
      throw Error(Errc::syntax,
                  fmt::format("order by '{}': after the attribute only asc or desc can follow. compute it "
                              "with proj first",
                              text.substr(0, 200)));
    }
    if (name == "KEY") {
      for (const std::string& key : heading.primary_key()) items.push_back({key, direction == "desc"});
      continue;
    }
    if (!heading.find(name)) throw_unknown("order the query", name, heading);
    items.push_back({std::string(name), direction == "desc"});
  }
  Heading same = heading;
  const std::size_t depth = source->depth();
  return make(Order{std::move(source), std::move(items)}, std::move(same), depth);
}

TreePtr limit(TreePtr source, std::uint64_t rows) {
  Heading heading = source->heading();
  const std::size_t depth = source->depth();
  return make(Top{std::move(source), rows, std::nullopt}, std::move(heading), depth);
}

TreePtr offset(TreePtr source, std::uint64_t rows) {
  Heading heading = source->heading();
  const std::size_t depth = source->depth();
  return make(Top{std::move(source), std::nullopt, rows}, std::move(heading), depth);
}

}  // namespace query
}  // namespace oas
