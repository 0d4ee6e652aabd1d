// Where the keys of a store come from, in this order: the entry itself, the environment, the shared files of AWS
// (profiles, credential_process), web identity, the container's service, the machine's. Kept, and renewed ahead of
// their end. Safe for concurrent use.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/s3_settings.hpp"
#include "store/sigv4.hpp"

namespace oas::store {

class Credentials {
 public:
  /// The surroundings, so that tests need no real ones.
  using Environment = std::function<std::optional<std::string>(const std::string&)>;
  explicit Credentials(const s3::Settings& settings, Environment environment = process_environment());

  /// Good for a while. Errors: access if there are none, telling where they were looked for; unavailable.
  sigv4::Credentials current();
  /// The server refused these as expired: forget them. False if they cannot be renewed.
  bool expired(const sigv4::Credentials& refused);

  static Environment process_environment();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace oas::store
