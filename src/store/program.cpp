#include "store/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace oas::store {

Program::Program(const std::string& command, std::size_t most) : most_(most) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  output_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string shell = "sh", option = "-c", text = command;
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  if (::posix_spawn(&pid_, "/bin/sh", &actions, nullptr, arguments, environ) != 0) pid_ = 0;
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
}

Program::~Program() {
  if (output_ >= 0) ::close(output_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Program::read(std::chrono::milliseconds patience) {
  pollfd one{output_, POLLIN, 0};
  if (::poll(&one, 1, static_cast<int>(patience.count())) <= 0) return true;
  char piece[4096];
  const ssize_t got = ::read(output_, piece, std::min(sizeof piece, most_ - said_.size()));
  if (got > 0) {
    said_.append(piece, static_cast<std::size_t>(got));
    return true;
  }
  ::close(std::exchange(output_, -1));
  return false;
}

std::optional<int> Program::status() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return std::nullopt;
  pid_ = 0;
  return status;
}

}  // namespace oas::store
