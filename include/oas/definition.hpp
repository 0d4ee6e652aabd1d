// Definition: the text that declares a table, checked by the compiler. A mistake in it is a compile error whose message
// names the mistake and its line and column:
//
//     struct Recording : oas::Manual {
//       static constexpr oas::Definition definition = R"(
//         recording_id : uuid
//         ---
//         raw_data : <blob@>
//       )";
//     };
//
// The language is described in docs/howto/definitions.md. Types of attributes by name: <oas/attribute.hpp>.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <oas/definition_parser.hpp>

namespace oas {

/// A text as a template argument: fetch1<"raw_data">().
template <std::size_t N>
struct fixed_string {
  char text[N]{};
  consteval fixed_string(const char (&literal)[N]) {  // NOLINT(google-explicit-constructor)
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

namespace detail {

// Never defined: the compiler reports that this function, whose name says what is wrong, is not constexpr.
#define OAS_DECLARE(name, why, advice) void definition_error_##name(std::size_t line, std::size_t column);
OAS_DEFINITION_MISTAKES(OAS_DECLARE)
#undef OAS_DECLARE

consteval void refuse_definition(Mistake mistake, std::size_t line, std::size_t column) {
  switch (mistake) {
    case Mistake::none: break;
#define OAS_REFUSE(name, why, advice) \
  case Mistake::name: definition_error_##name(line, column); break;
      OAS_DEFINITION_MISTAKES(OAS_REFUSE)
#undef OAS_REFUSE
  }
}

/// Line and column of a mistake, from 1; columns are characters.
struct Position {
  std::size_t line = 1, column = 1;
};
constexpr Position position_of(const char* at, std::string_view text) {
  Position position;
  for (const char& c : text) {
    if (&c == at) break;
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++position.column;
    if (c == '\n') position = {position.line + 1, 1};
  }
  return position;
}

/// Refuses what a text that arrives at run time may have, as in DataJoint for Python, where the first line wins: a name
/// with two types. N: more than the number of attributes.
template <std::size_t N>
struct DuplicateCheck : DefinitionVisitor {
  std::array<std::string_view, N> names{}, types{};
  std::size_t count = 0;
  constexpr Flaw attribute(const AttributeLine& line) {
    for (std::size_t i = 0; i < count; ++i)
      if (names[i] == line.name && types[i] != line.type.text)
        return {Mistake::attribute_declared_twice, line.name.data()};
    names[count] = line.name;
    types[count++] = line.type.text;
    return {};
  }
};

}  // namespace detail

class Definition {
 public:
  /// From a literal, at compile time only; the view stays valid for ever.
  template <std::size_t N>
  consteval Definition(const char (&literal)[N]) : text_(literal, N - 1) {  // NOLINT(google-explicit-constructor)
    detail::DuplicateCheck<N / 4 + 1> check;  // the shortest attribute is "a:int8" and its line end
    if (const detail::Flaw flaw = detail::scan_definition(text_, check)) {
      const detail::Position position = detail::position_of(flaw.at, text_);
      detail::refuse_definition(flaw.mistake, position.line, position.column);
    }
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// Who makes the rows of a table: people and programs (manual), its authors (lookup), computation with data from
/// outside (imported) or without (computed); the rows of a part belong to a row of its master.
enum class Tier : std::uint8_t { manual, lookup, imported, computed, part };

// Bases of structs that declare tables.
struct Manual {
  static constexpr Tier tier = Tier::manual;
};
struct Lookup {
  static constexpr Tier tier = Tier::lookup;
};
struct Imported {
  static constexpr Tier tier = Tier::imported;
};
struct Computed {
  static constexpr Tier tier = Tier::computed;
};
/// `struct Scan : oas::Imported { … struct Frame : oas::Part<Scan> { … }; };`
template <class Master_>
struct Part {
  static constexpr Tier tier = Tier::part;
  using Master = Master_;
};

/// The tables that the references of a definition name, so that the compiler knows the attributes they bring:
/// `using references = oas::References<Subject, Rig>;`
template <class... Tables>
struct References {};

/// The name of a table: snake case with the prefix of its tier (Scan2P, lookup: "#scan2_p"). A part needs its master's
/// table name. Errors: definition, if the class name is not CamelCase of ASCII letters and digits, or the table name
/// is longer than 64 bytes. PostgreSQL takes 63.
std::string table_name(Tier tier, std::string_view class_name, std::string_view master_table = {});
/// nullopt: hidden, or not named by these rules.
std::optional<Tier> tier_of(std::string_view table_name);
/// "#scan2_p" → "Scan2P", "_scan__frame" → "Scan.Frame". Errors: definition, if tier_of says nullopt.
std::string class_name_of(std::string_view table_name);

namespace detail {

template <class T>
constexpr std::string_view pretty_name() {
  return __PRETTY_FUNCTION__;
}
/// The name of a type without its namespaces and enclosing classes.
template <class T>
consteval std::string_view class_name() {
  std::string_view name = pretty_name<T>();  // "… [with T = lab::Scan::Frame; …]" or "… [T = lab::Scan::Frame]"
  name.remove_prefix(name.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]"));
  if (const std::size_t colons = name.rfind("::"); colons != std::string_view::npos) name.remove_prefix(colons + 2);
  return name;
}

template <class T>
consteval Tier tier_of_class() {
  static_assert(
      requires { T::tier; },
      "table_without_tier: derive the struct from oas::Manual, Lookup, Imported, Computed or Part");
  return T::tier;
}
/// Of a part, the class of its master; empty otherwise.
template <class T>
consteval std::string_view master_name() {
  if constexpr (requires { typename T::Master; })
    return class_name<typename T::Master>();
  else
    return {};
}

}  // namespace detail

}  // namespace oas
