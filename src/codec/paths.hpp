// Where objects lie in a store (docs/format/paths.md). Pure functions, but for the random token. The same paths that
// DataJoint for Python makes, except where those are no legal keys of a Store.
#pragma once

#include <string>
#include <string_view>

#include <oas/codec.hpp>

namespace oas::codec {

/// {hash_prefix}/{schema}/{folds of the hash}/{hash}; `hash` is content_hash() of core/hash.hpp. Errors: usage if
/// `hash` is not 26 lower-case letters and digits.
std::string hashed_path(const StoreConfig& config, std::string_view schema, std::string_view hash);
/// {schema_prefix}/{partition}/{schema}/{table}/{key}/{attribute}_{token}{extension}. `site.table` is the name in the
/// database; without site.key there is no key in the path. `extension` with or without its dot; may be empty.
/// Errors: usage if the key holds what cannot be part of a path, or the extension is no part of a file name.
std::string named_path(const StoreConfig& config, const Site& site, std::string_view extension, std::string_view token);
/// What stands for the value of a key attribute in a path. Errors: usage for values that cannot be keys.
std::string key_text(const Value& value);
/// From the system's random source; `length` is clamped to 4…16, characters are A-Za-z0-9-_.
std::string random_token(int length);

/// Beside every folder object.
std::string manifest_path(std::string_view folder_path);
/// The sections as they stand in paths: without outer slashes; empty if the section is the root of the store, or, of
/// files that belong to users, if there is none.
std::string hash_section(const StoreConfig& config);
std::string schema_section(const StoreConfig& config);
std::string filepath_section(const StoreConfig& config);

}  // namespace oas::codec
