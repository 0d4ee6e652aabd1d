// Objects of one bucket through libcurl alone: as many requests at once as the library makes, over connections that are
// kept where the server keeps them. Payloads are not signed, so that nothing is hashed.
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <oas/bytes.hpp>

namespace bench {

class RawS3 {
 public:
  /// `base`: http://host:port/bucket/prefix
  RawS3(std::string base, std::string user, std::string password, int at_once)
      : base_(std::move(base)), user_(std::move(user) + ':' + std::move(password)), multi_(curl_multi_init()) {
    headers_.reset(curl_slist_append(nullptr, "x-amz-content-sha256: UNSIGNED-PAYLOAD"));
    curl_slist_append(headers_.get(), "Expect:");
    for (int i = 0; i < at_once; ++i) idle_.emplace_back(std::make_unique<One>());
  }
  RawS3(const RawS3&) = delete;
  RawS3& operator=(const RawS3&) = delete;
  ~RawS3() { curl_multi_cleanup(multi_); }

  void put(const std::vector<std::string>& keys, const std::vector<std::string_view>& data) {
    run(keys.size(), [&](One& one, std::size_t i) {
      one.data = data[i];
      begin(one, keys[i]);
      curl_easy_setopt(one.easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(one.easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(one.data.size()));
    });
  }
  /// Into fresh memory, each of this size.
  std::vector<oas::Bytes> get(const std::vector<std::string>& keys, std::size_t size) {
    std::vector<oas::Buffer> buffers;
    for (std::size_t i = 0; i < keys.size(); ++i) buffers.emplace_back(size);
    run(keys.size(), [&](One& one, std::size_t i) {
      one.room = buffers[i].span();
      begin(one, keys[i]);
    });
    std::vector<oas::Bytes> all;
    for (oas::Buffer& buffer : buffers) all.push_back(std::move(buffer).finish());
    return all;
  }
  /// The first bytes of an object, in pieces that come at the same time.
  oas::Bytes get_parts(const std::string& key, std::size_t size, std::size_t piece) {
    oas::Buffer buffer(size);
    run((size + piece - 1) / piece, [&](One& one, std::size_t i) {
      const std::size_t first = i * piece, count = std::min(piece, size - first);
      one.room = buffer.span().subspan(first, count);
      begin(one, key);
      curl_easy_setopt(one.easy, CURLOPT_RANGE,
                       (std::to_string(first) + '-' + std::to_string(first + count - 1)).c_str());
    });
    return std::move(buffer).finish();
  }
  void remove(const std::vector<std::string>& keys) {
    run(keys.size(), [&](One& one, std::size_t i) {
      begin(one, keys[i]);
      curl_easy_setopt(one.easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    });
  }

 private:
  struct One {
    One() = default;
    One(const One&) = delete;
    One& operator=(const One&) = delete;
    ~One() { curl_easy_cleanup(easy); }
    CURL* easy = curl_easy_init();
    std::string_view data;
    std::span<std::byte> room;
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static std::size_t send(char* to, std::size_t size, std::size_t count, void* self) {
    auto& one = *static_cast<One*>(self);
    const std::size_t n = std::min(size * count, one.data.size());
    one.data.copy(to, n);
    one.data.remove_prefix(n);
    return n;
  }
  static std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& one = *static_cast<One*>(self);
    const std::size_t n = std::min(size * count, one.room.size());
    std::copy_n(reinterpret_cast<const std::byte*>(bytes), n, one.room.begin());
    one.room = one.room.subspan(n);
    return size * count;
  }
  void begin(One& one, const std::string& key) {
    curl_easy_reset(one.easy);
    curl_easy_setopt(one.easy, CURLOPT_URL, (base_ + key).c_str());
    curl_easy_setopt(one.easy, CURLOPT_PROXY, "");
    curl_easy_setopt(one.easy, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3");
    curl_easy_setopt(one.easy, CURLOPT_USERPWD, user_.c_str());
    curl_easy_setopt(one.easy, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(one.easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(one.easy, CURLOPT_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(one.easy, CURLOPT_READFUNCTION, send);
    curl_easy_setopt(one.easy, CURLOPT_READDATA, &one);
    curl_easy_setopt(one.easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(one.easy, CURLOPT_WRITEDATA, &one);
    curl_easy_setopt(one.easy, CURLOPT_PRIVATE, &one);
  }
  void run(std::size_t count, const std::function<void(One&, std::size_t)>& prepare) {
    std::vector<One*> idle;
    for (const auto& one : idle_) idle.push_back(one.get());
    std::size_t next = 0, done = 0;
    while (done < count) {
      while (next < count && !idle.empty()) {
        prepare(*idle.back(), next++);
        curl_multi_add_handle(multi_, idle.back()->easy);
        idle.pop_back();
      }
      int running = 0, left = 0;
      curl_multi_perform(multi_, &running);
      bool finished = false;
      while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        One* one = nullptr;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &one);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (message->data.result != CURLE_OK || status < 200 || status > 299)
          throw std::runtime_error("raw S3: " + std::string(curl_easy_strerror(message->data.result)) + ", HTTP " +
                                   std::to_string(status));
        curl_multi_remove_handle(multi_, one->easy);
        idle.push_back(one);
        ++done;
        finished = true;
      }
      if (!finished) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  std::string base_, user_;
  CURLM* multi_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::vector<std::unique_ptr<One>> idle_;
};

}  // namespace bench
