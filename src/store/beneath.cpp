#include "store/beneath.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <iterator>
#include <system_error>
#include <vector>

#include <oas/error.hpp>

namespace oas::store {
namespace {

constexpr int folder_flags = O_DIRECTORY | O_CLOEXEC;

int open_kernel(int root, const char* path, int flags) noexcept {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));  // EAGAIN: a rename or mount went by
  return static_cast<int>(fd);
}

std::string errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name ? name : std::to_string(error);
}

}  // namespace

Fd::~Fd() {
  if (fd_ < 0) return;
  const int kept = errno;
  ::close(fd_);
  errno = kept;
}

Place place_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

void fail(int error, std::string_view call) {
  const auto [code, why] = [&]() -> std::pair<Errc, std::string> {
    switch (error) {
      case ENOSPC: return {Errc::unavailable, "the file system is full. free space there"};
      case EDQUOT: return {Errc::unavailable, "the quota is used up. free space or raise it"};
      case EFBIG: return {Errc::unavailable, "a limit on the size of files is reached. raise it (ulimit -f)"};
      case EMFILE:
      case ENFILE: return {Errc::unavailable, "too many open files. raise the limit (ulimit -n)"};
      case EROFS: return {Errc::access, "the file system is mounted read-only"};
      case EACCES:
      case EPERM: return {Errc::access, "permission denied. ask the owner of the folder"};
      case ELOOP:
      case EXDEV:
        return {Errc::access, "a symbolic link is in the way, and a store follows none. mount or move the data"};
      case ENXIO: return {Errc::access, "it is not an ordinary file"};
      case ENAMETOOLONG:
        return {Errc::usage, "a part of the key is longer than the file system takes (255 bytes mostly)"};
      case EILSEQ:
      case EINVAL: return {Errc::usage, "the file system does not take this name"};
      case ENOTDIR:
        return {Errc::usage, "a part of the key is an object, and cannot be a folder too. take another key"};
      case EISDIR:
        return {Errc::usage, "there is a folder of this name, and it cannot be an object too. take another key"};
      case EIO: return {Errc::integrity, "the device reports an error. check the disk"};
      default: return {Errc::unavailable, std::generic_category().message(error)};
    }
  }();
  throw Error(code, fmt::format("{} ({})", why, call), {}, errno_name(error));
}

void fail_overtaken() {
  throw Error(Errc::unavailable, "its folder is removed again and again by somebody else. try later", {}, "ENOENT");
}

Beneath::Beneath(const std::string& location) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(location, error).lexically_normal();
  if (location.empty() || error) throw Error(Errc::usage, "the location is empty. name a folder");
  location_ = path.string();
  root_ = Fd(::open(location_.c_str(), O_RDONLY | folder_flags));
  if (!root_) {
    switch (errno) {
      case ENOENT:
        throw Error(Errc::unavailable,
                    fmt::format("the folder {0} is not there. make it (mkdir -p '{0}'), mount it, or correct the "
                                "store's `location`",
                                location_),
                    location_, "ENOENT");
      case ENOTDIR:
        throw Error(Errc::usage, fmt::format("{} is not a folder. correct the store's `location`", location_),
                    location_, "ENOTDIR");
      default: fail(errno, fmt::format("open {}", location_));
    }
  }
  // Old kernels do not have it, and some containers forbid it.
  has_openat2_ = static_cast<bool>(Fd(open_kernel(root_.get(), ".", O_PATH | folder_flags)));
}

Fd Beneath::step(int from, const char* name, int flags) const noexcept {
  Fd fd(::openat(from, name, flags | O_NOFOLLOW | O_CLOEXEC));
  struct stat st {};
  if (!fd && errno == ENOTDIR && ::fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
  } else if (fd && (flags & O_PATH) && ::fstat(fd.get(), &st) == 0 && S_ISLNK(st.st_mode)) {
    fd = Fd();
    errno = ELOOP;
  }
  return fd;
}

Fd Beneath::open(const std::string& path, int flags) const {
  if (path.empty()) return Fd(::openat(root_.get(), ".", flags | O_CLOEXEC));
  if (has_openat2_) return Fd(open_kernel(root_.get(), path.c_str(), flags));
  Fd held;
  int from = root_.get();
  std::string_view rest = path;
  for (std::size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    Fd next = step(from, std::string(rest.substr(0, slash)).c_str(), O_PATH | folder_flags);
    if (!next) return next;
    held = std::move(next);
    from = held.get();
    rest.remove_prefix(slash + 1);
  }
  return step(from, std::string(rest).c_str(), flags);
}

Fd Beneath::make(const std::string& folder) const {
  constexpr int attempts = 1000;  // each is lost to somebody who removed an empty folder just then
  // Beside a folder that was missing, the next one mostly is too: then to look for it first is in vain.
  const std::size_t beside = std::hash<std::string_view>{}(std::string_view(folder).substr(0, folder.rfind('/')));
  bool look_first = missing_beside_.load(std::memory_order_relaxed) != beside;
  for (int attempt = 0; attempt < attempts; ++attempt, look_first = true) {
    if (look_first) {
      Fd fd = open(folder, O_PATH | folder_flags);
      if (fd) return fd;
      if (errno != ENOENT) fail(errno, "open its folder");
      check_still_there();
    }
    // Up to one that is there, and down again: mostly the last one alone is missing.
    std::vector<std::string> missing{folder};
    while (!missing.empty()) {
      Place place = place_of(missing.back());
      const Fd above = open(place.folder, O_PATH | folder_flags);
      if (!above && errno != ENOENT) fail(errno, "open a folder above it");
      const bool made = above && ::mkdirat(above.get(), place.leaf.c_str(), 0777) == 0;
      if (made || (above && errno == EEXIST)) {
        missing.pop_back();
        if (!missing.empty()) continue;
        missing_beside_.store(made ? beside : 0, std::memory_order_relaxed);
        Fd fd = step(above.get(), place.leaf.c_str(), O_PATH | folder_flags);
        if (fd) return fd;
        if (errno != ENOENT) fail(errno, "open its folder");
        break;  // removed just now
      }
      if (above && errno != ENOENT) {
        const int error = errno;
        prune({place.folder});
        fail(error, "make its folder");
      }
      if (above || place.folder.empty()) break;  // removed just now
      missing.push_back(std::move(place.folder));
    }
  }
  fail_overtaken();
}

void Beneath::prune(std::set<std::string> folders) const {
  // An empty folder is no object: whatever keeps it from going away may stay unsaid. The last in order is above none of
  // the others, so that each is tried once, when all below it are gone.
  Fd above;
  std::string above_path;
  while (!folders.empty()) {
    Place place = place_of(folders.extract(std::prev(folders.end())).value());
    if (place.leaf.empty()) continue;  // the location itself
    if (!above || above_path != place.folder) {
      above = open(place.folder, O_PATH | folder_flags);
      above_path = place.folder;
      if (!above && errno != ENOENT) continue;
    }
    if (above && ::unlinkat(above.get(), place.leaf.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) continue;
    folders.insert(std::move(place.folder));
  }
}

void Beneath::check_still_there() const {
  struct stat st {};
  if (::fstat(root_.get(), &st) != 0) fail(errno, "look at the location");
  if (st.st_nlink == 0) {
    throw Error(Errc::unavailable, fmt::format("the folder {} was removed. open the store again", location_), location_,
                "ENOENT");
  }
}

}  // namespace oas::store
