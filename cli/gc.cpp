#include <fmt/format.h>

#include "verbs.hpp"

namespace oas::cli {

int gc(Program& program) {
  const Collected collected = program.session().collect();
  if (program.json) {
    program.print(map({{"removed", collected.removed},
                       {"kept", collected.kept},
                       {"waiting", collected.waiting},
                       {"errors", collected.errors.size()}}));
  } else {
    write_out(
        fmt::format("{} objects removed, {} kept, {} waiting\n", collected.removed, collected.kept, collected.waiting));
  }
  for (const Error& error : collected.errors) program.report(error);
  return collected.errors.empty() ? done : found_problems;
}

}  // namespace oas::cli
