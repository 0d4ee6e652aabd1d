#include "core/typed.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>

#include "core/bigint.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"
#include "core/ref_state.hpp"
#include "core/text.hpp"

namespace oas {
namespace {

// A level of a value is up to three levels of JSON.
constexpr std::size_t max_depth = max_json_depth / 3;

[[noreturn]] void bad(const std::string& why) { throw Error(Errc::decode, "read a typed value: " + why); }

std::size_t count_of(const Shape& shape) {
  std::size_t n = 1;
  for (const std::int64_t length : shape)
    if (length < 0 || __builtin_mul_overflow(n, static_cast<std::size_t>(length), &n)) bad("its shape is impossible");
  return n;
}

// `items` are in row order, or, if `from_row` is false, become so: the other is column order.
std::vector<Value> reorder(const std::vector<Value>& items, const Shape& shape, bool from_row) {
  if (items.size() != count_of(shape)) bad("its shape is not that of its items");
  std::vector<Value> other(items.size());
  std::vector<std::int64_t> at(shape.size());
  for (std::size_t row = 0; row < items.size(); ++row) {
    std::size_t column = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;)
      column = column * static_cast<std::size_t>(shape[axis]) + static_cast<std::size_t>(at[axis]);
    if (from_row)
      other[column] = items[row];
    else
      other[row] = items[column];
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
  return other;
}

std::string bits_of(double number) { return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(number)); }

// ---- writing

void add(Map&) {}
template <class... Rest>
void add(Map& map, std::string_view name, Value value, Rest&&... rest) {
  map.items.emplace_back(Value(name), std::move(value));
  add(map, std::forward<Rest>(rest)...);
}

// {"t": type, name: value, …}
template <class... Members>
Map note(std::string_view type, Members&&... members) {
  Map map;
  add(map, "t", type, std::forward<Members>(members)...);
  return map;
}

Value pair_note(Value first, Value second) {
  Seq pair;
  pair.items.push_back(std::move(first));
  pair.items.push_back(std::move(second));
  return pair;
}

Seq shape_note(std::span<const std::int64_t> shape) {
  Seq list;
  for (const std::int64_t length : shape) list.items.emplace_back(length);
  return list;
}

Value array_note(const Array& given) {
  const bool number = given.dtype() != DType::bytes && given.dtype() != DType::record && given.dtype() != DType::raw;
  const Array array = (number ? given.to_native() : given).to_order(Array::Order::row);
  const ArrayType& type = array.type();
  if (type.kind == DType::text) {
    Seq texts;
    const std::size_t chars = type.item_size / 4;
    for (std::size_t i = 0; i < array.size(); ++i) {
      std::u32string item(chars, U'\0');
      if (chars > 0) std::memcpy(item.data(), array.data().data() + i * type.item_size, type.item_size);
      item.erase(item.find_last_not_of(U'\0') + 1);  // numpy fills up with NULs
      std::string text;
      for (const char32_t c : item)
        if (!append_utf8(text, c)) throw Error(Errc::usage, "write an array of text: it holds what is no character");
      texts.items.emplace_back(std::move(text));
    }
    return note("array", "dtype", "unicode", "itemchars", chars, "shape", shape_note(array.shape()), "v",
                std::move(texts));
  }
  Map map = note("array", "dtype", type.name, "shape", shape_note(array.shape()), "b64", base64(array.data()));
  // Names of structured types do not tell the size in an easy way.
  if (type.kind == DType::record || type.kind == DType::raw)
    map.set("itemsize", type.item_size);
  else if (array.ndim() == 0)
    map.set("np_scalar", true);
  return map;
}

class Printer {
 public:
  Value operator()(const Value& value) const { return at(value, 0); }

 private:
  static Seq list(const std::vector<Value>& items, std::size_t depth) {
    Seq out;
    for (const Value& item : items) out.items.push_back(at(item, depth));
    return out;
  }

  static Value at(const Value& value, std::size_t depth) {
    if (depth > max_depth) throw Error(Errc::usage, fmt::format("write a typed value: more than {} levels", max_depth));
    return std::visit([depth](const auto& content) -> Value { return one(content, depth + 1); }, value.variant());
  }

  // A field of a record without dimensions is an array without dimensions, and not a scalar of its own.
  static Value field(const Value& value, std::size_t depth) {
    Value out = at(value, depth);
    std::erase_if(out.get_if<Map>()->items, [](const auto& item) { return item.first == Value("np_scalar"); });
    return out;
  }

  static Value one(Null, std::size_t) { return note("none"); }
  static Value one(bool b, std::size_t) { return note("bool", "v", b); }
  static Value one(std::int64_t n, std::size_t) { return note("int", "v", std::to_string(n)); }
  static Value one(const BigInt& n, std::size_t) { return note("int", "v", n.digits); }
  static Value one(double d, std::size_t) { return note("float", "bits", bits_of(d), "repr", python_float_repr(d)); }
  static Value one(std::complex<double> c, std::size_t) {
    return note("complex", "re", bits_of(c.real()), "im", bits_of(c.imag()), "repr", python_complex_repr(c));
  }
  static Value one(const std::string& text, std::size_t) { return note("str", "v", text); }
  static Value one(const Bytes& bytes, std::size_t) { return note("bytes", "hex", hex(bytes)); }
  static Value one(const Decimal& d, std::size_t) { return note("decimal", "v", d.digits); }
  static Value one(Date d, std::size_t) { return note("date", "v", d.iso()); }
  static Value one(Time t, std::size_t) { return note("time", "v", t.iso()); }
  static Value one(DateTime t, std::size_t) {
    std::string text = t.iso('T');
    if (text.find('.') == std::string::npos) text += ".000000";
    return note("datetime", "v", text);
  }
  static Value one(const Uuid& uuid, std::size_t) { return note("uuid", "v", uuid.text()); }
  static Value one(const Array& array, std::size_t) { return array_note(array); }
  static Value one(const Seq& seq, std::size_t depth) {
    static constexpr std::string_view names[] = {"list", "tuple", "set"};
    return note(names[static_cast<std::size_t>(seq.kind)], "v", list(seq.items, depth));
  }
  static Value one(const Map& map, std::size_t depth) {
    Seq pairs;
    for (const auto& [key, value] : map.items) pairs.items.emplace_back(pair_note(at(key, depth), at(value, depth)));
    return note("dict", "v", std::move(pairs));
  }
  static Value one(const Cells& cells, std::size_t depth) {
    if (cells.cell)
      return note("matcell", "shape", shape_note(cells.shape), "v",
                  list(reorder(cells.items, cells.shape, false), depth));
    return note("array", "dtype", "object", "shape", shape_note(cells.shape), "v", list(cells.items, depth));
  }
  static Value one(const Fields& fields, std::size_t depth) {
    Seq list_of_fields;
    if (!fields.matlab) {
      for (const auto& [name, value] : fields.fields)
        list_of_fields.items.emplace_back(pair_note(name, field(value, depth)));
      return note("recarray", "shape", shape_note(fields.shape), "fields", std::move(list_of_fields));
    }
    Seq elements;
    elements.items.resize(count_of(fields.shape), Seq{});
    for (const auto& [name, value] : fields.fields) {
      list_of_fields.items.emplace_back(name);
      const auto* cells = value.get_if<Cells>();
      if (!cells || cells->items.size() != elements.items.size())
        throw Error(Errc::usage, fmt::format("write a struct array: its field {} is {}", name, value.describe()));
      const auto items = cells->cell ? reorder(cells->items, fields.shape, false) : cells->items;
      for (std::size_t i = 0; i < items.size(); ++i)
        elements.items[i].get_if<Seq>()->items.push_back(at(items[i], depth));
    }
    return note("matstruct", "shape", shape_note(fields.shape), "fields", std::move(list_of_fields), "v",
                std::move(elements));
  }
  static Value one(const Attachment& attachment, std::size_t) {
    return note("attached", "name", attachment.name(), "hex", hex(attachment.bytes()));
  }
  static Value one(const NpyRef& ref, std::size_t depth) { return one(ref.object(), depth); }
  static Value one(const ObjectRef& ref, std::size_t) { return note("ref", "metadata", ref.metadata()); }
};

// ---- reading

const Value& member(const Map& map, std::string_view name) {
  if (const Value* value = map.find(name)) return *value;
  bad(fmt::format("'{}' is missing", name));
}

const std::string& text_member(const Map& map, std::string_view name) {
  if (const auto* text = member(map, name).get_if<std::string>()) return *text;
  bad(fmt::format("'{}' is not a text", name));
}

const std::vector<Value>& list_member(const Map& map, std::string_view name) {
  if (const auto* list = member(map, name).get_if<Seq>()) return list->items;
  bad(fmt::format("'{}' is not a list", name));
}

std::uint32_t size_member(const Map& map, std::string_view name) {
  const auto* n = member(map, name).get_if<std::int64_t>();
  if (!n || *n < 0 || *n > INT32_MAX) bad(fmt::format("'{}' is not a size", name));
  return static_cast<std::uint32_t>(*n);
}

double number_member(const Map& map, std::string_view name) {
  const std::string& text = text_member(map, name);
  std::uint64_t bits = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, bits, 16);
  if (text.size() != 16 || failure != std::errc() || stop != end) bad(fmt::format("'{}' is not 16 hex digits", name));
  return std::bit_cast<double>(bits);
}

Shape shape_member(const Map& map) {
  Shape shape;
  for (const Value& length : list_member(map, "shape")) {
    const auto* n = length.get_if<std::int64_t>();
    if (!n) bad("its shape is not a list of lengths");
    shape.push_back(*n);
  }
  count_of(shape);
  return shape;
}

// The types of plain elements by their names; structured ones come with their size.
ArrayType type_named(const std::string& name, const Map& map) {
  if (name.starts_with("datetime64")) return {DType::datetime64, 8, false, name};
  if (name.starts_with("timedelta64")) return {DType::timedelta64, 8, false, name};
  if (name.starts_with("[") || name.starts_with("{")) return {DType::record, size_member(map, "itemsize"), false, name};
  if (name.starts_with("|V")) return {DType::raw, size_member(map, "itemsize"), false, name};
  if (name == "float128") return {DType::raw, 16, false, name};
  if (name == "complex256") return {DType::raw, 32, false, name};
  if (name.starts_with("|S")) {
    std::uint32_t size = 0;
    const char* end = name.data() + name.size();
    const auto [stop, failure] = std::from_chars(name.data() + 2, end, size);
    if (failure == std::errc() && stop == end) return {DType::bytes, size, false, name};
  }
  for (int kind = 0; kind <= static_cast<int>(DType::c128); ++kind) {
    ArrayType type = ArrayType::of(static_cast<DType>(kind));
    if (type.name == name) return type;
  }
  bad(fmt::format("there is no element type '{}'", name.substr(0, 80)));
}

Array text_array(const Map& map) {
  const Shape shape = shape_member(map);
  const auto& texts = list_member(map, "v");
  const std::uint32_t chars = size_member(map, "itemchars");
  std::size_t longest = 0;
  for (const Value& item : texts)
    if (const auto* text = item.get_if<std::string>()) longest = std::max(longest, text->size());
  if (texts.size() != count_of(shape)) bad("its shape is not that of its items");
  const std::size_t item_size = std::size_t{chars} * 4;
  // Padding is legitimate and costs nothing to claim: much memory is only given to what is mostly text.
  constexpr std::size_t much = std::size_t{64} << 20;
  if (texts.size() * item_size > much && chars / 64 > longest) bad("'itemchars' is much more than its texts need");
  Buffer buffer(texts.size() * item_size);
  if (buffer.size() > 0) std::memset(buffer.data(), 0, buffer.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto* text = texts[i].get_if<std::string>();
    if (!text) bad("an item of an array of text is something else");
    std::string_view rest = *text;
    for (std::size_t at = 0; !rest.empty(); ++at) {
      const auto c = take_code_point(rest);
      if (!c || at == chars) bad("an item of an array of text is too long, or not UTF-8");
      std::memcpy(buffer.data() + i * item_size + at * 4, &*c, 4);
    }
  }
  return Array({DType::text, chars * 4, false, fmt::format("<U{}", chars)}, shape, std::move(buffer).finish());
}

Value read_ref(const Map& map) {
  auto state = std::make_shared<ObjectRef::State>();
  state->metadata = member(map, "metadata");
  const auto* metadata = state->metadata.get_if<Map>();
  if (!metadata) bad("the metadata of a reference are not a dict");
  state->path = text_member(*metadata, "path");
  if (const Value* store = metadata->find("store"); store && !store->is_null())
    state->store_name = text_member(*metadata, "store");
  if (const Value* folder = metadata->find("is_dir")) state->folder = *folder == Value(true);
  if (const Value* size = metadata->find("size"); size && size->is<std::int64_t>())
    state->size = static_cast<std::uint64_t>(*size->get_if<std::int64_t>());
  return ObjectRef(std::move(state));
}

class Parser {
 public:
  Value operator()(const Value& notation) const { return at(notation, 0); }

 private:
  static std::vector<Value> list(const std::vector<Value>& notes, std::size_t depth) {
    std::vector<Value> items;
    items.reserve(notes.size());
    for (const Value& item : notes) items.push_back(at(item, depth));
    return items;
  }

  static std::vector<Value> items_of(const Map& map, const Shape& shape, std::size_t depth) {
    const auto& notes = list_member(map, "v");
    if (notes.size() != count_of(shape)) bad("its shape is not that of its items");
    return list(notes, depth);
  }

  static std::pair<const Value&, const Value&> pair_of(const Value& note) {
    const auto* pair = note.get_if<Seq>();
    if (!pair || pair->items.size() != 2) bad("a pair is something else");
    return {pair->items[0], pair->items[1]};
  }

  static Value array(const Map& map, std::size_t depth) {
    const std::string& dtype = text_member(map, "dtype");
    if (dtype == "unicode") return text_array(map);
    const Shape shape = shape_member(map);
    if (dtype == "object") return Cells{false, shape, items_of(map, shape, depth)};
    const auto bytes = from_base64(text_member(map, "b64"));
    if (!bytes) bad("'b64' is not base64");
    try {
      return Array(type_named(dtype, map), shape, *bytes);
    } catch (const Error& e) {
      bad(e.what());
    }
  }

  static Value dict(const Map& map, std::size_t depth) {
    Map out;
    for (const Value& note : list_member(map, "v")) {
      const auto [key, value] = pair_of(note);
      out.items.emplace_back(at(key, depth), at(value, depth));
    }
    return out;
  }

  static Value recarray(const Map& map, std::size_t depth) {
    Fields out{false, shape_member(map), {}};
    for (const Value& note : list_member(map, "fields")) {
      const auto [name, value] = pair_of(note);
      const auto* text = name.get_if<std::string>();
      if (!text) bad("the name of a field is not a text");
      out.fields.emplace_back(*text, at(value, depth));
    }
    return out;
  }

  static Value matstruct(const Map& map, std::size_t depth) {
    Fields out{true, shape_member(map), {}};
    const auto& names = list_member(map, "fields");
    const auto& elements = list_member(map, "v");
    if (elements.size() != count_of(out.shape)) bad("its shape is not that of its items");
    for (std::size_t f = 0; f < names.size(); ++f) {
      const auto* name = names[f].get_if<std::string>();
      if (!name) bad("the name of a field is not a text");
      std::vector<Value> items;
      for (const Value& element : elements) {
        const auto* values = element.get_if<Seq>();
        if (!values || values->items.size() != names.size()) bad("an element has not one value a field");
        items.push_back(at(values->items[f], depth));
      }
      out.fields.emplace_back(*name, Cells{true, out.shape, reorder(items, out.shape, true)});
    }
    return out;
  }

  static Value at(const Value& notation, std::size_t depth) {
    if (depth > max_depth) bad(fmt::format("it has more than {} levels", max_depth));
    const auto* map = notation.get_if<Map>();
    if (!map) bad("there is " + notation.describe() + " where {\"t\": …} should be");
    const std::string& t = text_member(*map, "t");
    const auto v = [map]() -> const std::string& { return text_member(*map, "v"); };
    ++depth;
    if (t == "none") return {};
    if (t == "bool") {
      if (const auto* b = member(*map, "v").get_if<bool>()) return *b;
      bad("'v' is not a bool");
    }
    if (t == "int") return integer_from_text(v());
    if (t == "float") return number_member(*map, "bits");
    if (t == "complex") return std::complex<double>(number_member(*map, "re"), number_member(*map, "im"));
    if (t == "str") return v();
    if (t == "bytes" || t == "attached") {
      const auto bytes = from_hex(text_member(*map, "hex"));
      if (!bytes) bad("'hex' is not hex");
      if (t == "bytes") return *bytes;
      return AttachmentAccess::stored(text_member(*map, "name"), *bytes);
    }
    if (t == "decimal") return Decimal::parse(v());
    if (t == "uuid") return Uuid::parse(v());
    if (t == "date") return Date::parse(v());
    if (t == "time") return Time::parse(v());
    if (t == "datetime") return DateTime::parse(v());
    if (t == "list") return Seq{Seq::Kind::list, list(list_member(*map, "v"), depth)};
    if (t == "tuple") return Seq{Seq::Kind::tuple, list(list_member(*map, "v"), depth)};
    if (t == "set") return Seq{Seq::Kind::set, list(list_member(*map, "v"), depth)};
    if (t == "dict") return dict(*map, depth);
    if (t == "array") return array(*map, depth);
    if (t == "recarray") return recarray(*map, depth);
    if (t == "matcell") {
      Shape shape = shape_member(*map);
      auto items = reorder(items_of(*map, shape, depth), shape, true);
      return Cells{true, std::move(shape), std::move(items)};
    }
    if (t == "matstruct") return matstruct(*map, depth);
    if (t == "ref") return read_ref(*map);
    bad(fmt::format("there is no type '{}'", t.substr(0, 80)));
  }
};

}  // namespace

Value typed(const Value& value) { return Printer()(value); }
Value untyped(const Value& notation) { return Parser()(notation); }
std::string to_typed(const Value& value) { return to_json(typed(value)); }
Value from_typed(std::string_view json) { return untyped(from_json(json, "a typed value")); }

}  // namespace oas
