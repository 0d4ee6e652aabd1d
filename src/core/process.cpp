#include "core/process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include <oas/error.hpp>

namespace oas {
namespace {

// The files of /proc that are read here are short.
std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T n{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t at; (at = text.find(by)) != std::string_view::npos; text.remove_prefix(at + 1))
    parts.push_back(text.substr(0, at));
  parts.push_back(text);
  return parts;
}

struct Stat {
  bool gone = false;  ///< ended, and only kept until its parent has asked how
  std::uint64_t started = 0;
};

std::optional<Stat> stat_of(const std::string& pid) {
  const std::string line = first_line("/proc/" + pid + "/stat");
  // "pid (name) state …": the name may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= line.size()) return std::nullopt;
  const auto fields = split(std::string_view(line).substr(name_end + 2), ' ');
  constexpr std::size_t state = 0, threads = 17, start = 19;
  if (fields.size() <= start) return std::nullopt;
  const auto started = number<std::uint64_t>(fields[start]);
  const auto count = number<std::int64_t>(fields[threads]);
  if (!started || !count) return std::nullopt;
  // The first thread of a process may end before the others.
  return Stat{(fields[state] == "Z" && *count <= 1) || fields[state] == "X", *started};
}

}  // namespace

ProcessId ProcessId::self() {
  ProcessId id;
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0)
    throw Error(Errc::unavailable, "find out the host's name: the system refused", {}, fmt::format("errno {}", errno));
  id.host = host;
  id.boot = first_line("/proc/sys/kernel/random/boot_id");
  struct ::stat info {};
  if (::stat("/proc/self/ns/pid", &info) == 0) id.pid_namespace = info.st_ino;
  id.pid = ::getpid();
  const auto stat = stat_of("self");
  if (!stat) throw Error(Errc::unavailable, "find out when this process was started: /proc/self/stat cannot be read");
  id.started = stat->started;
  return id;
}

std::string ProcessId::text() const { return fmt::format("{}/{}/{}/{}/{}", host, boot, pid_namespace, pid, started); }

ProcessId ProcessId::parse(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() == 5) {
    const auto pid_namespace = number<std::uint64_t>(parts[2]);
    const auto pid = number<std::int64_t>(parts[3]);
    const auto started = number<std::uint64_t>(parts[4]);
    if (!parts[0].empty() && pid_namespace && pid && *pid > 0 && started)
      return {std::string(parts[0]), std::string(parts[1]), *pid_namespace, *pid, *started};
  }
  throw Error(Errc::decode, fmt::format("read '{}' as a process: it is not of the form host/boot/namespace/pid/start",
                                        text.substr(0, 80)));
}

Life life(const ProcessId& process) {
  const ProcessId self = ProcessId::self();
  if (process == self) return Life::alive;
  if (process.host != self.host || process.pid_namespace != self.pid_namespace || self.pid_namespace == 0 ||
      process.boot.empty() || self.boot.empty())
    return Life::unknown;
  if (process.boot != self.boot) return Life::dead;
  const auto pid = static_cast<::pid_t>(process.pid);
  if (pid != process.pid) return Life::dead;  // no process can have it
  // A system may hide the processes of others in /proc, but not that they are there.
  if (::kill(pid, 0) != 0 && errno == ESRCH) return Life::dead;
  const auto stat = stat_of(std::to_string(pid));
  if (!stat) return ::kill(pid, 0) != 0 && errno == ESRCH ? Life::dead : Life::unknown;
  return stat->gone || stat->started != process.started ? Life::dead : Life::alive;
}

}  // namespace oas
