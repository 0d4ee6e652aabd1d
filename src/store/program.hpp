// A command of the shell whose output is read, with glances at something else while it takes its time. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <sys/types.h>

namespace oas::store {

/// Destroyed: it is killed if it still runs.
class Program {
 public:
  /// No more than `most` bytes of its output are read; its input and its complaints are those of this process.
  Program(const std::string& command, std::size_t most);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  bool started() const noexcept { return pid_ > 0; }

  /// Waits so long for what it says next. False: it says no more, or nobody wants to hear it.
  bool read(std::chrono::milliseconds patience);
  const std::string& said() const noexcept { return said_; }
  /// How it ended, as of waitpid(2); nullopt: it runs.
  std::optional<int> status();

 private:
  std::size_t most_;
  std::string said_;
  int output_ = -1;
  pid_t pid_ = 0;
};

}  // namespace oas::store
