#include "codec/codec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "codec/metadata.hpp"

namespace oas {

std::vector<std::string> Codec::paths(const Value& stored) const {
  if (!manages()) return {};
  return {codec::read_metadata(stored).path};
}

namespace codec {
namespace {

constexpr std::size_t longest_chain = 16;

std::string_view stripped(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// The clause that this layer adds to errors.
std::string clause(std::string_view verb, const Codec& codec, const Site& site) {
  if (site.table.empty()) return fmt::format("{} <{}>", verb, codec.name());  // a query: its reader names the attribute
  return fmt::format("{} <{}> of {}.{}.{}", verb, codec.name(), site.schema, site.table, site.attribute);
}

}  // namespace

bool is_codec_type(std::string_view type_text) noexcept {
  const std::string_view text = stripped(type_text);
  return text.size() >= 2 && text.front() == '<' && text.back() == '>';
}

CodecType parse_codec_type(std::string_view text) {
  text = stripped(text);
  if (is_codec_type(text)) text = text.substr(1, text.size() - 2);
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return {std::string(stripped(text)), false, {}};
  return {std::string(stripped(text.substr(0, at))), true, std::string(stripped(text.substr(at + 1)))};
}

Chain resolve(const Registry& registry, std::string_view type_text) {
  Chain chain;
  std::string type(stripped(type_text));
  if (!is_codec_type(type)) {
    chain.column = std::move(type);
    return chain;
  }
  const auto refuse = [&](const std::string& why) {
    throw Error(Errc::definition, fmt::format("use type {}: {}", type_text, why), std::string(type_text));
  };
  while (is_codec_type(type)) {
    if (chain.codecs.size() == longest_chain) refuse(fmt::format("its codecs go on at <{}> without an end", type));
    const CodecType parsed = parse_codec_type(type);
    const std::shared_ptr<const Codec>& next = registry.at(parsed.name);
    if (std::ranges::find(chain.codecs, next) != chain.codecs.end())
      refuse(fmt::format("codec <{}> leads back to itself", parsed.name));
    chain.in_store = chain.in_store || parsed.in_store;
    if (!parsed.store.empty()) chain.store = parsed.store;
    chain.codecs.push_back(next);
    type = stripped(next->inner_type(chain.in_store));
  }
  if (type != "bytes" && type != "json")
    refuse(fmt::format("codec <{}> ends in the type '{}', and only bytes, json or another codec can hold it",
                       chain.codecs.back()->name(), type));
  chain.column = std::move(type);
  return chain;
}

bool refers_only(const Chain& chain) noexcept {
  return chain.in_store && !chain.codecs.empty() && !chain.codecs.back()->manages();
}

bool is_object(const Chain& chain) noexcept { return chain.in_store && chain.column == "json" && !refers_only(chain); }

bool is_staged(const Chain& chain) noexcept { return chain.codecs.size() == 1 && chain.codecs.front()->staged(); }

void validate(const Chain& chain, const Value& value, const Site& site) {
  if (value.is_null() || chain.codecs.empty()) return;
  try {
    chain.codecs.front()->validate(value);
  } catch (const Error& e) {
    throw e.within(clause("insert", *chain.codecs.front(), site));
  }
}

Value encode(const Chain& chain, const Value& value, const Site& site, ObjectSink& sink) {
  if (chain.codecs.empty()) return value;
  Value current;
  const Value* next = &value;  // what users gave is not copied
  for (const auto& codec : chain.codecs) {
    if (next->is_null()) break;
    try {
      current = codec->encode(*next, site, sink);
      next = &current;
    } catch (const Error& e) {
      throw e.within(clause("encode", *codec, site));
    }
  }
  return current;
}

Value decode(const Chain& chain, const Value& stored, const Site& site, const ObjectSource& source) {
  if (chain.codecs.empty()) return stored;
  Value current;
  const Value* next = &stored;
  for (auto codec = chain.codecs.rbegin(); codec != chain.codecs.rend(); ++codec) {
    if (next->is_null()) break;
    try {
      current = (*codec)->decode(*next, site, source);
      next = &current;
    } catch (const Error& e) {
      throw e.within(clause("decode", **codec, site));
    }
  }
  return current;
}

std::vector<std::string> managed_paths(const Chain& chain, const Value& stored) {
  if (stored.is_null() || !is_object(chain)) return {};
  return chain.codecs.back()->paths(stored);
}

}  // namespace codec
}  // namespace oas
