// A way to a server that can be cut. What the client sends is counted; at the piece that was asked for, the connection
// ends, before the server has got it or before the client has got the answer. Everything else passes unchanged. One
// thread; sockets of the loopback.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace oas::test {

class CutProxy {
 public:
  enum class Cut {
    none,
    before,  ///< the server never gets the piece
    answer,  ///< the server gets it; the client never gets what the server says to it
    hook     ///< the server gets it after `hook` was called, by the thread of the proxy
  };

  CutProxy(std::string host, int port) : host_(std::move(host)), server_port_(port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback("127.0.0.1", 0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe(wake_) != 0) {
      throw std::runtime_error("no proxy could be opened");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~CutProxy() {
    stop_ = true;
    wake();
    thread_.join();
    for (const int socket : {listener_, wake_[0], wake_[1]}) ::close(socket);
  }
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  int port() const noexcept { return port_; }
  std::function<void()> hook;  ///< to be set before it is armed

  /// From now on the pieces that clients send are counted, from 1, whatever connection they are on.
  void arm(Cut cut, int at) {
    const std::lock_guard lock(mutex_);
    cut_ = cut;
    at_ = at;
    seen_ = 0;
    fired_ = false;
  }
  /// True if the cut was made.
  bool disarm() {
    const std::lock_guard lock(mutex_);
    cut_ = Cut::none;
    return fired_;
  }
  /// Ends every connection, and takes no new one until `admit`.
  void refuse() {
    refusing_ = true;
    wake();
  }
  void admit() { refusing_ = false; }

 private:
  struct Pair {
    int client, server;
    bool drop_answer = false;
  };

  static sockaddr_in loopback(const char* host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host, &address.sin_addr);
    return address;
  }
  void wake() { static_cast<void>(!::write(wake_[1], "x", 1)); }

  void run() {
    std::vector<char> piece(1 << 16);
    while (!stop_) {
      std::vector<pollfd> sockets{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        sockets.push_back({pair.client, POLLIN, 0});
        sockets.push_back({pair.server, POLLIN, 0});
      }
      ::poll(sockets.data(), sockets.size(), -1);
      if (sockets[0].revents) static_cast<void>(!::read(wake_[0], piece.data(), 1));
      std::size_t at = 2;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
        const bool open = !refusing_ && (!sockets[at].revents || from_client(*pair, piece)) &&
                          (!sockets[at + 1].revents || from_server(*pair, piece));
        if (open) {
          ++pair;
          continue;
        }
        close_pair(*pair);
        pair = pairs_.erase(pair);
      }
      if (sockets[1].revents) accept_one();
    }
    for (const Pair& pair : pairs_) close_pair(pair);
  }

  void accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(host_.c_str(), server_port_);
    if (refusing_ || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close_pair({client, server});
      return;
    }
    const int on = 1;
    for (const int socket : {client, server}) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pairs_.push_back({client, server});
  }

  static void close_pair(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
  }
  static bool send_all(int to, const char* data, std::size_t size) {
    while (size > 0) {
      const ssize_t sent = ::send(to, data, size, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      data += sent;
      size -= static_cast<std::size_t>(sent);
    }
    return true;
  }

  bool from_client(Pair& pair, std::vector<char>& piece) {
    const ssize_t size = ::recv(pair.client, piece.data(), piece.size(), 0);
    if (size <= 0) return false;
    {
      const std::lock_guard lock(mutex_);
      if (cut_ != Cut::none && ++seen_ == at_) {
        fired_ = true;
        if (cut_ == Cut::before) return false;
        if (cut_ == Cut::hook) hook();
        pair.drop_answer = cut_ == Cut::answer;
      }
    }
    return send_all(pair.server, piece.data(), static_cast<std::size_t>(size));
  }
  bool from_server(Pair& pair, std::vector<char>& piece) {
    const ssize_t size = ::recv(pair.server, piece.data(), piece.size(), 0);
    return size > 0 && !pair.drop_answer && send_all(pair.client, piece.data(), static_cast<std::size_t>(size));
  }

  std::string host_;
  int server_port_, port_ = 0, listener_ = -1;
  int wake_[2]{};
  std::atomic<bool> stop_ = false, refusing_ = false;
  std::list<Pair> pairs_;  // of the thread
  std::mutex mutex_;
  Cut cut_ = Cut::none;
  int at_ = 0, seen_ = 0;
  bool fired_ = false;
  std::thread thread_;
};

}  // namespace oas::test
