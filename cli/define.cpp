#include <fmt/format.h>

#include <filesystem>

#include <oas/tools.hpp>

#include "verbs.hpp"

namespace oas::cli {
namespace {

// "lab.Scan" names the schema too; without one, or without any name, there are stand-ins.
constexpr std::string_view some_schema = "schema";

// scan_2p.txt → Scan2p
std::string class_from(const std::string& file) {
  if (file == "-") return "Table";
  std::string name;
  bool capital = true;
  for (const char c : std::filesystem::path(file).stem().string()) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
    if (letter) name += capital && c >= 'a' ? static_cast<char>(c - 32) : c;
    if (digit && !name.empty()) name += c;
    capital = !letter && !digit;
  }
  return name.empty() ? "Table" : name;
}

NamedDefinition named(std::string name, Tier tier, const std::string& file) {
  const bool part = name.find('.') != std::string::npos;
  return {std::move(name), part ? Tier::part : tier, read_text(file)};
}

}  // namespace

int define(Program& program, const Define& options) {
  std::string schema(some_schema), name = options.name.empty() ? class_from(options.file) : options.name;
  if (const std::size_t dot = name.find('.'); dot != std::string::npos && name[0] >= 'a' && name[0] <= 'z') {
    schema = name.substr(0, dot);
    name = name.substr(dot + 1);
  }
  std::vector<NamedDefinition> references;
  for (const std::string& other : options.with) {
    const std::size_t equals = other.find('=');
    if (equals == std::string::npos)
      throw Error(Errc::usage, fmt::format("use the definition {}: write --with Name=FILE", other));
    references.push_back(named(other.substr(0, equals), Tier::manual, other.substr(equals + 1)));
  }
  const auto definition = named(name, tier_from(options.tier), options.file);
  for (const std::string& statement : oas::define(definition, options.dialect, schema, references)) {
    if (program.json)
      program.print(map({{"statement", statement}}));
    else
      write_out(statement + ";\n");
  }
  return done;
}

}  // namespace oas::cli
