// A server on the loopback that answers HTTP as a function says, and keeps what it was asked. For what a client must do
// with answers that real servers give once a year, and in place of services that hand out credentials.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "support/loopback.hpp"

namespace oas::test {

struct HttpAsked {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
};
struct HttpAnswer {
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
  std::optional<std::size_t> length = {};  ///< the Content-Length that it claims
  bool silent = false;                     ///< the connection closes without a word
};

class HttpServer {
 public:
  using Answering = std::function<HttpAnswer(const HttpAsked&)>;
  explicit HttpServer(Answering answer) : answer_(std::move(answer)) {
    std::tie(listening_, port_) = listen_on_loopback();
    thread_ = std::thread([this] { accept(); });
  }
  ~HttpServer() {
    over_ = true;
    thread_.join();
    for (std::thread& one : connections_) one.join();
    ::close(listening_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }
  std::vector<HttpAsked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  static bool readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 20) > 0;
  }
  void accept() {
    while (!over_) {
      if (!readable(listening_)) continue;
      const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) connections_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    std::string text;
    while (!over_) {
      if (const auto asked = take(text)) {
        {
          const std::lock_guard lock(mutex_);
          asked_.push_back(*asked);
        }
        if (!say(fd, answer_(*asked), asked->method == "HEAD")) break;
        continue;
      }
      if (!readable(fd)) continue;
      char piece[1 << 16];
      const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
      if (got <= 0) break;
      text.append(piece, static_cast<std::size_t>(got));
    }
    ::close(fd);
  }
  static std::optional<HttpAsked> take(std::string& text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == text.npos) return std::nullopt;
    HttpAsked asked;
    std::string_view head = std::string_view(text).substr(0, end + 2);
    const auto line = [&] {
      const std::string_view one = head.substr(0, head.find("\r\n"));
      head.remove_prefix(one.size() + 2);
      return one;
    };
    const std::string_view first = line();
    const std::size_t blank = first.find(' '), second = first.find(' ', blank + 1);
    asked.method = first.substr(0, blank);
    asked.target = first.substr(blank + 1, second - blank - 1);
    while (!head.empty()) {
      const std::string_view one = line();
      const std::size_t colon = one.find(':');
      std::string name(one.substr(0, colon));
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      std::string_view value = one.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      asked.headers[name] = value;
    }
    const auto length = asked.headers.find("content-length");
    const std::size_t size = length == asked.headers.end() ? 0 : std::stoul(length->second);
    if (text.size() < end + 4 + size) return std::nullopt;
    asked.body = text.substr(end + 4, size);
    text.erase(0, end + 4 + size);
    return asked;
  }
  static bool say(int fd, const HttpAnswer& answer, bool head_only) {
    if (answer.silent) return false;
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Word\r\n";
    for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
    text += "Content-Length: " + std::to_string(answer.length.value_or(answer.body.size())) + "\r\n\r\n";
    if (!head_only) text += answer.body;
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return !answer.length;  // what it claims is not what it sent
  }

  Answering answer_;
  int listening_ = -1, port_ = 0;
  std::atomic<bool> over_ = false;
  mutable std::mutex mutex_;
  std::vector<HttpAsked> asked_;
  std::list<std::thread> connections_;
  std::thread thread_;
};

}  // namespace oas::test
