// A way to a server of this machine that takes longer: what comes back arrives so much later, however much it is. One
// thread for all connections.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

class Latency {
 public:
  Latency(int port, std::chrono::milliseconds later) : to_(port), later_(later) {
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (::bind(listening_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listening_, 1024) != 0 ||
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("the way with latency cannot listen");
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Latency() {
    over_ = true;
    thread_.join();
    ::close(listening_);
  }
  Latency(const Latency&) = delete;
  Latency& operator=(const Latency&) = delete;
  int port() const noexcept { return port_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Piece {
    Clock::time_point due;
    std::string bytes;  // none: the end
  };
  struct Side {
    int fd = -1;
    bool ended = false;         // nothing more comes from there
    std::deque<Piece> waiting;  // to be sent there
  };
  struct Pair {
    Side client, server;
    Pair(int from, int to) : client{from, false, {}}, server{to, false, {}} {}
    ~Pair() {
      ::close(client.fd);
      ::close(server.fd);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    return at;
  }

  void run() {
    while (!over_) {
      std::vector<pollfd> polled{{listening_, POLLIN, 0}};
      const Clock::time_point now = Clock::now();
      Clock::time_point next = now + std::chrono::milliseconds(20);  // to see whether it is over
      for (Pair& pair : pairs_)
        for (Side* side : {&pair.client, &pair.server}) {
          const bool due = !side->waiting.empty() && side->waiting.front().due <= now;
          if (!side->waiting.empty() && !due) next = std::min(next, side->waiting.front().due);
          const int events = (side->ended ? 0 : POLLIN) | (due ? POLLOUT : 0);
          polled.push_back({side->fd, static_cast<short>(events), 0});
        }
      const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(next - now).count();
      const timespec patience{0, wait};
      if (::ppoll(polled.data(), polled.size(), &patience, nullptr) < 0) continue;
      std::size_t i = 1;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); i += 2) {
        const bool alive = pass(polled[i], pair->client, pair->server, std::chrono::milliseconds(0)) &&
                           pass(polled[i + 1], pair->server, pair->client, later_);
        pair = alive ? std::next(pair) : pairs_.erase(pair);
      }
      if (polled[0].revents) accept();
    }
  }

  void accept() {
    const int from = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (from < 0) return;
    const int to = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    const sockaddr_in at = loopback(to_);
    if (::connect(to, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) over_ = true;
    for (const int fd : {from, to}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pairs_.emplace_back(from, to);
  }

  /// What this side has sent goes to the other, later; what is due here goes out. False if the pair is over.
  bool pass(const pollfd& polled, Side& side, Side& other, std::chrono::milliseconds later) {
    if (polled.revents & (POLLIN | POLLHUP | POLLERR) && !side.ended) {
      const ssize_t got = ::recv(side.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got <= 0) side.ended = true;
      other.waiting.push_back({Clock::now() + later, std::string(buffer_.data(), got > 0 ? std::size_t(got) : 0)});
    }
    if (!(polled.revents & POLLOUT)) return true;
    while (!side.waiting.empty() && side.waiting.front().due <= Clock::now()) {
      std::string& bytes = side.waiting.front().bytes;
      if (bytes.empty()) return false;
      const ssize_t sent = ::send(side.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      bytes.erase(0, static_cast<std::size_t>(sent));
      if (!bytes.empty()) return true;
      side.waiting.pop_front();
    }
    return true;
  }

  int to_, listening_ = -1, port_ = 0;
  std::chrono::milliseconds later_;
  std::atomic<bool> over_ = false;
  std::list<Pair> pairs_;
  std::array<char, 1 << 18> buffer_;
  std::thread thread_;
};

}  // namespace bench
