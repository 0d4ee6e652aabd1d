// Cells as PostgreSQL sends and takes them. Parameters go in binary, with a type that follows from the value alone;
// texts go without one, so that the server gives them the type that the statement wants. Answers come in binary if all
// columns have types that are known here, else as text. Pure: needs no server and no client library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/value.hpp>

namespace oas::db {

/// The number of a type in pg_type.
using PostgresType = std::uint32_t;

/// What a statement is prepared for: '\0' where a null was seen and nothing else yet.
/// b bool, i 32 bits, l 64 bits, d double, t text, y bytes.
class PostgresSignature {
 public:
  /// Errors: usage for a value that is no cell, and a text with a NUL; constraint for one that no cell can hold.
  static char kind_of(const Value& value);
  /// Makes room for these parameters too; false if no statement can take both.
  bool add(std::span<const Value> params);
  /// Parameters of `other` fit a statement that was prepared for this.
  bool takes(const PostgresSignature& other) const noexcept;
  /// For so many rows of parameters in one statement.
  PostgresSignature repeated(std::size_t rows) const;
  /// 0: the server decides.
  std::vector<PostgresType> types() const;
  const std::string& kinds() const noexcept { return kinds_; }

 private:
  std::string kinds_;
};

/// `INSERT INTO … VALUES ($1, …, $n)`, and nothing behind it, for so many rows at once; empty if it is another
/// statement.
std::string postgres_insert_of_rows(std::string_view sql, std::size_t parameters, std::size_t rows);

/// The parameters of one run of a statement, as the client library wants them. Views into the values and the signature:
/// they must live as long.
class PostgresParameters {
 public:
  PostgresParameters(std::span<const Value> params, const PostgresSignature& prepared_for)
      : PostgresParameters(prepared_for) {
    add(params);
  }
  /// For all that are going to be added.
  explicit PostgresParameters(const PostgresSignature& prepared_for);
  void add(std::span<const Value> params);
  int count() const noexcept { return static_cast<int>(next_); }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }  ///< 1: binary
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  const std::string& kinds_;
  std::size_t next_ = 0;
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;
  std::vector<std::array<char, 8>> numbers_;
  std::size_t bytes_ = 0;
};

/// True if cells of the type can be read in binary, whoever made it.
bool has_binary_cells(PostgresType type) noexcept;
/// Whole numbers, bools, doubles, bytes, and text for all the rest: what can be a parameter again. `enumeration`: of a
/// type that has_binary_cells does not know, but whose cells are texts. Large bytes share the memory of `owner`.
/// Errors: decode.
Value read_binary_cell(PostgresType type, std::string_view cell, const std::shared_ptr<const void>& owner);
Value read_text_cell(PostgresType type, std::string_view cell);

}  // namespace oas::db
