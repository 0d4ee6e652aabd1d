#include "store/credentials.hpp"

#include <cstdlib>

#include <oas/error.hpp>

namespace oas::store {

struct Credentials::State {
  s3::Settings settings;
  Environment environment;
  std::mutex mutex;
};

Credentials::Credentials(const s3::Settings& settings, Environment environment) : state_(std::make_shared<State>()) {
  state_->settings = settings;
  state_->environment = std::move(environment);
}

sigv4::Credentials Credentials::current() {
  if (state_->settings.anonymous) return {};
  return state_->settings.keys;
}

bool Credentials::expired(const sigv4::Credentials&) { return false; }

Credentials::Environment Credentials::process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (!value || !*value) return std::nullopt;
    return value;
  };
}

}  // namespace oas::store
