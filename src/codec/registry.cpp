#include "codec/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/nearest.hpp"

namespace oas::codec {
namespace {

bool is_codec_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= 63 && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

Registry::Registry() {
  for (const Codec* codec : codec_drivers())
    codecs_.emplace(codec->name(), std::shared_ptr<const Codec>(std::shared_ptr<void>(), codec));  // static: not owned
}

void Registry::add(std::shared_ptr<const Codec> codec) {
  if (!codec) throw Error(Errc::usage, "add a codec: there is none");
  const std::string name(codec->name());
  if (!is_codec_name(name))
    throw Error(Errc::usage, fmt::format("add codec '{}': a name is [a-z][a-z0-9_]*, at most 63 characters", name),
                name);
  if (!codecs_.emplace(name, std::move(codec)).second)
    throw Error(Errc::usage, fmt::format("add codec {}: there is one of that name. give it another one", name), name);
}

const std::shared_ptr<const Codec>& Registry::at(std::string_view name) const {
  const auto found = codecs_.find(name);
  if (found != codecs_.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& entry : codecs_)
    if (is_codec_name(entry.first)) known.push_back(entry.first);
  throw Error(Errc::definition,
              fmt::format("use codec <{}>: there is no such codec. {}", name, suggest_name(name, known)),
              std::string(name));
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, codec] : codecs_) names.push_back(name);
  return names;
}

}  // namespace oas::codec
