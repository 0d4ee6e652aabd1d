// A proxy between a client and a server of HTTP/1.1 on this machine that spoils one exchange as it is told and passes
// the others on. Messages are held whole, so it is for small ones. A thread for each connection; sockets of the
// loopback.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "support/loopback.hpp"

namespace oas::test {

/// The line, the headers with the blank line after them, and the body, as on the wire (a body in chunks: joined).
struct HttpMessage {
  std::string head, body;

  std::string_view line() const { return std::string_view(head).substr(0, head.find("\r\n")); }
  std::string header(std::string_view name) const {
    const auto [at, end] = find(name);
    if (at == end) return {};
    std::string_view value = std::string_view(head).substr(at, end - at);
    value.remove_prefix(name.size() + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return std::string(value.substr(0, value.find("\r\n")));
  }
  void drop(std::string_view name) {
    const auto [at, end] = find(name);
    head.erase(at, end - at);
  }
  void set(std::string_view name, std::string_view value) {
    drop(name);
    head.insert(head.size() - 2, std::string(name) + ": " + std::string(value) + "\r\n");
  }
  void set_body(std::string text) {
    body = std::move(text);
    drop("transfer-encoding");
    set("Content-Length", std::to_string(body.size()));
  }

 private:
  /// The line of a header with its end.
  std::pair<std::size_t, std::size_t> find(std::string_view name) const {
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const std::size_t end = head.find("\r\n", at) + 2;
      const bool same = end - at > name.size() + 2 && head[at + name.size()] == ':' &&
                        std::equal(name.begin(), name.end(), head.begin() + static_cast<std::ptrdiff_t>(at),
                                   [](char a, char b) { return std::tolower(a) == std::tolower(b); });
      if (same) return {at, end};
      at = end;
    }
    return {head.size(), head.size()};
  }
};

/// What is to become of one exchange.
struct HttpFault {
  enum class Request {
    arrives,  ///< the server does it
    head,     ///< it is cut behind its head,
    body,     ///< in the middle of its body,
    whole     ///< or at its end; the server never sees it
  };
  enum class End { open, closed, reset, stalled };

  std::string name = {};
  Request request = Request::arrives;
  /// Makes the answer from the server's; of a request that did not arrive, from an empty one.
  std::function<void(const HttpMessage& request, HttpMessage& answer)> answer = {};
  double share = 1;  ///< how much of the answer, with its head, is sent
  End end = End::open;
  bool slowly = false;   ///< in many pieces
  int refused_next = 0;  ///< connections after this one that are closed at once
  std::chrono::milliseconds delay{0};
};

class HttpProxy {
 public:
  /// Names what a request is, so that a fault can be meant for one kind.
  using Naming = std::function<std::string(const HttpMessage& request)>;

  HttpProxy(int to, Naming naming) : to_(to), naming_(std::move(naming)) {
    std::tie(listening_, port_) = listen_on_loopback();
    if (::pipe(over_) != 0) throw std::runtime_error("the proxy has no pipe");
    thread_ = std::thread([this] { accept(); });
  }
  ~HttpProxy() {
    ::close(over_[1]);  // every poll sees it
    thread_.join();
    for (std::thread& one : connections_) one.join();
    ::close(over_[0]);
    ::close(listening_);
  }
  HttpProxy(const HttpProxy&) = delete;
  HttpProxy& operator=(const HttpProxy&) = delete;

  int port() const noexcept { return port_; }
  /// The `at`-th request of this kind from now on, counted from 1.
  void arm(std::string kind, HttpFault fault, int at = 1) {
    const std::lock_guard lock(mutex_);
    kind_ = std::move(kind);
    fault_ = std::move(fault);
    left_ = at;
  }
  /// True if it has happened.
  bool disarm() {
    const std::lock_guard lock(mutex_);
    const bool happened = fault_ && left_ <= 0;
    fault_.reset();
    return happened;
  }
  /// Each request of these kinds, until others are named.
  void always(std::set<std::string> kinds, HttpFault fault = {}) {
    const std::lock_guard lock(mutex_);
    always_kinds_ = std::move(kinds);
    always_ = std::move(fault);
  }
  /// The kinds of all requests so far.
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  struct Gone {};  // the connection, or the proxy, is over

  struct Socket {
    int fd = -1;
    std::string read = {};  // what is there of the next message
    ~Socket() { close(); }
    void close() {
      if (fd >= 0) ::close(fd);
      fd = -1;
      read.clear();
    }
  };

  /// False if time is up.
  bool wait(int fd, int milliseconds = -1) const {
    pollfd both[] = {{over_[0], POLLIN, 0}, {fd, POLLIN, 0}};
    const int ready = ::poll(both, fd < 0 ? 1 : 2, milliseconds);
    if (both[0].revents) throw Gone();
    return ready > 0;
  }
  /// False at the end of what comes.
  bool more(Socket& from) const {
    char piece[1 << 16];
    wait(from.fd);
    const ssize_t size = ::recv(from.fd, piece, sizeof piece, 0);
    if (size > 0) from.read.append(piece, static_cast<std::size_t>(size));
    return size > 0;
  }
  std::string take(Socket& from, std::size_t size) const {
    while (from.read.size() < size)
      if (!more(from)) throw Gone();
    std::string text = from.read.substr(0, size);
    from.read.erase(0, size);
    return text;
  }
  std::string take_through(Socket& from, std::string_view end) const {
    std::size_t at;
    while ((at = from.read.find(end)) == std::string::npos)
      if (!more(from)) throw Gone();
    return take(from, at + end.size());
  }
  static void send(const Socket& to, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(to.fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw Gone();
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  static std::size_t length(const HttpMessage& message) {
    const std::string text = message.header("content-length");
    return text.empty() ? 0 : std::stoul(text);
  }

  void accept() {
    try {
      while (true) {
        wait(listening_);
        const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        if (refused_ > 0) {
          --refused_;
          ::close(fd);
          continue;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections_.emplace_back([this, fd] { serve(fd); });
      }
    } catch (const Gone&) {
      return;
    }
  }

  void serve(int fd) {
    Socket client{fd}, server;
    try {
      while (exchange(client, server)) {
      }
    } catch (const Gone&) {
      return;
    }
  }

  std::optional<HttpFault> next(const HttpMessage& request) {
    const std::lock_guard lock(mutex_);
    const std::string kind = naming_(request);
    asked_.push_back(kind);
    if (always_kinds_.contains(kind)) return always_;
    if (!fault_ || kind != kind_ || --left_ != 0) return std::nullopt;
    refused_ = fault_->refused_next;
    return fault_;
  }

  /// False if the connection ends with it.
  bool exchange(Socket& client, Socket& server) {
    HttpMessage request{take_through(client, "\r\n\r\n"), {}};
    const HttpFault fault = next(request).value_or(HttpFault{});
    if (fault.delay.count() > 0) wait(-1, static_cast<int>(fault.delay.count()));
    if (fault.request != HttpFault::Request::head) {
      if (!request.header("expect").empty()) {
        send(client, "HTTP/1.1 100 Continue\r\n\r\n");
        request.drop("expect");
      }
      const std::size_t size = length(request);
      request.body = take(client, fault.request == HttpFault::Request::body ? size / 2 : size);
    }
    HttpMessage answer;
    if (fault.request == HttpFault::Request::arrives) answer = ask(server, request);
    if (fault.answer) fault.answer(request, answer);
    std::string text = answer.head;
    if (!request.head.starts_with("HEAD ")) text += answer.body;
    text.resize(static_cast<std::size_t>(static_cast<double>(text.size()) * fault.share));
    if (fault.slowly) {
      for (std::size_t i = 0; i < text.size() && i < 200; ++i) {
        send(client, std::string_view(text).substr(i, 1));
        wait(-1, 1);
      }
      text.erase(0, 200);
    }
    send(client, text);
    switch (fault.end) {
      case HttpFault::End::open: return answer.header("connection") != "close";
      case HttpFault::End::closed: return false;
      case HttpFault::End::reset: {
        const linger at_once{1, 0};
        ::setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return false;
      }
      case HttpFault::End::stalled:
        while (more(client)) {
        }
        return false;
    }
    return false;
  }

  HttpMessage ask(Socket& server, const HttpMessage& request) {
    for (bool kept = server.fd >= 0;; kept = false) {
      if (!kept) {
        server.close();
        server.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(to_);
        if (::connect(server.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw Gone();
      }
      try {
        send(server, request.head);
        send(server, request.body);
        HttpMessage answer{take_through(server, "\r\n\r\n"), {}};
        if (answer.line().find(" 100 ") != std::string_view::npos) answer.head = take_through(server, "\r\n\r\n");
        receive_body(server, request, answer);
        if (answer.header("connection") == "close") server.close();
        return answer;
      } catch (const Gone&) {
        if (!kept) throw;  // a connection that was kept may have ended meanwhile
      }
    }
  }

  void receive_body(Socket& server, const HttpMessage& request, HttpMessage& answer) const {
    if (request.head.starts_with("HEAD ") || answer.line().find(" 204 ") != std::string_view::npos ||
        answer.line().find(" 304 ") != std::string_view::npos)
      return;
    if (answer.header("transfer-encoding") == "chunked") {
      std::string body;
      while (const std::size_t size = std::stoul(take_through(server, "\r\n"), nullptr, 16)) {
        body += take(server, size);
        take(server, 2);
      }
      while (take_through(server, "\r\n") != "\r\n") {
      }
      answer.set_body(std::move(body));
    } else if (!answer.header("content-length").empty()) {
      answer.body = take(server, length(answer));
    } else {
      while (more(server)) {
      }
      answer.set_body(server.read);
      answer.set("Connection", "close");
    }
  }

  int to_, listening_ = -1, port_ = 0;
  int over_[2]{};
  Naming naming_;
  std::atomic<int> refused_ = 0;
  mutable std::mutex mutex_;  ///< over what follows, up to the thread
  std::string kind_;
  std::set<std::string> always_kinds_;
  HttpFault always_;
  std::optional<HttpFault> fault_;
  int left_ = 0;
  std::vector<std::string> asked_;
  std::list<std::thread> connections_;  // of the accepting thread
  std::thread thread_;
};

}  // namespace oas::test
