// <attach>: a file with its name. Stored as the name in UTF-8, NUL, and the content; in the table as bytes, in a store
// by content hash.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/ref_state.hpp"

namespace oas {
namespace {

// A text is the path of a local file.
Attachment attachment(const Value& value) {
  if (const Attachment* given = value.get_if<Attachment>()) return *given;
  if (const std::string* path = value.get_if<std::string>()) return Attachment(std::filesystem::path(*path));
  throw Error(Errc::usage, fmt::format("attach a file: an Attachment or the path of a file is wanted, and there is {}",
                                       value.describe()));
}

Bytes name_and_nul(const std::string& name) { return Bytes::copy(std::string_view(name.c_str(), name.size() + 1)); }

class AttachCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "attach"; }
  std::string inner_type(bool in_store) const override { return in_store ? "<hash>" : "bytes"; }

  void validate(const Value& value) const override {
    const Attachment file = attachment(value);
    if (!file.file().empty()) Content::from_file(file.file());
  }

  Value encode(const Value& value, const Site& site, ObjectSink&) const override {
    const Attachment file = attachment(value);
    const Bytes name = name_and_nul(file.name());
    if (!site.store.empty())
      return Seq{Seq::Kind::list, {name, file.file().empty() ? Value(file.bytes()) : Value(file)}};
    const Bytes content = file.bytes();
    Buffer payload(name.size() + content.size());
    std::memcpy(payload.data(), name.data(), name.size());
    if (!content.empty()) std::memcpy(payload.data() + name.size(), content.data(), content.size());
    return std::move(payload).finish();
  }

  Value decode(const Value& stored, const Site&, const ObjectSource&) const override {
    const Bytes* bytes = stored.get_if<Bytes>();
    if (!bytes)
      throw Error(Errc::decode, fmt::format("read an attachment: there is {} in place of bytes", stored.describe()));
    const std::size_t nul = bytes->text().find('\0');
    if (nul == std::string_view::npos)
      throw Error(Errc::decode, "read an attachment: no NUL ends its name. the bytes are no attachment");
    return AttachmentAccess::stored(std::string(bytes->text().substr(0, nul)),
                                    bytes->slice(nul + 1, bytes->size() - nul - 1));
  }
};

}  // namespace

const Codec& codec_attach();
const Codec& codec_attach() {
  static const AttachCodec codec;
  return codec;
}

}  // namespace oas
