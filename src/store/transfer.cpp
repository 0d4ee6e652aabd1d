#include "store/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <oas/error.hpp>

namespace oas::store::http {
namespace {

using Trouble = Response::Trouble;

// Bytes that come at less than this for stall_timeout are no progress.
constexpr long slowest = 1000;               // bytes a second
constexpr std::uint64_t patience = 100'000;  // a deadline moves by a second for so many bytes of an answer

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

void start_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error(Errc::unavailable, "start libcurl: it refused");
}

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
    run.head_over = false;
  } else if (line == "\r\n" || line == "\n") {
    run.head_over = true;
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
  if (run.exchange->cancelled()) return 1;
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
  head_over = placing = decided = full = too_long = false;
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
  exchange->sent_ = Clock::now();
  exchange->tell();
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
      if (exchange->cancelled())
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
  // curl takes the end of a connection for the end of the head.
  if (answer.trouble == Trouble::none && !head_over) say(Trouble::cut, "the connection was closed within the answer");
}

}  // namespace oas::store::http
