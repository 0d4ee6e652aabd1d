// <object@>: a file or a folder under a schema path; comes back as a lazy ObjectRef.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "codec/metadata.hpp"
#include "core/text.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, std::string_view why) {
  throw Error(Errc::usage, fmt::format("store {}: {}", path.string(), why), path.string());
}

// True if `inner` lies in `folder`, both without symbolic links.
bool lies_in(const fs::path& inner, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), inner.begin(), inner.end()).first == folder.end();
}

// Every file of a folder, sorted by path. Links are followed as long as they stay inside.
std::vector<FolderEntry> files_of(const fs::path& folder) {
  std::vector<FolderEntry> files;
  std::error_code failure;
  const fs::path root = fs::canonical(folder, failure);
  if (failure) refuse(folder, failure.message());
  for (fs::recursive_directory_iterator entry(root, failure), end; entry != end && !failure; entry.increment(failure)) {
    const fs::path& path = entry->path();
    std::error_code bad;
    if (entry->is_symlink(bad)) {
      const fs::path target = fs::canonical(path, bad);
      if (bad) refuse(path, "it is a link to nowhere");
      if (!lies_in(target, root))
        refuse(path, "it is a link that leaves the folder. put a copy there, or leave it out");
      if (fs::is_directory(target, bad)) refuse(path, "it is a link to a folder. put a copy there, or leave it out");
    }
    if (entry->is_directory(bad)) continue;
    if (!entry->is_regular_file(bad)) refuse(path, "it is neither a file nor a folder");
    std::string relative = path.lexically_relative(root).generic_string();
    if (!valid_utf8(relative)) refuse(path, "its name is not UTF-8");
    files.push_back({std::move(relative), Content::from_file(path)});
  }
  if (failure) refuse(folder, failure.message());
  std::ranges::sort(files, {}, &FolderEntry::path);
  return files;
}

// As Python's Path.suffix: a name that ends in a dot has none.
std::string extension_of(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == "." ? std::string() : extension;
}

// (extension, bytes), as DataJoint for Python takes it; nullptr if it is something else.
const Seq* pair_of(const Value& value) {
  const Seq* pair = value.get_if<Seq>();
  const bool good = pair && pair->items.size() == 2 && pair->items[0].is<std::string>() && pair->items[1].is<Bytes>();
  return good ? pair : nullptr;
}

class ObjectCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "object"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store)
      throw Error(Errc::definition, "use <object> in the table: it lives in a store. write <object@>, or <blob>");
    return "json";
  }
  bool staged() const noexcept override { return true; }

  void validate(const Value& value) const override {
    if (value.is<Bytes>() || value.is<ObjectRef>() || pair_of(value)) return;
    if (const Attachment* file = value.get_if<Attachment>()) {
      if (!file->file().empty()) Content::from_file(file->file());
    } else if (const std::string* path = value.get_if<std::string>()) {
      if (std::error_code failure; !fs::is_directory(*path, failure)) Content::from_file(*path);
    } else {
      throw Error(
          Errc::usage,
          fmt::format("store an object: bytes, a pair of extension and bytes, the path of a local file or folder, an "
                      "Attachment or another object is wanted, and there is {}",
                      value.describe()));
    }
  }

  Value encode(const Value& value, const Site& site, ObjectSink& sink) const override {
    if (const Bytes* bytes = value.get_if<Bytes>()) return file(site, sink, std::nullopt, *bytes);
    if (const ObjectRef* object = value.get_if<ObjectRef>()) return copy(site, sink, *object);
    if (const Seq* pair = pair_of(value))
      return file(site, sink, *pair->items[0].get_if<std::string>(), *pair->items[1].get_if<Bytes>());
    if (const Attachment* given = value.get_if<Attachment>())
      return file(site, sink, extension_of(given->name()),
                  given->file().empty() ? Content(given->bytes()) : Content::from_file(given->file()));
    validate(value);
    const fs::path path = *value.get_if<std::string>();
    if (std::error_code failure; fs::is_directory(path, failure))
      return folder(site, sink, std::nullopt, files_of(path));
    return file(site, sink, extension_of(path), Content::from_file(path));
  }

  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    codec::read_metadata(stored);
    return source.ref(stored);
  }

 private:
  static Value file(const Site& site, ObjectSink& sink, const std::optional<std::string>& extension, Content content) {
    const Stored stored = sink.put_named(site, extension.value_or(""), std::move(content));
    return codec::object_metadata(stored, extension, std::nullopt, codec::utc_timestamp());
  }

  static Value folder(const Site& site, ObjectSink& sink, const std::optional<std::string>& extension,
                      std::vector<FolderEntry> files) {
    const std::uint64_t count = files.size();
    const Stored stored = sink.put_folder(site, extension.value_or(""), std::move(files));
    return codec::object_metadata(stored, extension, count, codec::utc_timestamp());
  }

  static Value copy(const Site& site, ObjectSink& sink, const ObjectRef& object) {
    const Map* known = object.metadata().get_if<Map>();
    const Value* ext = known ? known->find("ext") : nullptr;
    std::optional<std::string> extension;
    if (ext && ext->is<std::string>()) extension = *ext->get_if<std::string>();
    if (!object.is_folder()) return file(site, sink, extension, Content::from_object(object));
    std::vector<FolderEntry> files;
    for (const FileInfo& info : object.files()) files.push_back({info.path, Content::from_object(object, info.path)});
    return folder(site, sink, extension, std::move(files));
  }
};

}  // namespace

const Codec& codec_object();
const Codec& codec_object() {
  static const ObjectCodec codec;
  return codec;
}

}  // namespace oas
