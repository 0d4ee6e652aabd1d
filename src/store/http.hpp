// HTTP for stores: many exchanges at once on one thread of its own, over connections that are kept. An exchange is one
// attempt: nothing is repeated here, no redirect is followed, no status is judged. Whoever starts one may do other
// things and waits for it later, from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oas/bytes.hpp>

namespace oas::store::http {

using Clock = std::chrono::steady_clock;

struct Response {
  enum class Trouble {
    none,
    connect,    ///< no connection: nothing was sent
    tls,        ///< the server's certificate, or the CA file
    timed_out,  ///< no answer, or no progress, in time
    cut,        ///< the connection broke
    cancelled,
    local  ///< this side failed: out of memory, a defect
  };
  int status = 0;                                                 ///< 0: no answer came
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< names in lower case
  std::vector<std::byte> body = {};                               ///< unless Request::place took it
  std::uint64_t placed = 0;                                       ///< bytes that were put where Request::place said
  Trouble trouble = Trouble::none;                                ///< also after an answer began
  std::string explanation = {};                                   ///< of the trouble; never holds an address
  bool resent = false;  ///< the request went out twice: a kept connection had died

  /// Empty if it is not there.
  std::string_view header(std::string_view name) const noexcept;
};

/// Whoever waits for one of several exchanges. Safe for concurrent use.
struct Signal {
  std::mutex mutex;
  std::condition_variable changed;
};

struct Request {
  std::string method = {};
  std::string url = {};
  std::vector<std::string> headers = {};  ///< "Name: value"; Host and Content-Length come by themselves
  std::vector<BytesView> body = {};       ///< alive until the exchange is over
  /// Asked on the engine's thread when the head of a 2xx answer is there: where its body goes, which need not take all
  /// of it: what follows is not fetched. Returns false for Response::body.
  std::function<bool(const Response&, std::span<std::byte>& into)> place = {};
  std::size_t most_body = std::size_t{64} << 20;          ///< a longer body (that is not placed) is an error
  std::uint64_t began = UINT64_MAX;                       ///< see Engine::cancel_before
  std::shared_ptr<Signal> signal = {};                    ///< told when it goes out, and when it is over
  Clock::time_point deadline = Clock::time_point::max();  ///< moves with the bytes of the answer, see Options
};

struct Options;
struct Queue;

/// One attempt.
class Exchange {
 public:
  /// Blocks until it is over; from then on the answer belongs to who waits.
  Response& wait() noexcept;
  bool over() const noexcept { return over_.load(std::memory_order_acquire) != 0; }
  /// When it went out, after its time in the queue; the epoch: not yet.
  Clock::time_point sent() const noexcept { return sent_; }
  /// Ends it soon, at whatever stage; it still has to be waited for, as its memory is in use until then.
  void cancel() noexcept;
  bool cancelled() const noexcept;
  /// The engine's: it is over.
  void complete() noexcept;
  void complete(Response::Trouble trouble, std::string_view why);

 private:
  friend class Engine;
  friend struct Running;
  Request request_;
  Response response_;
  std::atomic<int> over_ = 0;
  std::atomic<Clock::time_point> sent_ = Clock::time_point();
  void tell() noexcept;
  std::atomic<bool> cancelled_ = false;
  std::shared_ptr<Queue> queue_;
};

struct Options {
  std::string ca_file = {};      ///< in place of the system's
  std::string proxy = {};        ///< empty: as the environment says, except for this machine
  bool no_proxy = false;         ///< not even that
  std::size_t concurrency = 64;  ///< exchanges at once; more wait in a queue
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::seconds stall_timeout{30};  ///< without progress worth the name
};

/// Safe for concurrent use. The destructor ends what runs; nothing may wait for it then.
class Engine {
 public:
  explicit Engine(Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// The thread begins with the first one, so that a process that forks before can use the store.
  std::shared_ptr<Exchange> start(Request request);
  /// Fewer, or again more, exchanges at once; at least 1.
  void limit(std::size_t exchanges) noexcept;
  /// Ends all whose Request::began is less, also those that are started later.
  void cancel_before(std::uint64_t moment) noexcept;

 private:
  std::shared_ptr<Queue> queue_;
};

/// Seconds since 1970 of a header such as Date; -1 if it is no date.
std::int64_t read_date(std::string_view text);

}  // namespace oas::store::http
