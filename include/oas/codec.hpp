// Codec: how an attribute's values become what the database holds, and back. A codec is stateless and shared by
// threads. It never sees a Store: what it writes goes through the ObjectSink and what it reads comes from the
// ObjectSource, so no codec can forget the ledger.
//
// Codecs chain: `<blob@raw>` packs and hands its bytes to `<hash@raw>`, which stores them and hands JSON to the column.
// A codec of your own: derive, name it, `session.add(std::make_shared<MyCodec>())`; then `<my>` works in definitions.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/ref.hpp>
#include <oas/store.hpp>
#include <oas/value.hpp>

namespace oas {

/// Where a value lives: the attribute, and the key of its row. Views are valid during the call.
struct Site {
  std::string_view schema, table, attribute;
  std::string_view store;    ///< the concrete name of the store; empty in-table
  const Row* key = nullptr;  ///< the primary key of the row
};

/// What is written: memory (shared, not copied), then what a local file or another object holds, which is read while
/// it is written.
struct Content {
  std::vector<Bytes> parts;    ///< one after the other
  std::filesystem::path file;  ///< follows the parts, if not empty
  ObjectRef object;            ///< follows the parts, if not empty: an object to copy
  std::string object_file;     ///< which file of it, if it is a folder
  std::uint64_t more = 0;      ///< bytes of `file` or `object`
  Content() = default;
  Content(Bytes bytes) : parts{std::move(bytes)} {}  // NOLINT(google-explicit-constructor)
  explicit Content(std::vector<Bytes> list) : parts(std::move(list)) {}
  /// Errors: usage if it is not there or not a regular file.
  static Content from_file(const std::filesystem::path& file);
  /// `file`: a path of object.files() if it is a folder. Cost: 1 request, for the size.
  static Content from_object(const ObjectRef& object, std::string_view file = {});
  std::uint64_t size() const noexcept;
};
/// One file of a folder object: its relative path and what is in it.
struct FolderEntry {
  std::string path;
  Content content;
};
struct Stored {
  std::string path;   ///< in the store
  std::string store;  ///< its name
  std::uint64_t size = 0;
};

/// Takes the objects of rows that are about to be inserted. Writing happens later and in parallel, before the row is
/// committed: a failure fails the insert.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  /// By content hash, stored once per schema and store. The metadata of docs/format/metadata.md.
  virtual Value put_hashed(const Site& site, Content content) = 0;
  /// By schema path, with a fresh token. `extension` with or without its dot; may be empty.
  virtual Stored put_named(const Site& site, std::string_view extension, Content content) = 0;
  /// A folder under a schema path, with its manifest beside it.
  virtual Stored put_folder(const Site& site, std::string_view extension, std::vector<FolderEntry> files) = 0;
  /// What is already in the store, for codecs that refer to objects they do not manage. nullopt: not there.
  virtual std::optional<ObjectInfo> stat(std::string_view store, std::string_view path) = 0;
  /// True if something lies under path + "/".
  virtual bool is_folder(std::string_view store, std::string_view path) = 0;
  /// The entry of the store in the settings: its sections and prefixes.
  virtual const StoreConfig& config(std::string_view store) = 0;
};

class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  /// The object that the metadata of a row names. No request.
  virtual ObjectRef ref(const Value& metadata) const = 0;
  /// The entry of the store in the settings.
  virtual const StoreConfig& config(std::string_view store) const = 0;
};

class Codec {
 public:
  virtual ~Codec() = default;
  /// The word in `<word@store>`: [a-z][a-z0-9_]*.
  virtual std::string_view name() const noexcept = 0;
  /// What the encoded value is stored as: "bytes", "json", or the next codec of the chain ("<hash>", to which the
  /// store is handed on). `<hash>` takes Bytes, or a list of Bytes and Attachments whose contents follow one another.
  /// Errors: definition, if it cannot live there.
  virtual std::string inner_type(bool in_store) const = 0;
  /// Called for every row before anything is written. Errors: usage.
  virtual void validate(const Value&) const {}
  virtual Value encode(const Value& value, const Site& site, ObjectSink& sink) const = 0;
  virtual Value decode(const Value& stored, const Site& site, const ObjectSource& source) const = 0;
  /// The objects that belong to the row and go with it. Default: the member "path" of JSON metadata; nothing if the
  /// codec does not manage them. Errors: decode if that cannot be told, so that nothing is removed by mistake.
  virtual std::vector<std::string> paths(const Value& stored) const;
  /// False if it refers to objects that others look after, which stay when the row goes.
  virtual bool manages() const noexcept { return true; }
  /// True if staged inserts may write this attribute's object in place.
  virtual bool staged() const noexcept { return false; }
};

}  // namespace oas
