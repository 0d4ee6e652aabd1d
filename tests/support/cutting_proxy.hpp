// A wire between a client and a server on this machine that can be cut: at once, or behind a message that holds some
// text, so that the server gets it and the client gets no answer. For connections without encryption.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "support/loopback.hpp"

namespace oas::test {

class CuttingProxy {
 public:
  /// To a port of 127.0.0.1.
  explicit CuttingProxy(int to) : to_(to) {
    std::tie(listening_, port_) = listen_on_loopback();
    thread_ = std::thread([this] { work(); });
  }
  ~CuttingProxy() {
    over_ = true;
    thread_.join();
    ::close(listening_);
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const noexcept { return port_; }
  /// All connections that are open, now.
  void cut() {
    const std::lock_guard lock(mutex_);
    for (const Wire& wire : wires_) {
      ::shutdown(wire.client, SHUT_RDWR);
      ::shutdown(wire.server, SHUT_RDWR);
    }
  }
  /// From the next message of a client on that holds this text: it arrives, and no answer comes.
  void cut_behind(const std::string& text) {
    const std::lock_guard lock(mutex_);
    behind_ = text;
  }
  /// From the next connection on, to another port.
  void lead_to(int port) { to_ = port; }
  /// While true, new connections are closed at once.
  void refuse(bool all) { refusing_ = all; }

 private:
  struct Wire {
    int client, server;
    bool mute = false;  ///< nothing more goes to the client, and its end comes with the server's answer
  };
  static void end(const Wire& wire) {
    ::close(wire.client);
    ::close(wire.server);
  }

  void work() {
    while (!over_) {
      std::vector<pollfd> sockets{{listening_, POLLIN, 0}};
      for (const Wire& wire : wires_) {
        sockets.push_back({wire.client, POLLIN, 0});
        sockets.push_back({wire.server, POLLIN, 0});
      }
      if (::poll(sockets.data(), sockets.size(), 1) <= 0) continue;
      std::size_t at = 1;
      for (auto wire = wires_.begin(); wire != wires_.end(); at += 2) {
        const bool good = (!sockets[at].revents || to_server(*wire)) && (!sockets[at + 1].revents || to_client(*wire));
        if (good) {
          ++wire;
          continue;
        }
        const std::lock_guard lock(mutex_);
        end(*wire);
        wire = wires_.erase(wire);
      }
      if (sockets[0].revents) accept();
    }
    for (const Wire& wire : wires_) end(wire);
  }

  void accept() {
    const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(to_);
    if (refusing_ || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return end({client, server});
    const std::lock_guard lock(mutex_);
    wires_.push_back({client, server});
  }

  bool to_server(Wire& wire) {
    char data[65536];
    const ssize_t size = ::recv(wire.client, data, sizeof data, 0);
    if (size <= 0) return false;
    {
      const std::lock_guard lock(mutex_);
      if (!behind_.empty() &&
          std::string_view(data, static_cast<std::size_t>(size)).find(behind_) != std::string::npos) {
        wire.mute = true;
        behind_.clear();
      }
    }
    return send(wire.server, data, size);
  }
  static bool to_client(const Wire& wire) {
    char data[65536];
    const ssize_t size = ::recv(wire.server, data, sizeof data, 0);
    return size > 0 && !wire.mute && send(wire.client, data, size);
  }
  static bool send(int socket, const char* data, ssize_t size) {
    for (ssize_t sent = 0; sent < size;) {
      const ssize_t n = ::send(socket, data + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += n;
    }
    return true;
  }

  std::atomic<int> to_;
  int listening_ = -1, port_ = 0;
  std::atomic<bool> over_ = false, refusing_ = false;
  std::mutex mutex_;  ///< over what follows; the list itself is changed by the proxy's thread alone
  std::list<Wire> wires_;
  std::string behind_;
  std::thread thread_;
};

}  // namespace oas::test
