#include "store/s3_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "core/hash.hpp"
#include "core/text.hpp"

namespace oas::store::s3 {
namespace {

using Trouble = http::Response::Trouble;

constexpr std::string_view empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::int64_t skew_that_matters = 240;  // seconds; servers refuse 15 minutes
constexpr int most_moves = 3;
constexpr std::chrono::seconds connecting{30};  // until a server that nobody reaches is given up

http::Options engine_options(const Settings& settings) {
  http::Options options;
  options.ca_file = settings.ca_file;
  options.proxy = settings.proxy;
  options.concurrency = settings.concurrency;
  options.stall_timeout = settings.stall_timeout;
  options.connect_timeout = std::min<std::chrono::milliseconds>(options.connect_timeout, settings.request_timeout);
  return options;
}

struct Meaning {
  Errc code;
  std::string why;
};

/// What a refusal means to whoever reads the message.
Meaning meaning(int status, std::string_view code, const Settings& settings) {
  if (one_of(code, {"InvalidAccessKeyId", "XAdminUserNotFound"}))
    return {Errc::access, "it does not know this access key. look at access_key"};
  if (one_of(code, {"SignatureDoesNotMatch"})) return {Errc::access, "the signature is wrong. look at secret_key"};
  if (one_of(code, {"ExpiredToken", "TokenRefreshRequired"}))
    return {Errc::access, "the credentials have expired. renew them"};
  if (one_of(code, {"InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"}))
    return {Errc::access, "it does not take this session token. renew the credentials"};
  if (one_of(code, {"RequestTimeTooSkewed", "RequestExpired"}))
    return {Errc::access, "the clock of this machine is wrong. set it"};
  if (one_of(code, {"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
                    "IllegalLocationConstraintException"}))
    return {Errc::access,
            fmt::format("the bucket {} is in another region. set region, or another endpoint", settings.bucket)};
  if (one_of(code, {"NoSuchBucket"}))
    return {Errc::unavailable, fmt::format("there is no bucket {}. make it, or correct bucket", settings.bucket)};
  if (one_of(code, {"InvalidBucketName"}))
    return {Errc::usage, fmt::format("'{}' is no name of a bucket there. correct bucket", settings.bucket)};
  if (one_of(code, {"KeyTooLongError", "KeyTooLong"}))
    return {Errc::usage, "the key and the location together are too long"};
  if (one_of(code, {"ObjectParentIsFile", "ExistingObjectIsDirectory", "XMinioObjectExistsAsDirectory",
                    "XMinioParentIsObject"}))
    return {Errc::usage, "it keeps files, so an object cannot be a folder of others too. take another key"};
  if (one_of(code,
             {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "ContentSHA256Mismatch", "IncompleteBody"}))
    return {Errc::integrity, "the bytes that it received are not those that were sent"};
  if (one_of(code, {"InvalidPart", "InvalidPartOrder"}))
    return {Errc::conflict, "parts of the upload are not there any more. try again"};
  if (one_of(code, {"QuotaExceeded", "QuotaExceededException", "XMinioStorageFull", "InsufficientStorage"}) ||
      status == 507)
    return {Errc::unavailable, "it is full"};
  if (one_of(code, {"EntityTooLarge"})) return {Errc::usage, "it takes no object that large"};
  if (one_of(code, {"NotImplemented"}) || status == 501 || status == 405)
    return {Errc::unsupported, "it does not offer this"};
  if (status == 401 || status == 403) {
    if (settings.anonymous) return {Errc::access, "it is not open to everybody. give access_key and secret_key"};
    return {Errc::access, "these keys have no permission for that (docs/howto/s3.md lists what is needed)"};
  }
  if (status == 407) return {Errc::access, "the proxy wants a user and a password. look at proxy_server"};
  if (status == 400 || status == 411 || status == 413 || status == 414 || status == 431)
    return {Errc::usage, "it does not understand the request"};
  if (status == 409) return {Errc::conflict, "somebody else changes it at this moment. try again"};
  if (status == 404) return {Errc::unavailable, "it does not say what is missing. is the endpoint an S3 server?"};
  if (status >= 300 && status < 400) return {Errc::unavailable, "it sends us elsewhere. look at endpoint and region"};
  if (status == 429 || status == 503) return {Errc::unavailable, "it is overloaded. try later, or lower concurrency"};
  if (status >= 500) return {Errc::unavailable, "it failed. try later"};
  return {Errc::unavailable, "this is no answer of an S3 server. look at endpoint"};
}

bool expired_code(std::string_view code) {
  return one_of(code, {"ExpiredToken", "TokenRefreshRequired", "InvalidToken", "RequestExpired"});
}

}  // namespace

Client::Client(Settings settings)
    : settings_(std::move(settings)),
      credentials_(std::make_unique<Credentials>(settings_)),
      target_{address(settings_), settings_.endpoint.scheme, settings_.region},
      budget_(settings_.concurrency),
      engine_(engine_options(settings_)) {}

Client::Pending::~Pending() {
  if (!exchange_) return;
  exchange_->cancel();
  exchange_->wait();
}

void Client::Pending::cancel() noexcept { exchange_->cancel(); }

Client::Target Client::target() const {
  const std::lock_guard lock(mutex_);
  return target_;
}

std::int64_t Client::now_seconds() const { return static_cast<std::int64_t>(std::time(nullptr)) + skew_; }

std::string Client::signing_key(const sigv4::Credentials& keys, const std::string& time,
                                const std::string& region) const {
  const std::string day = time.substr(0, 8);
  {
    const std::lock_guard lock(mutex_);
    if (key_ && key_->day == day && key_->region == region && key_->secret == keys.secret_key) return key_->bytes;
  }
  auto fresh =
      std::make_shared<const Key>(Key{day, region, keys.secret_key, sigv4::signing_key(keys.secret_key, time, region)});
  const std::lock_guard lock(mutex_);
  key_ = fresh;
  return fresh->bytes;
}

void Client::attempt(Pending& pending) const {
  const Call& call = pending.call_;
  const Target to = target();
  pending.keys_ = credentials_->current(call.began);
  pending.region_ = to.region;
  pending.skew_ = skew_;
  const sigv4::Credentials& keys = pending.keys_;
  const std::string path = to.address.path + sigv4::encode(call.key, true);
  const std::string query = sigv4::query(call.query);

  sigv4::Fields headers = call.headers;
  http::Request request;
  if (!keys.anonymous()) {
    const std::string time = sigv4::timestamp(static_cast<std::int64_t>(std::time(nullptr)) + pending.skew_);
    headers.emplace_back("host", to.address.host);
    headers.emplace_back("x-amz-content-sha256", call.hash);
    headers.emplace_back("x-amz-date", time);
    if (!keys.session_token.empty()) headers.emplace_back("x-amz-security-token", keys.session_token);
    const sigv4::Request signed_request{call.method, path, query, headers, call.hash};
    request.headers.push_back("Authorization: " + sigv4::authorization(signed_request, keys.access_key,
                                                                       signing_key(keys, time, to.region), time,
                                                                       to.region));
  }
  for (const auto& [name, value] : headers)
    if (name != "host") request.headers.push_back(fmt::format("{}: {}", name, value));
  request.method = call.method;
  request.url = fmt::format("{}://{}{}{}{}", to.scheme, to.address.host, path, query.empty() ? "" : "?", query);
  request.body = call.body;
  request.place = call.place;
  request.began = call.began;
  request.signal = call.signal;
  request.deadline = pending.deadline_;
  pending.exchange_ = engine_.start(std::move(request));
}

Client::Pending Client::start(Call call) const {
  if (call.hash.empty()) {
    const bool none = std::ranges::all_of(call.body, [](BytesView part) { return part.empty(); });
    call.hash = none                                             ? std::string(empty_hash)
                : settings_.sign_payload && !settings_.anonymous ? hex(sha256(call.body))
                                                                 : std::string(sigv4::unsigned_payload);
  }
  if (call.began == UINT64_MAX) call.began = moment_;
  Pending pending;
  pending.call_ = std::move(call);
  pending.deadline_ = http::Clock::now() + settings_.request_timeout;
  attempt(pending);
  return pending;
}

Client::Judged Client::look(const Pending& pending) {
  const http::Response& response = pending.exchange_->wait();
  const bool whole = response.trouble == Trouble::none;
  Judged judged;
  std::string& code = judged.problem.code;
  if (whole && !response.body.empty() && (response.status >= 300 || pending.call_.check_body))
    judged.problem = read_problem(response.body);
  if (judged.problem.request_id.empty()) judged.problem.request_id = response.header("x-amz-request-id");
  judged.verdict = judge(response, code);
  if (whole && response.status == 403 && code.empty()) {  // the answer to HEAD has no code
    const std::int64_t date = http::read_date(response.header("date"));
    const std::int64_t now = static_cast<std::int64_t>(std::time(nullptr));
    if (date > 0 && std::abs(date - now - pending.skew_) > skew_that_matters) judged.verdict = Verdict::clock;
  }
  if (whole && response.status == 400 && code.empty() && !response.header("x-amz-bucket-region").empty())
    judged.verdict = Verdict::elsewhere;
  const bool missing = response.status == 404 && one_of(code, {"", "NoSuchKey", "NoSuchUpload", "NotFound"}) &&
                       (!code.empty() || pending.call_.method == "HEAD");
  judged.good = whole && judged.verdict == Verdict::final &&
                ((response.status >= 200 && response.status < 300 && code.empty()) || missing ||
                 response.status == 412 || response.status == 416);
  return judged;
}

/// Waits until it is over, or has taken longer than nearly all reads do.
bool Client::slow(const http::Exchange& exchange, http::Signal& signal) const {
  const auto patience = hedge_.patience();
  if (!patience) return false;
  std::unique_lock lock(signal.mutex);
  for (;;) {
    if (exchange.over()) return false;
    if (const auto sent = exchange.sent(); sent == http::Clock::time_point())
      signal.changed.wait(lock);
    else if (http::Clock::now() >= sent + *patience)
      return true;
    else
      signal.changed.wait_until(lock, sent + *patience);
  }
}

Answer Client::finish_small(Pending pending, const std::function<std::optional<Pending>()>& again) const {
  const std::shared_ptr<http::Signal> signal = pending.call_.signal;
  if (!signal) return finish(std::move(pending));
  const http::Exchange& first = *pending.exchange_;
  const bool twice = slow(first, *signal) && budget_.limit() == settings_.concurrency && hedge_.take();
  std::optional<Pending> other = twice ? again() : std::nullopt;
  if (other) {
    std::unique_lock lock(signal->mutex);
    signal->changed.wait(lock, [&] { return first.over() || other->exchange_->over(); });
  }
  bool second = other && !first.over();
  const auto early = second ? other->exchange_ : pending.exchange_;
  const http::Response& response = early->wait();
  const auto now = http::Clock::now();
  if (response.placed + response.body.size() <= small && first.sent() != http::Clock::time_point())
    hedge_.record(now - first.sent());
  if (!other) return finish(std::move(pending));
  if (const Judged judged = look(second ? *other : pending); !judged.good) {
    if (const auto limit = budget_.record(judged.verdict, false)) engine_.limit(*limit);
    second = !second;  // the other one may be good
  }
  (second ? pending : *other).cancel();
  Answer answer = finish(std::move(second ? *other : pending));
  answer.second = second;
  return answer;
}

Answer Client::finish(Pending pending) const {
  Backoff backoff;
  Answer answer;
  bool clock_set = false, renewed = false, explained = false;
  int brief = 0;
  for (int moves = 0;; ++answer.attempts) {
    auto [verdict, problem, good] = look(pending);
    http::Response& response = pending.exchange_->wait();
    const bool whole = response.trouble == Trouble::none;
    const std::int64_t now = static_cast<std::int64_t>(std::time(nullptr));
    if (const auto limit = budget_.record(verdict, good)) engine_.limit(*limit);
    if (response.resent) answer.in_doubt = true;
    if (good) {
      answer.problem = std::move(problem);
      answer.response = std::move(response);
      pending.exchange_.reset();
      return answer;
    }

    std::chrono::milliseconds delay{0};
    switch (verdict) {
      case Verdict::final:
        if (whole && !renewed && expired_code(problem.code) && credentials_->expired(pending.keys_)) {
          renewed = true;
          break;
        }
        // The answer to HEAD has no body that would tell why; that to GET has. If that one is good, it is over.
        if (whole && !explained && pending.call_.method == "HEAD" && problem.code.empty() && response.status >= 400) {
          explained = true;
          call({.method = "GET",
                .key = pending.call_.key,
                .headers = {{"range", "bytes=0-0"}},
                .began = pending.call_.began});
          break;
        }
        fail(response, problem, answer.attempts);
      case Verdict::clock: {
        const std::int64_t date = http::read_date(response.header("date"));
        if (clock_set || date <= 0) fail(response, problem, answer.attempts);
        clock_set = true;
        skew_ = date - now;
        break;
      }
      case Verdict::elsewhere:
        if (++moves > most_moves || !follow(response, problem, pending.region_))
          fail(response, problem, answer.attempts);
        break;
      case Verdict::briefly:
        if (++brief >= brief_attempts) fail(response, problem, answer.attempts);
        [[fallthrough]];
      case Verdict::again:
      case Verdict::slower: {
        if (response.trouble != Trouble::connect) answer.in_doubt = true;
        delay = backoff.next(retry_after(response, now));
        // A server that restarts is back by then; a name that is wrong will not be right.
        const auto patience = response.trouble == Trouble::connect ? std::min(connecting, settings_.request_timeout)
                                                                   : settings_.request_timeout;
        if (http::Clock::now() + delay >= pending.deadline_ - settings_.request_timeout + patience)
          fail(response, problem, answer.attempts);
        break;
      }
    }
    if (delay > std::chrono::milliseconds(0)) {
      std::unique_lock lock(pause_mutex_);
      pause_over_.wait_for(lock, delay, [&] { return pending.call_.began < moment_; });
    }
    attempt(pending);  // at once over if it was cancelled
  }
}

void Client::cancel() const noexcept {
  {
    const std::lock_guard lock(pause_mutex_);
    ++moment_;
  }
  pause_over_.notify_all();
  credentials_->cancel_before(moment_);
  engine_.cancel_before(moment_);
}

// Another region, or another endpoint of the same owner: requests carry no secret, but they carry data.
bool Client::follow(const http::Response& response, const Problem& problem, const std::string& region_then) const {
  const std::lock_guard lock(mutex_);
  std::string region(response.header("x-amz-bucket-region"));
  if (region.empty()) region = problem.region;
  const bool at_amazon = settings_.endpoint.host.ends_with(amazon);
  const bool legal = !region.empty() && std::ranges::all_of(region, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (legal && region != target_.region) {
    target_.region = region;
    if (at_amazon) {
      const std::string host = fmt::format("s3.{}{}", region, amazon);
      target_.address.host = settings_.virtual_host ? fmt::format("{}.{}", settings_.bucket, host) : host;
    }
    return true;
  }
  if (legal && region != region_then) return true;  // another call has moved meanwhile
  std::string_view location = response.header("location");
  const std::size_t at = location.find("://");
  if (at == location.npos || location.substr(0, at) != target_.scheme) return false;
  location.remove_prefix(at + 3);
  const std::string host(location.substr(0, location.find('/')));
  const bool ours =
      host == target_.address.host || (at_amazon && host.ends_with(amazon) && host.find_first_of("@:?#") == host.npos);
  if (!ours || host == target_.address.host) return false;
  target_.address = {
      host, host.starts_with(settings_.bucket + ".") ? "/" : fmt::format("/{}/", sigv4::encode(settings_.bucket))};
  return true;
}

void Client::fail(const Answer& answer) const { fail(answer.response, answer.problem, answer.attempts); }

void Client::fail(const http::Response& response, const Problem& problem, int attempts) const {
  const std::string times = attempts > 1 ? fmt::format(", after {} attempts", attempts) : "";
  if (response.trouble != Trouble::none) {
    Errc code = Errc::unavailable;
    std::string advice = "look at endpoint and the network";
    if (response.trouble == Trouble::tls) {
      code = Errc::access;
      advice = "if it is a server of your own, name its authority's certificate in ca_file";
    } else if (response.trouble == Trouble::cancelled) {
      code = Errc::cancelled;
      advice = "it can be repeated";
    } else if (response.trouble == Trouble::local) {
      advice = "look at the memory of this machine";
    }
    throw Error(code, fmt::format("{}: {}{}. {}", settings_.endpoint.host, response.explanation, times, advice), {},
                response.status > 0 ? fmt::format("HTTP {}", response.status) : "");
  }
  const std::string name = problem.code.empty() ? "" : " " + shown(problem.code, 60);
  const std::string request = problem.request_id.empty() ? "" : ", request " + shown(problem.request_id, 80);
  const Meaning means = meaning(response.status, problem.code, settings_);
  const std::string native = fmt::format("HTTP {}{}{}", response.status, name, request);
  throw Error(means.code, fmt::format("{} answered {}{}: {}", settings_.endpoint.host, native, times, means.why), {},
              native);
}

std::string Client::presigned(const std::string& key, std::chrono::seconds valid) const {
  const Target to = target();
  const sigv4::Credentials keys = credentials_->current(moment());
  const std::string path = to.address.path + sigv4::encode(key, true);
  std::string url = fmt::format("{}://{}{}", to.scheme, to.address.host, path);
  if (keys.anonymous()) return url;
  return fmt::format("{}?{}", url,
                     sigv4::presigned_query({"GET", path, {}, {{"host", to.address.host}}, {}}, {}, keys,
                                            sigv4::timestamp(now_seconds()), to.region, valid.count()));
}

}  // namespace oas::store::s3
