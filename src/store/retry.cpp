#include "store/retry.hpp"

#include <algorithm>
#include <charconv>

namespace oas::store {
namespace {

constexpr std::chrono::milliseconds longest_asked{60'000};
// Answers of requests that were under way when the limit was halved do not halve it again.
constexpr std::chrono::milliseconds settling{1'000};

}  // namespace

Verdict judge(const http::Response& response, std::string_view code) noexcept {
  using Trouble = http::Response::Trouble;
  switch (response.trouble) {
    case Trouble::none: break;
    case Trouble::connect:
    case Trouble::timed_out:
    case Trouble::cut: return Verdict::again;
    case Trouble::tls:
    case Trouble::cancelled:
    case Trouble::local: return Verdict::final;
  }
  const int status = response.status;
  if (one_of(code, {"RequestTimeTooSkewed"})) return Verdict::clock;
  if (one_of(code, {"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "RequestLimitExceeded",
                    "TooManyRequests", "Busy"}))
    return Verdict::slower;
  if (one_of(code, {"RequestTimeout", "OperationAborted", "ConditionalRequestConflict"})) return Verdict::again;
  // versitygw also answers the former to who writes into a folder that it removes at this moment, as it is empty;
  // rclone the latter to whatever its file system refuses.
  if (one_of(code, {"ExistingObjectIsDirectory", "InternalError"})) return Verdict::briefly;
  if (one_of(code, {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
                    "IllegalLocationConstraintException", "Redirect"}))
    return Verdict::elsewhere;
  if (status == 429 || status == 503) return Verdict::slower;
  if (status == 500) return Verdict::briefly;
  if (status == 408 || status == 502 || status == 504) return Verdict::again;
  if (status == 301 || status == 307 || status == 308) return Verdict::elsewhere;
  return Verdict::final;
}

std::optional<std::chrono::milliseconds> retry_after(const http::Response& response, std::int64_t now_seconds) {
  const std::string_view text = response.header("retry-after");
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc() || end != text.data() + text.size()) {
    const std::int64_t date = http::read_date(text);
    if (date < 0) return std::nullopt;
    seconds = date - now_seconds;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, longest_asked.count() / 1000));
}

std::chrono::milliseconds Backoff::next(std::optional<std::chrono::milliseconds> asked) {
  const int doubled = std::min(attempts_++, 16);
  const std::int64_t most = std::min<std::int64_t>(first.count() << doubled, longest.count());
  const std::chrono::milliseconds drawn(std::uniform_int_distribution<std::int64_t>(0, most)(random_));
  return asked ? std::max(drawn, std::min(*asked, longest_asked)) : drawn;
}

std::optional<std::size_t> Budget::record(Verdict verdict, bool succeeded) {
  const std::lock_guard lock(mutex_);
  const auto before = static_cast<std::size_t>(now_);
  if (verdict == Verdict::slower) {
    const auto now = http::Clock::now();
    if (halved_ != http::Clock::time_point::min() && now - halved_ < settling) return std::nullopt;
    halved_ = now;
    now_ = std::max(1.0, now_ / 2);
  } else if (succeeded && before < most_) {
    now_ = std::min(static_cast<double>(most_), now_ + 1 / now_);
  }
  const auto after = static_cast<std::size_t>(now_);
  if (after == before) return std::nullopt;
  return after;
}

std::size_t Budget::limit() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(now_);
}

std::optional<http::Clock::duration> Hedge::patience() const {
  const std::lock_guard lock(mutex_);
  return patience_;
}

bool Hedge::take() {
  const std::lock_guard lock(mutex_);
  if (saved_ < every) return false;
  saved_ -= every;
  return true;
}

void Hedge::record(http::Clock::duration took) {
  constexpr std::size_t most_saved = 5 * every;  // a burst in which all are slow is not for a second try of all
  const std::lock_guard lock(mutex_);
  if (last_.size() < remembered)
    last_.push_back(took);
  else
    last_[count_ % remembered] = took;
  ++count_;
  saved_ = std::min(saved_ + 1, most_saved);
  if (count_ < fewest || (patience_ && count_ % between != 0)) return;
  std::vector<http::Clock::duration> sorted = last_;
  const auto slow = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 99 / 100);
  std::ranges::nth_element(sorted, slow);
  patience_ = *slow;
}

}  // namespace oas::store
