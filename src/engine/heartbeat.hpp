// Heartbeat: renews the leases of a session's open intents for as long as the session lives, so that a write may take
// hours. Only processes that cannot see this one (another container) go by the lease; on one host a process is known to
// be alive or dead.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <oas/db.hpp>

#include "engine/ledger.hpp"

namespace oas {

/// A thread of its own with a connection of its own. `watch` may be called from any thread.
class Heartbeat {
 public:
  Heartbeat(std::unique_ptr<db::Connection> side, std::string owner, std::chrono::seconds lease);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  /// From now on, the intents of this schema.
  void watch(const std::string& schema);

 private:
  void run(const std::stop_token& stop);

  std::unique_ptr<db::Connection> side_;
  const std::string owner_;
  const std::chrono::seconds lease_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::string, std::unique_ptr<Ledger>, std::less<>> ledgers_;  ///< by mutex
  std::jthread thread_;
};

}  // namespace oas
