// What DataJoint for Python 2.3.5 wrote on a database server and into stores (golden/rows), and a session of ours that
// has the same tables and stores: on SQLite, so that no server is needed.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <oas/session.hpp>

#include "support/golden_kinds.hpp"
#include "support/temp_folder.hpp"

namespace oas::interop {

/// One statement of the log: what each column was given, row by row. An argument is in the notation of values; DEFAULT
/// is not there.
struct Binding {
  std::string table;  ///< as in the database, without schema
  std::vector<std::map<std::string, Value>> rows;
};
/// Reads `INSERT INTO … VALUES (…),(…)` and `UPDATE … SET …`; nullopt for other statements.
std::optional<Binding> read_binding(const Map& statement);

/// A file in the stores: "raw/_hash/…" is in the store `raw`.
struct StoredFile {
  std::string store, key, sha256;
  std::uint64_t size = 0;
};

struct GoldenRows {
  /// `backend`: "postgresql" or "mysql".
  explicit GoldenRows(const std::string& backend);

  std::filesystem::path folder;
  Map meta;
  std::vector<testing::GoldenCase> cases;
  std::vector<StoredFile> files;
  std::string schema;

  /// The stores of the meta file, below `root`.
  Settings settings(const std::filesystem::path& database, const std::filesystem::path& root) const;
  /// Declares every table that DataJoint for Python declared.
  void declare(Session& session) const;
  Bytes content(const StoredFile& file) const;
  /// The file at `key`, or the files under it.
  std::vector<StoredFile> object(std::string_view store, std::string_view key) const;
};

/// A cell as the server prints it, as what a codec gets: bytes, or JSON. `column`: "bytes" or "json".
Value stored_value(const std::string& column, const std::string& raw);

/// `path` with what chance made masked: the token of `attribute`'s object.
std::string without_token(std::string path, std::string_view attribute, int token_length);

/// What Python or its server turns into a value of the attribute's type, and we refuse as a value of another one.
bool takes_otherwise(const Attribute& attribute, const Value& given);

/// Fails if a value is not what fetch of DataJoint for Python gave, references included: their metadata, and their
/// files in the golden stores, which are those of the session.
void expect_fetched(const Value& ours, const Value& theirs, const GoldenRows& golden);

/// The same for the elements of an array.
void expect_array(const Array& ours, const Value& theirs);

}  // namespace oas::interop
