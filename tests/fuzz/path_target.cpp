// Keys: what any bytes become as the parts of a path, and what a store takes as a key. A path is a key, lies in its
// section, and the text of a key attribute comes back from its encoded form.
#include <filesystem>

#include "codec/codec.hpp"
#include "codec/paths.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"
#include "store/path.hpp"
#include "store/registry.hpp"

namespace {

using namespace oas;

void require(bool holds) {
  if (!holds) std::abort();
}

// Parts of the input, each up to the next byte 0x1f.
class Fields {
 public:
  explicit Fields(std::string_view input) : rest_(input) {}
  std::string next() {
    const std::string_view one = rest_.substr(0, rest_.find('\x1f'));
    rest_.remove_prefix(std::min(one.size() + 1, rest_.size()));
    return std::string(one);
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::size_t characters(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string decoded(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      require(i + 2 < text.size());
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

void stays_inside(const std::string& path, const std::string& section) {
  require(store::broken_rule(path).empty());
  const std::filesystem::path root = "/r", full = (root / path).lexically_normal();
  require(full.string() == "/r/" + path);  // nothing in it moves up or is passed over
  require(section.empty() || path.starts_with(section + "/"));
}

// A text as the value of a key attribute.
void as_key(const std::string& text) {
  const std::string encoded = codec::key_text(Value(text));
  require(encoded.find('/') == encoded.npos);
  require(store::broken_rule("k=" + encoded).empty() || encoded.size() > 1000);
  if (encoded == text) return;
  const std::string back = decoded(encoded);
  if (characters(text) <= 100) {
    require(back == text);
  } else {
    require(back.size() >= 9 && text.starts_with(back.substr(0, back.size() - 9)));
    require(back[back.size() - 9] == '_');
    require(valid_utf8(text) ? characters(back) == 59 : true);
  }
}

void as_path(Fields fields) {
  StoreConfig config;
  config.name = "f";
  config.schema_prefix = fields.next();
  config.hash_prefix = fields.next();
  config.partition_pattern = fields.next();
  const std::string schema = fields.next(), table = fields.next(), attribute = fields.next(), extension = fields.next();
  Row key;
  while (!fields.empty()) {
    const std::string name = fields.next();
    key.set(name, fields.next());
  }
  try {
    store::check_sections(config);
  } catch (const Error&) {
    return;  // such settings are refused
  }
  const Site site{schema, table, attribute, "f", &key};
  try {
    const std::string path = codec::named_path(config, site, extension, "ABCDefgh");
    require(path.size() <= store::max_key_size);
    stays_inside(path, codec::schema_section(config));
    require(path.find("_ABCDefgh", path.rfind('/')) != path.npos);
  } catch (const Error& error) {
    require(error.code() == Errc::usage && valid_utf8(error.what()));
  }
  try {
    const std::string hash = content_hash(Md5().finish());
    const std::string path = codec::hashed_path(config, schema, hash);
    stays_inside(path, codec::hash_section(config));
    require(path.ends_with(hash));
  } catch (const Error& error) {
    require(error.code() == Errc::usage && valid_utf8(error.what()));
  }
}

// Any text as a key of a store, and as a type.
void as_text_of(const std::string& text) {
  const std::string rule = store::broken_rule(text);
  try {
    store::check_key(text);
    require(rule.empty());
    stays_inside(text, {});
  } catch (const Error& error) {
    require(!rule.empty() && error.code() == Errc::usage && valid_utf8(error.what()));
  }
  const codec::CodecType type = codec::parse_codec_type(text);
  require(type.name.size() + type.store.size() <= text.size());
  require(type.in_store || type.store.empty());
}

void run(BytesView input) {
  const fuzz::MemoryBound bound((1 << 20) + 64 * input.size());
  const std::string text(as_text(input));
  as_text_of(text);
  as_key(text);
  as_path(Fields(text));
}

}  // namespace

OAS_FUZZ_TARGET(run)
