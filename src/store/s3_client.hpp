// Requests to one bucket: addressed, signed, repeated where that helps, and failures told apart. Safe for concurrent
// use. What is expected (2xx, 404 of an object, 412, 416) is an answer; all else is an Error.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <oas/error.hpp>

#include "store/credentials.hpp"
#include "store/http.hpp"
#include "store/retry.hpp"
#include "store/s3_settings.hpp"
#include "store/s3_xml.hpp"

namespace oas::store::s3 {

inline constexpr std::uint64_t small = 1 << 20;  ///< bytes of an answer that may be asked for twice

struct Call {
  std::string method = {};
  std::string key = {};              ///< in the bucket, location and all; empty: the bucket itself
  sigv4::Fields query = {};          ///< not encoded
  sigv4::Fields headers = {};        ///< names in lower case; all are signed
  std::vector<BytesView> body = {};  ///< alive until finish()
  std::function<bool(const http::Response&, std::span<std::byte>&)> place = {};
  std::uint64_t began = UINT64_MAX;           ///< a moment() of what it is a part of; default: now
  std::shared_ptr<http::Signal> signal = {};  ///< of two requests of finish_small(); none: there is no second one
  std::string hash = {};                      ///< of the body; start() computes it if it is empty
  bool check_body = false;                    ///< a 200 may hold an error (the end of an upload, a copy)
};

struct Answer {
  http::Response response = {};
  Problem problem = {};  ///< of 404, 412, 416
  int attempts = 1;
  /// An earlier attempt, whose answer never came, may have had its effect.
  bool in_doubt = false;
  bool second = false;  ///< it is that of the second of two requests
  int status() const noexcept { return response.status; }
  bool ok() const noexcept { return status() >= 200 && status() < 300; }
  std::string_view header(std::string_view name) const noexcept { return response.header(name); }
};

class Client {
 public:
  explicit Client(Settings settings);

  /// A call under way. Destroyed before finish(): cancelled, and waited for.
  class Pending {
   public:
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&&) = delete;
    ~Pending();
    void cancel() noexcept;

   private:
    friend class Client;
    Pending() = default;
    Call call_;
    http::Clock::time_point deadline_;
    std::shared_ptr<http::Exchange> exchange_;
    // What the attempt was made with: others may have found something better meanwhile.
    std::string region_;
    std::int64_t skew_ = 0;
    sigv4::Credentials keys_;
  };

  /// Errors: access (no credentials), cancelled.
  Pending start(Call call) const;
  /// Waits, and repeats. Errors: as Store.
  Answer finish(Pending pending) const;
  /// The same for a small read. If the entry wants that, and it takes longer than nearly all do, `again` makes the same
  /// request a second time (or says nullopt: it is not small): the first good answer is taken, the other cancelled.
  Answer finish_small(Pending pending, const std::function<std::optional<Pending>()>& again) const;
  Answer call(Call one) const { return finish(start(std::move(one))); }

  /// Ends all calls that began before, as `cancelled`, whatever they wait for.
  void cancel() const noexcept;
  /// Of an operation of several calls: cancel() ends those that are still to come, too.
  std::uint64_t moment() const noexcept { return moment_; }

  /// The URL of an object that anybody may read for so long.
  std::string presigned(const std::string& key, std::chrono::seconds valid) const;
  const Settings& settings() const noexcept { return settings_; }
  /// For an answer that finish() gave and the caller has no use for.
  [[noreturn]] void fail(const Answer& answer) const;

 private:
  struct Target {
    Address address;
    std::string scheme, region;
  };
  struct Key {
    std::string day, region, secret, bytes;
  };
  struct Judged {
    Verdict verdict;
    Problem problem;
    bool good;  // an answer that is expected
  };
  void attempt(Pending& pending) const;
  static Judged look(const Pending& pending);
  bool slow(const http::Exchange& exchange, http::Signal& signal) const;
  std::string signing_key(const sigv4::Credentials& keys, const std::string& time, const std::string& region) const;
  std::int64_t now_seconds() const;
  bool follow(const http::Response& response, const Problem& problem, const std::string& region_then) const;
  [[noreturn]] void fail(const http::Response& response, const Problem& problem, int attempts) const;
  Target target() const;

  const Settings settings_;
  std::unique_ptr<Credentials> credentials_;
  mutable std::mutex mutex_;
  mutable Target target_;  // guarded by mutex_, as the next
  mutable std::shared_ptr<const Key> key_;
  mutable std::atomic<std::int64_t> skew_ = 0;     // seconds that the server's clock is ahead
  mutable std::atomic<std::uint64_t> moment_ = 0;  // how often cancel() was called
  mutable std::mutex pause_mutex_;
  mutable std::condition_variable pause_over_;  // with pause_mutex_: moment_ has changed
  mutable Budget budget_;
  mutable Hedge hedge_;
  mutable http::Engine engine_;
};

}  // namespace oas::store::s3
