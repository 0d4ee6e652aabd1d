// <filepath@>: refers to what somebody else put into the store. Nothing is written, nothing is removed with the row.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "core/text.hpp"
#include "store/path.hpp"

namespace oas {
namespace {

[[noreturn]] void refuse(std::string_view path, const std::string& why, Errc code = Errc::usage) {
  throw Error(code, fmt::format("refer to '{}': {}", shown(path), why), shown(path));
}

// Without empty and "." parts, so that nothing gets past the sections by another spelling.
std::string normalised(std::string_view path) {
  if (path.starts_with('/')) refuse(path, "paths begin at the root of the store, without '/'", Errc::access);
  std::string out;
  for (std::size_t first = 0; first < path.size();) {
    const std::size_t last = std::min(path.find('/', first), path.size());
    const std::string_view part = path.substr(first, last - first);
    first = last + 1;
    if (part == "..") refuse(path, "it has the part '..' and could leave the store", Errc::access);
    if (part.empty() || part == ".") continue;
    if (!out.empty()) out += '/';
    out += part;
  }
  const std::string rule = store::broken_rule(out);
  if (!rule.empty()) refuse(path, rule);
  return out;
}

bool lies_in(std::string_view path, std::string_view section) {
  return !section.empty() && path.starts_with(section) &&
         (path.size() == section.size() || path[section.size()] == '/');
}

const std::string& path_text(const Value& value) {
  const std::string* path = value.get_if<std::string>();
  if (!path)
    throw Error(Errc::usage,
                fmt::format("refer to a file: a path in the store is wanted, and there is {}", value.describe()));
  return *path;
}

class FilepathCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "filepath"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store) throw Error(Errc::definition, "use <filepath> without a store: write <filepath@>");
    return "json";
  }
  bool manages() const noexcept override { return false; }

  void validate(const Value& value) const override { normalised(path_text(value)); }

  Value encode(const Value& value, const Site& site, ObjectSink& sink) const override {
    const std::string path = normalised(path_text(value));
    const StoreConfig& config = sink.config(site.store);
    for (const std::string& section : {codec::hash_section(config), codec::schema_section(config)})
      if (lies_in(path, section))
        refuse(path, fmt::format("what lies under {}/ belongs to rows and goes with them", section), Errc::access);
    const std::string wanted = codec::filepath_section(config);
    if (!wanted.empty() && (!lies_in(path, wanted) || path == wanted))
      refuse(path, fmt::format("store {} takes files only from under {}/", site.store, wanted), Errc::access);

    const std::optional<ObjectInfo> file = sink.stat(site.store, path);
    if (!file && !sink.is_folder(site.store, path))
      refuse(path, fmt::format("there is nothing in store {}", site.store), Errc::missing_object);
    return map({{"path", path},
                {"store", site.store},
                {"size", file ? Value(file->size) : Value()},
                {"is_dir", !file.has_value()},
                {"timestamp", codec::utc_timestamp()}});
  }

  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    codec::read_metadata(stored);
    return source.ref(stored);
  }
};

}  // namespace

const Codec& codec_filepath();
const Codec& codec_filepath() {
  static const FilepathCodec codec;
  return codec;
}

}  // namespace oas
