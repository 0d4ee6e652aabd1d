// Who a process is, for as long as anybody may ask: a name that no later process gets, and whether it still lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oas {

struct ProcessId {
  std::string host;                 ///< host name
  std::string boot;                 ///< of the kernel; another one after each start of the machine; may be empty
  std::uint64_t pid_namespace = 0;  ///< inode; 0 if not known
  std::int64_t pid = 0;             ///< in that namespace
  std::uint64_t started = 0;        ///< clock ticks from the boot to the start of the process

  /// The process that runs this. Errors: unavailable if the system does not tell.
  static ProcessId self();
  /// Errors: decode.
  static ProcessId parse(std::string_view text);
  /// "host/boot/namespace/pid/start".
  std::string text() const;
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

enum class Life { alive, dead, unknown };

/// dead: surely gone. unknown: it ran where this process cannot see (another host, another namespace of processes),
/// or the system does not tell.
Life life(const ProcessId& process);

}  // namespace oas
