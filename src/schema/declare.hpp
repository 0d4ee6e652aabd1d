// From a definition to a table, and back. Pure: what has to be known of other tables and of codecs comes through
// callbacks, so nothing here touches a database.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>
#include <oas/heading.hpp>

#include "schema/definition.hpp"

namespace oas::schema {

/// A table that a reference names.
struct Parent {
  db::TableDef table;
  Lineage lineage;
};
/// What an attribute of a codec's type is in the table.
struct CodecColumn {
  std::string type;          ///< "json" or "bytes"
  bool object_path = false;  ///< JSON with a "path" to an object: gets an index by which the object's rows are found
};
struct Context {
  /// The table under the name in a reference, "Subject", "lab.Subject", "Scan.Frame" or "master".
  /// Errors: definition or unknown_table.
  std::function<Parent(std::string_view reference)> parent;
  /// Errors: definition if there is no such codec, or it cannot live there.
  std::function<CodecColumn(std::string_view codec, bool in_store)> codec;
  /// Looks at every attribute where its line is: what the database has not, or cannot hold, is an error there.
  const db::Dialect* dialect = nullptr;
  /// Hidden columns that settings ask for: of computed and imported tables when their rows were made and with which
  /// code (jobs.add_job_metadata), of manual ones where a row comes from (provenance.capture).
  bool job_metadata = false, provenance = false;
};
struct Declaration {
  db::TableDef table;
  /// In the order in which the lineage table gets them.
  db::Origins lineage;
  /// Those of the definition, and what only shows when it becomes a table.
  std::vector<std::string> notes;
};

/// The table with all its columns, keys and indexes. `name`: with the prefix of its tier.
/// Errors: definition; what the callbacks throw; with the line and column in front.
Declaration declare(const ParsedDefinition& definition, std::string_view schema, std::string_view name,
                    const Context& context);

/// The definition that declares the same table, as people write it.
std::string describe(const db::TableDef& table);

/// In words, what is different in an existing table; empty if rows for one fit the other. Comments, hidden columns and
/// additional indexes do not count.
std::vector<std::string> differences(const db::TableDef& declared, const db::TableDef& existing);

}  // namespace oas::schema
