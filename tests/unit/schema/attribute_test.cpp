// Types of attributes by name. What must not compile is in tests/nocompile.
#include <gtest/gtest.h>

#include <oas/attribute.hpp>

namespace {

using oas::Definition;

struct Every : oas::Manual {
  static constexpr Definition definition = R"(
    # all types
    a : int8
    ---
    b : int16
    c : int32
    d : int64
    e : float32
    f : float64
    g=true : bool
    h : uuid
    i : date
    j : datetime(3)
    k : decimal(5, 2)
    l : char(4)
    m='it''s' : varchar(20)   # it's: "a comment"
    n : enum('x','y')
    o : bytes
    p : json
    q : <blob>
    r : <blob@>
    s : <attach@raw>
    t : <hash@raw>
    u : <npy@>
    v : <object@>
    w : <filepath@raw>
    x : <mine@>
    y : int unsigned
    z : tinyint
    za : float(7,4)
    zb : decimal(5)
    zc : longtext
    zd : longblob
    ze=null : varchar(9)
    zf=null : <npy@>
    zg=null : json
    index(a, b)
  )";
};
struct Subject : oas::Manual {
  static constexpr Definition definition = "subject_id : int32\n---\nname : varchar(20)";
};
struct Rig : oas::Lookup {
  static constexpr Definition definition = "rig : varchar(8)";
};
struct Scan : oas::Imported {
  using references = oas::References<Subject, Rig>;
  static constexpr Definition definition = R"(
    -> Subject.proj(animal='subject_id')
    n : int16
    ---
    -> [nullable] Rig
    -> other.Table
  )";
  struct Frame : oas::Part<Scan> {
    static constexpr Definition definition = "-> master\nframe : int32";
  };
};
struct Stack : oas::Computed {
  using references = oas::References<Scan>;
  static constexpr Definition definition = "-> Scan\n---\ndepth : float64";
};

template <class T, oas::fixed_string Name, class Wanted>
constexpr bool is = std::is_same_v<oas::detail::attribute_t<T, Name>, Wanted>;

TEST(AttributeType, FollowsTheDefinition) {
  static_assert(is<Every, "a", std::int8_t> && is<Every, "b", std::int16_t> && is<Every, "c", std::int32_t>);
  static_assert(is<Every, "d", std::int64_t> && is<Every, "e", float> && is<Every, "f", double>);
  static_assert(is<Every, "g", bool> && is<Every, "h", oas::Uuid> && is<Every, "i", oas::Date>);
  static_assert(is<Every, "j", oas::DateTime> && is<Every, "k", oas::Decimal> && is<Every, "l", std::string>);
  static_assert(is<Every, "m", std::string> && is<Every, "n", std::string> && is<Every, "o", oas::Bytes>);
  static_assert(is<Every, "p", oas::Value> && is<Every, "q", oas::Value> && is<Every, "r", oas::Value>);
  static_assert(is<Every, "s", oas::Attachment> && is<Every, "t", oas::Bytes> && is<Every, "u", oas::NpyRef>);
  static_assert(is<Every, "v", oas::ObjectRef> && is<Every, "w", oas::ObjectRef> && is<Every, "x", oas::Value>);
  static_assert(is<Every, "y", std::uint32_t> && is<Every, "z", std::int8_t> && is<Every, "za", double>);
  static_assert(is<Every, "zb", oas::Decimal> && is<Every, "zc", std::string> && is<Every, "zd", oas::Bytes>);
}

TEST(AttributeType, OfANullableOneIsOptional) {
  static_assert(is<Every, "ze", std::optional<std::string>> && is<Every, "zf", std::optional<oas::NpyRef>>);
  static_assert(is<Every, "zg", oas::Value>);
}

TEST(AttributeType, ComesThroughReferencesToListedTables) {
  static_assert(is<Scan, "animal", std::int32_t> && is<Scan, "rig", std::optional<std::string>>);
  static_assert(is<Scan::Frame, "animal", std::int32_t> && is<Scan::Frame, "frame", std::int32_t>);
  static_assert(is<Stack, "animal", std::int32_t> && is<Stack, "n", std::int16_t>);
}

TEST(AttributeType, IsLeftToRunTimeWhereTheTableIsNotListed) { static_assert(is<Scan, "something", oas::Value>); }

}  // namespace
