#include "core/process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "expect_error.hpp"

namespace oas {
namespace {

TEST(Process, HasANameThatComesBack) {
  const ProcessId self = ProcessId::self();
  EXPECT_EQ(self, ProcessId::self());
  EXPECT_EQ(ProcessId::parse(self.text()), self);
  for (const char* text :
       {"", "a/b/1/2", "a/b/1/2/3/4", "/b/1/2/3", "a/b/x/2/3", "a/b/1/0/3", "a/b/1/-2/3", "a/b/1/2/"})
    EXPECT_EQ(code_of([&] { (void)ProcessId::parse(text); }), Errc::decode) << text;
}

TEST(Process, ThisOneLives) { EXPECT_EQ(life(ProcessId::self()), Life::alive); }

TEST(Process, AChildLivesUntilItIsGone) {
  int ready[2];
  int go[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(go), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string text = ProcessId::self().text();
    close(go[1]);
    char byte = 0;
    const bool told = write(ready[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(told && read(go[0], &byte, 1) == 0 ? 0 : 1);  // until the parent closes its end
  }
  char buffer[512];
  const ssize_t size = read(ready[0], buffer, sizeof buffer);
  ASSERT_GT(size, 0);
  const ProcessId id = ProcessId::parse({buffer, static_cast<std::size_t>(size)});
  EXPECT_EQ(id.pid, child);
  EXPECT_EQ(life(id), Life::alive);

  close(go[1]);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(life(id), Life::dead) << "ended, but nobody has asked how";
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(life(id), Life::dead);
  for (const int fd : {ready[0], ready[1], go[0]}) close(fd);
}

TEST(Process, IsNotTheOneThatGotItsNumberLater) {
  ProcessId earlier = ProcessId::self();
  earlier.started -= 1;
  EXPECT_EQ(life(earlier), Life::dead);
}

TEST(Process, ElsewhereNobodyKnows) {
  const ProcessId self = ProcessId::self();
  ProcessId other = self;
  other.host += "x";
  EXPECT_EQ(life(other), Life::unknown);
  other.boot = "another";
  EXPECT_EQ(life(other), Life::unknown) << "another boot of another host";
  other = self;
  other.pid_namespace += 1;
  EXPECT_EQ(life(other), Life::unknown);
  other.boot = "another";
  EXPECT_EQ(life(other), Life::unknown) << "another boot, but a namespace that is not this one";
  other = self;
  other.boot.clear();
  EXPECT_EQ(life(other), Life::unknown);
  other.boot = "another";
  EXPECT_EQ(life(other), Life::dead) << "this host was started anew since";
}

}  // namespace
}  // namespace oas
