// What a row gives in place of big data: lazy references into a store (NpyRef, ObjectRef) and files with a name
// (Attachment). A reference is a cheap handle: metadata comes from the row, without a request; bytes are read when
// asked for. Handles may be copied and used by several threads at once. They keep their store alive and outlive the
// Session they came from. A reference pins the version of the object it first reads: if somebody rewrites the object
// meanwhile the answer is Errc::conflict, never a mixture.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/array.hpp>
#include <oas/bytes.hpp>

namespace oas {

class Value;

/// A part of an object. Past the end: Errc::usage.
struct ByteRange {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;  ///< to the end if not given
};

/// One file of a folder object.
struct FileInfo {
  std::string path;  ///< relative, with '/'
  std::uint64_t size = 0;
  friend bool operator==(const FileInfo&, const FileInfo&) = default;
};

/// Reads a stored file from any position. Used by one thread at a time.
class Reader {
 public:
  virtual ~Reader() = default;
  /// Fills `into` from the current position; less only at the end. Cost: at most one request.
  virtual std::size_t read(std::span<std::byte> into) = 0;
  /// Errors: usage if past the end.
  virtual void seek(std::uint64_t offset) = 0;
  virtual std::uint64_t tell() const noexcept = 0;
  virtual std::uint64_t size() const noexcept = 0;
};

/// A file or folder in a store: what `<object@>` and `<filepath@>` give.
/// Errors of every read: missing_object, integrity, conflict, access, unavailable.
class ObjectRef {
 public:
  struct State;
  ObjectRef() = default;
  explicit ObjectRef(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  /// The row's metadata: path, store, size, … (docs/format/metadata.md).
  const Value& metadata() const;
  std::string_view store() const;  ///< the store's name
  std::string_view path() const;   ///< in the store
  /// Bytes; of a folder all its files together. 0 where the row does not tell (`<npy@>`, folders of `<filepath@>`).
  std::uint64_t size() const;
  bool is_folder() const;
  /// The files of a folder, from its manifest (one read) or, where it has none, from a listing.
  std::vector<FileInfo> files() const;
  /// The whole file, or a range of it. `file`: which one of a folder, by its relative path. A whole file that is not
  /// as long as the row says is Errc::integrity.
  Bytes read(ByteRange range = {}) const;
  template <std::convertible_to<std::string_view> Text>  // not plain string_view: that can be made from {0, 10}, too
  Bytes read(const Text& file, ByteRange range = {}) const {
    return read_file(file, range);
  }
  std::unique_ptr<Reader> open(std::string_view file = {}) const;
  /// A URL by which whoever has it can read the file for so long (at most a week), without keys of their own: a secret.
  /// Errors: unsupported if the store has none. Cost: no request.
  std::string url(std::chrono::seconds valid, std::string_view file = {}) const;
  /// To a local path, in parallel; complete, or not there at all. An existing target is an error (usage).
  /// A folder's content arrives under `target`. Returns `target`.
  std::filesystem::path download(const std::filesystem::path& target) const;
  /// Compares what is there with what was recorded: existence and size of every file, and content where a hash was
  /// recorded. Errors: integrity or missing_object, naming every file that differs.
  void verify() const;
  const std::shared_ptr<const State>& state() const noexcept { return state_; }
  friend bool operator==(const ObjectRef& a, const ObjectRef& b);

 private:
  Bytes read_file(std::string_view file, ByteRange range) const;
  std::shared_ptr<const State> state_;
};

/// An array in a `.npy` file in a store: what `<npy@>` gives.
class NpyRef {
 public:
  NpyRef() = default;
  /// `type` and `shape` as the row's metadata has them.
  NpyRef(ObjectRef object, ArrayType type, Shape shape);

  std::span<const std::int64_t> shape() const;  ///< no request
  const ArrayType& type() const;                ///< no request
  DType dtype() const { return type().kind; }   ///< no request
  std::uint64_t nbytes() const;                 ///< of the elements; no request
  std::string_view path() const { return object().path(); }
  std::string_view store() const { return object().store(); }
  bool is_loaded() const noexcept;
  /// The whole array, kept for the next call by this handle and its copies. Cost: one request, the first time.
  Array load() const;
  /// One slice a dimension, from the first on; the rest is taken whole. Reads the header once and then only what the
  /// slices span. Cost: one request a contiguous run, neighbours merged. Errors: usage if out of bounds.
  Array load(std::span<const Slice> slices) const;
  Array load(Slice first) const { return load(std::span<const Slice>(&first, 1)); }
  Array load(std::initializer_list<Slice> slices) const {
    return load(std::span<const Slice>(slices.begin(), slices.size()));
  }
  const ObjectRef& object() const;
  friend bool operator==(const NpyRef& a, const NpyRef& b);
  friend std::vector<Array> load(std::span<const NpyRef> refs);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// NpyRef::load() of each, in their order, as many at once as pays in their stores, which may be several: one after the
/// other from a disk, as many as an S3 store's `concurrency` says. Memory: the arrays. Errors: the first one of load(),
/// which names its object, when what is under way has ended; what was loaded by then is kept.
std::vector<Array> load(std::span<const NpyRef> refs);

/// A file with its name: what `<attach>` takes and gives.
class Attachment {
 public:
  Attachment() = default;
  /// A local file, read when the row is inserted. Its name is the last part of the path.
  explicit Attachment(std::filesystem::path file);
  /// From memory. Errors: usage if the name is empty, has a '/', '\', or NUL, or is "." or "..".
  Attachment(std::string name, Bytes content);

  const std::string& name() const;
  std::uint64_t size() const;  ///< bytes. Errors: usage if the local file is not there
  Bytes bytes() const;
  /// The local file it was made from, empty if it is in memory.
  const std::filesystem::path& file() const;
  /// Writes name() into `folder` (made if needed) and returns the path; a file of the same name with other content is
  /// kept and the new one becomes `stem_1.ext` and so on. Never leaves the folder, whatever the stored name says:
  /// errors access.
  std::filesystem::path save_to(const std::filesystem::path& folder) const;
  friend bool operator==(const Attachment& a, const Attachment& b);

 private:
  friend struct AttachmentAccess;
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace oas
