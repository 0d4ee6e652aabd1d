// A folder and what lies beneath it. Whatever path is given, nothing outside is reached: no symbolic link beneath the
// folder is followed, wherever it points. Linux. Safe for concurrent use.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace oas::store {

/// Owns a file descriptor. Keeps errno.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// "a/b/c" is "c" in "a/b"; "c" is "c" in "".
struct Place {
  std::string folder;
  std::string leaf;
};
Place place_of(std::string_view path);

/// Throws the Error for `error` (an errno) of `call`.
[[noreturn]] void fail(int error, std::string_view call);

/// Gives up after many attempts, each of which found the folder that it had just made removed. Throws Error
/// unavailable.
[[noreturn]] void fail_overtaken();

/// Paths are relative; "" is the folder itself. Functions that return an Fd return none and set errno if it did not
/// work: ELOOP means a symbolic link.
class Beneath {
 public:
  /// Errors: unavailable (not there), usage (not a folder), access.
  explicit Beneath(const std::string& location);

  const std::string& location() const noexcept { return location_; }  ///< absolute
  Fd open(const std::string& path, int flags) const;
  /// Opens a folder (O_PATH), and makes it and those above it as needed. Errors: as fail() gives them.
  Fd make(const std::string& folder) const;
  /// Removes those of the folders that are empty, then those above them, up to but without the location. Whoever makes
  /// a file in one meanwhile sees ENOENT and makes the folder again.
  void prune(std::set<std::string> folders) const;
  /// Errors: unavailable if the location itself was removed, so that nothing in it could be found.
  void check_still_there() const;

 private:
  Fd step(int from, const char* name, int flags) const noexcept;

  std::string location_;
  Fd root_;
  bool has_openat2_ = false;
  mutable std::atomic<std::size_t> missing_beside_ = 0;  // hash of the folder in which make() made the last one
};

}  // namespace oas::store
