// One exchange in a handle of libcurl: what is set, sent and received. Used by the engine's thread alone.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <span>

#include "store/http.hpp"

namespace oas::store::http {

/// Errors: unavailable.
void start_curl();

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
  bool head_over = false, placing = false, decided = false, full = false, too_long = false;
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

}  // namespace oas::store::http
