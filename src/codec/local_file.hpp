// Files on this machine that appear complete or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include <oas/bytes.hpp>

namespace oas::codec {

/// Errors of all: access (permissions, read-only, an impossible name) or unavailable (no space, …), with the errno
/// name.

/// A name beside `target` that nobody else uses; what lies there when this is destroyed is removed.
class Draft {
 public:
  explicit Draft(const std::filesystem::path& target);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Becomes `target`. False, and nothing done, if there is something already.
  bool publish(const std::filesystem::path& target);

 private:
  std::filesystem::path path_;
};

/// An open file for writing; any number of threads may write different parts.
class LocalFile {
 public:
  /// A new one. Also an error: there is one.
  static LocalFile create(const std::filesystem::path& path) { return LocalFile(path, true); }
  static LocalFile open(const std::filesystem::path& path) { return LocalFile(path, false); }
  ~LocalFile();
  LocalFile(const LocalFile&) = delete;
  LocalFile& operator=(const LocalFile&) = delete;
  void write(std::uint64_t offset, BytesView bytes);
  /// Also tells what could not be written.
  void close();

 private:
  LocalFile(const std::filesystem::path& path, bool create);
  std::filesystem::path path_;
  int file_ = -1;
};

/// With all folders above it.
void make_folder(const std::filesystem::path& path);

}  // namespace oas::codec
