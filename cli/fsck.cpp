#include <fmt/format.h>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {
namespace {

std::string_view kind_name(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::dangling: return "dangling";
    case Finding::Kind::damaged: return "damaged";
    case Finding::Kind::leaked: return "leaked";
  }
  return "";
}

}  // namespace

int fsck(Program& program, const Fsck& options) {
  Audit audit;
  {
    Progress progress("fsck");
    AuditOptions how;
    how.deep = options.deep;
    how.repair = options.repair;
    how.grace = std::chrono::seconds(options.grace);
    how.progress = [&](std::size_t done_so_far, std::size_t total) { progress.show(done_so_far, total); };
    audit = program.session().audit(how);
  }
  for (const Finding& finding : audit.findings) {
    if (program.json) {
      program.print(map({{"finding", kind_name(finding.kind)},
                         {"store", finding.store},
                         {"path", finding.path},
                         {"where", finding.where},
                         {"detail", finding.detail}}));
    } else {
      write_out(fmt::format("{}: store {}, {}{}{}{}{}\n", kind_name(finding.kind), printable(finding.store),
                            printable(finding.path), finding.where.empty() ? "" : ", ", printable(finding.where),
                            finding.detail.empty() ? "" : ": ", printable(finding.detail)));
    }
  }
  if (program.json) {
    program.print(map({{"references", audit.references},
                       {"objects", audit.objects},
                       {"dangling", audit.dangling},
                       {"damaged", audit.damaged},
                       {"leaked", audit.leaked},
                       {"quarantined", audit.quarantined}}));
  } else {
    const std::string kept = audit.quarantined ? fmt::format(", {} in quarantine", audit.quarantined) : "";
    write_out(fmt::format("{} references, {} objects: {} dangling, {} damaged, {} leaked{}\n", audit.references,
                          audit.objects, audit.dangling, audit.damaged, audit.leaked, kept));
  }
  return audit.dangling + audit.damaged + audit.leaked == 0 ? done : found_problems;
}

}  // namespace oas::cli
