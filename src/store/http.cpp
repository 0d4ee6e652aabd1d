// The engine's thread waits in epoll for curl's sockets, for new exchanges (an eventfd) and for curl's next time-out.
//
// 1. start() puts an exchange into the queue and wakes the thread if it sleeps.
// 2. The thread gives exchanges to curl as long as fewer run than the limit says. A handle of curl is used again and
//    again: it is set once, and an exchange sets only what differs.
// 3. Bytes go from the caller's memory into curl, and from curl to where the request says. Nothing else is copied.
// 4. When curl is done with one, the answer is complete, and who waits is woken.
#include "store/http.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <mutex>
#include <thread>

#include <oas/error.hpp>

#include "store/transfer.hpp"

namespace oas::store::http {

using Trouble = Response::Trouble;

/// What the engine, its thread and the exchanges share.
struct Queue {
  explicit Queue(Options from) : options(std::move(from)), limit(std::max<std::size_t>(options.concurrency, 1)) {}

  const Options options;
  std::mutex mutex;
  std::deque<std::shared_ptr<Exchange>> waiting;  // guarded by mutex
  std::thread thread;                             // guarded by mutex
  std::atomic<std::size_t> limit;
  std::atomic<std::uint64_t> cancel_before = 0;
  std::atomic<bool> sleeping = false, stopping = false, cancelling = false;
  int wake_fd = -1;

  void wake() const noexcept {
    const std::uint64_t one = 1;
    if (::write(wake_fd, &one, sizeof one) < 0) return;  // its counter is full: it wakes anyway
  }
};

namespace {

class Loop {
 public:
  explicit Loop(Queue& queue) : queue_(queue), multi_(curl_multi_init()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(queue.options.concurrency));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = queue.wake_fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, queue.wake_fd, &event);
  }

  ~Loop() {
    for (const auto& run : running_) {
      curl_multi_remove_handle(multi_, run->easy);
      complete(*run, CURLE_ABORTED_BY_CALLBACK);
    }
    running_.clear();
    idle_.clear();
    curl_multi_cleanup(multi_);
    ::close(epoll_);
  }

  void run() {
    std::vector<epoll_event> events(64);
    while (!queue_.stopping) {
      if (queue_.cancelling.exchange(false)) cancel();
      take();
      queue_.sleeping = true;
      const bool more = queue_.cancelling || queue_.stopping || (room() && any_waiting());
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), more ? 0 : timeout());
      queue_.sleeping = false;
      int still = 0;
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == queue_.wake_fd) {
          std::uint64_t woken = 0;
          if (::read(queue_.wake_fd, &woken, sizeof woken) < 0) continue;
          continue;
        }
        int what = 0;
        if (event.events & (EPOLLIN | EPOLLHUP)) what |= CURL_CSELECT_IN;
        if (event.events & EPOLLOUT) what |= CURL_CSELECT_OUT;
        if (event.events & EPOLLERR) what |= CURL_CSELECT_ERR;
        curl_multi_socket_action(multi_, event.data.fd, what, &still);
      }
      if (timer_ != Clock::time_point::max() && Clock::now() >= timer_) {
        timer_ = Clock::time_point::max();
        curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &still);
      }
      collect();
    }
  }

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
    auto& loop = *static_cast<Loop*>(self);
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, fd, nullptr);
      return 0;
    }
    epoll_event event{};
    event.data.fd = fd;
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (known && ::epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
    if (::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
      ::epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, fd, &event);
    curl_multi_assign(loop.multi_, fd, &loop);  // any pointer: it is known from now on
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* self) {
    auto& loop = *static_cast<Loop*>(self);
    loop.timer_ = milliseconds < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
  }

  int timeout() const {
    if (timer_ == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timer_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  bool room() const { return running_.size() < std::max<std::size_t>(queue_.limit, 1); }
  bool any_waiting() {
    const std::lock_guard lock(queue_.mutex);
    return !queue_.waiting.empty();
  }

  void take() {
    while (room()) {
      std::shared_ptr<Exchange> next;
      {
        const std::lock_guard lock(queue_.mutex);
        if (queue_.waiting.empty()) return;
        next = std::move(queue_.waiting.front());
        queue_.waiting.pop_front();
      }
      if (next->cancelled()) {
        next->complete(Trouble::cancelled, "it was cancelled");
        continue;
      }
      std::unique_ptr<Running> run;
      if (idle_.empty()) {
        run = std::make_unique<Running>(curl_easy_init());
        if (run->easy) run->set_once(queue_.options);
      } else {
        run = std::move(idle_.back());
        idle_.pop_back();
      }
      if (!run->easy) {
        run->exchange = std::move(next);
        complete(*run, CURLE_OUT_OF_MEMORY);
        continue;
      }
      run->begin(std::move(next), queue_.options);
      curl_multi_add_handle(multi_, run->easy);
      running_.push_back(std::move(run));
    }
  }

  void cancel() {
    for (std::size_t i = running_.size(); i-- > 0;)
      if (running_[i]->exchange->cancelled()) end(i, CURLE_ABORTED_BY_CALLBACK);
    std::vector<std::shared_ptr<Exchange>> gone;
    {
      const std::lock_guard lock(queue_.mutex);
      std::erase_if(queue_.waiting, [&](const std::shared_ptr<Exchange>& one) {
        if (one->cancelled()) gone.push_back(one);
        return one->cancelled();
      });
    }
    for (const auto& one : gone) one->complete(Trouble::cancelled, "it was cancelled");
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      for (std::size_t i = 0; i < running_.size(); ++i) {
        if (running_[i]->easy != message->easy_handle) continue;
        end(i, code);
        break;
      }
    }
  }

  void end(std::size_t i, CURLcode code) {
    std::unique_ptr<Running> run = std::move(running_[i]);
    running_[i] = std::move(running_.back());
    running_.pop_back();
    curl_multi_remove_handle(multi_, run->easy);
    complete(*run, code);
    idle_.push_back(std::move(run));
  }

  static void complete(Running& run, CURLcode code) {
    run.finish(code);
    const std::shared_ptr<Exchange> done = std::move(run.exchange);
    done->complete();
  }

  Queue& queue_;
  CURLM* multi_;
  int epoll_;
  Clock::time_point timer_ = Clock::time_point::max();
  std::vector<std::unique_ptr<Running>> running_, idle_;
};

}  // namespace

std::string_view Response::header(std::string_view name) const noexcept {
  for (const auto& [one, value] : headers)
    if (one == name) return value;
  return {};
}

Response& Exchange::wait() noexcept {
  while (over_.load(std::memory_order_acquire) == 0) over_.wait(0, std::memory_order_acquire);
  return response_;
}

bool Exchange::cancelled() const noexcept {
  return cancelled_.load(std::memory_order_relaxed) || (queue_ && request_.began < queue_->cancel_before);
}

void Exchange::cancel() noexcept {
  cancelled_ = true;
  if (over()) return;
  queue_->cancelling = true;
  queue_->wake();
}

void Exchange::complete() noexcept {
  request_.place = nullptr;
  over_.store(1, std::memory_order_release);
  over_.notify_all();
  tell();
}

void Exchange::tell() noexcept {
  if (!request_.signal) return;
  { const std::lock_guard lock(request_.signal->mutex); }  // who looks now has not seen it, and waits
  request_.signal->changed.notify_all();
}

void Exchange::complete(Response::Trouble trouble, std::string_view why) {
  response_.trouble = trouble;
  response_.explanation = why;
  complete();
}

Engine::Engine(Options options) : queue_(std::make_shared<Queue>(std::move(options))) { start_curl(); }

Engine::~Engine() {
  if (queue_->thread.joinable()) {
    queue_->stopping = true;
    queue_->wake();
    queue_->thread.join();
    ::close(queue_->wake_fd);
  }
  for (const auto& one : queue_->waiting) one->complete(Trouble::cancelled, "the store was closed");
}

void Engine::cancel_before(std::uint64_t moment) noexcept {
  const std::lock_guard lock(queue_->mutex);
  queue_->cancel_before = moment;
  queue_->cancelling = true;
  if (queue_->thread.joinable()) queue_->wake();
}

std::shared_ptr<Exchange> Engine::start(Request request) {
  auto exchange = std::make_shared<Exchange>();
  exchange->request_ = std::move(request);
  exchange->queue_ = queue_;
  {
    const std::lock_guard lock(queue_->mutex);
    if (!queue_->thread.joinable()) {
      queue_->wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      if (queue_->wake_fd < 0)
        throw Error(Errc::unavailable, "start the connections to a store: no descriptors are left");
      queue_->thread = std::thread([queue = queue_.get()] { Loop(*queue).run(); });
    }
    queue_->waiting.push_back(exchange);
  }
  if (queue_->sleeping.exchange(false)) queue_->wake();
  return exchange;
}

void Engine::limit(std::size_t exchanges) noexcept { queue_->limit = std::max<std::size_t>(exchanges, 1); }

std::int64_t read_date(std::string_view text) {
  const std::string copy(text);
  return static_cast<std::int64_t>(curl_getdate(copy.c_str(), nullptr));
}

}  // namespace oas::store::http
