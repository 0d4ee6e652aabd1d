// The JSON that a row holds for an object (docs/format/metadata.md), as Values: how it is made and how it is read, also
// when it is damaged or hostile. Pure.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/codec.hpp>

namespace oas::codec {

/// Reading metadata or a manifest takes at most so many bytes of memory for each byte of the text, besides a message.
inline constexpr std::size_t metadata_factor = 1024;

/// The JSON in a cell. Errors: decode if it is none, or a member is there twice: databases and programs differ in which
/// of the two counts, and what one of them calls unreferenced the other one reads.
Value parse_metadata(std::string_view json);

/// What all metadata have in common.
struct Metadata {
  std::string path;   ///< a legal key
  std::string store;  ///< its name
  std::optional<std::uint64_t> size;
  bool folder = false;
};
/// Errors: decode if `stored` is no JSON object, a member is missing or of a wrong type, or the path is no legal key.
Metadata read_metadata(const Value& stored);
/// A handle on the object, for ObjectSource::ref. No request. Errors: as read_metadata.
ObjectRef make_ref(const Value& stored, std::shared_ptr<const Store> store);
/// The same of what was read already. Errors: none.
ObjectRef make_ref(const Value& stored, Metadata known, std::shared_ptr<const Store> store);

/// {hash, path, schema, store, size}: what ObjectSink::put_hashed answers.
Value hashed_metadata(std::string_view hash, const Stored& stored, std::string_view schema);
/// {path, store, size, ext, is_dir, item_count, timestamp}: `<object@>`. `files`: how many, for a folder.
Value object_metadata(const Stored& stored, std::optional<std::string_view> extension,
                      std::optional<std::uint64_t> files, std::string_view timestamp);

/// The text of a folder's manifest. `created` as utc_timestamp(). Errors: usage if a path is not UTF-8.
std::string manifest_text(std::span<const FileInfo> files, std::uint64_t total, std::string_view created);
/// The files that a manifest names. Errors: integrity if it is no manifest, or a path leaves its folder, stands there
/// twice, or is both a file and a folder.
std::vector<FileInfo> read_manifest(BytesView text);

/// Now, as "2026-11-23T10:17:13.670994+00:00".
std::string utc_timestamp();

}  // namespace oas::codec
