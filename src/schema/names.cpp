// Class names and table names.
#include <fmt/format.h>

#include <oas/definition.hpp>
#include <oas/error.hpp>

#include "core/text.hpp"

namespace oas {

namespace {

constexpr std::size_t max_table_name = 64;  // bytes; a database that takes less says so

/// [a-z][a-z0-9]*(_[a-z][a-z0-9]*)*
bool is_snake_case(std::string_view name) {
  bool word_begins = true;
  for (const char c : name) {
    if (c == '_' ? word_begins : word_begins ? !detail::is_lower(c) : !(detail::is_lower(c) || detail::is_digit(c)))
      return false;
    word_begins = c == '_';
  }
  return !word_begins;
}

std::string camel_case(std::string_view name) {
  std::string out;
  bool word_begins = true;
  for (const char c : name) {
    if (c != '_') out += word_begins && detail::is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
    word_begins = c == '_';
  }
  return out;
}

/// Where the part's own name begins in master__part, or npos.
std::size_t part_at(std::string_view table) {
  const std::size_t prefix = table.find_first_not_of('_');
  const std::size_t at = prefix == std::string_view::npos ? prefix : table.find("__", prefix);
  return at == std::string_view::npos ? at : at + 2;
}

}  // namespace

std::string table_name(Tier tier, std::string_view class_name, std::string_view master_table) {
  bool good = !class_name.empty() && detail::is_upper(class_name[0]);
  std::string snake;
  for (const char c : class_name) {
    good = good && detail::is_word(c);
    if (c == '_') continue;  // My_Table is MyTable
    if (detail::is_upper(c) && !snake.empty()) snake += '_';
    snake += detail::to_lower(c);
  }
  if (!good)
    throw Error(Errc::definition,
                fmt::format("name the table of class {}: this is not CamelCase of ASCII letters and digits. begin with "
                            "a capital letter and use A-Z, a-z, 0-9",
                            shown(class_name)),
                shown(class_name));
  switch (tier) {
    case Tier::manual: break;
    case Tier::lookup: snake.insert(0, "#"); break;
    case Tier::imported: snake.insert(0, "_"); break;
    case Tier::computed: snake.insert(0, "__"); break;
    case Tier::part:
      if (const std::optional<Tier> master = tier_of(master_table); !master || *master == Tier::part)
        throw Error(Errc::definition,
                    fmt::format("name the table of part {}: its master `{}` is not a table that can have parts. give "
                                "the table name of its master",
                                class_name, master_table),
                    std::string(class_name));
      snake = fmt::format("{}__{}", master_table, snake);
  }
  if (snake.size() > max_table_name)
    throw Error(Errc::definition,
                fmt::format("name the table of class {}: {} is longer than {} bytes. choose a shorter name",
                            shown(class_name), shown(snake), max_table_name),
                shown(class_name));
  return snake;
}

std::optional<Tier> tier_of(std::string_view table) {
  if (is_snake_case(table)) return Tier::manual;
  if (table.starts_with('#') && is_snake_case(table.substr(1))) return Tier::lookup;
  if (table.starts_with("__") && is_snake_case(table.substr(2))) return Tier::computed;
  if (table.starts_with('_') && is_snake_case(table.substr(1))) return Tier::imported;
  if (const std::size_t part = part_at(table); part != std::string_view::npos && is_snake_case(table.substr(part))) {
    const std::optional<Tier> master = tier_of(table.substr(0, part - 2));
    if (master && *master != Tier::part) return Tier::part;
  }
  return std::nullopt;
}

std::string class_name_of(std::string_view table) {
  const std::optional<Tier> tier = tier_of(table);
  if (!tier)
    throw Error(
        Errc::definition,
        fmt::format("name the class of table {}: it is not named as tables are. use its table name", shown(table)),
        shown(table));
  if (*tier != Tier::part) return camel_case(table.substr(table.find_first_not_of("#_")));
  const std::size_t part = part_at(table);
  return class_name_of(table.substr(0, part - 2)) + "." + camel_case(table.substr(part));
}

}  // namespace oas
