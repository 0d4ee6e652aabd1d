// A table becomes the definition that declares it again. Columns are walked in their order; a reference stands where
// the first column stands that it brings.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "schema/column.hpp"
#include "schema/declare.hpp"

namespace oas::schema {

namespace {

std::string default_text(const db::ColumnDef& column) {
  switch (column.fallback.kind) {
    case db::Default::Kind::none: return column.nullable ? "=null" : "";
    case db::Default::Kind::null: return "=null";
    case db::Default::Kind::now: return "=CURRENT_TIMESTAMP";
    case db::Default::Kind::literal: break;
  }
  const std::string& literal = column.fallback.literal;
  const bool bare = !literal.empty() && !detail::same_letters(literal, "null") &&
                    !detail::same_letters(literal, "current_timestamp") &&
                    std::ranges::all_of(literal, [](char c) { return detail::is_word(c) || c == '.' || c == '-'; });
  if (bare) return "=" + literal;
  if (literal.find('"') == std::string::npos) return fmt::format("=\"{}\"", literal);
  std::string doubled;
  for (const char c : literal) doubled.append(c == '\'' ? 2 : 1, c);
  return fmt::format("='{}'", doubled);
}

class Writer {
 public:
  explicit Writer(const db::TableDef& table) : table_(table), written_(table.foreign_keys.size(), false) {}

  std::string text() && {
    if (!table_.comment.empty()) out_ += fmt::format("# {}\n", table_.comment);
    write(true);
    out_ += "---\n";
    write(false);
    for (const db::IndexDef& index : table_.indexes)
      if (!index.object_path)
        out_ += fmt::format("{}index({})\n", index.unique ? "unique " : "", fmt::join(index.columns, ", "));
    return std::move(out_);
  }

 private:
  bool in_key(const std::string& name) const {
    return std::ranges::find(table_.primary_key, name) != table_.primary_key.end();
  }

  /// The key section, or the one below it.
  void write(bool key) {
    std::vector<const db::ColumnDef*> columns;
    for (const db::ColumnDef& c : table_.columns)
      if (in_key(c.name) == key && !c.name.starts_with('_')) columns.push_back(&c);
    complete();
    for (std::size_t i = 0; i < columns.size();) {
      if (const std::size_t brought = reference_at(columns, i))
        i += brought;
      else
        attribute(*columns[i++]);
      complete();
    }
  }

  /// References all of whose columns are there.
  void complete() {
    for (std::size_t i = 0; i < written_.size(); ++i)
      if (!written_[i] && std::ranges::all_of(table_.foreign_keys[i].columns,
                                              [&](const std::string& name) { return done_.contains(name); }))
        reference(i, false);
  }

  /// Writes the reference that brings columns[at] and the ones that follow it; how many, or 0 if there is none.
  std::size_t reference_at(const std::vector<const db::ColumnDef*>& columns, std::size_t at) {
    for (std::size_t i = 0; i < written_.size(); ++i) {
      std::vector<std::string> brings;
      for (const std::string& name : table_.foreign_keys[i].columns)
        if (!done_.contains(name)) brings.push_back(name);
      if (written_[i] || brings.empty() || brings.size() > columns.size() - at) continue;
      const bool here = std::equal(brings.begin(), brings.end(), columns.begin() + static_cast<std::ptrdiff_t>(at),
                                   [](const std::string& name, const db::ColumnDef* c) { return c->name == name; });
      if (!here) continue;
      reference(i, columns[at]->nullable);
      return brings.size();
    }
    return 0;
  }

  void reference(std::size_t which, bool nullable) {
    const db::ForeignKeyDef& key = table_.foreign_keys[which];
    std::vector<std::string> options, renames;
    if (nullable) options.emplace_back("nullable");
    if (key.unique) options.emplace_back("unique");
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      done_.insert(key.columns[i]);
      if (key.columns[i] != key.parent_columns[i])
        renames.push_back(fmt::format("{}='{}'", key.columns[i], key.parent_columns[i]));
    }
    out_ += "-> ";
    if (!options.empty()) out_ += fmt::format("[{}] ", fmt::join(options, ", "));
    if (key.schema != table_.schema) out_ += key.schema + ".";
    out_ += class_name_of(key.table);
    if (!renames.empty()) out_ += fmt::format(".proj({})", fmt::join(renames, ", "));
    out_ += "\n";
    written_[which] = true;
  }

  void attribute(const db::ColumnDef& column) {
    done_.insert(column.name);
    const ColumnComment comment = read_comment(column.comment);
    out_ += fmt::format("{:<20} : {}", column.name + default_text(column),
                        comment.type.empty() ? column.type : comment.type);
    if (!comment.text.empty()) out_ += "  # " + comment.text;
    out_ += "\n";
  }

  const db::TableDef& table_;
  std::vector<bool> written_;
  std::set<std::string, std::less<>> done_;
  std::string out_;
};

}  // namespace

std::string describe(const db::TableDef& table) { return Writer(table).text(); }

}  // namespace oas::schema
