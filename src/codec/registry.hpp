// The codecs of a session: those built in (every file in drivers/) and those a program adds.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <oas/codec.hpp>

namespace oas {

/// The codecs built in, in the order of their names.
const std::vector<const Codec*>& codec_drivers();

namespace codec {

/// Changed by one thread; may be read by many while nobody changes it.
class Registry {
 public:
  Registry();  ///< with the codecs built in
  /// Errors: usage if the name is taken, or is not [a-z][a-z0-9_]* of at most 63 characters.
  void add(std::shared_ptr<const Codec> codec);
  /// Errors: definition, naming the nearest.
  const std::shared_ptr<const Codec>& at(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::shared_ptr<const Codec>, std::less<>> codecs_;
};

}  // namespace codec
}  // namespace oas
