// When a request is repeated, after how long, and how many requests run at once. The one place that decides it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "store/http.hpp"

namespace oas::store {

enum class Verdict {
  final,     ///< repeating changes nothing
  again,     ///< it may succeed soon
  briefly,   ///< the same, but some servers answer so for ever: at most brief_attempts
  slower,    ///< the same, and the server asks for fewer requests
  clock,     ///< this machine's clock is wrong: again with the server's
  elsewhere  ///< another region or endpoint
};

inline constexpr int brief_attempts = 5;

inline bool one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

/// What an attempt was worth. `code`: of S3, empty if the answer names none.
Verdict judge(const http::Response& response, std::string_view code) noexcept;

/// The header Retry-After, in seconds or as a date.
std::optional<std::chrono::milliseconds> retry_after(const http::Response& response, std::int64_t now_seconds);

/// Exponential, with full jitter: any time up to the limit of this attempt. One per request; one thread.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds first{100}, longest{10'000};
  explicit Backoff(std::uint64_t seed = std::random_device{}()) : random_(seed) {}
  /// How long to wait before the next attempt; at least as long as the server asked for (but never above a minute).
  std::chrono::milliseconds next(std::optional<std::chrono::milliseconds> asked = {});
  int attempts() const noexcept { return attempts_; }

 private:
  std::minstd_rand random_;
  int attempts_ = 0;
};

/// Requests at once: halved when a server throttles, regained one by one with what succeeds. Safe for concurrent use.
class Budget {
 public:
  explicit Budget(std::size_t most) : most_(most), now_(static_cast<double>(most)) {}
  /// The new limit if it changed.
  std::optional<std::size_t> record(Verdict verdict, bool succeeded);
  std::size_t limit() const;

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  double now_;
  http::Clock::time_point halved_ = http::Clock::time_point::min();
};

/// When a small read takes so long that a second one beside it pays: longer than nearly all of the last ones took. Safe
/// for concurrent use.
class Hedge {
 public:
  static constexpr std::size_t fewest = 100;  ///< reads before it is known how long they take
  static constexpr std::size_t every = 50;    ///< of so many reads at most one is asked for twice

  /// nullopt: not known yet.
  std::optional<http::Clock::duration> patience() const;
  /// False: it was done too often lately.
  bool take();
  void record(http::Clock::duration took);

 private:
  static constexpr std::size_t remembered = 512, between = 32;
  mutable std::mutex mutex_;
  std::vector<http::Clock::duration> last_;
  std::size_t count_ = 0;
  std::optional<http::Clock::duration> patience_;
  std::size_t saved_ = 0;  // reads that were asked for once
};

}  // namespace oas::store
