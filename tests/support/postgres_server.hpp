// The PostgreSQL of tools/with_servers, to be crashed and started again. For a server of this test alone.
#pragma once

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/postgres.hpp"

namespace oas::test {

class PostgresServer {
 public:
  PostgresServer() : folder_(test_server(postgres_variable).value().socket) {
    pid_ = postmaster();
    std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline", std::ios::binary);
    for (std::string word; std::getline(file, word, '\0');) command_.push_back(word);
    if (command_.empty()) throw std::runtime_error("the server in " + folder_ + " does not run");
  }
  /// What was started again is stopped again.
  ~PostgresServer() {
    if (!ours_) return;
    ::kill(pid_, SIGINT);
    ::waitpid(pid_, nullptr, 0);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Without a word to anybody; what was committed is found again in its log.
  void crash() {
    ::kill(pid_, SIGQUIT);
    if (ours_)
      ::waitpid(pid_, nullptr, 0);
    else
      while (runs(pid_)) {  // it is the child of another process
      }
  }
  /// Returns when it lets clients in.
  void start() {
    struct stat owner {};
    ::stat((folder_ + "/data").c_str(), &owner);
    std::vector<char*> words;
    for (std::string& word : command_) words.push_back(word.data());
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      if (!std::freopen((folder_ + "/log").c_str(), "a", stderr)) ::_exit(126);
      if (::geteuid() == 0 && (::setgid(owner.st_gid) != 0 || ::setuid(owner.st_uid) != 0)) ::_exit(126);
      ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    ours_ = true;
    while (!ready()) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) != 0)
        throw std::runtime_error("the server in " + folder_ + " does not start: status " + std::to_string(status));
    }
  }

 private:
  /// Not gone, and no zombie either.
  static bool runs(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string id, name, state;
    return static_cast<bool>(file >> id >> name >> state) && state != "Z";
  }
  std::vector<std::string> status() const {
    std::ifstream file(folder_ + "/data/postmaster.pid");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  pid_t postmaster() const {
    const auto lines = status();
    return lines.empty() ? 0 : std::stoi(lines[0]);
  }
  bool ready() const {
    const auto lines = status();
    return lines.size() > 7 && lines[0] == std::to_string(pid_) && lines[7].starts_with("ready");
  }

  std::string folder_;
  std::vector<std::string> command_;
  pid_t pid_ = 0;
  bool ours_ = false;
};

}  // namespace oas::test
