#include "format/dtype.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include <oas/error.hpp>

#include "core/text.hpp"
#include "format/array_data.hpp"
#include "format/dtype_literal.hpp"

namespace oas::format {
namespace {

[[noreturn]] void fail(const std::string& why) { throw Error(Errc::decode, "read the type of an array: " + why); }

struct Number {
  DType kind;
  std::string_view name;
  char letter;  // numpy's letter for the kind of number
  std::uint32_t size;
};
constexpr Number numbers[] = {
    {DType::bool_, "bool", 'b', 1},    {DType::i8, "int8", 'i', 1},         {DType::i16, "int16", 'i', 2},
    {DType::i32, "int32", 'i', 4},     {DType::i64, "int64", 'i', 8},       {DType::u8, "uint8", 'u', 1},
    {DType::u16, "uint16", 'u', 2},    {DType::u32, "uint32", 'u', 4},      {DType::u64, "uint64", 'u', 8},
    {DType::f16, "float16", 'f', 2},   {DType::f32, "float32", 'f', 4},     {DType::f64, "float64", 'f', 8},
    {DType::c64, "complex64", 'c', 8}, {DType::c128, "complex128", 'c', 16}};

// numpy's other words for numbers: its letters, and the names of C's types on 64-bit Linux.
struct Word {
  std::string_view word;
  DType kind;
};
constexpr Word words[] = {
    {"?", DType::bool_},     {"bool_", DType::bool_},   {"b", DType::i8},       {"byte", DType::i8},
    {"B", DType::u8},        {"ubyte", DType::u8},      {"h", DType::i16},      {"short", DType::i16},
    {"H", DType::u16},       {"ushort", DType::u16},    {"i", DType::i32},      {"intc", DType::i32},
    {"I", DType::u32},       {"uintc", DType::u32},     {"l", DType::i64},      {"long", DType::i64},
    {"q", DType::i64},       {"longlong", DType::i64},  {"p", DType::i64},      {"intp", DType::i64},
    {"int", DType::i64},     {"int_", DType::i64},      {"L", DType::u64},      {"ulong", DType::u64},
    {"Q", DType::u64},       {"ulonglong", DType::u64}, {"P", DType::u64},      {"uintp", DType::u64},
    {"uint", DType::u64},    {"e", DType::f16},         {"half", DType::f16},   {"f", DType::f32},
    {"single", DType::f32},  {"d", DType::f64},         {"double", DType::f64}, {"float", DType::f64},
    {"F", DType::c64},       {"csingle", DType::c64},   {"D", DType::c128},     {"cdouble", DType::c128},
    {"complex", DType::c128}};
// The long doubles of 64-bit Intel: their bytes are kept, and nobody computes with them.
struct LongNumber {
  std::string_view word, name, descr;
  std::uint32_t size;
};
constexpr LongNumber long_numbers[] = {{"g", "float128", "f16", 16}, {"G", "complex256", "c32", 32}};

ArrayType number_type(DType kind, bool big_endian) {
  ArrayType type = ArrayType::of(kind);
  if (big_endian && type.item_size > 1) {
    const auto number = std::ranges::find(numbers, kind, &Number::kind);
    type.big_endian = true;
    type.name = fmt::format(">{}{}", number->letter, number->size);
  }
  return type;
}

// "[us]", "[25s]" or nothing.
bool is_unit(std::string_view text) {
  static constexpr std::string_view units[] = {"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"};
  if (text.empty()) return true;
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits < 10 && text.front() != '0' && std::ranges::find(units, text.substr(digits)) != std::end(units);
}

ArrayType time_type(DType kind, bool big_endian, std::string_view unit) {
  const bool date = kind == DType::datetime64;
  return {kind, 8, big_endian,
          big_endian ? fmt::format(">{}8{}", date ? 'M' : 'm', unit)
                     : fmt::format("{}{}", date ? "datetime64" : "timedelta64", unit)};
}

ArrayType parse_scalar(std::string_view text) {
  std::string_view rest = text;
  const bool ordered = !rest.empty() && std::string_view("<>=|").find(rest.front()) != std::string_view::npos;
  const bool big_endian = ordered && rest.front() == '>';
  if (ordered) rest.remove_prefix(1);

  for (const Number& number : numbers)
    if (rest == number.name) return number_type(number.kind, big_endian);
  for (const Word& word : words)
    if (rest == word.word) return number_type(word.kind, big_endian);
  for (const LongNumber& number : long_numbers) {
    if (rest != number.word && rest != number.name && rest != number.descr) continue;
    if (big_endian)
      throw Error(Errc::unsupported, fmt::format("read the type of an array: {} is a long double of another machine. "
                                                 "convert it to float64 or complex128",
                                                 text));
    return {DType::raw, number.size, false, std::string(number.name)};
  }
  for (const auto& [name, kind] : {std::pair{std::string_view("datetime64"), DType::datetime64},
                                   std::pair{std::string_view("timedelta64"), DType::timedelta64}})
    if (rest.starts_with(name) && is_unit(rest.substr(name.size())))
      return time_type(kind, big_endian, rest.substr(name.size()));
  if (rest == "c") return {DType::bytes, 1, false, "|S1"};
  if (rest == "S" || rest == "bytes") return {DType::bytes, 0, false, "|S0"};
  if (rest == "U" || rest == "str") return {DType::text, 0, big_endian, big_endian ? ">U0" : "<U0"};

  const char letter = rest.empty() ? '\0' : rest.front();
  if (rest == "O" || rest == "O8" || rest == "object")
    throw Error(Errc::unsupported, "read the type of an array: it holds Python objects. store it as a <blob>");
  std::uint32_t size = 0;
  const char* end = rest.data() + rest.size();
  const char* stop = rest.data();
  if (!rest.empty()) {
    const auto parsed = std::from_chars(rest.data() + 1, end, size);
    stop = parsed.ptr;
    if (parsed.ec == std::errc::result_out_of_range) stop = rest.data();
  }
  const std::string_view tail(stop, static_cast<std::size_t>(end - stop));
  if ((letter == 'M' || letter == 'm') && size == 8 && is_unit(tail))
    return time_type(letter == 'M' ? DType::datetime64 : DType::timedelta64, big_endian, tail);
  if (!rest.empty() && tail.empty() && rest.size() > 1) {
    for (const Number& number : numbers) {
      if (letter == number.letter && size == number.size) return number_type(number.kind, big_endian);
    }
    constexpr std::uint32_t largest = INT32_MAX;
    if ((letter == 'S' || letter == 'a') && size <= largest)
      return {DType::bytes, size, false, fmt::format("|S{}", size)};
    if (letter == 'V' && size <= largest) return {DType::raw, size, false, fmt::format("|V{}", size)};
    if (letter == 'U' && size <= largest / 4)
      return {DType::text, size * 4, big_endian, fmt::format("{}U{}", big_endian ? '>' : '<', size)};
    if ((letter == 'f' && size == 12) || (letter == 'c' && size == 24))
      throw Error(Errc::unsupported,
                  fmt::format("read the type of an array: {} is a long double of another machine. convert it to "
                              "float64 or complex128",
                              text));
  }
  fail(fmt::format("'{}' is no type", text.substr(0, 80)));
}

std::uint64_t field_size(const RecordField& field) {
  const auto size = bytes_of_shape(field.shape, field.type.item_size);
  if (!size || *size > INT32_MAX) fail(fmt::format("the field {} is too large", field.name.substr(0, 80)));
  return *size;
}

bool is_packed(const std::vector<RecordField>& fields, std::uint32_t item_size) {
  std::uint64_t offset = 0;
  for (const RecordField& field : fields) {
    if (field.offset != offset) return false;
    offset += field_size(field);
  }
  return offset == item_size;
}

// A type inside of a structure, as str() of the structure shows it.
std::string short_name(const ArrayType& type) {
  switch (type.kind) {
    case DType::record: return type.name;
    case DType::bool_: return "'?'";
    default: {
      std::string descr = dtype_descr(type);
      if (descr.starts_with("'|")) descr.erase(1, 1);
      return descr;
    }
  }
}

// With its title, if it has one.
std::string full_name(const RecordField& field) {
  return field.title.empty() ? quote_literal(field.name)
                             : fmt::format("({}, {})", quote_literal(field.title), quote_literal(field.name));
}

std::string record_name(const std::vector<RecordField>& fields, std::uint32_t item_size) {
  const auto type_of = [](const RecordField& field) {
    return field.shape.empty() ? short_name(field.type)
                               : fmt::format("{}, {}", short_name(field.type), shape_literal(field.shape));
  };
  std::vector<std::string> names, formats, offsets, titles, pairs;
  bool titled = false;
  for (const RecordField& field : fields) {
    names.push_back(quote_literal(field.name));
    titles.push_back(field.title.empty() ? "None" : quote_literal(field.title));
    titled |= !field.title.empty();
    pairs.push_back(fmt::format("({}, {})", full_name(field), type_of(field)));
    formats.push_back(field.shape.empty() ? type_of(field) : fmt::format("({})", type_of(field)));
    offsets.push_back(std::to_string(field.offset));
  }
  if (is_packed(fields, item_size)) return fmt::format("[{}]", fmt::join(pairs, ", "));
  return fmt::format("{{'names': [{}], 'formats': [{}], 'offsets': [{}], {}'itemsize': {}}}", fmt::join(names, ", "),
                     fmt::join(formats, ", "), fmt::join(offsets, ", "),
                     titled ? fmt::format("'titles': [{}], ", fmt::join(titles, ", ")) : "", item_size);
}

struct Record {
  std::vector<RecordField> fields;
  std::uint32_t item_size = 0;
};

// "name", or ("title", "name").
std::pair<std::string, std::string> names_of_literal(const Literal& literal) {
  const bool titled = literal.kind == Literal::Kind::tuple && literal.items.size() == 2;
  const Literal& name = titled ? literal.items[1] : literal;
  if (name.kind != Literal::Kind::text || (titled && literal.items[0].kind != Literal::Kind::text))
    fail("the name of a field is no text");
  constexpr std::size_t longest = 65'535;
  for (const std::string* text : {&name.text, titled ? &literal.items[0].text : &name.text}) {
    if (text->size() > longest) fail(fmt::format("the name of a field is longer than {} bytes", longest));
    if (text->find('\0') != std::string::npos) fail("the name of a field holds a NUL");
    if (!valid_utf8(*text)) fail("the name of a field is not UTF-8");
  }
  return {titled ? literal.items[0].text : std::string(), name.text};
}

// Adds a field whose type, or pair of type and shape, is given; returns where it ends.
std::uint64_t add_field(Record& record, const Literal& name, const Literal& type, const Literal* shape,
                        std::uint64_t offset) {
  RecordField field;
  std::tie(field.title, field.name) = names_of_literal(name);
  if (type.kind == Literal::Kind::tuple && type.items.size() == 2 && !shape) {
    field.type = dtype_of_literal(type.items[0]);
    field.shape = shape_of_literal(type.items[1]);
  } else {
    field.type = dtype_of_literal(type);
    if (shape && shape->kind == Literal::Kind::integer && shape->number >= 0)
      field.shape = {shape->number};
    else if (shape)
      field.shape = shape_of_literal(*shape);
  }
  if (field.shape.size() > max_dimensions)
    fail(fmt::format("the field {} has too many dimensions", field.name.substr(0, 80)));
  const std::uint64_t end = offset + field_size(field);
  if (end > INT32_MAX) fail("a structure is too large");
  field.offset = static_cast<std::uint32_t>(offset);
  record.fields.push_back(std::move(field));
  return end;
}

// [('a', '<f8'), (('title', 'b'), '<i4', (3,)), ('', '|V4')]: one after the other; nameless ones are padding.
Record parse_list(const Literal& list) {
  Record record;
  std::uint64_t offset = 0;
  for (const Literal& item : list.items) {
    if ((item.kind != Literal::Kind::tuple && item.kind != Literal::Kind::list) || item.items.size() < 2 ||
        item.items.size() > 3)
      fail("the field of a structure is not a name with a type");
    offset = add_field(record, item.items[0], item.items[1], item.items.size() == 3 ? &item.items[2] : nullptr, offset);
    const bool padding = record.fields.back().name.empty();
    if (padding && record.fields.back().type.kind != DType::raw) fail("a field has no name");
    if (padding) record.fields.pop_back();
  }
  record.item_size = static_cast<std::uint32_t>(offset);
  return record;
}

// {'names': [...], 'formats': [...], 'offsets': [...], 'titles': [...], 'itemsize': n, 'aligned': True}
Record parse_dict(const Literal& dict) {
  const Literal* names = dict.find("names");
  const Literal* formats = dict.find("formats");
  const Literal* offsets = dict.find("offsets");
  const Literal* titles = dict.find("titles");
  const Literal* item_size = dict.find("itemsize");
  const std::size_t count = names ? names->items.size() : 0;
  if (!names || !formats || !offsets || !item_size || formats->items.size() != count ||
      offsets->items.size() != count || (titles && titles->items.size() != count) ||
      item_size->kind != Literal::Kind::integer)
    fail("the description of a structure is not complete");
  Record record;
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Literal& offset = offsets->items[i];
    if (offset.kind != Literal::Kind::integer || offset.number < 0 || offset.number > INT32_MAX)
      fail("the field of a structure has no offset");
    end = std::max(
        end, add_field(record, names->items[i], formats->items[i], nullptr, static_cast<std::uint64_t>(offset.number)));
    if (titles && titles->items[i].kind == Literal::Kind::text)
      record.fields.back().title = names_of_literal(titles->items[i]).second;
  }
  if (item_size->number < static_cast<std::int64_t>(end) || item_size->number > INT32_MAX)
    fail("a structure is smaller than its fields");
  record.item_size = static_cast<std::uint32_t>(item_size->number);
  return record;
}

Record parse_record(const Literal& literal) {
  Record record = literal.kind == Literal::Kind::list ? parse_list(literal) : parse_dict(literal);
  std::vector<std::string_view> names;
  for (const RecordField& field : record.fields) names.push_back(field.name);
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) != names.end()) fail("two fields have the same name");
  return record;
}

}  // namespace

ArrayType dtype_of_literal(const Literal& literal) {
  if (literal.kind == Literal::Kind::text) return parse_scalar(literal.text);
  if (literal.kind != Literal::Kind::list && literal.kind != Literal::Kind::dict) fail("it is not described as a type");
  const Record record = parse_record(literal);
  return {DType::record, record.item_size, false, record_name(record.fields, record.item_size)};
}

Shape shape_of_literal(const Literal& literal) {
  if (literal.kind != Literal::Kind::tuple) fail("a shape is not a tuple of lengths");
  Shape shape;
  for (const Literal& length : literal.items) {
    if (length.kind != Literal::Kind::integer || length.number < 0) fail("a shape is not a tuple of lengths");
    shape.push_back(length.number);
  }
  return shape;
}

std::string shape_literal(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (const std::int64_t length : shape)
    text.append(text.size() == 1 ? "" : ", ").append(fmt::format_int(length).c_str());
  return text += shape.size() == 1 ? ",)" : ")";
}

ArrayType parse_dtype(std::string_view text) {
  if (text.starts_with('[') || text.starts_with('{')) return dtype_of_literal(parse_literal(text));
  return parse_scalar(text);
}

std::string dtype_descr(const ArrayType& type) {
  const char order = type.big_endian ? '>' : '<';
  switch (type.kind) {
    case DType::bytes: return fmt::format("'|S{}'", type.item_size);
    case DType::raw: {
      const auto number = std::ranges::find(long_numbers, type.name, &LongNumber::name);
      return number != std::end(long_numbers) ? fmt::format("'<{}'", number->descr)
                                              : fmt::format("'|V{}'", type.item_size);
    }
    case DType::text: return fmt::format("'{}U{}'", order, type.item_size / 4);
    case DType::datetime64:
    case DType::timedelta64: {
      const std::string_view unit = time_unit(type);
      return fmt::format("'{}{}8{}'", order, type.kind == DType::datetime64 ? 'M' : 'm',
                         unit.empty() ? "" : fmt::format("[{}]", unit));
    }
    case DType::record: {
      std::vector<std::string> items;
      std::uint64_t at = 0;
      const auto pad = [&](std::uint64_t to) {
        if (to > at) items.push_back(fmt::format("('', '|V{}')", to - at));
        at = to;
      };
      for (const RecordField& field : record_fields(type)) {
        if (field.offset < at)
          throw Error(Errc::unsupported,
                      "describe an array for a .npy file: fields overlap, or are not in the order "
                      "of their places. copy them into another structure");
        pad(field.offset);
        items.push_back(fmt::format("({}, {}{})", full_name(field), dtype_descr(field.type),
                                    field.shape.empty() ? "" : ", " + shape_literal(field.shape)));
        at += field_size(field);
      }
      pad(type.item_size);
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    default: {
      const auto number = std::ranges::find(numbers, type.kind, &Number::kind);
      return fmt::format("'{}{}{}'", number->size == 1 ? '|' : order, number->letter, number->size);
    }
  }
}

std::vector<RecordField> record_fields(const ArrayType& type) {
  if (type.kind != DType::record)
    throw Error(Errc::usage, fmt::format("list the fields of an array: {} has none", type.name));
  return parse_record(parse_literal(type.name)).fields;
}

bool same_elements(const ArrayType& a, const ArrayType& b) {
  if (a.kind != DType::record || b.kind != DType::record) return a == b;
  return std::ranges::equal(record_fields(a), record_fields(b), [](const RecordField& x, const RecordField& y) {
    return x.name == y.name && x.shape == y.shape && same_elements(x.type, y.type);
  });
}

std::string_view time_unit(const ArrayType& type) {
  const std::string_view name = type.name;
  const std::size_t open = name.find('[');
  return open == std::string_view::npos || !name.ends_with(']') ? std::string_view()
                                                                : name.substr(open + 1, name.size() - open - 2);
}

}  // namespace oas::format
