#include "db/postgres_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

namespace oas::db {
namespace {

// pg_type.oid of the types that are built in.
enum : PostgresType {
  type_bool = 16,
  type_bytea = 17,
  type_char = 18,
  type_name = 19,
  type_int8 = 20,
  type_int2 = 21,
  type_int4 = 23,
  type_text = 25,
  type_oid = 26,
  type_xid = 28,
  type_json = 114,
  type_xml = 142,
  type_float4 = 700,
  type_float8 = 701,
  type_unknown = 705,
  type_bpchar = 1042,
  type_varchar = 1043,
  type_date = 1082,
  type_time = 1083,
  type_timestamp = 1114,
  type_timestamptz = 1184,
  type_numeric = 1700,
  type_void = 2278,
  type_uuid = 2950,
  type_jsonb = 3802
};
constexpr std::size_t largest_cell =
    (std::size_t{1} << 30) - 1024;         // a little less than 1 GiB, with what goes around it
constexpr std::size_t shared_from = 4096;  // bytes; smaller ones are copied, so that they keep no row alive
constexpr std::int64_t day_of_2000 = 10957, second = 1'000'000, day = 86'400 * second;

[[noreturn]] void damaged(std::string_view type) {
  throw Error(Errc::decode, fmt::format("read a cell: what PostgreSQL sent is no {}", type));
}

template <class T>
std::array<char, 8> big_endian(T value) {
  std::array<char, 8> out{};
  const auto bits = std::bit_cast<std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<char>(bits >> (8 * (sizeof(T) - 1 - i)));
  return out;
}

template <class T>
T number_at(std::string_view cell, std::size_t at, std::string_view type) {
  if (at + sizeof(T) > cell.size()) damaged(type);
  std::make_unsigned_t<T> out = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out = static_cast<std::make_unsigned_t<T>>(out << 8 | static_cast<unsigned char>(cell[at + i]));
  return static_cast<T>(out);
}
template <class T>
T number_of(std::string_view cell, std::string_view type) {
  if (cell.size() != sizeof(T)) damaged(type);
  return number_at<T>(cell, 0, type);
}

/// Groups of four digits, the first with this weight in powers of 10000; `scale` digits behind the point.
std::string decimal_of(std::string_view cell) {
  const auto part = [&](std::size_t i) { return number_at<std::uint16_t>(cell, 2 * i, "numeric"); };
  const std::size_t groups = part(0);
  const int weight = static_cast<std::int16_t>(part(1));
  switch (part(2)) {
    case 0x0000:
    case 0x4000: break;
    case 0xC000: return "NaN";
    case 0xD000: return "Infinity";
    case 0xF000: return "-Infinity";
    default: damaged("numeric");
  }
  const int scale = part(3);
  if (cell.size() != 8 + 2 * groups || scale > 16'383) damaged("numeric");
  const auto group = [&](int power) {  // of 10000
    const int at = weight - power;
    return at < 0 || at >= static_cast<int>(groups) ? 0 : static_cast<int>(part(4 + static_cast<std::size_t>(at)));
  };
  std::string out = part(2) == 0x4000 ? "-" : "";
  if (weight < 0) out += '0';
  for (int power = weight; power >= 0; --power)
    out += power == weight ? fmt::format("{}", group(power)) : fmt::format("{:04}", group(power));
  if (scale == 0) return out;
  out += '.';
  const std::size_t end = out.size() + static_cast<std::size_t>(scale);
  for (int power = -1; out.size() < end; --power) out += fmt::format("{:04}", group(power));
  out.resize(end);
  return out;
}

/// PostgreSQL knows years from -4712 to 294276, which no Date can be.
std::string day_text(std::int64_t days) {
  static constexpr std::int64_t first = Date(1, 1, 1).days, last = Date(9999, 12, 31).days;
  if (days < first) return "before the year 1";
  if (days > last) return "after the year 9999";
  return Date::from_days(static_cast<std::int32_t>(days)).iso();
}
std::string date_of(std::string_view cell) {
  const auto days = number_of<std::int32_t>(cell, "date");
  if (days == std::numeric_limits<std::int32_t>::max()) return "infinity";
  if (days == std::numeric_limits<std::int32_t>::min()) return "-infinity";
  return day_text(days + day_of_2000);
}
std::string timestamp_of(std::string_view cell) {
  const auto since = number_of<std::int64_t>(cell, "timestamp");
  if (since == std::numeric_limits<std::int64_t>::max()) return "infinity";
  if (since == std::numeric_limits<std::int64_t>::min()) return "-infinity";
  const std::int64_t days = since / day - (since % day < 0);
  return day_text(days + day_of_2000) + " " + Time{since - days * day}.iso();
}

template <class T>
T parsed(std::string_view text, std::string_view type) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) damaged(type);
  return out;
}

Bytes bytes_of_hex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    damaged("bytea");
  };
  if (!text.starts_with("\\x") || text.size() % 2) damaged("bytea");
  Buffer out(text.size() / 2 - 1);
  for (std::size_t i = 0; i < out.size(); ++i)
    out.data()[i] = static_cast<std::byte>(digit(text[2 + 2 * i]) << 4 | digit(text[3 + 2 * i]));
  return std::move(out).finish();
}

}  // namespace

char PostgresSignature::kind_of(const Value& value) {
  const auto refuse_giant = [](std::size_t size) {
    if (size <= largest_cell) return;
    throw Error(Errc::constraint,
                fmt::format("{} bytes long. PostgreSQL takes {}; keep it in a store", size, largest_cell));
  };
  if (value.is_null()) return '\0';
  if (value.is<bool>()) return 'b';
  if (const auto* number = value.get_if<std::int64_t>())
    return std::in_range<std::int32_t>(*number) ? 'i' : 'l';  // as the server takes numbers that stand in statements
  if (value.is<double>()) return 'd';
  if (const auto* bytes = value.get_if<Bytes>()) {
    refuse_giant(bytes->size());
    return 'y';
  }
  const auto* text = value.get_if<std::string>();
  if (!text) throw Error(Errc::usage, value.describe() + ". give a cell, as Dialect::to_cell makes them");
  refuse_giant(text->size());
  if (text->find('\0') != text->npos) throw Error(Errc::usage, "a text with a NUL, which PostgreSQL cannot hold");
  return 't';
}

bool PostgresSignature::add(std::span<const Value> params) {
  if (kinds_.empty()) kinds_.assign(params.size(), '\0');
  std::string kinds = kinds_;
  for (std::size_t i = 0; i < params.size(); ++i) {
    char kind = 0;
    try {
      kind = kind_of(params[i]);
    } catch (const Error& e) {
      throw Error(e.code(), fmt::format("parameter {} is {}", i + 1, e.what()));
    }
    if (kind == '\0' || kind == kinds[i] || (kind == 'i' && kinds[i] == 'l')) continue;
    if (kinds[i] != '\0' && !(kind == 'l' && kinds[i] == 'i')) return false;
    kinds[i] = kind;
  }
  kinds_ = std::move(kinds);
  return true;
}

bool PostgresSignature::takes(const PostgresSignature& other) const noexcept {
  return std::ranges::equal(kinds_, other.kinds_, [](char own, char theirs) {
    return !theirs || own == theirs || (own == 'l' && theirs == 'i');
  });
}

PostgresSignature PostgresSignature::repeated(std::size_t rows) const {
  PostgresSignature out;
  for (std::size_t i = 0; i < rows; ++i) out.kinds_ += kinds_;
  return out;
}

std::string postgres_insert_of_rows(std::string_view sql, std::size_t parameters, std::size_t rows) {
  std::string out;
  std::size_t number = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    out += row == 0 ? " VALUES (" : ", (";
    for (std::size_t i = 0; i < parameters; ++i) out += fmt::format("{}${}", i > 0 ? ", " : "", ++number);
    out += ')';
    if (row > 0) continue;
    if (parameters == 0 || !sql.starts_with("INSERT INTO ") || !sql.ends_with(out)) return {};
    sql.remove_suffix(out.size());
  }
  return std::string(sql) + out;
}

std::vector<PostgresType> PostgresSignature::types() const {
  std::vector<PostgresType> out;
  for (const char kind : kinds_) {
    out.push_back(kind == 'b'   ? type_bool
                  : kind == 'i' ? type_int4
                  : kind == 'l' ? type_int8
                  : kind == 'd' ? type_float8
                  : kind == 'y' ? type_bytea
                                : PostgresType{0});
  }
  return out;
}

PostgresParameters::PostgresParameters(const PostgresSignature& prepared_for)
    : kinds_(prepared_for.kinds()),
      values_(kinds_.size()),
      lengths_(kinds_.size()),
      formats_(kinds_.size(), 1),
      numbers_(kinds_.size()) {}

void PostgresParameters::add(std::span<const Value> params) {
  for (const Value& value : params) {
    const std::size_t i = next_++;
    const auto take = [&](const char* data, std::size_t size) {
      values_[i] = data;
      lengths_[i] = static_cast<int>(size);
      bytes_ += size;
    };
    if (const auto* text = value.get_if<std::string>()) {
      take(text->c_str(), text->size());
      formats_[i] = 0;
    } else if (const auto* bytes = value.get_if<Bytes>()) {
      static constexpr char nothing = 0;  // a null pointer would be NULL
      take(bytes->empty() ? &nothing : reinterpret_cast<const char*>(bytes->data()), bytes->size());
    } else if (const auto* flag = value.get_if<bool>()) {
      numbers_[i][0] = static_cast<char>(*flag);
      take(numbers_[i].data(), 1);
    } else if (const auto* number = value.get_if<double>()) {
      numbers_[i] = big_endian(*number);
      take(numbers_[i].data(), 8);
    } else if (const auto* integer = value.get_if<std::int64_t>()) {
      const bool wide = kinds_[i] == 'l';
      numbers_[i] = wide ? big_endian(*integer) : big_endian(static_cast<std::int32_t>(*integer));
      take(numbers_[i].data(), wide ? 8 : 4);
    }
  }
}

bool has_binary_cells(PostgresType type) noexcept {
  switch (type) {
    case type_bool:
    case type_bytea:
    case type_char:
    case type_name:
    case type_int8:
    case type_int2:
    case type_int4:
    case type_text:
    case type_oid:
    case type_xid:
    case type_json:
    case type_xml:
    case type_float4:
    case type_float8:
    case type_unknown:
    case type_bpchar:
    case type_varchar:
    case type_date:
    case type_time:
    case type_timestamp:
    case type_timestamptz:
    case type_numeric:
    case type_void:
    case type_uuid:
    case type_jsonb: return true;
    default: return false;
  }
}

Value read_binary_cell(PostgresType type, std::string_view cell, const std::shared_ptr<const void>& owner) {
  switch (type) {
    case type_bool: return number_of<std::uint8_t>(cell, "boolean") != 0;
    case type_int2: return std::int64_t{number_of<std::int16_t>(cell, "smallint")};
    case type_int4: return std::int64_t{number_of<std::int32_t>(cell, "integer")};
    case type_int8: return number_of<std::int64_t>(cell, "bigint");
    case type_oid:
    case type_xid: return std::int64_t{number_of<std::uint32_t>(cell, "oid")};
    case type_float4: return double{std::bit_cast<float>(number_of<std::uint32_t>(cell, "real"))};
    case type_float8: return std::bit_cast<double>(number_of<std::uint64_t>(cell, "double precision"));
    case type_numeric: return decimal_of(cell);
    case type_date: return date_of(cell);
    case type_time: return Time{number_of<std::int64_t>(cell, "time")}.iso();
    case type_timestamp:
    case type_timestamptz: return timestamp_of(cell);
    case type_uuid: {
      if (cell.size() != 16) damaged("uuid");
      Uuid id;
      std::ranges::copy(as_bytes(cell), id.bytes.begin());
      return id.text();
    }
    case type_jsonb:
      if (!cell.starts_with('\1')) damaged("jsonb");
      return cell.substr(1);
    case type_bytea: {
      const BytesView bytes = as_bytes(cell);
      return bytes.size() < shared_from ? Bytes::copy(bytes) : Bytes(owner, bytes.data(), bytes.size());
    }
    default: return cell;
  }
}

Value read_text_cell(PostgresType type, std::string_view cell) {
  switch (type) {
    case type_bool: return cell == "t";
    case type_int2:
    case type_int4:
    case type_int8:
    case type_oid:
    case type_xid: return parsed<std::int64_t>(cell, "whole number");
    case type_float4:
      if (cell.ends_with("Infinity") || cell == "NaN") return read_text_cell(type_float8, cell);
      return double{parsed<float>(cell, "real")};
    case type_float8:
      if (cell == "NaN") return std::numeric_limits<double>::quiet_NaN();
      if (cell == "Infinity") return std::numeric_limits<double>::infinity();
      if (cell == "-Infinity") return -std::numeric_limits<double>::infinity();
      return parsed<double>(cell, "double precision");
    case type_bytea: return bytes_of_hex(cell);
    default: return cell;
  }
}

}  // namespace oas::db
