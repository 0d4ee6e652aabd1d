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

/// "[SCHEMA.]Name", where a schema begins with a small letter.
NamedDefinition named(std::string name, Tier tier, const std::string& file) {
  std::string schema;
  if (const std::size_t dot = name.find('.'); dot != std::string::npos && name[0] >= 'a' && name[0] <= 'z') {
    schema = name.substr(0, dot);
    name = name.substr(dot + 1);
  }
  const bool part = name.find('.') != std::string::npos;
  return {std::move(name), part ? Tier::part : tier, read_text(file), std::move(schema)};
}

/// "[TIER:][SCHEMA.]Name=FILE"
NamedDefinition reference(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    throw Error(Errc::usage, fmt::format("use the definition {}: write --with Name=FILE", text));
  const std::string name = text.substr(0, equals), file = text.substr(equals + 1);
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos) return named(name, Tier::manual, file);
  return named(name.substr(colon + 1), tier_from(name.substr(0, colon)), file);
}

}  // namespace

int define(Program& program, const Define& options) {
  NamedDefinition definition =
      named(options.name.empty() ? class_from(options.file) : options.name, tier_from(options.tier), options.file);
  DefineOptions how;
  how.schema = definition.schema.empty() ? some_schema : definition.schema;
  for (const std::string& other : options.with) how.references.push_back(reference(other));
  how.job_metadata = program.settings().get("jobs.add_job_metadata") == Value(true);
  how.provenance = program.settings().get("provenance.capture") == Value(true);
  const DefinedTable defined = oas::define(definition, options.dialect, how);
  for (const std::string& note : defined.notes) program.note(note);
  for (const std::string& statement : defined.statements) {
    if (program.json)
      program.print(map({{"statement", statement}}));
    else
      write_out(statement + ";\n");
  }
  return done;
}

}  // namespace oas::cli
