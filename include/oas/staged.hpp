// StagedInsert: rows whose objects are written straight into the store, piece by piece, and become real together at
// commit(). Before that nobody sees anything; a destructor without commit discards what was written, and what a killed
// process leaves is removed by the next user of the schema.
// A StagedInsert belongs to one thread; Folder and Upload may be used by others meanwhile.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <oas/bytes.hpp>
#include <oas/store.hpp>
#include <oas/value.hpp>

namespace oas {

/// A key-value view of a folder object that is being made: keys are relative, '/'-separated paths.
/// A cheap handle; safe for concurrent use, except that one key is written by one thread at a time.
/// Errors: usage after the commit or the discard.
class Folder {
 public:
  struct State;
  explicit Folder(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void write(std::string_view key, BytesView bytes) const;
  void write(std::string_view key, std::string_view text) const { write(key, as_bytes(text)); }
  /// For what does not fit memory; part of the folder once the upload is committed.
  std::unique_ptr<Upload> open(std::string_view key) const;
  std::optional<Bytes> read(std::string_view key, ByteRange range = {}) const;
  bool remove(std::string_view key) const;
  std::vector<FileInfo> list(std::string_view prefix = {}) const;
  /// Where it lies in the store, for tools that write there themselves.
  std::string_view path() const;

 private:
  std::shared_ptr<State> state_;
};

class StagedInsert {
 public:
  struct State;
  explicit StagedInsert(std::unique_ptr<State> state);
  StagedInsert(StagedInsert&&) noexcept;
  StagedInsert& operator=(StagedInsert&&) noexcept;
  ~StagedInsert();

  /// Begins another row, to which the calls that follow belong. Only of Table::staged_insert().
  void row(Row key);
  /// A folder object, such as a Zarr. One object an attribute and row: usage if it was opened before.
  Folder store(std::string_view attribute, std::string_view extension = {});
  /// A file object as a stream of bytes; its commit() finishes the file, not the row.
  std::unique_ptr<Upload> open(std::string_view attribute, std::string_view extension = {});
  void set(std::string_view attribute, Value value);
  /// Sizes, manifests and rows become real at once. Errors: as insert; usage if an opened object was not written or
  /// an upload not committed. Returns the number of rows.
  std::size_t commit();

 private:
  std::unique_ptr<State> state_;
};

}  // namespace oas
