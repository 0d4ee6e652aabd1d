#include "codec/local_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>

#include <oas/error.hpp>

#include "codec/paths.hpp"

namespace oas::codec {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view verb, const fs::path& path, int number) {
  const char* name = ::strerrorname_np(number);
  const bool refused = number == EACCES || number == EPERM || number == EROFS || number == ENAMETOOLONG ||
                       number == ENOTDIR || number == EEXIST || number == ELOOP || number == EINVAL;
  throw Error(refused ? Errc::access : Errc::unavailable,
              fmt::format("{} {}: {}", verb, path.string(), std::generic_category().message(number)), path.string(),
              name ? name : "");
}

}  // namespace

Draft::Draft(const fs::path& target) : path_(target.parent_path() / fmt::format(".oas-{}.part", random_token(16))) {}

Draft::~Draft() {
  std::error_code ignored;  // what cannot be removed stays under a name that says what it is
  fs::remove_all(path_, ignored);
}

bool Draft::publish(const fs::path& target) {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) fail("write", target, errno);
  // A file system that cannot do it in one step.
  std::error_code failure;
  if (fs::exists(fs::symlink_status(target, failure))) return false;
  if (::rename(path_.c_str(), target.c_str()) != 0) fail("write", target, errno);
  return true;
}

LocalFile::LocalFile(const fs::path& path, bool create) : path_(path) {
  const int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0);
  file_ = ::open(path.c_str(), flags, 0666);
  if (file_ < 0) fail("write", path_, errno);
}

LocalFile::~LocalFile() {
  if (file_ >= 0) ::close(file_);
}

void LocalFile::write(std::uint64_t offset, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", path_, errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void LocalFile::close() {
  const int file = file_;
  file_ = -1;
  if (::close(file) != 0 && errno != EINTR) fail("write", path_, errno);
}

void make_folder(const fs::path& path) {
  if (path.empty()) return;
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) fail("make the folder", path, failure.value());
}

}  // namespace oas::codec
