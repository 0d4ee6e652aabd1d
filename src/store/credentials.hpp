// Where the keys of a store come from, in this order: the entry itself (keys, `profile`, `anonymous`), the environment,
// web identity, the shared files of AWS (keys, credential_process, web identity), the container's service, the
// machine's. The first that has some is taken; one that is there and fails is an error. Keys that end are renewed
// ahead, by one thread, while others go on with the old ones; whoever waits can be cancelled. Safe for concurrent use.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "store/http.hpp"
#include "store/s3_settings.hpp"
#include "store/sigv4.hpp"

namespace oas::store {

/// Sections of a shared file, and their keys in lower case: "[default]", "[profile lab]" of a config file is "lab".
/// What is no such line is passed over, as AWS does.
using Profiles = std::map<std::string, std::map<std::string, std::string>>;
Profiles parse_profiles(std::string_view text);

class Credentials {
 public:
  /// The surroundings, so that tests need no real ones.
  struct Surroundings {
    std::function<std::optional<std::string>(const std::string&)> environment;
    std::function<std::int64_t()> now;  ///< seconds since 1970
    static Surroundings real();
  };
  explicit Credentials(const s3::Settings& settings, Surroundings surroundings = Surroundings::real());

  /// Good for a while. `began`: a moment that cancel() compares with. Errors: access if there are none, telling where
  /// they were looked for; unavailable; cancelled.
  sigv4::Credentials current(std::uint64_t began = UINT64_MAX);
  /// Who waits for what began before that moment waits no longer, also if it comes only then.
  void cancel_before(std::uint64_t moment) noexcept;
  /// The server says that these are over. False: they are the entry's own, and there are no others.
  bool expired(const sigv4::Credentials& refused);

 private:
  struct Found {
    sigv4::Credentials keys;
    std::int64_t ends = INT64_MAX;  // seconds since 1970
  };
  using Profile = std::map<std::string, std::string>;
  // For the one thread that looks for fresh ones.
  Found find();
  std::optional<Found> from_profile(const Profile& profile, const std::string& name);
  Profiles read_files() const;
  Found from_process(const std::string& command);
  Found from_web_identity(const std::string& token_file, const std::string& role, const std::string& session);
  std::optional<Found> from_container();
  std::optional<Found> from_machine();
  std::string ask(http::Request request, std::string_view from, http::Options options);
  bool cancelled() const noexcept { return began_ < cancel_before_; }
  std::string variable(const char* name, std::string_view fallback = {}) const;

  const s3::Settings settings_;
  const Surroundings surroundings_;
  std::mutex mutex_;
  std::condition_variable renewed_;
  std::optional<Found> found_;  // guarded by mutex_, as the next
  bool renewing_ = false;
  std::int64_t next_try_ = 0;
  std::shared_ptr<http::Exchange> asked_;  // by the thread that renews
  std::atomic<std::uint64_t> began_ = 0;   // what it renews them for
  std::atomic<std::uint64_t> cancel_before_ = 0;
};

}  // namespace oas::store
