// Objects as files under one folder, the location. The layout is the keys themselves (docs/format/store.md).
//
//  1. Nothing outside the location is reached: every path is opened beneath a descriptor of it, without following any
//     symbolic link (beneath.hpp). No descriptor of an inner folder is kept between calls, so a folder that others
//     remove, move or replace is never written to by mistake.
//  2. A write fills a file that has no name (O_TMPFILE) in the object's folder, and then gives it its name in one step:
//     readers see the old object or the new one, whole. A process killed before that step leaves nothing.
//     The exception is create(): nobody can ask for its key before the file is whole, so it has its name from the
//     start.
//  3. linkat gives the name if there is none yet. It fails if there is one, so of several create-only writers exactly
//     one wins. Folders are made when they are missing; if one is removed before the link, 3 is done again.
//  4. To replace an object, the file is linked to a temporary name beside it and renamed over it.
//  5. Whoever replaces or removes an object holds a lock (flock) on its folder, so that a writer who expects a version
//     can compare and replace without anybody in between. Where folders cannot be locked (some network file systems)
//     the trait conditional_write is false.
//  6. Where files without a name are not offered, 2 uses a temporary name from the start and holds a lock on the file.
//  7. Temporary names begin with `.oas-tmp-`; they are never listed and cannot be keys. One whose file was last written
//     an hour ago or more, and that nobody has locked, was left by a process that died: whoever lists its folder
//     removes it.
//  8. Removing an object removes the folders that it leaves empty. A writer who loses its folder that way: see 3.
//  9. The version is (inode, size, time of modification, time of change). The time of modification is set to the
//     nanosecond before the file gets its name, because the kernel's own clock of files ticks only every few
//     milliseconds, in which an inode can be reused.
// 10. sync() makes objects survive a power cut: up to 8 by fdatasync of each and fsync of the folders above them, which
//     hold the names; more by one syncfs of their file system.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <set>

#include <oas/store.hpp>

#include "core/network_folder.hpp"
#include "store/beneath.hpp"
#include "store/path.hpp"

namespace oas {
namespace {

using store::Beneath;
using store::fail;
using store::Fd;
using store::Place;
using store::place_of;
using Stat = struct stat;

constexpr std::string_view temporary_prefix = ".oas-tmp-";
constexpr std::int64_t abandoned_after_seconds = 3600;
constexpr std::size_t largest_transfer = 0x7ffff000;  // what one read(2) or write(2) moves at most
constexpr int attempts = 1000;                        // each is lost to somebody else's change

std::int64_t nanoseconds(const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

Version version_of(const Stat& st) {
  Version version;
  for (const std::int64_t part : {static_cast<std::int64_t>(st.st_ino), std::int64_t{st.st_size},
                                  nanoseconds(st.st_mtim), nanoseconds(st.st_ctim)}) {
    if (!version.tag.empty()) version.tag += '-';
    version.tag += fmt::format_int(part).c_str();  // several times as fast as fmt::format
  }
  return version;
}

ObjectInfo info_of(std::string key, const Stat& st) {
  return {std::move(key), static_cast<std::uint64_t>(st.st_size), version_of(st), nanoseconds(st.st_mtim) / 1000};
}

/// False for a folder: it is no object. Errors: access for what is neither.
bool is_object(const Stat& st) {
  if (S_ISREG(st.st_mode)) return true;
  if (S_ISDIR(st.st_mode)) return false;
  fail(S_ISLNK(st.st_mode) ? ELOOP : ENXIO, "look at it");
}

/// nullopt: no such name.
std::optional<Stat> look(const Fd& folder, const std::string& name) {
  Stat st{};
  if (::fstatat(folder.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  if (errno == ENOENT) return std::nullopt;
  fail(errno, "look at it");
}

Stat look(const Fd& file) {
  Stat st{};
  if (::fstat(file.get(), &st) != 0) fail(errno, "look at it");
  return st;
}

bool try_lock(const Fd& fd, int how) {
  int result = 0;
  do {
    result = ::flock(fd.get(), how);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

std::string temporary_name() {
  std::uint64_t random[2];
  if (::getrandom(random, sizeof random, 0) != sizeof random) fail(errno, "draw a temporary name");
  return fmt::format("{}{}-{:016x}{:016x}", temporary_prefix, ::getpid(), random[0], random[1]);
}

void check_not_temporary(std::string_view key) {
  constexpr std::string_view inside = "/.oas-tmp-";
  static_assert(inside.substr(1) == temporary_prefix);
  if (!key.starts_with(temporary_prefix) && key.find(inside) == std::string_view::npos) return;
  throw Error(Errc::usage,
              fmt::format("names that begin with {} belong to the store itself. take another key", temporary_prefix));
}

/// The location and what its kernel and file system offer.
struct Folder {
  explicit Folder(const std::string& location) : beneath(location) {
    const Fd probe = beneath.open("", O_RDONLY | O_DIRECTORY);
    locks = probe && (try_lock(probe, LOCK_EX | LOCK_NB) || errno == EWOULDBLOCK);
    unnamed_files = ::access("/proc/self/fd", X_OK) == 0;  // without it they could not be given a name
  }

  /// Held until it is closed. None if the file system has no such locks, or if the folder was removed just now: then
  /// there is nothing in it to protect.
  Fd lock(const Fd& inner) const {
    if (!locks) return {};
    Fd fd(::openat(inner.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd && errno != ENOENT) fail(errno, "open its folder");
    if (fd && !try_lock(fd, LOCK_EX)) fail(errno, "lock its folder");
    return fd;
  }

  Beneath beneath;
  bool locks = false;
  std::atomic<bool> unnamed_files = true;
  std::atomic<bool> link_through_proc = false;
};

void write_all(const Fd& file, std::span<const BytesView> parts) {
  std::vector<iovec> pieces;
  pieces.reserve(parts.size());
  for (const BytesView part : parts) {
    if (!part.empty()) pieces.push_back({const_cast<std::byte*>(part.data()), part.size()});
  }
  for (std::size_t first = 0; first < pieces.size();) {
    const auto count = static_cast<int>(std::min<std::size_t>(pieces.size() - first, IOV_MAX));
    const ssize_t written = ::writev(file.get(), &pieces[first], count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written == 0 ? EIO : errno, "write");
    auto left = static_cast<std::size_t>(written);
    while (first < pieces.size() && left >= pieces[first].iov_len) left -= pieces[first++].iov_len;
    if (left > 0) {
      pieces[first].iov_base = static_cast<std::byte*>(pieces[first].iov_base) + left;
      pieces[first].iov_len -= left;
    }
  }
}

/// The last errors of writing: network file systems report them when a file is closed.
void close_checked(const Fd& file) {
  const int copy = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0 || ::close(copy) != 0) fail(errno, "write");
}

/// A file on its way to become the object `key`. Destroyed before publish(): leaves nothing.
class Draft {
 public:
  Draft(std::shared_ptr<Folder> folder, const std::string& key) : folder_(std::move(folder)), place_(place_of(key)) {
    int error = ENOENT;  // the folder was removed just now
    for (int attempt = 0; attempt < attempts && error == ENOENT; ++attempt) {
      home_ = folder_->beneath.make(place_.folder);
      file_ = create();
      if (file_) return;
      error = errno;
    }
    if (error == ENOENT) store::fail_overtaken();
    folder_->beneath.prune({place_.folder});
    fail(error, "create a file");
  }

  ~Draft() {
    if (!temporary_.empty()) ::unlinkat(home_.get(), temporary_.c_str(), 0);
    if (!published_) folder_->beneath.prune({place_.folder});
  }

  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void append(std::span<const BytesView> parts) { write_all(file_, parts); }

  /// nullopt: `expect` does not hold.
  std::optional<Version> publish(const Version* expect) {
    settle();
    for (int attempt = 0; attempt < attempts; ++attempt) {
      if (attempt > 0) home_of_name_ = folder_->beneath.make(place_.folder);
      const bool must_be_absent = expect && expect->is_absent();
      if (!expect || must_be_absent) {
        if (link(place_.leaf)) return done();
        if (errno == ENOENT) continue;  // the folder was removed just now
        if (errno != EEXIST) fail(errno, "give the file its name");
        const auto there = look(target(), place_.leaf);
        if (!there) continue;  // it was removed just now
        if (!is_object(*there)) fail(EISDIR, "give the file its name");
        if (must_be_absent) return std::nullopt;
      }
      const Fd locked = folder_->lock(target());
      const auto there = look(target(), place_.leaf);
      if (expect && (!there || !is_object(*there) || version_of(*there) != *expect)) return std::nullopt;
      if (!there) continue;
      if (replace()) return done();
      if (errno != ENOENT) fail(errno, "replace the object");
    }
    throw Error(Errc::unavailable, "somebody else changes it again and again. try later");
  }

 private:
  /// The folder in which the object gets its name: home_, or its successor if home_ was removed.
  const Fd& target() const { return home_of_name_ ? home_of_name_ : home_; }

  Fd create() {
    if (folder_->unnamed_files) {
      Fd fd(::openat(home_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
      // What file systems and kernels say that do not know files without a name.
      if (fd) return fd;
      const int error = errno;
      if (error != EOPNOTSUPP && error != EISDIR && error != EINVAL) {
        // ext4 says of a folder that was removed meanwhile that it is not permitted, instead of that it is not there.
        struct stat home {};
        const bool removed = error == EPERM && ::fstat(home_.get(), &home) == 0 && home.st_nlink == 0;
        errno = removed ? ENOENT : error;
        return fd;
      }
      folder_->unnamed_files = false;
    }
    std::string name = temporary_name();
    Fd fd(::openat(home_.get(), name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
    if (!fd) return fd;
    temporary_ = std::move(name);
    try_lock(fd, LOCK_EX);  // where it cannot be locked it is never taken for abandoned either
    return fd;
  }

  /// The last errors of writing, and the time that makes the version unique.
  void settle() {
    timespec times[2];
    times[0].tv_nsec = UTIME_OMIT;
    ::clock_gettime(CLOCK_REALTIME, &times[1]);
    if (::futimens(file_.get(), times) != 0) fail(errno, "set its time");
    if (!temporary_.empty()) close_checked(file_);
  }

  /// Gives the file a name that is not taken. Keeps errno.
  bool link(const std::string& name) {
    if (!temporary_.empty()) {
      const char* from = temporary_.c_str();
      if (::renameat2(home_.get(), from, target().get(), name.c_str(), RENAME_NOREPLACE) == 0) {
        temporary_.clear();
        return true;
      }
      if (errno != EINVAL && errno != ENOSYS) return false;
      return ::linkat(home_.get(), from, target().get(), name.c_str(), 0) ==
             0;  // the destructor removes the other name
    }
    if (!folder_->link_through_proc) {
      if (::linkat(file_.get(), "", target().get(), name.c_str(), AT_EMPTY_PATH) == 0) return true;
      if (errno != ENOENT) return false;  // also what an older kernel says to the unprivileged
    }
    const std::string proc = fmt::format("/proc/self/fd/{}", file_.get());
    if (::linkat(AT_FDCWD, proc.c_str(), target().get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) return false;
    folder_->link_through_proc = true;
    return true;
  }

  bool replace() {
    if (!temporary_.empty()) {
      if (::renameat(home_.get(), temporary_.c_str(), target().get(), place_.leaf.c_str()) != 0) return false;
      temporary_.clear();
      return true;
    }
    const std::string name = temporary_name();
    if (!link(name)) return false;
    if (::renameat(target().get(), name.c_str(), target().get(), place_.leaf.c_str()) == 0) return true;
    const int error = errno;
    ::unlinkat(target().get(), name.c_str(), 0);
    errno = error;
    return false;
  }

  Version done() {
    published_ = true;
    if (!temporary_.empty()) {  // changes the time of change, which is part of the version
      ::unlinkat(home_.get(), temporary_.c_str(), 0);
      temporary_.clear();
    }
    return version_of(look(file_));
  }

  std::shared_ptr<Folder> folder_;
  Place place_;
  Fd home_;          // the folder in which the file was created
  Fd home_of_name_;  // see target()
  Fd file_;
  std::string temporary_;  // its name in home_, empty if it has none
  bool published_ = false;
};

class FileUpload final : public Upload {
 public:
  FileUpload(std::shared_ptr<Folder> folder, const std::string& key) : draft_(std::move(folder), key) {}
  void append(BytesView bytes) override { draft_.append({&bytes, 1}); }
  Version commit() override { return *draft_.publish(nullptr); }

 private:
  Draft draft_;
};

/// Walks the keys in their byte order, from `after` on. That is the order of the names in each folder if a folder is
/// taken to end with '/': "a-b" comes before "a/b".
class Listing {
 public:
  Listing(const Beneath& beneath, const std::string& prefix, const std::string& after, std::size_t limit)
      : beneath_(beneath), prefix_(prefix), after_(after), limit_(limit) {}

  Page run() && {
    const std::string top = place_of(prefix_).folder;
    if (top.empty() || store::broken_rule(top).empty()) enter(top.empty() ? "" : top + "/");
    while (!page_.more && !levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.names.size()) {
        levels_.pop_back();
        continue;
      }
      const std::string name = std::move(level.names[level.next++]);
      if (name.back() == '/') {
        enter(level.path + name);
      } else {
        add(level, name);
      }
    }
    if (page_.entries.empty()) beneath_.check_still_there();
    return std::move(page_);
  }

 private:
  struct Level {
    std::string path;  // "" or ends with '/'
    Fd fd;
    std::vector<std::string> names;  // those of folders end with '/'
    std::size_t next = 0;
  };

  void add(const Level& level, const std::string& name) {
    const auto st = look(level.fd, name);
    if (!st || !S_ISREG(st->st_mode)) return;  // removed or replaced meanwhile
    if (page_.entries.size() == limit_) {
      page_.more = true;
    } else {
      page_.entries.push_back(info_of(level.path + name, *st));
    }
  }

  void enter(std::string path) {
    Level level{std::move(path), {}, {}};
    const std::string folder = level.path.substr(0, level.path.empty() ? 0 : level.path.size() - 1);
    level.fd = beneath_.open(folder, O_RDONLY | O_DIRECTORY);
    if (!level.fd) {
      if (errno == ENOENT || errno == ENOTDIR) return;
      fail(errno, fmt::format("open folder '{}'", folder));
    }
    Fd copy(::fcntl(level.fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) fail(errno, "read a folder");
    struct Close {
      void operator()(DIR* dir) const { ::closedir(dir); }
    };
    const std::unique_ptr<DIR, Close> dir(::fdopendir(copy.get()));
    if (!dir) fail(errno, "read a folder");
    copy.release();
    // NOLINTNEXTLINE(concurrency-mt-unsafe): safe as long as one thread reads this folder
    for (errno = 0; const dirent* entry = ::readdir(dir.get()); errno = 0) take(level, *entry);
    if (errno != 0) fail(errno, fmt::format("read folder '{}'", folder));
    std::ranges::sort(level.names);
    levels_.push_back(std::move(level));
  }

  void take(Level& level, const dirent& entry) {
    std::string name = entry.d_name;
    if (name == "." || name == "..") return;
    if (name.starts_with(temporary_prefix)) return sweep(level.fd, name);
    unsigned char type = entry.d_type;
    if (type == DT_UNKNOWN) {
      const auto st = look(level.fd, name);
      type = !st ? DT_UNKNOWN : S_ISDIR(st->st_mode) ? DT_DIR : S_ISREG(st->st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type != DT_DIR && type != DT_REG) return;  // no object, and not followed
    std::string key = level.path + name;
    if (!store::broken_rule(key).empty()) return;  // what others put there and nobody can ask for
    if (type == DT_DIR) {
      key += '/';
      name += '/';
      const bool may_have_prefix = key.starts_with(prefix_) || prefix_.starts_with(key);
      const bool may_be_after = key > after_ || after_.starts_with(key);
      if (may_have_prefix && may_be_after) level.names.push_back(std::move(name));
    } else if (key.starts_with(prefix_) && key > after_) {
      level.names.push_back(std::move(name));
    }
  }

  /// Removes what a process left that died in the middle of a write. It may be somebody else's, or the folder
  /// read-only: then it stays.
  static void sweep(const Fd& folder, const std::string& name) {
    const Fd file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    Stat st{};
    if (!file || ::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode)) return;
    if (::time(nullptr) - st.st_mtim.tv_sec < abandoned_after_seconds) return;
    if (try_lock(file, LOCK_EX | LOCK_NB)) ::unlinkat(folder.get(), name.c_str(), 0);
  }

  const Beneath& beneath_;
  const std::string& prefix_;
  const std::string& after_;
  std::size_t limit_;
  std::vector<Level> levels_;  // at most one a part of a key
  Page page_;
};

class FileStore final : public Store {
 public:
  FileStore(std::string name, const std::string& location, bool durable)
      : Store(std::move(name)),
        folder_(std::make_shared<Folder>(location)),
        traits_{.atomic_create = true,
                .conditional_write = folder_->locks,
                .at_once = on_network(folder_->beneath.location()) ? 8U : 1U},
        durable_(durable) {}

  const StoreTraits& traits() const noexcept override { return traits_; }
  std::string location() const override { return "file " + folder_->beneath.location(); }

 private:
  /// None if there is no such object.
  Fd open(const std::string& key, int flags) const {
    check_not_temporary(key);
    Fd fd = folder_->beneath.open(key, flags);
    if (fd) return fd;
    if (errno != ENOENT && errno != ENOTDIR) fail(errno, "open it");
    folder_->beneath.check_still_there();
    return fd;
  }

  std::optional<ObjectInfo> do_stat(const std::string& key) const override {
    const Fd fd = open(key, O_PATH);
    if (!fd) return std::nullopt;
    const Stat st = look(fd);
    if (!is_object(st)) return std::nullopt;
    return info_of(key, st);
  }

  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override {
    const Fd fd = open(key, O_RDONLY | O_NONBLOCK | O_NOCTTY);  // opening a pipe or a terminal must not wait or matter
    if (!fd) return std::nullopt;
    const Stat st = look(fd);
    if (!is_object(st)) return std::nullopt;
    Object object;
    object.version = version_of(st);
    object.size = static_cast<std::uint64_t>(st.st_size);
    if (only && *only != object.version) {
      throw Error(Errc::conflict, "it was rewritten since its version was noted. look for it again");
    }
    const store::Extent part = store::inside(range, object.size);
    Buffer buffer(part.size);
    bool whole = true;
    for (std::size_t done = 0; done < part.size && whole;) {
      const std::size_t count = std::min<std::size_t>(part.size - done, largest_transfer);
      const ssize_t got = ::pread(fd.get(), buffer.data() + done, count, static_cast<off_t>(part.offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(errno, "read");
      whole = got > 0;
      done += static_cast<std::size_t>(got);
    }
    // We replace objects and never change them; somebody else may have.
    const Stat now = look(fd);
    if (!whole || now.st_size != st.st_size || nanoseconds(now.st_mtim) != nanoseconds(st.st_mtim)) {
      throw Error(Errc::conflict, "somebody changed the file while it was read. read it again");
    }
    object.data = std::move(buffer).finish();
    return object;
  }

  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    check_not_temporary(key);
    Draft draft(folder_, key);
    draft.append(parts);
    return draft.publish(expect);
  }

  std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts) override {
    check_not_temporary(key);
    const Place place = place_of(key);
    Fd home, file;
    for (int attempt = 0; attempt < attempts && !file; ++attempt) {
      home = folder_->beneath.make(place.folder);
      file = Fd(::openat(home.get(), place.leaf.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0666));
      if (!file && errno == EEXIST) return std::nullopt;
      if (!file && errno != ENOENT) {
        const int error = errno;
        folder_->beneath.prune({place.folder});
        fail(error, "create a file");
      }
    }
    if (!file) store::fail_overtaken();
    try {
      write_all(file, parts);
      if (traits_.at_once > 1) close_checked(file);  // on a network
      return version_of(look(file));
    } catch (...) {
      ::unlinkat(home.get(), place.leaf.c_str(), 0);
      folder_->beneath.prune({place.folder});
      throw;
    }
  }

  std::unique_ptr<Upload> do_upload(const std::string& key) override {
    check_not_temporary(key);
    return std::make_unique<FileUpload>(folder_, key);
  }

  bool do_remove(const std::string& key) override {
    check_not_temporary(key);
    const Place place = place_of(key);
    const bool removed = unlink(Inside(*this, place.folder), place.leaf);
    folder_->beneath.prune({place.folder});
    return removed;
  }

  std::vector<Error> do_remove_many(std::span<const std::string> keys) override {
    std::map<std::string, std::vector<const std::string*>> by_folder;
    for (const std::string& key : keys) by_folder[place_of(key).folder].push_back(&key);
    std::vector<Error> stayed;
    std::set<std::string> folders;
    for (const auto& [folder, inside] : by_folder) {
      folders.insert(folder);
      std::optional<Inside> opened;  // and locked once for all of them
      for (const std::string* key : inside) {
        try {
          check_not_temporary(*key);
          if (!opened) opened.emplace(*this, folder);
          unlink(*opened, place_of(*key).leaf);
        } catch (const Error& e) {
          stayed.emplace_back(e.code(), fmt::format("remove {} in store {}: {}", *key, name(), e.what()),
                              fmt::format("store {}, {}", name(), *key), e.native());
        }
      }
    }
    // Folders go last: to find out that one is not empty yet takes longer the more was removed from it.
    folder_->beneath.prune(std::move(folders));
    return stayed;
  }

  /// A folder in which objects are removed, locked. No descriptor: it is not there.
  struct Inside {
    Inside(const FileStore& store, const std::string& folder)
        : fd(store.folder_->beneath.open(folder, O_RDONLY | O_DIRECTORY)) {
      if (!fd) {
        if (errno != ENOENT && errno != ENOTDIR) fail(errno, "open its folder");
        store.folder_->beneath.check_still_there();
      } else if (store.folder_->locks && !try_lock(fd, LOCK_EX)) {
        fail(errno, "lock its folder");
      }
    }
    Fd fd;
  };

  static bool unlink(const Inside& inside, const std::string& leaf) {
    if (!inside.fd) return false;
    const auto st = look(inside.fd, leaf);
    if (!st || !is_object(*st)) return false;
    if (::unlinkat(inside.fd.get(), leaf.c_str(), 0) == 0) return true;
    if (errno != ENOENT) fail(errno, "remove it");
    return false;
  }

  Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const override {
    return Listing(folder_->beneath, prefix, after, limit).run();
  }

  void do_sync(std::span<const std::string> keys) override {
    if (!durable_) return;
    constexpr std::size_t few = 8;
    std::set<dev_t> synced;
    std::set<std::string> folders;
    for (const std::string& key : keys) {
      const Fd fd = open(key, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      const std::optional<Stat> st = fd ? std::optional(look(fd)) : std::nullopt;
      if (!st || !is_object(*st)) throw Error(Errc::missing_object, fmt::format("{} is not there", key));
      if (keys.size() > few) {
        if (synced.insert(st->st_dev).second && ::syncfs(fd.get()) != 0) fail(errno, "syncfs");
        continue;
      }
      if (::fdatasync(fd.get()) != 0) fail(errno, "fdatasync");
      for (std::string path = key; !path.empty();) {
        path = place_of(path).folder;
        folders.insert(path);
      }
    }
    for (const std::string& folder : folders) {
      const Fd fd = folder_->beneath.open(folder, O_RDONLY | O_DIRECTORY);
      if (!fd || ::fsync(fd.get()) != 0) fail(errno, fmt::format("fsync of folder '{}'", folder));
    }
  }

  std::shared_ptr<Folder> folder_;  // uploads may outlive the store
  StoreTraits traits_;
  bool durable_;
};

void check_file_store(const StoreConfig& config) {
  if (config.options.at("location").empty()) throw Error(Errc::usage, "`location` is empty. it is a folder");
  const auto sync = config.options.find("sync");
  if (sync != config.options.end() && sync->second != "true" && sync->second != "false") {
    throw Error(Errc::usage, "`sync` is neither true nor false");
  }
}

std::shared_ptr<Store> open_file_store(const StoreConfig& config) {
  const auto sync = config.options.find("sync");
  const bool durable = sync == config.options.end() || sync->second == "true";
  return std::make_shared<FileStore>(config.name, config.options.find("location")->second, durable);
}

}  // namespace

const StoreDriver& store_file();
const StoreDriver& store_file() {
  static constexpr std::string_view required[] = {"location"};
  static constexpr std::string_view optional[] = {"sync"};
  static constexpr StoreDriver driver{"file", required, optional, {}, open_file_store, check_file_store};
  return driver;
}

}  // namespace oas
