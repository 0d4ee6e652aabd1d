// What is special about files: folders, links, permissions, full disks, processes that die.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "store/registry.hpp"
#include "support/temp_folder.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<Store> open(const fs::path& location, const char* sync = "true") {
  return store::open_store(
      {.name = "raw", .protocol = "file", .options = {{"location", location.string()}, {"sync", sync}}});
}

template <class Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Errc::internal, "nothing was thrown");
}

void put(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

class FileStoreTest : public ::testing::Test {
 protected:
  test::TempFolder folder_;
  fs::path root_ = folder_.path() / "store";
  std::shared_ptr<Store> store_ = (fs::create_directory(root_), open(root_));
};

TEST(FileStoreOpen, SaysWhatToDoIfTheLocationIsMissing) {
  const test::TempFolder folder;
  const Error e = error_of([&] { open(folder.path() / "not" / "there"); });
  EXPECT_EQ(e.code(), Errc::unavailable);
  EXPECT_EQ(e.native(), "ENOENT");
  EXPECT_NE(std::string(e.what()).find("mkdir -p"), std::string::npos) << e.what();
}

TEST(FileStoreOpen, TheLocationMustBeAFolder) {
  const test::TempFolder folder;
  put(folder.path() / "file", "x");
  EXPECT_EQ(error_of([&] { open(folder.path() / "file"); }).code(), Errc::usage);
  EXPECT_EQ(error_of([&] { open(""); }).code(), Errc::usage);
}

TEST(FileStoreOpen, ARelativeLocationIsThatOfTheMomentOfOpening) {
  const test::TempFolder folder;
  fs::create_directory(folder.path() / "s");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const auto store = open("s");
  fs::current_path(before);
  store->write("k", as_bytes("x"));
  EXPECT_TRUE(fs::exists(folder.path() / "s" / "k"));
  EXPECT_EQ(store->location(), "file " + (fs::canonical(folder.path()) / "s").string());
}

TEST(FileStoreOpen, TheLocationItselfMayBeALink) {
  const test::TempFolder folder;
  fs::create_directory(folder.path() / "real");
  fs::create_directory_symlink("real", folder.path() / "link");
  open(folder.path() / "link")->write("k", as_bytes("x"));
  EXPECT_TRUE(fs::exists(folder.path() / "real" / "k"));
}

TEST_F(FileStoreTest, TheLayoutIsTheKeys) {
  store_->write("_hash/lab/abc", as_bytes("data"));
  std::ifstream file(root_ / "_hash" / "lab" / "abc");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "data");
  std::size_t names = 0;
  for ([[maybe_unused]] const auto& entry : fs::recursive_directory_iterator(root_)) ++names;
  EXPECT_EQ(names, 3u);
}

TEST_F(FileStoreTest, NoSymbolicLinkIsFollowed) {
  fs::create_directory(folder_.path() / "outside");
  put(folder_.path() / "outside" / "victim", "precious");
  fs::create_directory_symlink(folder_.path() / "outside", root_ / "abs");
  fs::create_directory_symlink("../outside", root_ / "rel");
  fs::create_symlink(folder_.path() / "outside" / "victim", root_ / "file");
  fs::create_symlink("dangling", root_ / "nowhere");
  fs::create_directory(root_ / "inner");
  put(root_ / "inner" / "victim", "x");
  fs::create_directory_symlink("inner", root_ / "inside");
  for (const std::string key :
       {"abs/victim", "rel/victim", "file", "nowhere", "inside/victim", "abs/new", "inside/new"}) {
    SCOPED_TRACE(key);
    const Version absent = Version::absent();
    const std::vector<std::string> one{key};
    EXPECT_EQ(error_of([&] { store_->stat(key); }).code(), Errc::access);
    EXPECT_EQ(error_of([&] { store_->read(key); }).code(), Errc::access);
    EXPECT_EQ(error_of([&] { store_->write(key, as_bytes("evil")); }).code(), Errc::access);
    EXPECT_EQ(error_of([&] { store_->write(key, as_bytes("evil"), &absent); }).code(), Errc::access);
    EXPECT_EQ(error_of([&] { store_->upload(key)->commit(); }).code(), Errc::access);
    EXPECT_EQ(error_of([&] { store_->remove(key); }).code(), Errc::access);
    EXPECT_EQ(error_of([&] { store_->sync(one); }).code(), Errc::access);
    const auto stayed = store_->remove_many(one);
    ASSERT_EQ(stayed.size(), 1u);
    EXPECT_EQ(stayed[0].code(), Errc::access);
    EXPECT_EQ(stayed[0].target(), "store raw, " + key);
  }
  EXPECT_EQ(error_of([&] { store_->list("abs/"); }).code(), Errc::access);
  const Page page = store_->list("");
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].key, "inner/victim");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path() / "outside"), {}), 1);
  EXPECT_EQ(fs::file_size(folder_.path() / "outside" / "victim"), 8u);
}

TEST_F(FileStoreTest, AFolderIsNoObject) {
  fs::create_directories(root_ / "d" / "e");
  EXPECT_FALSE(store_->stat("d"));
  EXPECT_FALSE(store_->read("d"));
  EXPECT_FALSE(store_->remove("d"));
  const Version absent = Version::absent();
  EXPECT_EQ(error_of([&] { store_->write("d", as_bytes("x")); }).code(), Errc::usage);
  EXPECT_EQ(error_of([&] { store_->write("d", as_bytes("x"), &absent); }).code(), Errc::usage);
  store_->write("f", as_bytes("x"));
  EXPECT_FALSE(store_->read("f/g"));
  EXPECT_EQ(error_of([&] { store_->write("f/g", as_bytes("x")); }).code(), Errc::usage);
  EXPECT_TRUE(fs::is_directory(root_ / "d" / "e"));
}

TEST_F(FileStoreTest, OtherFilesAreRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { store_->read("pipe"); }).code(), Errc::access);
  EXPECT_EQ(error_of([&] { store_->write("pipe", as_bytes("x")); }).code(), Errc::access);
  EXPECT_TRUE(store_->list("").entries.empty());
}

TEST_F(FileStoreTest, LongPartsAndOwnNamesAreRefused) {
  EXPECT_EQ(error_of([&] { store_->write("a/" + std::string(256, 'x'), as_bytes("1")); }).code(), Errc::usage);
  EXPECT_EQ(error_of([&] { store_->write(std::string(256, 'x') + "/b", as_bytes("1")); }).native(), "ENAMETOOLONG");
  EXPECT_EQ(error_of([&] { store_->write(".oas-tmp-1", as_bytes("1")); }).code(), Errc::usage);
  EXPECT_EQ(error_of([&] { store_->read("a/.oas-tmp-1/b"); }).code(), Errc::usage);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FileStoreTest, EmptyFoldersGoWithTheirLastObject) {
  store_->write("a/b/c/1", as_bytes("x"));
  store_->write("a/2", as_bytes("x"));
  EXPECT_TRUE(store_->remove("a/b/c/1"));
  EXPECT_FALSE(fs::exists(root_ / "a" / "b"));
  const std::vector<std::string> rest{"a/2"};
  EXPECT_TRUE(store_->remove_many(rest).empty());
  EXPECT_TRUE(fs::is_empty(root_));
  { auto upload = store_->upload("u/v/w"); }
  EXPECT_TRUE(fs::is_empty(root_));
  EXPECT_TRUE(fs::exists(root_));
}

TEST_F(FileStoreTest, AFolderRemovedUnderAnUploadIsMadeAgain) {
  auto upload = store_->upload("u/v/w");
  upload->append(as_bytes("data"));
  fs::remove_all(root_ / "u");
  upload->commit();
  EXPECT_EQ(store_->read("u/v/w")->data.text(), "data");
}

TEST_F(FileStoreTest, FoldersThatOthersRemoveAreMadeAgain) {
  std::atomic<bool> stop = false;
  std::thread remover([&] {
    while (!stop) {
      ::rmdir((root_ / "p" / "q").c_str());
      ::rmdir((root_ / "p").c_str());
      // Gives way as long as folders and a file need here, or nobody could ever make them in time.
      fs::create_directories(root_ / "r" / "s");
      std::ofstream(root_ / "r" / "s" / "t") << "x";
      fs::remove_all(root_ / "r");
    }
  });
  try {
    for (int i = 0; i < 200; ++i) {
      const std::string key = "p/q/" + std::to_string(i);
      EXPECT_TRUE(store_->write(key, as_bytes("x")));
      EXPECT_TRUE(store_->remove(key));
    }
  } catch (const Error& e) {
    ADD_FAILURE() << e.what();
  }
  stop = true;
  remover.join();
}

TEST_F(FileStoreTest, ALocationThatWasRemovedIsNotTakenForAnEmptyOne) {
  store_->write("k", as_bytes("x"));
  fs::remove_all(root_);
  fs::create_directory(root_);
  EXPECT_EQ(error_of([&] { store_->stat("k"); }).code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { store_->read("a/k"); }).code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { store_->list(""); }).code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { store_->remove("a/k"); }).code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { store_->write("a/k", as_bytes("x")); }).code(), Errc::unavailable);
}

TEST_F(FileStoreTest, SeesWhatAnotherProcessDid) {
  const auto other = open(root_);
  const Version version = *store_->write("k", as_bytes("1"));
  EXPECT_EQ(other->stat("k")->version, version);
  EXPECT_TRUE(other->write("k", as_bytes("2"), &version));
  EXPECT_FALSE(store_->write("k", as_bytes("3"), &version));
}

TEST_F(FileStoreTest, AFileChangedInPlaceHasAnotherVersion) {
  const Version version = *store_->write("k", as_bytes("1234"));
  put(root_ / "k", "4321");
  EXPECT_EQ(error_of([&] { store_->read("k", {}, &version); }).code(), Errc::conflict);
}

TEST_F(FileStoreTest, AProcessKilledWhileWritingLeavesNothing) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = open(root_);
    auto upload = mine->upload("u/big");
    const std::string text(1 << 20, 'x');
    upload->append(as_bytes(text));
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(store_->list("").entries.empty());
  for (const auto& entry : fs::recursive_directory_iterator(root_)) EXPECT_TRUE(entry.is_directory()) << entry.path();
}

TEST_F(FileStoreTest, WhatDeadWritersLeftIsHiddenAndSweptInTime) {
  const auto leftover = [&](const char* name, int age_seconds) {
    put(root_ / "d" / name, "half");
    const timespec times[2] = {{::time(nullptr) - age_seconds, 0}, {::time(nullptr) - age_seconds, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, (root_ / "d" / name).c_str(), times, 0), 0);
  };
  store_->write("d/kept", as_bytes("x"));
  leftover(".oas-tmp-1-old", 4000);
  leftover(".oas-tmp-1-young", 60);
  leftover(".oas-tmp-1-alive", 4000);
  const int alive = ::open((root_ / "d" / ".oas-tmp-1-alive").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(alive, LOCK_EX), 0);
  EXPECT_EQ(store_->list("").entries.size(), 1u);
  EXPECT_EQ(store_->list("d/.oas").entries.size(), 0u);
  EXPECT_FALSE(fs::exists(root_ / "d" / ".oas-tmp-1-old"));
  EXPECT_TRUE(fs::exists(root_ / "d" / ".oas-tmp-1-young"));
  EXPECT_TRUE(fs::exists(root_ / "d" / ".oas-tmp-1-alive"));
  ::close(alive);
}

TEST_F(FileStoreTest, NamesThatAreNoKeysAreNotListed) {
  put(root_ / "\xff\xfe", "x");
  store_->write("k", as_bytes("x"));
  EXPECT_EQ(store_->list("").entries.size(), 1u);
}

TEST_F(FileStoreTest, SyncingWhatIsNotThereFails) {
  const std::vector<std::string> none{"not/there"};
  EXPECT_EQ(error_of([&] { store_->sync(none); }).code(), Errc::missing_object);
  EXPECT_NO_THROW(open(root_, "false")->sync(none));  // this one promises nothing
}

// As a user without privileges, in a child: what root may do proves nothing.
int as_nobody(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(2);
    bool ok = false;
    try {
      ok = holds();
    } catch (...) {
    }
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST_F(FileStoreTest, AReadOnlyFolderIsReadAndRefusesWrites) {
  store_->write("a/k", as_bytes("x"));
  fs::permissions(folder_.path(), fs::perms(0755));
  for (const char* name : {"", "a"}) fs::permissions(root_ / name, fs::perms(0555));
  fs::permissions(root_ / "a" / "k", fs::perms(0444));
  const int result = as_nobody([&] {
    const auto store = open(root_);
    const auto refused = [](const Error& e) { return e.code() == Errc::access && e.native() == "EACCES"; };
    return store->read("a/k")->data.text() == "x" && store->list("").entries.size() == 1 &&
           refused(error_of([&] { store->write("a/k", as_bytes("y")); })) &&
           refused(error_of([&] { store->write("b/k", as_bytes("y")); })) &&
           refused(error_of([&] { store->remove("a/k"); })) && store->read("a/k")->data.text() == "x";
  });
  for (const char* name : {"", "a"}) fs::permissions(root_ / name, fs::perms(0755));
  EXPECT_EQ(result, 0);
}

TEST_F(FileStoreTest, TheUnprivilegedWriteReplaceAndRemove) {
  fs::permissions(folder_.path(), fs::perms(0755));
  fs::permissions(root_, fs::perms(0777));
  EXPECT_EQ(as_nobody([&] {
              const auto store = open(root_);
              const Version absent = Version::absent();
              const auto first = store->write("a/k", as_bytes("1"), &absent);
              return first && !store->write("a/k", as_bytes("2"), &absent) &&
                     store->write("a/k", as_bytes("2"), &*first) && store->write("a/k", as_bytes("3")) &&
                     store->read("a/k")->data.text() == "3" && store->remove("a/k");
            }),
            0);
}

TEST_F(FileStoreTest, AFolderThatCannotBeReadFailsTheList) {
  store_->write("open/k", as_bytes("x"));
  store_->write("shut/k", as_bytes("x"));
  fs::permissions(folder_.path(), fs::perms(0755));
  fs::permissions(root_ / "shut", fs::perms(0));
  EXPECT_EQ(as_nobody([&] { return error_of([&] { open(root_)->list(""); }).code() == Errc::access; }), 0);
  fs::permissions(root_ / "shut", fs::perms(0755));
}

TEST_F(FileStoreTest, AFullDiskIsUnavailableAndLeavesNothing) {
  if (::mount("tmpfs", root_.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "a tmpfs cannot be mounted here";
  {
    const auto store = open(root_);
    store->write("small", as_bytes("kept"));
    const std::string big(4 << 20, 'x');
    const Error e = error_of([&] { store->write("d/big", as_bytes(big)); });
    EXPECT_EQ(e.code(), Errc::unavailable);
    EXPECT_EQ(e.native(), "ENOSPC");
    auto upload = store->upload("d/big");
    EXPECT_EQ(error_of([&] { upload->append(as_bytes(big)); }).native(), "ENOSPC");
    EXPECT_EQ(error_of([&] { upload->commit(); }).code(), Errc::usage);  // it has a hole
    upload.reset();
    const Page page = store->list("");
    EXPECT_EQ(page.entries.size(), 1u);
    EXPECT_FALSE(fs::exists(root_ / "d"));
    EXPECT_TRUE(store->write("d/fits", as_bytes(std::string_view(big).substr(0, 500'000))));
  }
  ::umount2(root_.c_str(), MNT_DETACH);
}

TEST_F(FileStoreTest, ALimitOnFileSizeIsUnavailableAndLeavesNothing) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string big(4 << 20, 'x');
    const Error e = error_of([&] { store_->write("big", as_bytes(big)); });
    ::_exit(e.code() == Errc::unavailable && e.native() == "EFBIG" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FileStoreTest, NoDescriptorIsLeftOpen) {
  const auto open_files = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
  const auto before = open_files();
  for (int i = 0; i < 20; ++i) {
    store_->write("a/b", as_bytes("x"));
    store_->read("a/b");
    store_->list("");
    { auto upload = store_->upload("a/c"); }
    error_of([&] { store_->read("a/b", {9, 9}); });
    store_->remove("a/b");
  }
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace oas
