#include <fmt/format.h>

#include "verbs.hpp"

namespace oas::cli {

int rm(Program& program, const Rm& options) {
  if (options.where.empty() != options.all)
    throw Error(Errc::usage, fmt::format("remove from {}: say which rows with -w, or --all", options.table),
                options.table);
  Query query = program.table(options.table);
  if (!options.all) query = query & where_runtime(options.where);

  const auto would = query.would_remove();
  std::size_t rows = 0;
  for (const auto& [table, count] : would) rows += count;
  if (!program.json) {
    for (const auto& [table, count] : would)
      if (count > 0) write_out(fmt::format("{}: {} {}\n", table, count, count == 1 ? "row" : "rows"));
    flush_out();
  }
  if (rows > 0 && !options.yes) {
    if (program.json || !is_terminal(stdin))
      throw Error(Errc::usage,
                  fmt::format("remove {} {} from {}: nobody can be asked. say --yes", rows, rows == 1 ? "row" : "rows",
                              options.table),
                  options.table);
    if (!ask(fmt::format("remove {} and what belongs to {}?",
                         rows == 1 ? "this row" : fmt::format("these {} rows", rows), rows == 1 ? "it" : "them"))) {
      write_out("nothing was removed\n");
      return found_problems;
    }
  }
  const std::size_t gone = rows == 0 ? 0 : query.remove();
  if (program.json) {
    Map tables;
    for (const auto& [table, count] : would) tables.set(table, count);
    program.print(map({{"removed", gone}, {"tables", std::move(tables)}}));
  } else {
    write_out(fmt::format("removed {} {}\n", gone, gone == 1 ? "row" : "rows"));
  }
  return done;
}

}  // namespace oas::cli
