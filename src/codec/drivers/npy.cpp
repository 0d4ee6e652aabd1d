// <npy@>: an array as a .npy file (docs/format/npy.md) under a schema path; comes back as a lazy NpyRef.
#include <oas/codec.hpp>

#include <fmt/format.h>

#include "codec/metadata.hpp"
#include "format/dtype.hpp"
#include "format/npy.hpp"

namespace oas {
namespace {

class NpyCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "npy"; }
  std::string inner_type(bool in_store) const override {
    if (!in_store)
      throw Error(Errc::definition, "use <npy> in the table: it lives in a store. write <npy@>, or <blob>");
    return "json";
  }

  void validate(const Value& value) const override {
    if (value.is<Array>() || value.is<NpyRef>()) return;
    throw Error(Errc::usage, fmt::format("store a .npy file: an array is wanted, and there is {}", value.describe()));
  }

  Value encode(const Value& value, const Site& site, ObjectSink& sink) const override {
    validate(value);
    const NpyRef* other = value.get_if<NpyRef>();
    const Array array = other ? other->load() : *value.get_if<Array>();
    const Stored stored = sink.put_named(site, ".npy", Content(format::write_npy(array)));
    Seq shape;
    for (const std::int64_t length : array.shape()) shape.items.emplace_back(length);
    return map({{"path", stored.path}, {"store", stored.store}, {"dtype", array.type().name}, {"shape", shape}});
  }

  Value decode(const Value& stored, const Site&, const ObjectSource& source) const override {
    ObjectRef object = source.ref(stored);
    const Map& known = *stored.get_if<Map>();
    const auto damaged = [](const std::string& why) {
      throw Error(Errc::decode, fmt::format("read the metadata of an array: {}. the row is damaged, or not ours", why));
    };
    const Value* dtype = known.find("dtype");
    const Value* lengths = known.find("shape");
    if (!dtype || !dtype->is<std::string>()) damaged("it has no 'dtype'");
    if (!lengths || !lengths->is<Seq>()) damaged("it has no list 'shape'");
    Shape shape;
    for (const Value& length : lengths->get_if<Seq>()->items) {
      const std::int64_t* count = length.get_if<std::int64_t>();
      if (!count || *count < 0) damaged(fmt::format("its 'shape' has {} for a length", length.describe()));
      shape.push_back(*count);
    }
    return NpyRef(std::move(object), format::parse_dtype(*dtype->get_if<std::string>()), std::move(shape));
  }
};

}  // namespace

const Codec& codec_npy();
const Codec& codec_npy() {
  static const NpyCodec codec;
  return codec;
}

}  // namespace oas
