// What happens to a server while a session is at work: its disk is full, or somebody else changes a table whose
// statements are prepared already.
#include <sys/mount.h>
#include <sys/stat.h>

#include "lab.hpp"

namespace oas::test {
namespace {

class ServerTrouble : public Lab {};

/// A disk of a few megabytes in the place of a folder. Only root can make one.
class TinyDisk {
 public:
  bool mount(const std::filesystem::path& at, const char* size) {
    struct stat info {};
    if (::stat(at.c_str(), &info) != 0) return false;
    const std::string options = "size=" + std::string(size) + ",uid=" + std::to_string(info.st_uid) +
                                ",gid=" + std::to_string(info.st_gid) + ",mode=0700";
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, options.c_str()) != 0) return false;
    at_ = at;
    return true;
  }
  bool resize(const char* size) const {
    return ::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + std::string(size)).c_str()) == 0;
  }
  ~TinyDisk() {
    if (at_.empty()) return;
    ::umount2(at_.c_str(), MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove(at_, ignored);
  }
  TinyDisk() = default;
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

 private:
  std::filesystem::path at_;
};

TEST_P(ServerTrouble, ItsDiskIsFull) {
  lab();
  // MariaDB 10.11 ends itself when a value beside its row finds no room: tests/fault has servers that end. Here its
  // values are small enough to lie in the row.
  const bool in_rows = Lab::server() == std::string_view("OAS_TEST_MARIADB");
  const int at_once = in_rows ? 200 : 5;
  // The folder of the schema; of PostgreSQL one beside that of the database, for a tablespace.
  std::filesystem::path at = raw()->cell(on_postgres() ? "SHOW data_directory" : "SELECT @@datadir");
  if (on_postgres()) {
    struct stat info {};
    ASSERT_EQ(::stat(at.c_str(), &info), 0);
    at = at.parent_path() / "tiny";
    std::filesystem::create_directory(at);
    if (::chown(at.c_str(), info.st_uid, info.st_gid) != 0) GTEST_SKIP() << "only root can make a disk that is full";
  } else {
    at /= "lab";
  }
  TinyDisk disk;
  if (!on_postgres()) {  // what the schema has so far lies on the large disk
    close();
    raw()->run("DROP DATABASE lab");
    raw()->run("CREATE DATABASE lab");
  }
  if (!disk.mount(at, "6m")) GTEST_SKIP() << "only root can make a disk that is full";
  Table<> table = declare("Scan", "id : int32\n---\nb : bytes\no=null : <blob@main>");
  if (on_postgres()) {
    raw()->run("CREATE TABLESPACE tiny LOCATION '" + at.string() + "'");
    raw()->run("ALTER TABLE " + raw()->table("scan") + " SET TABLESPACE tiny");
  }

  std::vector<std::byte> noise(in_rows ? 3000 : 400'000);
  std::uint32_t state = 1;
  for (std::byte& b : noise) b = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
  const Bytes large(noise);
  const auto rows = [&](int first) {
    std::vector<Row> out;
    for (int id = first; id < first + at_once; ++id) out.push_back({{"id", id}, {"b", large}, {"o", id}});
    return out;
  };
  std::size_t there = 0;
  std::optional<Error> full;
  for (int first = 0; first < 20 * at_once && !full; first += at_once) {
    try {
      there += table.insert(rows(first));
    } catch (const Error& e) {
      full = e;
    }
  }
  ASSERT_TRUE(full) << "the disk was never full";
  const TestServer server = test_server(Lab::server()).value();
  EXPECT_EQ(to_string(full->code()), to_string(Errc::unavailable)) << full->what();
  for (const std::string& word : {std::string("disk is full"), std::string("lab.scan"), server.host})
    EXPECT_NE(std::string(full->what()).find(word), std::string::npos) << full->what();
  EXPECT_EQ(std::string(full->what()).find(server.password), std::string::npos);
  EXPECT_EQ(table.size(), there);  // whole inserts
  expect_tidy(there);

  ASSERT_TRUE(disk.resize("64m"));
  const auto more = static_cast<std::size_t>(at_once);
  EXPECT_EQ(table.insert(rows(10'000)), more);  // and the same session goes on
  EXPECT_EQ(table.size(), there + more);
  table.drop();
  if (on_postgres()) {
    raw()->run("DROP TABLESPACE tiny");
    return;
  }
  close();
  try {
    raw()->run("DROP DATABASE lab");
  } catch (const std::exception&) {
    // All is gone but the folder, over which the disk lies.
  }
}

TEST_P(ServerTrouble, ATableIsChangedUnderPreparedStatements) {
  Table<> table = declare("Scan", "id : int32\n---\nx : int32\ny = null : varchar(10)");
  table.insert1({{"id", 1}, {"x", 5}});
  EXPECT_EQ((table & where("id = 1")).fetch1("x"), Value(5));
  const auto alter = [&](const std::string& what) { raw()->run("ALTER TABLE " + raw()->table("scan") + " " + what); };

  alter(on_postgres() ? "ALTER COLUMN x TYPE bigint" : "MODIFY x bigint NOT NULL COMMENT ':int64:'");
  if (on_postgres()) raw()->run("COMMENT ON COLUMN " + raw()->table("scan") + ".x IS ':int64:'");
  if (on_postgres())  // which has planned the statement for the old type
    fails(Errc::conflict, {"somebody has changed the table", "try again"},
          [&] { (table & where("id = 1")).fetch1("x"); });
  EXPECT_EQ((table & where("id = 1")).fetch1("x"), Value(5));
  table.insert1({{"id", 2}, {"x", 6}});
  EXPECT_EQ(table.fetch().size(), 2U);

  alter("ADD COLUMN z int NULL");
  table.insert1({{"id", 3}, {"x", std::int64_t{1} << 40}});
  EXPECT_EQ((lab()["scan"] & where("id = 3")).fetch1("x"), Value(std::int64_t{1} << 40));
  EXPECT_EQ(*lab()["scan"].order_by({"id"}).fetch().back().find("z"), Value());

  alter("DROP COLUMN y");
  fails(Errc::unknown_attribute, {"y"}, [&] { table.fetch(); });
  EXPECT_EQ(lab()["scan"].fetch().size(), 3U);
  Table<> now = lab()["scan"];
  now.insert1({{"id", 4}, {"x", 7}});
  EXPECT_EQ(now.size(), 4U);

  raw()->run("DROP TABLE " + raw()->table("scan"));
  fails(Errc::unknown_table, {"scan"}, [&] { now.fetch(); });
  fails(Errc::unknown_table, {"scan"}, [&] { now.insert1({{"id", 5}, {"x", 7}}); });
}

OAS_ON_SERVERS(ServerTrouble);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ServerTrouble);

}  // namespace
}  // namespace oas::test
