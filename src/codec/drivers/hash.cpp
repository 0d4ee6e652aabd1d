// <hash@>: bytes, stored once per schema under the hash of their content, which is compared when they are read.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include "codec/metadata.hpp"
#include "core/hash.hpp"

namespace oas {
namespace {

class HashCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "hash"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store)
      throw Error(Errc::definition, "use <hash> in the table: it lives in a store. write <hash@>, or bytes");
    return "json";
  }

  void validate(const Value& value) const override {
    if (!value.is<Bytes>()) refuse(value);
  }

  Value encode(const Value& value, const Site& site, ObjectSink& sink) const override {
    return sink.put_hashed(site, content(value));
  }

  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    const codec::Metadata known = codec::read_metadata(stored);
    const Value* hash = stored.get_if<Map>()->find("hash");
    if (!hash || !hash->is<std::string>())
      throw Error(Errc::decode, "read the metadata of an object: it has no 'hash'. the row is damaged, or not ours");
    Bytes bytes = source.ref(stored).read();
    const std::string found = content_hash(bytes.view());
    if (found != *hash->get_if<std::string>())
      throw Error(Errc::integrity,
                  fmt::format("read {} from store {}: its content has the hash {}, and the row says {}. the object is "
                              "damaged",
                              known.path, known.store, found, *hash->get_if<std::string>()),
                  fmt::format("store {}, {}", known.store, known.path));
    return bytes;
  }

 private:
  [[noreturn]] static void refuse(const Value& value) {
    throw Error(Errc::usage, fmt::format("store by hash: bytes are wanted, and there is {}", value.describe()));
  }

  // What outer codecs hand in may come in pieces: bytes, and files that are read while they are written.
  static Content content(const Value& value) {
    if (const Bytes* bytes = value.get_if<Bytes>()) return *bytes;
    const Seq* pieces = value.get_if<Seq>();
    if (!pieces) refuse(value);
    Content content;
    for (const Value& piece : pieces->items) {
      if (!content.file.empty()) refuse(value);  // a file can only be the last piece
      if (const Bytes* bytes = piece.get_if<Bytes>()) {
        content.parts.push_back(*bytes);
      } else if (const Attachment* file = piece.get_if<Attachment>(); file && !file->file().empty()) {
        Content more = Content::from_file(file->file());
        content.file = std::move(more.file);
        content.more = more.more;
      } else {
        refuse(value);
      }
    }
    return content;
  }
};

}  // namespace

const Codec& codec_hash();
const Codec& codec_hash() {
  static const HashCodec codec;
  return codec;
}

}  // namespace oas
