// The texts of days, times, decimals and UUIDs.
#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <optional>

#include <oas/value.hpp>

namespace oas {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 86'400 * second;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[noreturn]] void refuse(std::string_view what, std::string_view text, std::string_view form) {
  constexpr std::size_t most = 80;
  throw Error(Errc::decode, fmt::format("read '{}' as {}: it is not of the form {}", text.substr(0, most), what, form));
}

// Takes exactly `count` digits off the front.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count || !std::ranges::all_of(text.substr(0, count), is_digit)) return std::nullopt;
  int n = 0;
  for (const char c : text.substr(0, count)) n = n * 10 + (c - '0');
  text.remove_prefix(count);
  return n;
}

bool skip(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Date> take_date(std::string_view& text) {
  const auto y = digits(text, 4);
  if (!y || !skip(text, '-')) return std::nullopt;
  const auto m = digits(text, 2);
  if (!m || !skip(text, '-')) return std::nullopt;
  const auto d = digits(text, 2);
  if (!d || *y == 0) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year(*y), std::chrono::month(static_cast<unsigned>(*m)),
                                        std::chrono::day(static_cast<unsigned>(*d))};
  if (!ymd.ok()) return std::nullopt;
  return Date::from_days(static_cast<std::int32_t>(std::chrono::sys_days(ymd).time_since_epoch().count()));
}

// HH:MM[:SS[.f…]], up to six digits of a fraction.
std::optional<std::int64_t> take_time(std::string_view& text) {
  const auto h = digits(text, 2);
  if (!h || *h > 23 || !skip(text, ':')) return std::nullopt;
  const auto m = digits(text, 2);
  if (!m || *m > 59) return std::nullopt;
  std::int64_t time = (*h * 60 + *m) * 60 * second;
  if (!skip(text, ':')) return time;
  const auto s = digits(text, 2);
  if (!s || *s > 59) return std::nullopt;
  time += *s * second;
  if (!skip(text, '.')) return time;
  std::int64_t unit = second;
  while (!text.empty() && is_digit(text.front()) && unit > 1) {
    unit /= 10;
    time += (text.front() - '0') * unit;
    text.remove_prefix(1);
  }
  if (unit == second) return std::nullopt;
  return time;
}

}  // namespace

Date Date::parse(std::string_view iso) {
  std::string_view rest = iso;
  const auto date = take_date(rest);
  if (!date || !rest.empty()) refuse("a date", iso, "2026-01-31");
  return *date;
}

std::string Date::iso() const {
  // Years 1 to 9999: the days that this form can tell apart.
  constexpr std::int32_t first = -719'162, last = 2'932'896;
  if (days < first || days > last)
    throw Error(Errc::usage, fmt::format("write a date {} days from 1970-01-01: its year has not four digits", days));
  const std::chrono::year_month_day ymd{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

Time Time::parse(std::string_view iso) {
  std::string_view rest = iso;
  const auto time = take_time(rest);
  if (!time || !rest.empty()) refuse("a time", iso, "01:02:03.000004");
  return Time{*time};
}

std::string Time::iso() const {
  if (microseconds < 0 || microseconds >= day)
    throw Error(Errc::usage, fmt::format("write a time of {} microseconds: it is not within a day", microseconds));
  const std::int64_t s = microseconds / second;
  std::string text = fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  if (const std::int64_t fraction = microseconds % second) text += fmt::format(".{:06}", fraction);
  return text;
}

DateTime DateTime::now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return from_microseconds(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

DateTime DateTime::parse(std::string_view iso) {
  std::string_view rest = iso;
  const auto date = take_date(rest);
  if (date && (skip(rest, ' ') || skip(rest, 'T')))
    if (const auto time = take_time(rest); time && rest.empty()) return DateTime(*date, *time);
  refuse("a point in time", iso, "2026-01-31 01:02:03.000004");
}

std::string DateTime::iso(char separator) const {
  std::int64_t days = microseconds / day;
  if (microseconds % day < 0) --days;
  // |days| stays below 2^27 for all microseconds of 64 bits.
  return Date::from_days(static_cast<std::int32_t>(days)).iso() + separator + Time{microseconds - days * day}.iso();
}

Decimal Decimal::parse(std::string_view text) {
  std::string_view rest = text;
  const auto take_digits = [&rest] {
    std::size_t count = 0;
    while (count < rest.size() && is_digit(rest[count])) ++count;
    rest.remove_prefix(count);
    return count;
  };
  if (!skip(rest, '-')) skip(rest, '+');
  if (rest == "Infinity") return Decimal{std::string(text)};
  if (rest.starts_with("NaN") || rest.starts_with("sNaN")) {
    rest.remove_prefix(rest.find("NaN") + 3);
    take_digits();
    if (!rest.empty()) refuse("a decimal", text, "NaN or NaN123");
    return Decimal{std::string(text)};
  }
  std::size_t count = take_digits();
  if (skip(rest, '.')) count += take_digits();
  bool good = count > 0;
  if (skip(rest, 'E') || skip(rest, 'e')) {
    if (!skip(rest, '-')) skip(rest, '+');
    good = good && take_digits() > 0;
  }
  if (!good || !rest.empty()) refuse("a decimal", text, "-12.50 or 1E+10");
  return Decimal{std::string(text)};
}

Uuid Uuid::random() {
  Uuid uuid;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(uuid.bytes.data()), static_cast<int>(uuid.bytes.size())) != 1)
    throw Error(Errc::unavailable, "make a UUID: the system's random source failed");
  uuid.bytes[6] = (uuid.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  uuid.bytes[8] = (uuid.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return uuid;
}

Uuid Uuid::parse(std::string_view text) {
  const auto bad = [text] { refuse("a UUID", text, "01234567-89ab-cdef-0123-456789abcdef"); };
  std::string_view rest = text;
  if (rest.starts_with("urn:uuid:"))
    rest.remove_prefix(9);
  else if (rest.starts_with('{') && rest.ends_with('}'))
    rest = rest.substr(1, rest.size() - 2);
  const bool dashes = rest.size() == 36;
  if (!dashes && rest.size() != 32) bad();
  Uuid uuid;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (c != '-') bad();
      continue;
    }
    const int n = is_digit(c)            ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
    if (n < 0) bad();
    uuid.bytes[nibble / 2] |= static_cast<std::byte>(nibble % 2 ? n : n << 4);
    ++nibble;
  }
  return uuid;
}

std::string Uuid::text() const {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", std::to_integer<unsigned>(bytes[i]));
  }
  return text;
}

}  // namespace oas
