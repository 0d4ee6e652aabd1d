// A database server of tools/with_servers, to be crashed and started again. For a server of this test alone.
#pragma once

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
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
  void crash() {
    ::kill(pid_, postgres_ ? SIGQUIT : SIGKILL);  // PostgreSQL's other processes have to hear of it
    if (ours_)
      ::waitpid(pid_, nullptr, 0);
    else
      while (runs(pid_)) {  // it is the child of another process
      }
  }
  /// Returns when it lets clients in.
  void start() {
    struct stat owner {};
    ::stat((folder_ / "data").c_str(), &owner);
    std::vector<char*> words;
    for (std::string& word : command_) words.push_back(word.data());
    words.push_back(nullptr);
    if (!postgres_)  // MySQL takes a process that nobody has waited for yet for one that uses its socket
      std::filesystem::remove(socket_.string() + ".lock");
    pid_ = ::fork();
    if (pid_ == 0) {
      if (!std::freopen((folder_ / "log").c_str(), "a", stderr)) ::_exit(126);
      if (::geteuid() == 0 && (::setgid(owner.st_gid) != 0 || ::setuid(owner.st_uid) != 0)) ::_exit(126);
      ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    ours_ = true;
    while (!ready()) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) != 0)
        throw std::runtime_error("the server in " + folder_.string() + " does not start: status " +
                                 std::to_string(status));
      ::usleep(1000);
    }
  }

 private:
  /// Not gone, and no zombie either.
  static bool runs(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string id, name, state;
    return static_cast<bool>(file >> id >> name >> state) && state != "Z";
  }
  /// Of the file that the server writes about itself.
  std::vector<std::string> status() const {
    std::ifstream file(postgres_ ? folder_ / "data/postmaster.pid" : folder_ / "pid");
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
