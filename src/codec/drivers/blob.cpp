// <blob>: any value, packed (docs/format/blob.md). In the table as bytes, in a store by content hash.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include "format/blob.hpp"

namespace oas {
namespace {

class BlobCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "blob"; }
  std::string inner_type(bool in_store) const override { return in_store ? "<hash>" : "bytes"; }

  void validate(const Value& value) const override {
    if (value.is<Attachment>() || value.is<NpyRef>() || value.is<ObjectRef>())
      throw Error(Errc::usage, fmt::format("pack a blob: it cannot hold {}. use an attribute of its own type, or load "
                                           "it first",
                                           value.describe()));
  }

  Value encode(const Value& value, const Site& site, ObjectSink&) const override {
    if (site.store.empty()) return format::pack_joined(value);
    Seq parts;  // not joined: large arrays go to the store from where they are
    for (Bytes& part : format::pack(value)) parts.items.emplace_back(std::move(part));
    return parts;
  }

  Value decode(const Value& stored, const Site&, const ObjectSource&) const override {
    const Bytes* bytes = stored.get_if<Bytes>();
    if (!bytes)
      throw Error(Errc::decode, fmt::format("unpack a blob: there is {} in place of bytes", stored.describe()));
    return format::unpack(*bytes);
  }
};

}  // namespace

const Codec& codec_blob();
const Codec& codec_blob() {
  static const BlobCodec codec;
  return codec;
}

}  // namespace oas
