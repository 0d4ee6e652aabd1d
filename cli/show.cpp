#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include <oas/tools.hpp>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {
namespace {

// What a reference refers to, as a value that an insert takes. The notation has no folders: see folder_notation.
Value loaded(const Attribute& attribute, const Value& value) {
  if (const auto* array = value.get_if<NpyRef>()) return array->load();
  const auto* object = value.get_if<ObjectRef>();
  if (!object || object->is_folder() || attribute.codec == "filepath") return value;
  const Map* metadata = object->metadata().get_if<Map>();
  const Value* ext = metadata ? metadata->find("ext") : nullptr;
  const auto* extension = ext ? ext->get_if<std::string>() : nullptr;
  if (!extension) return object->read();
  return Attachment(attribute.name + *extension, object->read());  // the name brings the extension along
}

std::string folder_notation(const ObjectRef& folder) {
  Seq files;
  for (const FileInfo& file : folder.files())
    files.items.emplace_back(Seq{Seq::Kind::list, {file.path, hex(folder.read(file.path))}});
  return to_json(map({{"t", "folder"}, {"files", std::move(files)}}));
}

std::string typed_row(const Heading& heading, const Row& row, bool load) {
  std::string line = "{";
  for (const auto& [name, value] : row) {
    const Attribute& a = heading.at(name);
    const auto* object = value.get_if<ObjectRef>();
    const bool folder = load && object && object->is_folder() && a.codec != "filepath";
    line += fmt::format("{}{}: {}", line.size() > 1 ? ", " : "", to_json(name),
                        folder ? folder_notation(*object) : to_typed(load ? loaded(a, value) : value));
  }
  return line + "}\n";
}

/// Calls `take` for every row. If what references refer to is wanted, arrays are loaded for many rows at once.
void for_each_row(const Query& query, bool load, const std::function<void(const Row&)>& take) {
  if (!load) {
    for (const Row& row : query) take(row);
    return;
  }
  constexpr std::size_t most_rows = 256;
  constexpr std::uint64_t most_bytes = 64 << 20;
  std::vector<Row> rows;
  std::vector<NpyRef> arrays;
  std::uint64_t bytes = 0;
  const auto flush = [&] {
    oas::load(arrays);
    for (const Row& row : rows) take(row);
    rows.clear();
    arrays.clear();
    bytes = 0;
  };
  for (const Row& row : query) {
    for (const auto& [name, value] : row) {
      const auto* array = value.get_if<NpyRef>();
      if (!array) continue;
      arrays.push_back(*array);
      bytes += array->nbytes();
    }
    rows.push_back(row);
    if (arrays.empty() || rows.size() == most_rows || bytes >= most_bytes) flush();
  }
  flush();
}

bool is_number(const Attribute& a) {
  return a.codec.empty() && (a.type.find("int") != std::string::npos || a.type.starts_with("float") ||
                             a.type.starts_with("decimal") || a.type.starts_with("double"));
}

}  // namespace

int show(Program& program, const Show& options) {
  const Table<> table = program.table(options.table);
  Query query = table;
  if (!options.where.empty()) query = query & where_runtime(options.where);
  if (!options.order.empty()) query = query.order_by(options.order);
  if (options.limit) query = query.limit(*options.limit);
  const Heading heading = query.heading();
  if (!options.load) query = unread(query);

  if (program.typed) {
    for_each_row(query, options.load, [&](const Row& row) { write_out(typed_row(heading, row, options.load)); });
    return done;
  }
  if (program.json) {
    for_each_row(query, options.load, [&](const Row& row) {
      Map line;
      for (const auto& [name, value] : row)
        line.items.emplace_back(name, options.load ? plain_with_data(loaded(heading.at(name), value)) : plain(value));
      program.print(line);
    });
    return done;
  }
  std::vector<std::string> names = heading.names();
  std::vector<bool> right;
  for (const std::string& name : names) right.push_back(is_number(heading.at(name)));
  Columns columns(std::move(names), std::move(right));
  for_each_row(query, options.load, [&](const Row& row) {
    std::vector<std::string> cells;
    for (const auto& [name, value] : row)
      cells.push_back(brief(options.load ? loaded(heading.at(name), value) : value));
    columns.add(std::move(cells));
  });
  const std::size_t rows = columns.finish();
  write_out(fmt::format("({} {})\n", rows, rows == 1 ? "row" : "rows"));
  return done;
}

}  // namespace oas::cli
