// Heading: the attributes of a table or a query as users see them, in order. Immutable and shared: copying is cheap,
// and any number of threads may read one. Made from what a database says of its columns (heading_of), where the
// comment of a column has the attribute's type in front: `:<blob@raw>:what it is`.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

namespace oas {

struct Attribute {
  std::string name;
  std::string type;       ///< as the definition has it: "int32", "<blob@raw>"; of old columns the database's own word
  std::string column;     ///< the type of the column: "int32", "json", "bytes"
  std::string codec;      ///< the word in <codec@store>, empty if there is none
  bool in_store = false;  ///< the codec's type has an @
  std::string store;      ///< after the @; empty: the default store
  db::Default fallback;
  bool nullable = false;
  bool in_key = false;
  bool hidden = false;  ///< begins with _: the library's own, not shown
  bool old = false;     ///< as DataJoint wrote it before 2.0, and the setting database.legacy reads it
  std::string comment;
  /// Where the attribute comes from, "schema.table.attribute"; empty for attributes that are not in a key. Tables join
  /// on attributes of the same name and lineage.
  std::string lineage;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

class Heading {
 public:
  Heading();
  /// Errors: definition if a name is there twice.
  explicit Heading(std::vector<Attribute> attributes);

  /// All attributes, hidden ones too, in the order of the columns.
  std::span<const Attribute> attributes() const noexcept { return attributes_ ? *attributes_ : none(); }
  auto begin() const noexcept { return attributes().begin(); }
  auto end() const noexcept { return attributes().end(); }
  std::size_t size() const noexcept { return attributes().size(); }
  /// nullptr if there is none. The pointer is valid as long as a copy of this heading lives.
  const Attribute* find(std::string_view name) const noexcept;
  /// Errors: unknown_attribute, with the nearest name that is there.
  const Attribute& at(std::string_view name) const;
  /// Names in the order of the columns; of a singleton nothing, its key being hidden.
  std::vector<std::string> primary_key() const;
  /// Names of all attributes that are not hidden.
  std::vector<std::string> names() const;
  friend bool operator==(const Heading& a, const Heading& b);

 private:
  static std::span<const Attribute> none() noexcept { return {}; }
  std::shared_ptr<const std::vector<Attribute>> attributes_;
};

/// Lineage of the attributes of one table: attribute → "schema.table.attribute".
using Lineage = std::map<std::string, std::string, std::less<>>;

/// What the columns of a table say. A comment that names a codec badly names one that is not known. `legacy`: blobs
/// without a type in their comment are packed, as before DataJoint 2.0; else they are bytes.
Heading heading_of(const db::TableDef& table, const Lineage& lineage = {}, bool legacy = false);

}  // namespace oas
