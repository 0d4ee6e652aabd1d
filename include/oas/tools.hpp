// What programs about oas need besides the tables themselves, such as the program `oas`: values as text, looking into
// files, statements without a database, stores without a session. Nothing here keeps state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <oas/definition.hpp>
#include <oas/query.hpp>
#include <oas/session.hpp>

namespace oas {

/// The lossless notation of values, {"t": TYPE, …}, as one line of JSON. Attachments are read.
/// Errors: usage if the value is nested too deep or a text in it is not UTF-8.
std::string to_typed(const Value& value);
/// Errors: syntax, decode. A `ref` knows its metadata and has no store: see attach_ref().
Value from_typed(std::string_view json);
/// The same from a notation that is part of some JSON: of from_json(). Errors: decode.
Value untyped(const Value& notation);

/// JSON of what JSON has a form for: null, bool, numbers, texts, lists, maps with texts as keys.
/// Errors: usage for everything else, and for text that is not UTF-8.
std::string to_json(const Value& value);
/// `what` names the text in messages. Errors: syntax.
Value from_json(std::string_view text, std::string_view what);

/// Hexadecimal digits, lower case; and back, nullopt if it is none. The same for base64 with padding.
std::string hex(BytesView bytes);
std::optional<Bytes> from_hex(std::string_view text);
std::optional<Bytes> from_base64(std::string_view text);

/// A reference that can be read: the object of `ref` in this session's store of that name. An NpyRef if the metadata
/// are those of an array. No request. Errors: usage (no such store), decode (damaged metadata).
Value attach_ref(Session& session, const ObjectRef& ref);

/// The same rows in which also the objects of `<blob@>`, `<attach@>` and `<hash@>` are references: reading the rows
/// makes no request to a store.
Query unread(const Query& query);

/// What a file is.
struct Inspection {
  std::string kind;            ///< "npy", "blob", "manifest", "zarr"
  Map facts;                   ///< plain values that JSON has a form for; docs/howto/cli.md
  std::optional<Value> value;  ///< of a blob; of a .npy, and of a manifest its JSON, if it was asked for
};
/// Looks into a .npy, a packed blob, the manifest of a folder object, or a Zarr folder. Without `with_value` of a .npy
/// only the header is read. Errors: usage if there is no such file; decode if it is none of them.
Inspection inspect_file(const std::filesystem::path& path, bool with_value);

/// What `<blob>` stores, in parts, one after the other: large arrays in column order, or of one dimension, and large
/// Bytes are shared, not copied, so what they borrow must live as long as the parts. `compress`: where that pays.
/// Errors: usage, if there is something in `value` that a blob cannot hold.
std::vector<Bytes> pack_blob(const Value& value, bool compress = true);
/// The same in one piece.
Bytes pack_blob_joined(const Value& value, bool compress = true);
/// The value in a blob of ours, of DataJoint for Python, or of MATLAB. Arrays and bytes share the memory of `blob`
/// where their elements are aligned. Errors: decode, with the offset of the byte; unsupported: sparse arrays, complex
/// integers that no float can hold.
Value unpack_blob(const Bytes& blob);

/// A `.npy` file as an array; an array as a `.npy` file. Errors: decode.
Array parse_npy(const Bytes& file);
Bytes format_npy(const Array& array);

/// A definition with the name of its class.
struct NamedDefinition {
  std::string class_name;  ///< "Scan"; of a part "Scan.Frame"
  Tier tier = Tier::manual;
  std::string text;
  std::string schema = {};  ///< empty: that of the others
};
struct DefineOptions {
  std::string schema;  ///< of what names none
  /// Definitions of the tables that it may refer to, in an order in which they can be declared.
  std::vector<NamedDefinition> references = {};
  /// The hidden columns that the settings jobs.add_job_metadata and provenance.capture ask for.
  bool job_metadata = false, provenance = false;
};
struct DefinedTable {
  std::vector<std::string> statements;  ///< in the order of execution
  std::vector<std::string> notes;       ///< what is legal and perhaps not meant, for people
};
/// What declares a table, as every program does it that follows DataJoint for Python; nothing is executed, and no
/// server or client library is needed. (A Session also makes the indexes by which objects are found, and looks what is
/// there already.) Errors: definition, with line and column; unsupported for a dialect that is not built in, naming
/// those that are.
DefinedTable define(const NamedDefinition& definition, std::string_view dialect, const DefineOptions& options);

/// Opens a store of the settings; an empty name is the default one. Errors: usage, access, unavailable.
std::shared_ptr<Store> open_store(const Settings& settings, std::string_view name);
/// Where other programs find an object, or all of them for an empty key: "file:///data/raw/KEY", "s3://bucket/location/
/// KEY", "gs://…", "az://…", nothing percent-encoded; the protocol alone where it has no URLs. No request.
/// Errors: usage (a bad key).
std::string object_url(const StoreConfig& store, std::string_view key = {});

/// The value of a decimal text: an int if it fits 64 bits, else a BigInt; nullopt if it is no integer.
std::optional<Value> parse_integer(std::string_view text);

}  // namespace oas
