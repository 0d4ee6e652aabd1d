// A database server of tools/with_servers, to be crashed, started again, and upgraded to the newer release that
// tests/servers/get_databases has fetched. For a server of this test alone.
#pragma once

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/test_server.hpp"

namespace oas::test {

class RunningServer {
 public:
  /// Of OAS_TEST_POSTGRES, OAS_TEST_MARIADB or OAS_TEST_MYSQL.
  explicit RunningServer(const char* variable)
      : postgres_(std::string_view(variable) == "OAS_TEST_POSTGRES"), socket_(test_server(variable).value().socket) {
    folder_ = postgres_ ? socket_ : socket_.parent_path();
    const auto lines = status();
    if (!lines.empty()) pid_ = std::stoi(lines[0]);
    std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline", std::ios::binary);
    for (std::string word; std::getline(file, word, '\0');) command_.push_back(word);
    if (command_.empty()) throw std::runtime_error("the server in " + folder_.string() + " does not run");
    ::setenv("PGPASSWORD", test_server(variable)->password.c_str(), 1);  // for the programs of upgrade_postgres()
  }
  /// What was started again is stopped again.
  ~RunningServer() {
    if (!ours_) return;
    ::kill(pid_, postgres_ ? SIGINT : SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  /// Without a word to anybody; what was committed is found again in its log.
  void crash() { end(postgres_ ? SIGQUIT : SIGKILL); }  // PostgreSQL's other processes have to hear of it
  /// Returns when it lets clients in.
  void start() {
    if (!postgres_)  // MySQL takes a process that nobody has waited for yet for one that uses its socket
      std::filesystem::remove(socket_.string() + ".lock");
    pid_ = start_as_owner(command_);
    ours_ = true;
    while (!ready()) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) != 0)
        throw std::runtime_error("the server does not start: status " + std::to_string(status) + "\n" + log());
      ::usleep(1000);
    }
  }
  /// Whether there is a newer release that the server's user can run, of PostgreSQL or MariaDB.
  bool can_be_upgraded() const {
    namespace fs = std::filesystem;
    for (fs::path folder = newer(); ::geteuid() == 0 && folder != folder.root_path(); folder = folder.parent_path())
      if ((fs::status(folder).permissions() & fs::perms::others_exec) == fs::perms::none) return false;
    return fs::exists(newer()) && (!postgres_ || std::stoi(lines_of(folder_ / "data/PG_VERSION").at(0)) < 16);
  }
  /// Stopped, and started as the newer release, with the same data in the same place, as its manual says.
  void upgrade() {
    if (postgres_)
      upgrade_postgres();
    else
      upgrade_mariadb();
  }

 private:
  using Words = std::vector<std::string>;

  void end(int signal) {
    ::kill(pid_, signal);
    if (ours_)
      ::waitpid(pid_, nullptr, 0);
    else
      while (runs(pid_)) ::usleep(1000);  // it is the child of another process
  }
  /// Its user owns the folder.
  pid_t start_as_owner(Words words) const {
    struct stat owner {};
    ::stat(folder_.c_str(), &owner);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const std::string file = folder_ / "log";
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (!std::freopen(file.c_str(), "a", stdout) || !std::freopen(file.c_str(), "a", stderr)) ::_exit(126);
    if (::geteuid() == 0 && (::setgid(owner.st_gid) != 0 || ::setuid(owner.st_uid) != 0)) ::_exit(126);
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  void run_as_owner(const Words& words) const {
    int status = 0;
    ::waitpid(start_as_owner(words), &status, 0);
    if (status != 0) throw std::runtime_error(words[0] + ": status " + std::to_string(status) + "\n" + log());
  }
  std::string log() const {
    std::ifstream file(folder_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path newer() const {
    const std::filesystem::path build = std::filesystem::path(OAS_SOURCE_DIR) / "build/newer";
    return postgres_ ? build / "postgres/pgserver/pginstall/bin" : build / "mariadb/usr";
  }
  /// Into a new folder of data, by way of a dump.
  void upgrade_postgres() {
    namespace fs = std::filesystem;
    const fs::path data = folder_ / "data", dump = folder_ / "dump.sql";
    const std::string newer_programs = newer(), programs = fs::path(command_[0]).parent_path();
    const TestServer server = test_server("OAS_TEST_POSTGRES").value();
    const Words where{"-h", folder_, "-p", std::to_string(server.port), "-U", server.user, "-f", dump};
    const auto with = [&](Words words) {
      words.insert(words.end(), where.begin(), where.end());
      return words;
    };
    run_as_owner(with({programs + "/pg_dumpall"}));
    end(SIGINT);

    // The newer release is built without TLS.
    std::string access, settings;
    for (const std::string& line : lines_of(data / "pg_hba.conf"))
      if (!line.starts_with("hostssl") && !line.starts_with("hostnossl")) access += line + '\n';
    bool ours = false;  // what tools/with_servers wrote is at the end
    for (const std::string& line : lines_of(data / "postgresql.conf")) {
      ours = ours || line.starts_with("listen_addresses");
      if (ours && !line.starts_with("ssl")) settings += line + '\n';
    }
    fs::rename(data, folder_ / "old");
    run_as_owner({newer_programs + "/initdb", "-D", data, "-U", server.user, "--pwfile", folder_ / "password", "--auth",
                  "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"});
    std::ofstream(data / "pg_hba.conf") << access;
    std::ofstream(data / "postgresql.conf", std::ios::app) << settings;
    command_[0] = newer_programs + "/postgres";
    start();
    // That the first role is there already is an error, which is passed over.
    run_as_owner(with({programs + "/psql", "-q", "-o", "/dev/null", "-d", "postgres"}));
  }
  /// In place. It brings its own C library.
  void upgrade_mariadb() {
    end(SIGTERM);
    const std::filesystem::path usr = newer();
    std::string loader, libraries;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(usr)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("ld-linux")) loader = entry.path();
      if (name.ends_with("-linux-gnu") && entry.is_directory()) libraries += entry.path().string() + ":";
    }
    Words words{loader, "--library-path", libraries, usr / "sbin/mariadbd"};
    std::ranges::copy_if(command_, std::back_inserter(words), [](const auto& word) { return word.starts_with("--"); });
    words.push_back("--basedir=" + usr.string());
    words.push_back("--lc-messages-dir=" + (usr / "share/mariadb").string());
    command_ = std::move(words);
    start();
  }
  /// Not gone, and no zombie either.
  static bool runs(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string id, name, state;
    return static_cast<bool>(file >> id >> name >> state) && state != "Z";
  }
  /// Of the file that the server writes about itself.
  std::vector<std::string> status() const {
    return lines_of(postgres_ ? folder_ / "data/postmaster.pid" : folder_ / "pid");
  }
  static std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  bool ready() const {
    const auto lines = status();
    if (lines.empty() || lines[0] != std::to_string(pid_)) return false;
    return postgres_ ? lines.size() > 7 && lines[7].starts_with("ready") : greets();
  }
  bool greets() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const int to = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char letter = 0;
    const bool yes = ::connect(to, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::recv(to, &letter, 1, 0) == 1;
    ::close(to);
    return yes;
  }

  bool postgres_;
  std::filesystem::path socket_, folder_;
  std::vector<std::string> command_;
  pid_t pid_ = 0;
  bool ours_ = false;
};

}  // namespace oas::test
