// Type chains: from the text in a definition, `<blob@raw>`, to the codecs that a value passes on its way to the column
// and back. Immutable after resolve(); a Chain may be used by any number of threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <oas/codec.hpp>

#include "codec/registry.hpp"

namespace oas::codec {

/// What stands between the brackets: `<name>`, `<name@>`, `<name@store>`.
struct CodecType {
  std::string name;
  bool in_store = false;
  std::string store;  ///< empty: the default one
  friend bool operator==(const CodecType&, const CodecType&) = default;
};
/// With or without the brackets; white space around the parts is dropped.
CodecType parse_codec_type(std::string_view text);
/// True for `<…>`.
bool is_codec_type(std::string_view type_text) noexcept;

struct Chain {
  std::vector<std::shared_ptr<const Codec>> codecs;  ///< outermost first; none for a core type
  std::string column;                                ///< "bytes" or "json"; a core type itself if there is no codec
  bool in_store = false;
  std::string store;  ///< as the type names it; empty with `in_store`: the default one (see refers_only)
};

/// "int32" gives a chain without codecs. A store named outside is handed inward; where an inner type names another one,
/// that one counts. Errors: definition (unknown codec, a codec that cannot live there, a chain that never ends).
Chain resolve(const Registry& registry, std::string_view type_text);

/// True if the column names objects in a store that belong to the row: they are kept by the ledger, go with the row,
/// and their path is worth an index.
bool is_object(const Chain& chain) noexcept;
/// True if the column refers to objects that others look after, as `<filepath@>` does. `@` alone then means the
/// default store for files, not the default store.
bool refers_only(const Chain& chain) noexcept;
/// True if staged inserts may write the object in place.
bool is_staged(const Chain& chain) noexcept;

/// For all of them: NULL passes untouched; without codecs so does every value. Errors say "<blob> of lab.scan.data".
/// `site.store` is the concrete name of the chain's store, empty in-table.
///
/// Called for every row before anything is written. Errors: usage.
void validate(const Chain& chain, const Value& value, const Site& site);
/// The value for the column: Bytes, or a Map that becomes JSON. Errors: usage, and those of the sink.
Value encode(const Chain& chain, const Value& value, const Site& site, ObjectSink& sink);
/// `stored`: Bytes, or JSON as a Value. Errors: decode, integrity, missing_object, and those of the store.
Value decode(const Chain& chain, const Value& stored, const Site& site, const ObjectSource& source);
/// The objects that belong to the row: paths in its store, without manifests. Errors: decode if the metadata is
/// damaged, so that nothing is removed by mistake.
std::vector<std::string> managed_paths(const Chain& chain, const Value& stored);

}  // namespace oas::codec
