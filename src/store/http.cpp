// The engine's thread waits in epoll for curl's sockets, for new exchanges (an eventfd) and for curl's next time-out.
//
// 1. start() puts an exchange into the queue and wakes the thread if it sleeps.
// 2. The thread gives exchanges to curl as long as fewer run than the limit says. A handle of curl is used again and
//    again: it is set once, and an exchange sets only what differs.
// 3. Bytes go from the caller's memory into curl, and from curl to where the request says. Nothing else is copied.
// 4. When curl is done with one, the answer is complete, and who waits is woken.
#include "store/http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include <oas/error.hpp>

namespace oas::store::http {

namespace {

using Trouble = Response::Trouble;

// Bytes that come at less than this for stall_timeout are no progress.
constexpr long slowest = 1000;               // bytes a second
constexpr std::uint64_t patience = 100'000;  // a deadline moves by a second for so many bytes of an answer

void start_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error(Errc::unavailable, "start libcurl: it refused");
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool to_this_machine(std::string_view url) {
  const std::size_t at = url.find("://");
  const std::string_view host = at == url.npos ? url : url.substr(at + 3);
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

}  // namespace

/// An exchange in a handle of curl.
struct Running {
  explicit Running(CURL* handle) : easy(handle) {}
  ~Running() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  CURL* easy;
  curl_slist* headers = nullptr;
  std::shared_ptr<Exchange> exchange;
  std::size_t part = 0, offset = 0;  // of the request's body, what is sent next
  bool placing = false, decided = false, full = false, too_long = false;
  std::span<std::byte> into;
  Clock::time_point deadline;

  Request& request() const { return exchange->request_; }
  Response& response() const { return exchange->response_; }

  static std::size_t send(char* to, std::size_t size, std::size_t count, void* self);
  static int rewind(void* self, curl_off_t offset, int origin);
  static std::size_t head(char* line, std::size_t size, std::size_t count, void* self);
  static std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* self);
  static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  void set_once(const Options& options);
  void begin(std::shared_ptr<Exchange> next, const Options& options);
  void finish(CURLcode code);
};

std::size_t Running::send(char* to, std::size_t size, std::size_t count, void* self) {
  auto& run = *static_cast<Running*>(self);
  const std::vector<BytesView>& body = run.request().body;
  const std::size_t room = size * count;
  std::size_t done = 0;
  while (done < room && run.part < body.size()) {
    const BytesView part = body[run.part];
    const std::size_t piece = std::min(room - done, part.size() - run.offset);
    if (piece > 0) std::memcpy(to + done, part.data() + run.offset, piece);
    done += piece;
    run.offset += piece;
    if (run.offset == part.size()) {
      ++run.part;
      run.offset = 0;
    }
  }
  return done;
}

int Running::rewind(void* self, curl_off_t offset, int origin) {
  auto& run = *static_cast<Running*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  run.part = run.offset = 0;
  run.response().resent = true;
  return CURL_SEEKFUNC_OK;
}

std::size_t Running::head(char* text, std::size_t size, std::size_t count, void* self) {
  auto& run = *static_cast<Running*>(self);
  const std::string_view line(text, size * count);
  Response& response = run.response();
  constexpr std::size_t most_headers = 200;
  if (line.starts_with("HTTP/")) {  // also of a 100 that came before
    response.headers.clear();
    long status = 0;
    curl_easy_getinfo(run.easy, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
  } else if (const std::size_t colon = line.find(':'); colon != line.npos && response.headers.size() < most_headers) {
    response.headers.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t Running::receive(char* bytes, std::size_t size, std::size_t count, void* self) try {
  auto& run = *static_cast<Running*>(self);
  Response& response = run.response();
  const auto piece = std::as_bytes(std::span(bytes, size * count));
  if (!run.decided) {
    run.decided = true;
    if (response.status >= 200 && response.status < 300 && run.request().place)
      run.placing = run.request().place(response, run.into);
  }
  if (run.deadline != Clock::time_point::max())
    run.deadline += std::chrono::microseconds(piece.size() * 1'000'000 / patience);
  if (!run.placing) {
    if (response.body.size() + piece.size() > run.request().most_body) {
      run.too_long = true;
      return 0;
    }
    response.body.insert(response.body.end(), piece.begin(), piece.end());
    return piece.size();
  }
  const std::size_t room = run.into.size() - static_cast<std::size_t>(response.placed);
  const std::size_t taken = std::min(room, piece.size());
  if (taken > 0) std::memcpy(run.into.data() + response.placed, piece.data(), taken);
  response.placed += taken;
  if (taken < piece.size()) {
    run.full = true;
    return 0;
  }
  return taken;
} catch (...) {
  return 0;  // out of memory: finish() tells
}

int Running::progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& run = *static_cast<Running*>(self);
  if (run.exchange->cancelled_.load(std::memory_order_relaxed)) return 1;
  return run.deadline != Clock::time_point::max() && Clock::now() > run.deadline ? 1 : 0;
}

void Running::set_once(const Options& options) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, slowest);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "oas");
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, send);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.proxy.empty()) curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy.c_str());
}

void Running::begin(std::shared_ptr<Exchange> next, const Options& options) {
  exchange = std::move(next);
  part = offset = 0;
  placing = decided = full = too_long = false;
  into = {};
  deadline = request().deadline;
  std::uint64_t size = 0;
  for (const BytesView one : request().body) size += one.size();
  if (deadline != Clock::time_point::max()) deadline += std::chrono::microseconds(size * 1'000'000 / patience);

  const std::string& method = request().method;
  const bool sends = method == "PUT" || method == "POST";
  curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
  if (sends) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, size > (256u << 10) ? 512L << 10 : 32L << 10);
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  }
  if (method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method == "GET" || method == "HEAD" ? nullptr : method.c_str());
  curl_easy_setopt(easy, CURLOPT_URL, request().url.c_str());
  if (options.proxy.empty())
    curl_easy_setopt(easy, CURLOPT_PROXY, options.no_proxy || to_this_machine(request().url) ? "" : nullptr);

  curl_slist_free_all(headers);
  headers = nullptr;
  for (const std::string& header : request().headers) headers = curl_slist_append(headers, header.c_str());
  if (sends) {  // curl's own additions
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(headers, "Transfer-Encoding:");
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

void Running::finish(CURLcode code) {
  Response& answer = response();
  const auto say = [&](Trouble trouble, std::string_view why) {
    answer.trouble = trouble;
    answer.explanation = why;
  };
  switch (code) {
    case CURLE_OK: break;
    case CURLE_WRITE_ERROR:
      if (full) break;  // as much as was wanted
      if (too_long)
        say(Trouble::local, "the answer is longer than any that was asked for");
      else
        say(Trouble::local, "there is no memory for the answer");
      break;
    case CURLE_ABORTED_BY_CALLBACK:
      if (exchange->cancelled_)
        say(Trouble::cancelled, "it was cancelled");
      else
        say(Trouble::timed_out, "it took longer than request_timeout");
      break;
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t connected = 0;
      curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
      if (connected == 0)
        say(Trouble::connect, "no connection in time");
      else
        say(Trouble::timed_out, "no progress for stall_timeout");
      break;
    }
    case CURLE_COULDNT_RESOLVE_HOST: say(Trouble::connect, "the name of the host is not known"); break;
    case CURLE_COULDNT_RESOLVE_PROXY: say(Trouble::connect, "the name of the proxy is not known"); break;
    case CURLE_COULDNT_CONNECT: say(Trouble::connect, "nobody listens there, or the connection was refused"); break;
    case CURLE_SSL_CONNECT_ERROR: say(Trouble::connect, "the two sides did not agree on TLS"); break;
    case CURLE_PEER_FAILED_VERIFICATION:
      say(Trouble::tls,
          "the server's certificate is not signed by an authority that is trusted here, or is for another host");
      break;
    case CURLE_SSL_CACERT_BADFILE: say(Trouble::tls, "the file of trusted certificates cannot be read"); break;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: say(Trouble::local, curl_easy_strerror(code)); break;
    case CURLE_PARTIAL_FILE: say(Trouble::cut, "the answer is shorter than it said"); break;
    case CURLE_GOT_NOTHING: say(Trouble::cut, "the connection was closed without an answer"); break;
    default: say(Trouble::cut, curl_easy_strerror(code)); break;
  }
  if (answer.trouble == Trouble::none && answer.status == 0) say(Trouble::cut, "no answer came");
}

/// What the engine, its thread and the exchanges share.
struct Queue {
  explicit Queue(Options from) : options(std::move(from)), limit(std::max<std::size_t>(options.concurrency, 1)) {}

  const Options options;
  std::mutex mutex;
  std::deque<std::shared_ptr<Exchange>> waiting;  // guarded by mutex
  std::thread thread;                             // guarded by mutex
  std::atomic<std::size_t> limit;
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

Response fetch(Request request, const Options& options) {
  start_curl();
  Running run(curl_easy_init());
  if (!run.easy) throw Error(Errc::unavailable, "start libcurl: out of memory");
  run.set_once(options);
  auto exchange = std::make_shared<Exchange>();
  exchange->request_ = std::move(request);
  run.begin(exchange, options);
  run.finish(curl_easy_perform(run.easy));
  return std::move(exchange->response_);
}

}  // namespace oas::store::http
