#include "store/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include <oas/error.hpp>

#include "core/text.hpp"
#include "store/program.hpp"
#include "store/s3_xml.hpp"

namespace oas::store {
namespace {

constexpr std::int64_t ahead = 300;     // seconds before their end that keys are renewed
constexpr std::int64_t last_use = 15;   // seconds before their end that old keys are still given out
constexpr std::int64_t pause = 30;      // seconds between attempts to renew while the old ones are good
constexpr std::size_t most = 64 << 10;  // bytes of an answer
constexpr std::size_t most_file = 1 << 20;

[[noreturn]] void refuse(std::string_view from, std::string_view why, Errc code = Errc::access,
                         std::string native = {}) {
  throw Error(code, fmt::format("get credentials from {}: {}", from, why), {}, std::move(native));
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string()
                            : std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open()) return std::nullopt;
  std::string text(most_file, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// What services and processes answer. Nothing of it is ever told.
nlohmann::json read_json(std::string_view text, std::string_view from) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) refuse(from, "the answer is no JSON object", Errc::unavailable);
  return json;
}

std::string text_of(const nlohmann::json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::int64_t end_of(const std::string& expiration, std::string_view from) {
  if (expiration.empty()) return INT64_MAX;
  const std::int64_t time = s3::read_time(expiration);
  if (time == 0) refuse(from, "the answer has an Expiration that is no time", Errc::unavailable);
  return time / 1'000'000;
}

[[noreturn]] void refuse_cancelled(std::string_view from) {
  refuse(from, "it was cancelled. it can be repeated", Errc::cancelled);
}

/// Directly: not through a proxy.
http::Options service(std::chrono::milliseconds connect, std::string ca_file, bool direct) {
  http::Options options;
  options.connect_timeout = connect;
  options.stall_timeout = std::chrono::seconds(5);
  options.ca_file = std::move(ca_file);
  options.no_proxy = direct;
  options.concurrency = 1;
  return options;
}

constexpr std::string_view machine = "the machine's metadata service";
constexpr std::string_view container = "the container's credentials service";
constexpr std::chrono::milliseconds nearby{1'000}, far{10'000};

}  // namespace

Profiles parse_profiles(std::string_view text) {
  Profiles profiles;
  std::map<std::string, std::string>* section = nullptr;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const std::size_t close = line.find(']');
      section = nullptr;
      if (close == line.npos) continue;
      std::string name = trimmed(std::string_view(line).substr(1, close - 1));
      if (name.starts_with("profile ") || name.starts_with("profile\t")) name = trimmed(name.substr(8));
      if (name.starts_with("sso-session ") || name.starts_with("services ")) continue;
      section = &profiles[name];
      continue;
    }
    // A line that is moved in belongs to the key above it ("s3 =" and what it holds).
    if (!section || raw.front() == ' ' || raw.front() == '\t') continue;
    const std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    std::string key = trimmed(std::string_view(line).substr(0, equals));
    for (char& c : key)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    (*section)[key] = trimmed(std::string_view(line).substr(equals + 1));
  }
  return profiles;
}

Credentials::Surroundings Credentials::Surroundings::real() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value ? std::optional<std::string>(value) : std::nullopt;
          },
          [] { return static_cast<std::int64_t>(std::time(nullptr)); }};
}

Credentials::Credentials(const s3::Settings& settings, Surroundings surroundings)
    : settings_(settings), surroundings_(std::move(surroundings)) {}

std::string Credentials::variable(const char* name, std::string_view fallback) const {
  const auto value = surroundings_.environment(name);
  return value && !value->empty() ? *value : std::string(fallback);
}

std::string Credentials::ask(http::Request request, std::string_view from, http::Options options) {
  request.most_body = most;
  request.deadline = http::Clock::now() + std::chrono::seconds(20);
  http::Engine engine(std::move(options));
  {
    const std::lock_guard lock(mutex_);
    if (cancelled()) refuse_cancelled(from);
    asked_ = engine.start(std::move(request));
  }
  const http::Response& answer = asked_->wait();
  if (answer.trouble == http::Response::Trouble::cancelled) refuse_cancelled(from);
  if (answer.trouble != http::Response::Trouble::none) refuse(from, answer.explanation, Errc::unavailable);
  if (answer.status != 200) {
    const bool refused = answer.status >= 400 && answer.status < 500;
    refuse(from, refused ? "it refused" : "it failed", refused ? Errc::access : Errc::unavailable,
           fmt::format("HTTP {}", answer.status));
  }
  return std::string(as_text(answer.body));
}

void Credentials::cancel_before(std::uint64_t moment) noexcept {
  {
    const std::lock_guard lock(mutex_);
    cancel_before_ = moment;
    if (asked_ && renewing_ && cancelled()) asked_->cancel();
  }
  renewed_.notify_all();
}

sigv4::Credentials Credentials::current(std::uint64_t began) {
  if (settings_.anonymous) return {};
  if (!settings_.keys.anonymous()) return settings_.keys;
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::int64_t now = surroundings_.now();
    const bool usable = found_ && (found_->ends == INT64_MAX || now < found_->ends - last_use);
    if (usable && (found_->ends == INT64_MAX || now < found_->ends - ahead || renewing_ || now < next_try_))
      return found_->keys;
    if (began < cancel_before_) refuse_cancelled("where they are");
    if (renewing_) {
      renewed_.wait(lock);
      continue;
    }
    renewing_ = true;
    began_ = began;
    lock.unlock();
    std::optional<Found> fresh;
    std::exception_ptr failure;
    try {
      fresh = find();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    renewing_ = false;
    asked_.reset();
    renewed_.notify_all();
    if (fresh) {
      found_ = std::move(fresh);
      next_try_ = surroundings_.now() + pause;
      return found_->keys;
    }
    if (!usable) std::rethrow_exception(failure);
    next_try_ = now + pause;  // the old ones are good yet: the failure is told when they are not
    return found_->keys;
  }
}

bool Credentials::expired(const sigv4::Credentials& refused) {
  if (settings_.anonymous || !settings_.keys.anonymous()) return false;
  const std::lock_guard lock(mutex_);
  if (found_ && found_->keys.access_key == refused.access_key && found_->keys.session_token == refused.session_token)
    found_.reset();
  return true;
}

Credentials::Found Credentials::find() {
  const std::string profile = settings_.profile.empty() ? variable("AWS_PROFILE", "default") : settings_.profile;
  const bool chosen = !settings_.profile.empty();
  if (!chosen) {
    sigv4::Credentials keys{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                            variable("AWS_SESSION_TOKEN")};
    if (!keys.access_key.empty() && !keys.secret_key.empty()) return {std::move(keys)};
    if (keys.access_key.empty() != keys.secret_key.empty())
      refuse("the environment", "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
    const std::string file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"), role = variable("AWS_ROLE_ARN");
    if (!file.empty() && !role.empty()) return from_web_identity(file, role, variable("AWS_ROLE_SESSION_NAME", "oas"));
  }
  const Profiles profiles = read_files();
  if (const auto at = profiles.find(profile); at != profiles.end()) {
    if (auto found = from_profile(at->second, profile)) return *found;
    if (chosen) refuse("profile " + shown(profile), "it has no keys, credential_process or web identity of its own");
  } else if (chosen || !variable("AWS_PROFILE").empty()) {
    refuse("profile " + shown(profile), "there is no such profile in the shared files of AWS");
  }
  if (auto found = from_container()) return *found;
  if (auto found = from_machine()) return *found;
  throw Error(
      Errc::access,
      "there are no credentials: not in the store's entry, the environment, the shared files of AWS, nor from a "
      "service of this machine. give access_key and secret_key, or anonymous = true");
}

Profiles Credentials::read_files() const {
  const std::string home = variable("HOME");
  Profiles all;
  // What the credentials file says comes before what the config file says.
  for (const auto& [name, file] :
       {std::pair{"AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"}, std::pair{"AWS_CONFIG_FILE", "/.aws/config"}}) {
    const auto text = read_file(variable(name, home + file));
    if (!text) continue;
    for (auto& [profile, keys] : parse_profiles(*text)) all[profile].merge(keys);
  }
  return all;
}

std::optional<Credentials::Found> Credentials::from_profile(const Profile& profile, const std::string& name) {
  const auto get = [&](const char* key) {
    const auto at = profile.find(key);
    return at == profile.end() ? std::string() : at->second;
  };
  const std::string key = get("aws_access_key_id"), secret = get("aws_secret_access_key");
  if (key.empty() != secret.empty())
    refuse("profile " + shown(name), "only one of aws_access_key_id and aws_secret_access_key is there");
  if (!key.empty()) return Found{{key, secret, get("aws_session_token")}};
  if (const std::string command = get("credential_process"); !command.empty()) return from_process(command);
  const std::string file = get("web_identity_token_file"), role = get("role_arn");
  if (!file.empty() && !role.empty()) {
    const std::string session = get("role_session_name");
    return from_web_identity(file, role, session.empty() ? "oas" : session);
  }
  return std::nullopt;
}

Credentials::Found Credentials::from_process(const std::string& command) {
  constexpr std::string_view from = "credential_process";
  constexpr std::chrono::milliseconds glance{20};  // at whether it was cancelled
  Program program(command, most);
  if (!program.started()) refuse(from, "it cannot be started", Errc::unavailable);
  while (program.read(glance))
    if (cancelled()) refuse_cancelled(from);
  std::optional<int> status;
  while (!(status = program.status())) {
    if (cancelled()) refuse_cancelled(from);
    std::this_thread::sleep_for(glance);
  }
  if (*status != 0) refuse(from, "it failed", Errc::access, fmt::format("status {}", *status));
  const nlohmann::json json = read_json(program.said(), from);
  Found found{{text_of(json, "AccessKeyId"), text_of(json, "SecretAccessKey"), text_of(json, "SessionToken")},
              end_of(text_of(json, "Expiration"), from)};
  if (json.value("Version", 0) != 1) refuse(from, "the answer is not of Version 1", Errc::unavailable);
  if (found.keys.access_key.empty() || found.keys.secret_key.empty()) refuse(from, "the answer has no keys");
  return found;
}

Credentials::Found Credentials::from_web_identity(const std::string& token_file, const std::string& role,
                                                  const std::string& session) {
  constexpr std::string_view from = "STS for a web identity";
  const auto token = read_file(token_file);
  if (!token) refuse(from, fmt::format("the token file {} cannot be read", shown(token_file)));
  const std::string region = variable("AWS_REGION", variable("AWS_DEFAULT_REGION", settings_.region));
  const std::string url = variable("AWS_ENDPOINT_URL_STS", fmt::format("https://sts.{}.amazonaws.com", region));
  const std::string body = sigv4::query({{"Action", "AssumeRoleWithWebIdentity"},
                                         {"Version", "2011-06-15"},
                                         {"RoleArn", role},
                                         {"RoleSessionName", session},
                                         {"WebIdentityToken", trimmed(*token)}});
  const std::string answer = ask({.method = "POST",
                                  .url = url + (url.ends_with('/') ? "" : "/"),
                                  .headers = {"Content-Type: application/x-www-form-urlencoded"},
                                  .body = {as_bytes(body)}},
                                 from, service(far, settings_.ca_file, false));
  const BytesView view = as_bytes(answer);
  Found found{{s3::read_element(view, "AccessKeyId"), s3::read_element(view, "SecretAccessKey"),
               s3::read_element(view, "SessionToken")},
              end_of(s3::read_element(view, "Expiration"), from)};
  if (found.keys.access_key.empty() || found.keys.secret_key.empty())
    refuse(from, "the answer has no keys", Errc::unavailable);
  return found;
}

namespace {

/// Without TLS only to this machine and to the addresses that containers have for it: the answer holds keys.
bool may_be_asked(std::string_view url) {
  if (url.starts_with("https://")) return true;
  if (!url.starts_with("http://")) return false;
  std::string_view host = url.substr(7);
  host = host.substr(0, host.find('/'));
  host = host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == "169.254.170.2" ||
         host == "169.254.170.23" || host == "[fd00:ec2::23]";
}

}  // namespace

std::optional<Credentials::Found> Credentials::from_container() {
  std::string url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const std::string relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !relative.empty())
    url = "http://169.254.170.2" + relative;
  if (url.empty()) return std::nullopt;
  if (!may_be_asked(url)) refuse(container, "AWS_CONTAINER_CREDENTIALS_FULL_URI names neither https nor this machine");
  std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    const auto text = read_file(file);
    if (!text) refuse(container, "the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read");
    token = trimmed(*text);
  }
  http::Request request{.method = "GET", .url = url};
  if (!token.empty()) request.headers.push_back("Authorization: " + token);
  const nlohmann::json json = read_json(
      ask(std::move(request), container, service(nearby, settings_.ca_file, !url.starts_with("https"))), container);
  Found found{{text_of(json, "AccessKeyId"), text_of(json, "SecretAccessKey"), text_of(json, "Token")},
              end_of(text_of(json, "Expiration"), container)};
  if (found.keys.access_key.empty() || found.keys.secret_key.empty())
    refuse(container, "the answer has no keys", Errc::unavailable);
  return found;
}

std::optional<Credentials::Found> Credentials::from_machine() {
  if (variable("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  const std::string named = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const std::string base = trimmed(named.empty() ? "http://169.254.169.254" : named);
  const auto get = [&](const std::string& path, const std::string& token) {
    return ask({.method = "GET", .url = base + path, .headers = {"X-aws-ec2-metadata-token: " + token}}, machine,
               service(nearby, {}, true));
  };
  std::string token;
  try {
    token = trimmed(ask({.method = "PUT",
                         .url = base + "/latest/api/token",
                         .headers = {"X-aws-ec2-metadata-token-ttl-seconds: 21600"}},
                        machine, service(nearby, {}, true)));
  } catch (const Error& e) {
    if (!named.empty() || e.code() == Errc::cancelled) throw;
    return std::nullopt;  // this is no machine of theirs
  }
  const std::string folder = "/latest/meta-data/iam/security-credentials/";
  std::string role = trimmed(get(folder, token));
  role = role.substr(0, role.find('\n'));
  if (role.empty()) refuse(machine, "this machine has no role");
  const nlohmann::json json = read_json(get(folder + sigv4::encode(role), token), machine);
  Found found{{text_of(json, "AccessKeyId"), text_of(json, "SecretAccessKey"), text_of(json, "Token")},
              end_of(text_of(json, "Expiration"), machine)};
  if (found.keys.access_key.empty() || found.keys.secret_key.empty())
    refuse(machine, "the answer has no keys", Errc::unavailable);
  return found;
}

}  // namespace oas::store
