// The program as people and scripts run it: in a folder of its own, looking at what it prints and its exit code.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <oas/tools.hpp>

#include "support/temp_folder.hpp"

namespace oas::cli_test {

namespace fs = std::filesystem;

struct Answer {
  int exit = -1;
  std::string out, err;
};

inline std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class CliTest : public testing::Test {
 protected:
  // Streams are files beside the program's folder, so that nothing can block.
  Answer run(std::vector<std::string> words, const std::string& input = {}) const {
    words.insert(words.begin(), {"oas", "--folder", work_.string()});
    return run_bare(words, input);
  }
  Answer run_bare(std::vector<std::string> words, const std::string& input = {}) const {
    write(streams_ / "in", input);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> kept;
    for (char** entry = ::environ; *entry; ++entry)
      if (!std::string_view(*entry).starts_with("DJ_")) kept.emplace_back(*entry);
    kept.insert(kept.end(), environment_.begin(), environment_.end());
    std::vector<char*> environment;
    for (std::string& entry : kept) environment.push_back(entry.data());
    environment.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string in = streams_ / "in", out = streams_ / "out", err = streams_ / "err";
    posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child = 0;
    const int failure = ::posix_spawn(&child, OAS_PROGRAM, &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(failure, 0);
    if (failure != 0) return {};
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "it died of signal " << WTERMSIG(status);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(out), content(err)};
  }
  // The answer to what must work.
  std::string good(std::vector<std::string> words, const std::string& input = {}) const {
    const Answer answer = run(words, input);
    EXPECT_EQ(answer.exit, 0) << answer.err;
    EXPECT_EQ(answer.err, "");
    return answer.out;
  }
  static std::vector<Map> lines(const std::string& text) {
    std::vector<Map> out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      EXPECT_NE(end, std::string::npos) << text;
      out.push_back(from_json(text.substr(at, end - at), "a line").as<Map>());
      at = end + 1;
    }
    return out;
  }
  static void write(const fs::path& file, std::string_view text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    ASSERT_TRUE(out.flush());
  }
  fs::path file(const std::string& name, std::string_view text) const {
    write(files_ / name, text);
    return files_ / name;
  }
  fs::path npy(const std::string& name, const Array& array) const { return file(name, as_text(format_npy(array))); }

  void declare_everything(const std::string& table) const {
    good({"declare", table, "-"}, R"(
      # one of each
      id         : int32
      ---
      name = "?" : varchar(40)    # a name
      when=null  : datetime
      cost=null  : decimal(8,2)
      ok=null    : bool
      mark=null  : uuid
      raw=null   : bytes
      note=null  : json
      small=null : <blob>
      big=null   : <blob@>
      waves=null : <npy@>
      report=null : <attach@>
      tree=null  : <object@>
      film=null  : <object@>
    )");
  }
  void SetUp() override {
    fs::create_directory(work_);
    fs::create_directory(files_);
    fs::create_directory(streams_);
  }

  std::vector<std::string> environment_;  ///< "DJ_HOST=h"; no other DJ_ variables are there
  test::TempFolder folder_;
  fs::path work_ = folder_.path() / "work", files_ = folder_.path() / "files", streams_ = folder_.path() / "streams";
};

class ConfiguredCli : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    good({"config", "init"});
  }
};

}  // namespace oas::cli_test
