// A table becomes the definition that declares it again. Columns are walked in their order:
// 1. a column that the definition itself declared becomes a line;
// 2. at the first column that a reference brings stands the reference, and all that it brings is done with it;
// 3. references that bring nothing follow as soon as their columns are there, in the order in which they are kept;
// 4. before a unique reference stand the indexes that are made before its own; the others stand at the end.
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
    case db::Default::Kind::now:
      return "=" + (column.fallback.literal.empty() ? "CURRENT_TIMESTAMP" : column.fallback.literal);
    case db::Default::Kind::literal: break;
  }
  const std::string& literal = column.fallback.literal;
  const bool bare = !literal.empty() && !detail::one_of(literal, "null current_timestamp") &&
                    std::ranges::all_of(literal, [](char c) { return detail::is_word(c) || c == '.' || c == '-'; });
  if (bare) return "=" + literal;
  // In "…" a text stands as it is, so it cannot hold what would end it before a ':'.
  if (literal.find('"') == std::string::npos) return fmt::format("=\"{}\"", literal);
  std::string doubled;
  for (const char c : literal) doubled.append(c == '\'' ? 2 : 1, c);
  return fmt::format("='{}'", doubled);
}

class Writer {
 public:
  explicit Writer(const db::TableDef& table) : table_(table) {
    for (const db::ForeignKeyDef& key : table.foreign_keys) written_.push_back(key.table.starts_with('~'));
  }

  std::string text() && {
    if (!table_.comment.empty()) out_ += fmt::format("# {}\n", one_line(table_.comment));
    write(true);
    out_ += "---\n";
    write(false);
    for (std::size_t i = 0; i < written_.size(); ++i)
      if (!written_[i] && is_there(i)) reference(i, false);
    indexes(table_.indexes.size());
    return std::move(out_);
  }

 private:
  bool in_key(const std::string& name) const { return contains(table_.primary_key, name); }
  static bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  }
  /// Declared by the definition itself: its type is in its comment (a uuid's is in any case) or the database's own, or
  /// it has a default. To write a line too many does no harm.
  static bool is_own(const db::ColumnDef& column) {
    if (!column.origin.empty()) return false;
    const std::string marked = read_comment(column.comment).type;
    ParsedAttribute native;
    return (!marked.empty() && marked != "uuid") || (parse_type(column.type, native) && !is_marked(native.kind)) ||
           column.fallback.kind == db::Default::Kind::literal || column.fallback.kind == db::Default::Kind::now;
  }
  /// All columns of the reference have been written.
  bool is_there(std::size_t which) const {
    return std::ranges::all_of(table_.foreign_keys[which].columns,
                               [&](const std::string& name) { return done_.contains(name); });
  }
  /// Comments of other programs may have line ends.
  static std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
  }

  /// The key section, or the one below it.
  void write(bool key) {
    std::vector<const db::ColumnDef*> columns;
    for (const db::ColumnDef& c : table_.columns)
      if (in_key(c.name) == key && !c.name.starts_with('_')) columns.push_back(&c);
    for (std::size_t i = 0; i < columns.size();) {
      const std::size_t brought = is_own(*columns[i]) ? 0 : reference_at(columns, i);
      if (brought == 0) attribute(*columns[i]);
      i += std::max<std::size_t>(brought, 1);
      for (std::size_t k = 0; k < written_.size() && (written_[k] || is_there(k)); ++k)
        if (!written_[k]) reference(k, false);
    }
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
    if (key.unique) indexes(key.indexes_before);
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
    // Hashes at the end of a line are not part of a comment.
    if (!comment.text.empty()) out_ += "  # " + one_line(comment.text) + (comment.text.ends_with('#') ? " #" : "");
    out_ += "\n";
  }

  void indexes(std::size_t before) {
    for (; indexes_ < std::min(before, table_.indexes.size()); ++indexes_) {
      const db::IndexDef& index = table_.indexes[indexes_];
      if (!index.object_path)
        out_ += fmt::format("{}index({})\n", index.unique ? "unique " : "", fmt::join(index.columns, ", "));
    }
  }

  const db::TableDef& table_;
  std::vector<bool> written_;
  std::set<std::string, std::less<>> done_;
  std::size_t indexes_ = 0;  // written
  std::string out_;
};

}  // namespace

std::string describe(const db::TableDef& table) { return Writer(table).text(); }

}  // namespace oas::schema
