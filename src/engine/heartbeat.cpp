#include "engine/heartbeat.hpp"

namespace oas {

Heartbeat::Heartbeat(std::unique_ptr<db::Connection> side, std::string owner, std::chrono::seconds lease)
    : side_(std::move(side)),
      owner_(std::move(owner)),
      lease_(lease),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Heartbeat::watch(const std::string& schema) {
  const std::lock_guard lock(mutex_);
  auto& ledger = ledgers_[schema];
  if (!ledger) ledger = std::make_unique<Ledger>(*side_, schema, owner_, lease_);
}

void Heartbeat::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Three chances within a lease: a renewal that fails is tried again, and if none succeeds the commit says so.
    wake_.wait_for(lock, stop, lease_ / 3, [] { return false; });
    if (stop.stop_requested()) return;
    for (const auto& [schema, ledger] : ledgers_) {
      try {
        ledger->renew();
      } catch (const Error&) {
        continue;
      }
    }
  }
}

}  // namespace oas
