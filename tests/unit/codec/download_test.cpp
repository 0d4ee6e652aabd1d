#include <gtest/gtest.h>

#include <fstream>

#include "core/ref_state.hpp"
#include "support/memory_sink.hpp"
#include "support/temp_folder.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

class DownloadTest : public ::testing::Test {
 protected:
  ObjectRef folder(const std::string& manifest) {
    if (!manifest.empty()) store_->write("f.manifest.json", as_bytes(manifest));
    return make_ref(map({{"path", "f"}, {"store", "main"}, {"is_dir", true}}), store_);
  }
  test::TempFolder temp_;
  std::shared_ptr<Store> store_ = test::memory_store();
};

TEST_F(DownloadTest, LargeFileArrivesInPieces) {
  std::string content(20'000'001, 'x');
  for (std::size_t i = 0; i < content.size(); i += 997) content[i] = static_cast<char>('a' + i % 23);
  store_->write("big", as_bytes(content));
  const ObjectRef ref = make_ref(map({{"path", "big"}, {"store", "main"}, {"size", content.size()}}), store_);
  const fs::path target = temp_.path() / "new" / "big.bin";
  EXPECT_EQ(ref.download(target), target);
  EXPECT_TRUE(content_of(target) == content);
  EXPECT_EQ(entries(target.parent_path()), 1u);  // and nothing beside it
  EXPECT_EQ(code_of([&] { ref.download(target); }), Errc::usage);
}

TEST_F(DownloadTest, FolderArrivesCompleteOrNotAtAll) {
  store_->write("f/a", as_bytes("1"));
  store_->write("f/b/c", as_bytes(""));
  const std::vector<FileInfo> files{{"a", 1}, {"b/c", 0}};
  const ObjectRef ref = folder(manifest_text(files, 1, "now"));
  ref.download(temp_.path() / "got");
  EXPECT_EQ(content_of(temp_.path() / "got/a"), "1");
  EXPECT_TRUE(fs::is_regular_file(temp_.path() / "got/b/c"));

  store_->remove("f/b/c");
  EXPECT_EQ(code_of([&] { folder("").download(temp_.path() / "again"); }), Errc::missing_object);
  store_->write("f/b/c", as_bytes("3"));
  EXPECT_EQ(code_of([&] { folder("").download(temp_.path() / "again"); }), Errc::integrity);
  store_->write("f/b/c", as_bytes(""));
  store_->write("f/a", as_bytes(""));
  EXPECT_EQ(code_of([&] { folder("").download(temp_.path() / "again"); }), Errc::integrity);
  EXPECT_EQ(entries(temp_.path()), 1u);
}

TEST_F(DownloadTest, HostileManifestWritesNothing) {
  store_->write("x", as_bytes("1"));
  for (const char* path : {"../x", "/x", "a/../../x", ""}) {
    const std::string manifest = std::string("{\"files\": [{\"path\": \"") + path + "\", \"size\": 1}]}";
    EXPECT_EQ(code_of([&] { folder(manifest).download(temp_.path() / "sub" / "got"); }), Errc::integrity) << path;
  }
  EXPECT_EQ(entries(temp_.path()), 0u);
}

TEST_F(DownloadTest, ExistingTargetsStay) {
  store_->write("a", as_bytes("1"));
  const ObjectRef ref = make_ref(map({{"path", "a"}, {"store", "main"}, {"size", 1}}), store_);
  fs::create_symlink("/nowhere/at/all", temp_.path() / "link");
  fs::create_directory(temp_.path() / "folder");
  EXPECT_EQ(code_of([&] { ref.download(temp_.path() / "link"); }), Errc::usage);
  EXPECT_EQ(code_of([&] { ref.download(temp_.path() / "folder"); }), Errc::usage);
  EXPECT_EQ(code_of([&] { ref.download(temp_.path() / "folder/"); }), Errc::usage);
}

TEST_F(DownloadTest, AttachmentsKeepTheirNamesAndNeighbours) {
  const auto save = [&](const std::string& name, const std::string& content) {
    return Attachment(name, Bytes::copy(content)).save_to(temp_.path() / "in").filename().string();
  };
  EXPECT_EQ(save("report.txt", "one"), "report.txt");
  EXPECT_EQ(save("report.txt", "two"), "report_1.txt");
  EXPECT_EQ(save("report.txt", "three"), "report_2.txt");
  EXPECT_EQ(save("report.txt", "two"), "report_1.txt");
  EXPECT_EQ(save("noext", ""), "noext");
  EXPECT_EQ(save(".hidden", "x"), ".hidden");
  EXPECT_EQ(content_of(temp_.path() / "in/report.txt"), "one");
  EXPECT_EQ(content_of(temp_.path() / "in/report_1.txt"), "two");
  EXPECT_EQ(entries(temp_.path() / "in"), 5u);
}

TEST_F(DownloadTest, AttachmentsNeverLeaveTheFolderNorFollowLinks) {
  using namespace std::string_literals;
  const fs::path in = temp_.path() / "in";
  for (const std::string& name : {"../evil"s, "/tmp/evil"s, "a/b"s, "a\\b"s, "a\0b"s, "."s, ".."s, ""s})
    EXPECT_EQ(code_of([&] { AttachmentAccess::stored(name, Bytes::copy("x")).save_to(in); }), Errc::access) << name;
  EXPECT_FALSE(fs::exists(in));
  fs::create_directory(in);
  fs::create_symlink(temp_.path() / "outside", in / "a.txt");
  EXPECT_EQ(AttachmentAccess::stored("a.txt", Bytes::copy("x")).save_to(in).filename(), "a_1.txt");
  EXPECT_FALSE(fs::exists(temp_.path() / "outside"));
}

}  // namespace
}  // namespace oas::codec
