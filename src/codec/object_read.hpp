// Reads of the object behind a reference, always of the version that was seen first.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <oas/store.hpp>

#include "core/ref_state.hpp"

namespace oas::codec {

/// Errors: usage if the reference is empty or its store is not known.
const ObjectRef::State& state_of(const ObjectRef& object);
/// Where a file lies: of a folder its `file`, else the object itself. Errors: usage if `file` does not fit, access if
/// it leaves the folder.
std::string key_of(const ObjectRef::State& state, std::string_view file);
/// What the row says; nullopt if it says nothing.
std::optional<std::uint64_t> recorded_size(const ObjectRef::State& state);

/// Errors: missing_object, conflict, and those of the store.
Object read_object(const ObjectRef::State& state, const std::string& key, ByteRange range = {});
ObjectInfo stat_object(const ObjectRef::State& state, const std::string& key);

/// The manifest's files, or nothing if there is no manifest. Cost: 1 request. Errors: integrity.
std::optional<std::vector<FileInfo>> manifest_files(const ObjectRef::State& state);
/// What lies under the path now. Cost: 1 request a 1000 files.
std::vector<FileInfo> listed_files(const ObjectRef::State& state);

/// Of one object, or of the files of a folder: disks take several requests, too.
std::size_t pieces_at_once(const ObjectRef::State& state);
/// Calls task(0) … task(count - 1), at most so many at a time. The first error is thrown, after those under way have
/// ended.
void in_parallel(std::size_t count, std::size_t at_once, const std::function<void(std::size_t)>& task);

/// Compares with the hash in the metadata, if there is one. `found` makes the hash. Errors: integrity.
void compare_hash(const ObjectRef::State& state, const std::function<std::string()>& found);
[[noreturn]] void damaged(const ObjectRef::State& state, const std::string& why, Errc code = Errc::integrity);

}  // namespace oas::codec
