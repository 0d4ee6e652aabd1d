// Any bytes as what a row holds for an object, and as the manifest of a folder: values that every codec reads or
// refuses with a typed error, and a list of files inside the folder that is written and read again as the same.
#include "codec/metadata.hpp"
#include "codec/registry.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"
#include "store/path.hpp"
#include "store/registry.hpp"

namespace {

using namespace oas;

constexpr std::size_t slack = 1 << 20;  // of messages, references and the codecs themselves

void require(bool holds) {
  if (!holds) std::abort();
}

class Source final : public ObjectSource {
 public:
  explicit Source(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  ObjectRef ref(const Value& metadata) const override { return codec::make_ref(metadata, store_); }
  const StoreConfig& config(std::string_view) const override { return config_; }

 private:
  std::shared_ptr<Store> store_;
  StoreConfig config_;
};

std::shared_ptr<Store> empty_store() {
  StoreConfig config;
  config.name = "f";
  config.protocol = "memory";
  return store::open_store(config);
}

void as_metadata(const Value& stored) {
  const std::string text = to_json(stored);
  require(to_json(codec::parse_metadata(text)) == text);
  static const codec::Registry codecs;
  static const Source source(empty_store());
  const Site site{"lab", "scan", "film", "f", nullptr};
  bool good = true;
  try {
    const codec::Metadata known = codec::read_metadata(stored);
    require(store::broken_rule(known.path).empty());
  } catch (const Error& error) {
    require(error.code() == Errc::decode && valid_utf8(error.what()));
    good = false;
  }
  for (const std::string& name : codecs.names()) {
    const Codec& codec = *codecs.at(name);
    try {
      const std::vector<std::string> paths = codec.paths(stored);
      require(good || !codec.manages());
      for (const std::string& path : paths) require(store::broken_rule(path).empty());
    } catch (const Error& error) {
      require(!good && error.code() == Errc::decode);
    }
    try {
      static_cast<void>(codec.decode(stored, site, source));
      require(good);
    } catch (const Error& error) {  // the store is empty, and arrays of objects are not for us
      require(error.code() == Errc::decode || error.code() == Errc::missing_object ||
              error.code() == Errc::unsupported);
    }
  }
}

void as_manifest(BytesView input) {
  std::vector<FileInfo> files;
  try {
    files = codec::read_manifest(input);
  } catch (const Error& error) {
    require(error.code() == Errc::integrity && valid_utf8(error.what()));
    return;
  }
  std::uint64_t total = 0;
  for (const FileInfo& file : files) {
    require(store::broken_rule(file.path).empty());
    total += file.size;
  }
  const std::string text = codec::manifest_text(files, total, "2026-01-31T00:00:00.000000+00:00");
  require(codec::read_manifest(as_bytes(text)) == files);
}

void run(BytesView input) {
  const fuzz::MemoryBound bound(slack + codec::metadata_factor * input.size());
  as_manifest(input);
  Value stored;
  try {
    stored = codec::parse_metadata(as_text(input));
  } catch (const Error& error) {
    require(error.code() == Errc::decode && valid_utf8(error.what()));
    return;
  }
  as_metadata(stored);
}

}  // namespace

OAS_FUZZ_TARGET(run)
