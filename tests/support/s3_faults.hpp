// What can go wrong between a client of S3 and its server, by name, for HttpProxy: connections, servers in trouble,
// gateways, clocks, and answers that are not what they say. Some are harmless, and must be taken as such.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_proxy.hpp"

namespace oas::test {

/// put, get, range, head, delete, delete_many, list, begin, part, complete, abort, uploads; of what has none: other.
inline std::string s3_kind(const HttpMessage& request) {
  const std::string_view line = request.line();
  const std::string_view method = line.substr(0, line.find(' '));
  std::string_view target = line.substr(method.size() + 1);
  target = target.substr(0, target.find(' '));
  const std::size_t mark = target.find('?');
  const std::string query = mark == target.npos ? "&" : '&' + std::string(target.substr(mark + 1)) + '&';
  const auto asks = [&](std::string_view name) {
    return query.find('&' + std::string(name) + '=') != query.npos ||
           query.find('&' + std::string(name) + '&') != query.npos;
  };
  const std::string_view path = target.substr(0, mark);
  const bool object = path.find('/', 1) != path.npos && path.find('/', 1) + 1 < path.size();
  if (method == "POST")
    return asks("delete") ? "delete_many" : asks("uploads") ? "begin" : asks("uploadId") ? "complete" : "other";
  if (method == "PUT") return asks("partNumber") ? "part" : object ? "put" : "other";
  if (method == "DELETE") return asks("uploadId") ? "abort" : "delete";
  if (method == "HEAD") return object ? "head" : "other";
  if (method != "GET") return "other";
  if (!object) return asks("uploads") ? "uploads" : "list";
  return request.header("range").empty() ? "get" : "range";
}

namespace s3_fault {

using Answering = std::function<void(const HttpMessage&, HttpMessage&)>;

inline std::string error_body(std::string_view code) {
  return R"(<?xml version="1.0" encoding="UTF-8"?><Error><Code>)" + std::string(code) +
         "</Code><Message>told by a test</Message><RequestId>R-1</RequestId></Error>";
}
/// An answer of the proxy's own. `headers`: lines, each with its end.
inline Answering says(std::string status, std::string body = {}, std::string headers = {}) {
  return [=](const HttpMessage&, HttpMessage& answer) {
    answer.head =
        "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    answer.body = body;
  };
}
inline std::string now() {
  const std::time_t seconds = std::time(nullptr);
  char text[40];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&seconds));
  return text;
}
/// Told, not done.
inline HttpFault refuses(std::string name, std::string status, std::string body = {}, std::string headers = {}) {
  return {.name = std::move(name),
          .request = HttpFault::Request::whole,
          .answer = says(std::move(status), std::move(body), std::move(headers))};
}
inline HttpFault error(std::string name, std::string status, std::string_view code, std::string headers = {}) {
  return refuses(std::move(name), std::move(status), error_body(code),
                 "Content-Type: application/xml\r\n" + std::move(headers));
}
/// Done, and the answer changed on its way.
inline HttpFault changes(std::string name, std::function<void(HttpMessage&)> change, HttpFault rest = {}) {
  rest.name = std::move(name);
  rest.answer = [change = std::move(change)](const HttpMessage&, HttpMessage& answer) { change(answer); };
  return rest;
}

}  // namespace s3_fault

inline std::vector<HttpFault> s3_faults() {
  using namespace s3_fault;
  using Request = HttpFault::Request;
  using End = HttpFault::End;
  const std::string page = "<html><body><h1>Bad gateway</h1></body>", web = "Content-Type: text/html\r\n";
  const std::string stated = "Content-Length: ";
  return {
      // connections
      {.name = "cut_in_request_head", .request = Request::head, .share = 0, .end = End::closed},
      {.name = "reset_in_request_head", .request = Request::head, .share = 0, .end = End::reset},
      {.name = "cut_in_request_body", .request = Request::body, .share = 0, .end = End::closed},
      {.name = "reset_in_request_body", .request = Request::body, .share = 0, .end = End::reset},
      {.name = "cut_before_answer", .request = Request::whole, .share = 0, .end = End::closed},
      {.name = "refused_for_a_while", .request = Request::head, .share = 0, .end = End::reset, .refused_next = 2},
      {.name = "answer_lost", .share = 0, .end = End::closed},
      {.name = "answer_lost_by_reset", .share = 0, .end = End::reset},
      {.name = "cut_in_answer_head", .share = 0.05, .end = End::closed},
      {.name = "cut_in_answer", .share = 0.7, .end = End::closed},
      {.name = "reset_in_answer", .share = 0.95, .end = End::reset},
      {.name = "stalled_before_answer", .share = 0, .end = End::stalled},
      {.name = "stalled_in_answer", .share = 0.7, .end = End::stalled},
      {.name = "never_done_and_stalled", .request = Request::whole, .share = 0, .end = End::stalled},
      {.name = "trickling", .slowly = true},
      {.name = "delayed", .delay = std::chrono::milliseconds(300)},
      {.name = "closed_after_answer", .end = End::closed},
      // servers in trouble
      error("internal_error", "500 Internal Server Error", "InternalError"),
      error("slow_down", "503 Slow Down", "SlowDown"),
      error("slow_down_with_time", "503 Slow Down", "SlowDown", "Retry-After: 0\r\n"),
      error("unavailable_until_date", "503 Unavailable", "ServiceUnavailable",
            "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n"),
      refuses("unavailable_without_words", "503 Service Unavailable"),
      refuses("too_many_requests", "429 Too Many Requests"),
      refuses("timed_out", "408 Request Timeout"),
      error("request_timeout", "400 Bad Request", "RequestTimeout"),
      error("operation_aborted", "409 Conflict", "OperationAborted"),
      {.name = "done_and_error_told", .answer = says("500 Internal Server Error", error_body("InternalError"))},
      {.name = "done_and_slow_down_told", .answer = says("503 Slow Down", error_body("SlowDown"))},
      // gateways before them
      refuses("gateway_page", "502 Bad Gateway", page, web),
      refuses("gateway_timeout", "504 Gateway Timeout", page, web),
      refuses("page_with_200", "200 OK", page, web),
      {.name = "done_and_page_told", .answer = says("504 Gateway Timeout", page, web)},
      // who, when, where
      error("access_denied", "403 Forbidden", "AccessDenied"),
      error("token_expired", "400 Bad Request", "ExpiredToken"),
      error("signature_refused", "403 Forbidden", "SignatureDoesNotMatch"),
      error("clock_skewed", "403 Forbidden", "RequestTimeTooSkewed", "Date: " + s3_fault::now() + "\r\n"),
      error("clock_of_another_year", "403 Forbidden", "RequestTimeTooSkewed",
            "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n"),
      error("bucket_missing", "404 Not Found", "NoSuchBucket"),
      error("other_region", "301 Moved Permanently", "PermanentRedirect", "x-amz-bucket-region: eu-west-9\r\n"),
      error("redirected", "307 Temporary Redirect", "TemporaryRedirect", "Location: http://127.0.0.2:1/elsewhere\r\n"),
      error("redirected_to_nowhere", "307 Temporary Redirect", "TemporaryRedirect"),
      error("full", "507 Insufficient Storage", "InsufficientStorage"),
      refuses("not_found_without_words", "404 Not Found"),
      refuses("not_implemented", "501 Not Implemented", error_body("NotImplemented")),
      // answers that are not what they say
      changes("garbage_body",
              [](HttpMessage& a) {
                if (!a.body.empty()) a.set_body("<<<&\xff\x01 no xml");
              }),
      changes("truncated_body", [](HttpMessage& a) { a.set_body(a.body.substr(0, a.body.size() / 2)); }),
      changes("empty_body", [](HttpMessage& a) { a.set_body(""); }),
      {.name = "error_in_200", .request = Request::whole, .answer = says("200 OK", error_body("InternalError"))},
      changes("length_too_long", [](HttpMessage& a) { a.set("Content-Length", std::to_string(a.body.size() + 7)); },
              {.end = End::closed}),
      changes("length_too_short", [](HttpMessage& a) { a.set("Content-Length", std::to_string(a.body.size() / 2)); },
              {.end = End::closed}),
      changes("length_missing", [](HttpMessage& a) { a.drop("content-length"); }, {.end = End::closed}),
      changes("length_nonsense", [](HttpMessage& a) { a.set("Content-Length", "-5"); }, {.end = End::closed}),
      changes("length_gigantic", [](HttpMessage& a) { a.set("Content-Length", "9000000000000000000"); },
              {.end = End::closed}),
      changes("other_etag", [](HttpMessage& a) { a.set("ETag", "\"0123456789abcdef0123456789abcdef\""); }),
      changes("etag_missing", [](HttpMessage& a) { a.drop("etag"); }),
      changes("dates_missing", [](HttpMessage& a) { a.drop("date"), a.drop("last-modified"); }),
      changes("checksum_wrong", [](HttpMessage& a) { a.set("x-amz-checksum-crc32c", "AAAAAA=="); }),
      changes("flipped_bit",
              [](HttpMessage& a) {
                if (!a.body.empty()) a.body[a.body.size() / 2] ^= 1;
              }),
      changes("other_range",
              [](HttpMessage& a) {
                if (!a.header("content-range").empty()) a.set("Content-Range", "bytes 0-0/1");
              }),
      changes("answered_twice", [](HttpMessage& a) { a.body += a.head + a.body; }),
      {.name = "no_http",
       .answer =
           [](const HttpMessage&, HttpMessage& a) {
             a = {"220 mail.example.org\r\n\r\n", {}};
           },
       .end = End::closed},
      // harmless
      changes("chunked",
              [](HttpMessage& a) {
                if (a.body.empty()) return;
                a.drop("content-length");
                a.set("Transfer-Encoding", "chunked");
                char size[20];
                std::snprintf(size, sizeof size, "%zx\r\n", a.body.size());
                a.body = size + a.body + "\r\n0\r\n\r\n";
              }),
      changes("lower_case",
              [](HttpMessage& a) {
                for (std::size_t i = a.head.find("\r\n"); i < a.head.size(); ++i)
                  if (a.head[i] == ':')
                    i = a.head.find("\r\n", i);
                  else
                    a.head[i] = static_cast<char>(std::tolower(a.head[i]));
              }),
      changes("continue_first", [](HttpMessage& a) { a.head.insert(0, "HTTP/1.1 100 Continue\r\n\r\n"); }),
      changes("many_headers",
              [](HttpMessage& a) {
                for (int i = 0; i < 100; ++i) a.set("X-Filler-" + std::to_string(i), std::string(50, 'x'));
              }),
  };
}

}  // namespace oas::test
