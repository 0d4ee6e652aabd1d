// What `blob@s`, `attach@s` and `filepath@s` of DataJoint for Python were before 2.0: the column has a hash of 16
// bytes, and the hidden table ~external_s tells what lies where (docs/format/old.md). Queries put that line in place of
// the hash (query/render.cpp). Read, never written. No definition can name this codec: its name begins with '~'.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "codec/metadata.hpp"
#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "core/ref_state.hpp"
#include "format/blob.hpp"

namespace oas {
namespace {

[[noreturn]] void damaged(const std::string& why) {
  throw Error(Errc::decode, fmt::format("read the line of an object in ~external_…: {}. it is damaged", why));
}

const std::string* text_of(const Map& line, std::string_view name) {
  const Value* value = line.find(name);
  return value ? value->get_if<std::string>() : nullptr;
}

Md5::Digest digest_of(const std::string& hexadecimal) {
  const auto bytes = from_hex(hexadecimal);
  Md5::Digest digest{};
  if (!bytes || bytes->size() != digest.size()) damaged("there is no hash in the place of one");
  std::ranges::copy(bytes->view(), digest.begin());
  return digest;
}

class ExternalCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "~external"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store) throw Error(Errc::definition, "use <~external> in the table: what it reads lies in stores");
    return "json";
  }
  bool manages() const noexcept override { return false; }

  Value encode(const Value&, const Site&, ObjectSink&) const override {
    throw Error(Errc::unsupported, "write as before DataJoint 2.0: such data are only read");
  }

  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    const Map* line = stored.get_if<Map>();
    if (!line) damaged("it is missing");
    const auto member = [&](std::string_view name) -> const std::string& {
      const std::string* text = text_of(*line, name);
      if (!text) damaged(fmt::format("it has no '{}'", name));
      return *text;
    };
    const std::string &kind = member("kind"), &store = member("store");
    const Md5::Digest key = digest_of(member("hash"));
    const std::string* file = text_of(*line, "filepath");  // also of blobs that were moved here from before 0.12
    const std::string name = kind == "attach" ? member("attachment_name") : "";

    Map metadata = map({{"path", file ? *file : path(source.config(store), member("schema"), hex(key), name)},
                        {"store", store},
                        {"is_dir", false}});
    if (const Value* size = line->find("size")) metadata.set("size", *size);
    // Large files of `filepath@s` may have none.
    const std::string* contents = text_of(*line, "contents_hash");
    if (contents) metadata.set("hash", content_hash(digest_of(*contents)));
    const ObjectRef ref = source.ref(metadata);
    if (kind == "filepath") return ref;

    const Bytes bytes = ref.read();
    if (kind == "attach") {
      const Bytes prefix = Bytes::copy(std::string_view(name.c_str(), name.size() + 1));
      const BytesView parts[] = {prefix.view(), bytes.view()};
      compare(ref, md5(parts), key);
      return AttachmentAccess::stored(name, bytes);
    }
    if (kind != "blob") damaged(fmt::format("its kind is '{}'", kind));
    const BytesView whole[] = {bytes.view()};
    if (!file) compare(ref, md5(whole), key);
    if (contents) compare(ref, md5(whole), digest_of(*contents));
    return format::unpack(bytes);
  }

 private:
  static std::string path(const StoreConfig& config, std::string_view schema, std::string_view hash,
                          std::string_view attachment) {
    static const std::vector<int> usual{2, 2};
    std::string out(schema);
    std::string_view rest = hash;
    for (const int length : config.subfolding.empty() ? usual : config.subfolding) {
      const std::string_view fold = rest.substr(0, static_cast<std::size_t>(std::max(length, 0)));
      out.append("/").append(fold);
      rest.remove_prefix(fold.size());
    }
    out.append("/").append(hash);
    if (!attachment.empty()) out.append(".").append(attachment);
    return out;
  }

  static void compare(const ObjectRef& ref, const Md5::Digest& found, const Md5::Digest& recorded) {
    if (found == recorded) return;
    throw Error(
        Errc::integrity,
        fmt::format("read {} from store {}: its content has the hash {}, and ~external_{} says {}. the object is "
                    "damaged",
                    ref.path(), ref.store(), hex(found), ref.store(), hex(recorded)),
        fmt::format("store {}, {}", ref.store(), ref.path()));
  }
};

}  // namespace

const Codec& codec_external();
const Codec& codec_external() {
  static const ExternalCodec codec;
  return codec;
}

}  // namespace oas
