// The C++ type of an attribute, looked up by name in a table's definition by the compiler:
// detail::attribute_t<Recording, "waveforms"> is NpyRef. An attribute that does not exist is a compile error.
// Attributes that a reference brings are found if the struct says which tables its references name
// (`using references = oas::References<Subject>;`); otherwise they are Values, checked at run time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <oas/definition.hpp>
#include <oas/ref.hpp>
#include <oas/value.hpp>

namespace oas::detail {

struct FoundAttribute {
  /// brought: perhaps by a reference to a table that the struct does not list, so only run time knows.
  enum class Kind : std::uint8_t { missing, brought, found } kind = Kind::missing;
  TypeSpec type;  ///< views into the definition
  bool nullable = false;
};

/// Finds a name among a table's attributes, or only among those of its primary key.
template <class T>
constexpr FoundAttribute find_attribute(std::string_view name, bool key_only = false);

template <class Tables>
struct Listed;
template <class... Tables>
struct Listed<References<Tables...>> {
  /// In the primary key of the table whose class is the last word of `target`.
  static constexpr FoundAttribute find(std::string_view target, std::string_view name) {
    if (const std::size_t dot = target.rfind('.'); dot != std::string_view::npos) target.remove_prefix(dot + 1);
    FoundAttribute found{FoundAttribute::Kind::brought, {}, false};
    ((class_name<Tables>() == target ? void(found = find_attribute<Tables>(name, true)) : void()), ...);
    return found;
  }
};

template <class T>
struct AttributeFinder : DefinitionVisitor {
  std::string_view name;
  bool key_only;
  FoundAttribute result{};
  constexpr AttributeFinder(std::string_view wanted, bool only_key) : name(wanted), key_only(only_key) {}

  constexpr Flaw attribute(const AttributeLine& line) {
    if (line.name == name && (line.in_key || !key_only) && result.kind != FoundAttribute::Kind::found)
      result = {FoundAttribute::Kind::found, line.type, line.fallback.kind == DefaultSpec::Kind::null};
    return {};
  }
  constexpr void reference(const ReferenceLine& line) {
    if ((key_only && !line.in_key) || result.kind == FoundAttribute::Kind::found) return;
    std::string_view old = name;  // what it is called in the parent
    bool fresh = false, gone = false;
    for_each_projected(line.projection, [&](std::string_view here, std::string_view there) {
      if (here == name) {
        old = there;
        fresh = true;
      }
      gone = gone || (there == name && here != there);
    });
    if (gone && !fresh) return;
    FoundAttribute parent{FoundAttribute::Kind::brought, {}, false};
    if constexpr (requires { typename T::Master; })
      if (line.target == "master") parent = find_attribute<typename T::Master>(old, true);
    if constexpr (requires { typename T::references; })
      if (parent.kind == FoundAttribute::Kind::brought) parent = Listed<typename T::references>::find(line.target, old);
    if (parent.kind == FoundAttribute::Kind::missing) return;
    result = parent;
    result.nullable = line.nullable;
  }
};

template <class T>
constexpr FoundAttribute find_attribute(std::string_view name, bool key_only) {
  AttributeFinder<T> finder(name, key_only);
  scan_definition(T::definition.text(), finder);
  return finder.result;
}

template <unsigned Bits, bool Signed>
using integer_t = std::conditional_t<
    Bits == 8, std::conditional_t<Signed, std::int8_t, std::uint8_t>,
    std::conditional_t<Bits == 16, std::conditional_t<Signed, std::int16_t, std::uint16_t>,
                       std::conditional_t<Bits == 32, std::conditional_t<Signed, std::int32_t, std::uint32_t>,
                                          std::conditional_t<Signed, std::int64_t, std::uint64_t>>>>;

enum class CodecResult : std::uint8_t { value, bytes, attachment, npy, object };
constexpr CodecResult codec_result(std::string_view codec) {
  return codec == "attach"                          ? CodecResult::attachment
         : codec == "hash"                          ? CodecResult::bytes
         : codec == "npy"                           ? CodecResult::npy
         : codec == "object" || codec == "filepath" ? CodecResult::object
                                                    : CodecResult::value;
}

/// What a type of the language is in C++.
template <TypeKind Kind, unsigned Bits, CodecResult Codec>
consteval auto cpp_type() {
  if constexpr (Kind <= TypeKind::int64 || Kind == TypeKind::native_integer)
    return std::type_identity<integer_t<Bits, true>>{};
  else if constexpr (Kind == TypeKind::native_unsigned)
    return std::type_identity<integer_t<Bits, false>>{};
  else if constexpr (Kind == TypeKind::float32)
    return std::type_identity<float>{};
  else if constexpr (Kind == TypeKind::float64 || Kind == TypeKind::native_float)
    return std::type_identity<double>{};
  else if constexpr (Kind == TypeKind::bool_)
    return std::type_identity<bool>{};
  else if constexpr (Kind == TypeKind::uuid)
    return std::type_identity<Uuid>{};
  else if constexpr (Kind == TypeKind::date)
    return std::type_identity<Date>{};
  else if constexpr (Kind == TypeKind::datetime)
    return std::type_identity<DateTime>{};
  else if constexpr (Kind == TypeKind::decimal || Kind == TypeKind::native_numeric)
    return std::type_identity<Decimal>{};
  else if constexpr (Kind == TypeKind::char_ || Kind == TypeKind::varchar || Kind == TypeKind::enum_ ||
                     Kind == TypeKind::native_text)
    return std::type_identity<std::string>{};
  else if constexpr (Kind == TypeKind::bytes || Kind == TypeKind::native_blob)
    return std::type_identity<Bytes>{};
  else if constexpr (Kind == TypeKind::codec && Codec == CodecResult::bytes)
    return std::type_identity<Bytes>{};
  else if constexpr (Kind == TypeKind::codec && Codec == CodecResult::attachment)
    return std::type_identity<Attachment>{};
  else if constexpr (Kind == TypeKind::codec && Codec == CodecResult::npy)
    return std::type_identity<NpyRef>{};
  else if constexpr (Kind == TypeKind::codec && Codec == CodecResult::object)
    return std::type_identity<ObjectRef>{};
  else
    return std::type_identity<Value>{};  // json, <blob>, codecs of one's own, the databases' own times
}

constexpr bool has_capital(std::string_view name) {
  for (const char c : name)
    if (is_upper(c)) return true;
  return false;
}

template <class T, fixed_string Name>
consteval auto attribute_type() {
  constexpr FoundAttribute found = find_attribute<T>(Name.view());
  constexpr bool there = found.kind != FoundAttribute::Kind::missing;
  static_assert(!Name.view().empty(), "empty_attribute_name: name an attribute of the table");
  static_assert(!has_capital(Name.view()), "attribute_name_not_lower_case: attribute names have no capital letters");
  static_assert(there || Name.view().empty() || has_capital(Name.view()),
                "no_such_attribute: the definition of the table does not have this attribute");
  if constexpr (found.kind != FoundAttribute::Kind::found)
    return std::type_identity<Value>{};
  else {
    using Type = typename decltype(cpp_type<found.type.kind, found.type.size, codec_result(found.type.codec)>())::type;
    if constexpr (!found.nullable || std::is_same_v<Type, Value>)
      return std::type_identity<Type>{};
    else
      return std::type_identity<std::optional<Type>>{};
  }
}

/// The type that fetch1<Name>() gives: std::optional of it where the attribute may be null. A Value is its own null.
template <class T, fixed_string Name>
using attribute_t = typename decltype(attribute_type<T, Name>())::type;

}  // namespace oas::detail
