#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "core/nearest.hpp"
#include "db/registry.hpp"
#include "engine/collector.hpp"
#include "engine/state.hpp"
#include "engine/work.hpp"
#include "store/registry.hpp"

namespace oas {
namespace {

/// Two sessions of one process are two owners in the ledger.
std::string new_owner() {
  static std::atomic<std::uint64_t> number{0};
  return fmt::format("{}#{}", ProcessId::self().text(), ++number);
}

std::size_t threads_for(unsigned concurrency) {
  if (concurrency > 0) return concurrency - 1;
  return std::max(8u, 2 * std::thread::hardware_concurrency()) - 1;
}

constexpr std::size_t recovered_at_once = 10'000;  // objects; `oas gc` and later uses do the rest

}  // namespace

SessionState::SessionState(Settings given, SessionOptions wishes)
    : settings(std::move(given)),
      options(std::move(wishes)),
      owner(new_owner()),
      pool(threads_for(options.concurrency)),
      cores(std::min<std::size_t>(pool.size() + 1, std::max(1u, std::thread::hardware_concurrency()))) {
  for (const auto& codec : options.codecs) codecs.add(codec);
  main = db::open_connection(settings.database());
  if (options.wrap_connection) main = options.wrap_connection(std::move(main));
  if (settings.embedded()) {
    log(LogLevel::info,
        fmt::format("the settings name no database: using {} and the store {} in {}", main->location(),
                    settings.default_store(), store_config(settings.default_store()).options.at("location")));
  }
}

SessionState::~SessionState() {
  if (!failed.empty() || !due.empty()) abandon(*this, {});  // a last attempt; the next user of the schema has another
  for (const auto& [schema, ledger] : ledgers_) {
    try {
      ledger->prune();
    } catch (const Error&) {
      // Settled intents that stay are pruned by the next session; nothing depends on it.
    }
  }
}

void SessionState::log(LogLevel level, std::string_view text) const {
  if (options.log) options.log(level, text);
}

std::string SessionState::store_name(std::string_view name) const {
  if (!name.empty()) return std::string(name);
  if (settings.default_store().empty()) {
    throw Error(Errc::usage, "find the default store: the settings name none. set stores.default");
  }
  return settings.default_store();
}

const StoreConfig& SessionState::store_config(std::string_view name) const {
  const std::string concrete = store_name(name);
  const auto at = settings.stores().find(concrete);
  if (at == settings.stores().end()) {
    std::vector<std::string_view> known;
    for (const auto& [other, config] : settings.stores()) known.push_back(other);
    throw Error(Errc::usage,
                fmt::format("find store {}: the settings have no such store. {}", concrete,
                            known.empty() ? "add it to stores" : suggest_name(concrete, known)),
                "store " + concrete);
  }
  return at->second;
}

const std::shared_ptr<Store>& SessionState::store(std::string_view name) {
  const std::string concrete = store_name(name);
  const std::lock_guard lock(stores_mutex_);
  auto& opened = stores_[concrete];
  if (!opened) {
    const StoreConfig& config = store_config(concrete);
    // The default that nobody wrote down is the one store whose folder is made: everywhere else a missing folder may be
    // a disk that is not mounted.
    const auto origins = settings.origins();
    const bool made_up = std::ranges::any_of(origins, [&](const Settings::Origin& origin) {
      return origin.source == "default" && origin.key == "stores." + concrete + ".location";
    });
    if (made_up) std::filesystem::create_directories(config.options.at("location"));
    opened = store::open_store(config);
    if (options.wrap_store) opened = options.wrap_store(opened);
    const std::size_t at_once = opened->traits().at_once;
    if (options.concurrency == 0) pool.grow(at_once - 1);
    at_once_ = std::max<std::size_t>(at_once_, at_once);
  }
  return opened;
}

void SessionState::cancel() noexcept {
  ++cancels;  // work that consists of many calls looks at it between them
  {
    const std::lock_guard lock(stores_mutex_);
    for (const auto& [name, store] : stores_)
      if (store) store->cancel();
  }
  main->cancel();
}

Ledger& SessionState::ledger(const std::string& schema) {
  if (!side) side = main->side();
  auto& ledger = ledgers_[schema];
  if (!ledger) ledger = std::make_unique<Ledger>(*side, schema, owner, options.lease);
  return *ledger;
}

bool SessionState::review_is_due(const std::string& schema) {
  const auto now = std::chrono::steady_clock::now();
  const auto [last, first] = reviewed_.emplace(schema, now);
  if (!first && now - last->second < std::chrono::minutes(1)) return false;
  last->second = now;
  return true;
}

void SessionState::keep_leases(const std::string& schema) {
  if (!heartbeat_) heartbeat_ = std::make_unique<Heartbeat>(main->side(), owner, options.lease);
  heartbeat_->watch(schema);
}

void SessionState::recover(const std::string& schema) {
  if (recovered_.contains(schema)) return;
  ensure_ledger(schema);
  recovered_.insert(schema);
  constexpr std::chrono::milliseconds no_wait{
      0};  // a first write does not wait for another collector, which does the same
  if (works > 0) {
    due.emplace(schema, no_wait);
    return;
  }
  try {
    const Collected collected = Collector(*this, schema).run(recovered_at_once, no_wait);
    if (collected.removed > 0) {
      log(LogLevel::info,
          fmt::format("schema {}: removed {} objects that an interrupted program had left", schema, collected.removed));
    }
    for (const Error& e : collected.errors) log(LogLevel::warning, e.what());
    if (collected.errors.empty()) return;
  } catch (const Error& e) {
    // What cannot be removed is no reason not to write.
    log(LogLevel::warning,
        fmt::format("schema {}: what interrupted programs left will be removed later: {}", schema, e.what()));
  }
  due.emplace(schema, no_wait);
}

std::unique_ptr<db::Connection> SessionState::take_reader() {
  if (readers_.empty()) return main->fork();
  auto reader = std::move(readers_.back());
  readers_.pop_back();
  return reader;
}

void SessionState::give_reader(std::unique_ptr<db::Connection> reader) {
  constexpr std::size_t kept = 4;
  if (readers_.size() < kept) readers_.push_back(std::move(reader));
}

Session::Session()
    : Session(Settings::load(), SessionOptions{.log = [](LogLevel, std::string_view text) {
                std::fprintf(stderr, "oas: %.*s\n", static_cast<int>(text.size()), text.data());
              }}) {}
Session::Session(SessionOptions options) : Session(Settings::load(), std::move(options)) {}
Session::Session(Settings settings, SessionOptions options)
    : state_(std::make_shared<SessionState>(std::move(settings), std::move(options))) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Schema Session::schema(std::string_view name) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || name.size() > 63 || !std::ranges::all_of(name, good) || !(name[0] >= 'a' && name[0] <= 'z')) {
    throw Error(Errc::usage,
                fmt::format("open schema \"{}\": not a name. use small letters, digits and _, beginning with "
                            "a letter, at most 63",
                            name));
  }
  state_->ensure_schema(std::string(name));
  return Schema(state_, std::string(name));
}

Schema::Schema(std::shared_ptr<SessionState> session, std::string name)
    : session_(std::move(session)), name_(std::move(name)) {}

std::vector<std::string> Session::schemas() { return state_->main->schemas(); }

void Session::add(std::shared_ptr<const Codec> codec) {
  state_->codecs.add(std::move(codec));
  state_->forget_tables();
}

std::vector<StoreConfig> Session::stores() const {
  std::vector<StoreConfig> out;
  for (const auto& [name, config] : state_->settings.stores()) out.push_back(config);
  return out;
}

std::shared_ptr<Store> Session::store(std::string_view name) { return state_->store(name); }
const Settings& Session::settings() const noexcept { return state_->settings; }
std::string Session::location() const { return state_->main->location(); }

void Session::cancel() noexcept { state_->cancel(); }

Collected Session::collect() {
  if (state_->works > 0) {
    throw Error(Errc::usage,
                "collect: a transaction is open, and what it will refer to is not decided. commit it first");
  }
  Collected total;
  state_->review_now();
  for (const auto& schema : schemas()) {
    if (!state_->has_ledger(schema) || state_->is_old(schema)) continue;
    Collected one = Collector(*state_, schema).run();
    total.removed += one.removed;
    total.kept += one.kept;
    total.waiting += one.waiting;
    total.errors.insert(total.errors.end(), one.errors.begin(), one.errors.end());
  }
  return total;
}

struct Session::Scope::Open {
  explicit Open(SessionState& state) : work(state) { work.rows(); }
  Work work;
};
Session::Scope::Scope(Session& session) : open_(std::make_unique<Open>(*session.state_)) {}
Session::Scope::~Scope() = default;
void Session::Scope::commit() { open_->work.commit(); }

}  // namespace oas
