#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include <oas/tools.hpp>

#include "codec/metadata.hpp"
#include "core/bigint.hpp"
#include "core/nearest.hpp"
#include "db/registry.hpp"
#include "engine/state.hpp"
#include "format/blob.hpp"
#include "format/blob_format.hpp"
#include "format/dtype.hpp"
#include "format/npy.hpp"
#include "schema/declare.hpp"
#include "store/registry.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view npy_magic = "\x93NUMPY";

[[noreturn]] void cannot(const fs::path& path, std::string_view why, Errc code = Errc::usage) {
  throw Error(code, fmt::format("look into {}: {}", path.string(), why), path.string());
}

Bytes read_some(const fs::path& path, std::uint64_t most) {
  std::error_code failure;
  if (!fs::exists(path, failure)) cannot(path, "it is not there");
  if (!fs::is_regular_file(path, failure)) cannot(path, "it is not a file");
  const std::uint64_t size = fs::file_size(path, failure);
  if (failure) cannot(path, failure.message(), Errc::access);
  Buffer buffer(static_cast<std::size_t>(std::min(size, most)));
  std::ifstream in(path, std::ios::binary);
  if (!in) cannot(path, "it cannot be opened. look at its permissions", Errc::access);
  in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
  if (in.bad()) cannot(path, "it cannot be read", Errc::access);
  return std::move(buffer).finish(static_cast<std::size_t>(in.gcount()));
}

Seq shape_list(std::span<const std::int64_t> shape) {
  Seq list;
  for (const std::int64_t length : shape) list.items.emplace_back(length);
  return list;
}

Inspection inspect_npy(const fs::path& path, bool with_value) {
  Bytes file = read_some(path, with_value ? UINT64_MAX : format::npy_first_read);
  if (const std::uint64_t needed = format::npy_header_size(file); needed > file.size()) file = read_some(path, needed);
  const format::NpyHeader header = format::parse_npy_header(file);
  Inspection found{"npy", {}, {}};
  found.facts.set("dtype", header.type.name);
  found.facts.set("shape", shape_list(header.shape));
  found.facts.set("order", header.order == Array::Order::row ? "row" : "column");
  found.facts.set("data_offset", header.data_offset);
  found.facts.set("data_size", header.data_size);
  std::error_code failure;
  const std::uint64_t size = fs::file_size(path, failure);
  if (!failure && size < header.data_offset + header.data_size) {
    cannot(path,
           fmt::format("its header tells of {} bytes and there are {}. it was cut off",
                       header.data_offset + header.data_size, size),
           Errc::decode);
  }
  if (with_value) found.value = format::read_npy(file);
  return found;
}

Inspection inspect_blob(const Bytes& file) {
  format::BlobForm form;
  Inspection found{"blob", {}, format::unpack(file, &form)};
  found.facts.set("compressed", form.compressed);
  found.facts.set("protocol", form.protocol);
  found.facts.set("length_bits", form.short_lengths ? 32 : 64);
  found.facts.set("size", file.size());
  found.facts.set("value", found.value->describe());
  return found;
}

Inspection inspect_manifest(const Bytes& file, bool with_value) {
  const auto files = codec::read_manifest(file);
  Inspection found{"manifest", {}, {}};
  std::uint64_t total = 0;
  Seq list;
  for (const FileInfo& info : files) {
    total += info.size;
    list.items.emplace_back(map({{"path", info.path}, {"size", info.size}}));
  }
  found.facts.set("item_count", files.size());
  found.facts.set("total_size", total);
  found.facts.set("files", std::move(list));
  if (with_value) found.value = from_json(file.text(), "a manifest");
  return found;
}

// What the metadata files of a Zarr array or group say; nullopt if `folder` is neither.
std::optional<Map> zarr_node(const fs::path& folder) {
  constexpr std::uint64_t most = std::uint64_t{16} << 20;
  const auto read = [&](const char* name) -> std::optional<Map> {
    std::error_code failure;
    if (!fs::is_regular_file(folder / name, failure)) return std::nullopt;
    const Bytes text = read_some(folder / name, most);
    const Value json = from_json(text.text(), (folder / name).string());
    if (const Map* members = json.get_if<Map>()) return *members;
    cannot(folder / name, "it is not a JSON object", Errc::decode);
  };
  const auto copy = [](Map& into, const Map& from, std::string_view name, std::string_view as) {
    if (const Value* member = from.find(name)) into.set(as, *member);
  };
  Map node;
  if (const auto v3 = read("zarr.json")) {
    copy(node, *v3, "zarr_format", "zarr_format");
    copy(node, *v3, "node_type", "node_type");
    copy(node, *v3, "data_type", "dtype");
    copy(node, *v3, "shape", "shape");
    if (const Value* grid = v3->find("chunk_grid"); grid && grid->is<Map>())
      if (const Value* of = grid->get_if<Map>()->find("configuration"); of && of->is<Map>())
        copy(node, *of->get_if<Map>(), "chunk_shape", "chunks");
    return node;
  }
  if (const auto v2 = read(".zarray")) {
    copy(node, *v2, "zarr_format", "zarr_format");
    node.set("node_type", "array");
    copy(node, *v2, "dtype", "dtype");
    copy(node, *v2, "shape", "shape");
    copy(node, *v2, "chunks", "chunks");
    return node;
  }
  if (const auto v2 = read(".zgroup")) {
    copy(node, *v2, "zarr_format", "zarr_format");
    node.set("node_type", "group");
    return node;
  }
  return std::nullopt;
}

Inspection inspect_folder(const fs::path& folder) {
  auto root = zarr_node(folder);
  if (!root) cannot(folder, "it is a folder without zarr.json, .zarray or .zgroup", Errc::decode);
  Inspection found{"zarr", std::move(*root), {}};
  std::uint64_t files = 0, bytes = 0;
  Seq members;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; entry != end && !failure;
       entry.increment(failure)) {
    if (entry->is_regular_file()) {
      ++files;
      bytes += entry->file_size();
    } else if (entry->is_directory()) {
      auto node = zarr_node(entry->path());
      if (!node) continue;
      node->set("path", entry->path().lexically_relative(folder).generic_string());
      members.items.emplace_back(std::move(*node));
    }
  }
  if (failure) cannot(folder, failure.message(), Errc::access);
  std::ranges::sort(members.items, {},
                    [](const Value& node) { return node.get_if<Map>()->at("path").as<std::string>(); });
  found.facts.set("item_count", files);
  found.facts.set("total_size", bytes);
  found.facts.set("members", std::move(members));
  return found;
}

}  // namespace

Value attach_ref(Session& session, const ObjectRef& ref) {
  const Map* metadata = ref.metadata().get_if<Map>();
  const ObjectRef object = codec::make_ref(ref.metadata(), session.store(ref.store()));
  const Value* dtype = metadata->find("dtype");
  const Value* lengths = metadata->find("shape");
  if (!dtype || !lengths) return object;
  return NpyRef(object, format::parse_dtype(dtype->as<std::string>()), lengths->as<Shape>());
}

Query unread(const Query& query) {
  std::vector<Attribute> attributes(query.heading().begin(), query.heading().end());
  for (Attribute& a : attributes) {
    if (!a.in_store || a.codec.empty() || a.column != "json") continue;
    const codec::Chain* chain = query.session()->chain(a);
    if (chain->codecs.back()->name() != "hash") continue;
    // The metadata of a content-addressed object tell all that those of <object@> must.
    a.codec = "object";
    a.type = fmt::format("<object@{}>", a.store);
  }
  const Tree& tree = *query.tree();
  return {query.session(), std::make_shared<const Tree>(tree.node(), Heading(std::move(attributes)), tree.depth())};
}

Inspection inspect_file(const fs::path& path, bool with_value) {
  std::error_code failure;
  if (fs::is_directory(path, failure)) return inspect_folder(path);
  const Bytes first = read_some(path, 16);
  if (first.text().starts_with(npy_magic)) return inspect_npy(path, with_value);
  const Bytes file = read_some(path, UINT64_MAX);
  const std::string_view text = file.text();
  if (text.starts_with("ZL123") || text.starts_with(format::protocol_mym) || text.starts_with(format::protocol_dj0))
    return inspect_blob(file);
  if (text.starts_with('{')) return inspect_manifest(file, with_value);
  cannot(path, "it is no .npy file, no blob, no manifest and no Zarr", Errc::decode);
}

namespace {
format::PackOptions pack_options(bool compress) {
  using Compress = format::PackOptions::Compress;
  return {compress ? Compress::automatic : Compress::never};
}
}  // namespace

std::vector<Bytes> pack_blob(const Value& value, bool compress) { return format::pack(value, pack_options(compress)); }
Bytes pack_blob_joined(const Value& value, bool compress) { return format::pack_joined(value, pack_options(compress)); }
Value unpack_blob(const Bytes& blob) { return format::unpack(blob); }

Array parse_npy(const Bytes& file) { return format::read_npy(file); }

Bytes format_npy(const Array& array) {
  const auto parts = format::write_npy(array);
  std::size_t size = 0;
  for (const Bytes& part : parts) size += part.size();
  Buffer file(size);
  std::byte* to = file.data();
  for (const Bytes& part : parts) to = std::copy(part.data(), part.data() + part.size(), to);
  return std::move(file).finish();
}

DefinedTable define(const NamedDefinition& definition, std::string_view dialect_name, const DefineOptions& options) {
  const auto names = db::dialect_names();
  if (std::ranges::find(names, dialect_name) == names.end()) {
    throw Error(Errc::unsupported,
                fmt::format("define {} for {}: that dialect is not built in. there is: {}", definition.class_name,
                            dialect_name, fmt::join(names, ", ")),
                std::string(dialect_name));
  }
  const db::Dialect& dialect = db::dialect_of(dialect_name);
  const codec::Registry codecs;
  struct Known {
    std::string schema, class_name;
    schema::Parent parent;
  };
  std::vector<Known> known;
  const auto find = [&](std::string_view schema, std::string_view class_name) -> const Known* {
    // The table of this schema, or else the only one that is meant: programs import names across schemas.
    const Known* found = nullptr;
    for (const Known& one : known) {
      if (one.class_name == class_name && one.schema == schema) return &one;
      if (one.class_name == class_name || one.schema + "." + one.class_name == class_name) found = &one;
    }
    return found;
  };
  const auto declare = [&](const NamedDefinition& one) {
    const std::string schema = one.schema.empty() ? options.schema : one.schema;
    const std::size_t dot = one.class_name.find('.');
    const std::string master = dot == std::string::npos ? "" : one.class_name.substr(0, dot);
    const std::string own = dot == std::string::npos ? one.class_name : one.class_name.substr(dot + 1);
    const Known* master_table = find(schema, master);
    if (one.tier == Tier::part && !master_table) {
      throw Error(Errc::definition,
                  fmt::format("define {}: its master is not defined. name the part Master.Part and "
                              "give the master's definition too",
                              one.class_name),
                  one.class_name);
    }
    schema::Context context;
    context.dialect = &dialect;
    context.job_metadata = options.job_metadata;
    context.provenance = options.provenance;
    context.codec = [&](std::string_view codec, bool in_store) {
      const auto chain = codec::resolve(codecs, fmt::format("<{}{}>", codec, in_store ? "@" : ""));
      return schema::CodecColumn{chain.column, codec::is_object(chain)};
    };
    context.parent = [&](std::string_view reference) -> schema::Parent {
      const bool of_master = !master.empty() && (reference == "master" || reference.starts_with("master."));
      const std::string name = of_master ? master + std::string(reference.substr(6)) : std::string(reference);
      if (const Known* found = find(schema, name)) return found->parent;
      throw Error(Errc::definition, fmt::format("the definition of {} is not known. give it too", reference),
                  one.class_name);
    };
    try {
      const std::string table =
          table_name(one.tier, own, one.tier == Tier::part ? master_table->parent.table.name : std::string());
      schema::Declaration declared = schema::declare(schema::parse_definition(one.text), schema, table, context);
      Lineage lineage(declared.lineage.begin(), declared.lineage.end());
      known.push_back({schema, one.class_name, {declared.table, std::move(lineage)}});
      return declared;
    } catch (const Error& e) {
      throw e.within("define " + one.class_name);
    }
  };
  for (const NamedDefinition& one : options.references) declare(one);
  schema::Declaration declared = declare(definition);
  return {dialect.portable_table(declared.table, declared.lineage), std::move(declared.notes)};
}

std::shared_ptr<Store> open_store(const Settings& settings, std::string_view name) {
  const std::string concrete(name.empty() ? std::string_view(settings.default_store()) : name);
  const auto& stores = settings.stores();
  const auto found = stores.find(concrete);
  if (found == stores.end()) {
    std::vector<std::string_view> names;
    for (const auto& [other, config] : stores) names.push_back(other);
    throw Error(
        Errc::usage,
        fmt::format("open store {}: the settings have no such store. {}", concrete.empty() ? "(default)" : concrete,
                    names.empty() ? "add it to stores" : suggest_name(concrete, names)),
        "store " + concrete);
  }
  return store::open_store(found->second);
}

std::string object_url(const StoreConfig& store, std::string_view key) { return store::object_url(store, key); }

std::optional<Value> parse_integer(std::string_view text) {
  const std::string_view digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (digits.empty() || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return integer_from_text(text);
}

}  // namespace oas
