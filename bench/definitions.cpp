// The table language: definitions that arrive at run time become the statements that declare their tables, for each
// database, beside copying their lines. A number is lines per second.
//
//   oas_bench_definitions [--json] [--quick] [--repeats N] [--only WORKLOAD…]
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>

#include <oas/tools.hpp>

#include "report.hpp"

using bench::Timed;

namespace {

struct Options {
  bool json = false, quick = false;
  int repeats = 15;
  std::set<std::string> only;
  bool wants(const std::string& workload) const { return only.empty() || only.contains(workload); }
};

/// As people write them: `lines` attributes of all kinds, with comments and defaults.
std::string definition(std::size_t lines) {
  static const char* const kinds[] = {"=5 : int32  # how many of them there were",
                                      "=null : enum('left', 'right', 'both')  # which side",
                                      "=CURRENT_TIMESTAMP : datetime(3)",
                                      " : <blob@raw>  # what was recorded, as it came",
                                      "=\"it's: #1\" : varchar(255)  # a name for people",
                                      " : decimal(10, 2)",
                                      "=null : float64  # in seconds",
                                      " : <npy@>  # an array"};
  std::string text = "# recordings of one afternoon\nrecording : int64  # which\n---\n";
  for (std::size_t i = 0; i + 3 < lines; ++i) text += "attribute_" + std::to_string(i) + kinds[i % 8] + "\n";
  return text;
}

/// What nobody reads must still be made.
void keep(const void* made) { asm volatile("" : : "g"(made) : "memory"); }

void run(const Options& options, bench::Report& out) {
  struct Workload {
    std::string name;
    std::size_t tables, lines;
  };
  const Workload workloads[] = {{"definition_short", options.quick ? 100U : 2000U, 20},
                                {"definition_long", 1, options.quick ? 1000U : 10'000U}};
  for (const Workload& w : workloads) {
    if (!options.wants(w.name)) continue;
    const oas::NamedDefinition table{"Recording", oas::Tier::manual, definition(w.lines)};
    oas::DefineOptions how;
    how.schema = "lab";
    const Timed copy{[&](int) {
      for (std::size_t i = 0; i < w.tables; ++i) {
        std::vector<std::string> lines;
        std::istringstream in(table.text);
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        keep(lines.data());
      }
    }};
    for (const std::string database : {"sqlite", "postgresql", "mysql"}) {
      if (oas::define(table, database, how).statements.empty()) throw std::runtime_error("no statements");
      out.compare(w.name, database, "lines/s", static_cast<double>(w.tables * w.lines), Timed{[&](int) {
                    for (std::size_t i = 0; i < w.tables; ++i)
                      keep(oas::define(table, database, how).statements.data());
                  }},
                  copy, "copy lines");
    }
  }
}

}  // namespace

int main(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--quick") {
      options.quick = true;
    } else if (word == "--durable") {
      continue;  // nothing is stored here
    } else if (word == "--repeats" && i + 1 < count) {
      options.repeats = std::max(1, std::atoi(words[++i]));
    } else if (word == "--only") {
      while (i + 1 < count && words[i + 1][0] != '-') options.only.insert(words[++i]);
    } else {
      std::cerr << "oas_bench_definitions [--json] [--quick] [--repeats N] [--only WORKLOAD…]\n";
      return 2;
    }
  }
  bench::Report out(options.json, options.repeats, OAS_VERSION);
  try {
    run(options, out);
  } catch (const std::exception& error) {
    out.failed("definitions", "", error.what());
  }
  return out.failures() == 0 ? 0 : 1;
}
