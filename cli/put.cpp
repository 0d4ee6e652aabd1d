#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <utility>

#include "input.hpp"
#include "verbs.hpp"

namespace oas::cli {
namespace {

RowFormat format_of(const Program& program, const Put& options, const std::string& file) {
  if (program.typed) return RowFormat::typed;
  if (options.format == "csv") return RowFormat::csv;
  if (options.format == "json") return RowFormat::json;
  return file.ends_with(".csv") || file.ends_with(".CSV") ? RowFormat::csv : RowFormat::json;
}

}  // namespace

int put(Program& program, const Put& options) {
  Table<> table = program.table(options.table);
  const Heading heading = table.heading();
  const InsertOptions how{.skip_duplicates = options.skip_duplicates,
                          .replace = options.replace,
                          .ignore_extra_fields = options.ignore_extra};

  Row row;
  std::vector<std::string> files;
  for (const std::string& item : options.items) {
    const auto given = assignment(item);
    if (!given) {
      files.push_back(item);
      continue;
    }
    const auto& [name, text] = *given;
    const Attribute* a = heading.find(name);
    if (row.find(name))
      throw Error(Errc::usage, fmt::format("insert into {}: {} is given twice", options.table, name), name);
    row.set(name, a ? from_text(*a, text) : Value(text));  // an unknown name is refused by the insert
  }
  if (!row.empty() && !files.empty())
    throw Error(Errc::usage,
                fmt::format("insert into {}: give attribute=value or files, not both. {} is no attribute=value",
                            options.table, files[0]),
                options.table);

  std::size_t count = 0;
  if (!row.empty()) {
    count = table.insert1(std::move(row), how);
  } else {
    if (files.empty()) files.emplace_back("-");
    Progress progress("rows");
    std::uint64_t seen = 0;
    // All files are one insert: all rows or none.
    std::size_t next_file = 0;
    std::ifstream file;
    std::unique_ptr<RowReader> reader;
    std::vector<std::unique_ptr<RowReader>> read;  // what they unpacked is needed until the end
    count = table.insert(
        [&](Row& into) {
          for (;;) {
            if (!reader) {
              if (next_file == files.size()) return false;
              const std::string& name = files[next_file++];
              const bool standard = name == "-";
              if (!standard) {
                file.close();
                file.clear();
                file.open(name, std::ios::binary);
                if (!file)
                  throw Error(Errc::usage, fmt::format("read {}: there is no such file, or it cannot be opened", name),
                              name);
              }
              reader = std::make_unique<RowReader>(standard ? std::cin : file, standard ? "standard input" : name,
                                                   format_of(program, options, name), heading, program.session());
            }
            if (reader->next(into)) {
              progress.show(++seen);
              return true;
            }
            read.push_back(std::exchange(reader, nullptr));
          }
        },
        how);
  }
  if (program.json)
    program.print(map({{"name", full_name(table)}, {"inserted", count}}));
  else
    write_out(fmt::format("{} {} into {}\n", count, count == 1 ? "row" : "rows", full_name(table)));
  return done;
}

}  // namespace oas::cli
