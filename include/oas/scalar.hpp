// Scalars that C++ has no type for: null, dates and times, exact decimals, large integers, identifiers. Plain values;
// a const one may be read by any number of threads.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <oas/error.hpp>

namespace oas {

struct Null {
  friend bool operator==(Null, Null) = default;
};

/// A day of the proleptic Gregorian calendar.
struct Date {
  std::int32_t days = 0;  ///< since 1970-01-01
  constexpr Date() = default;
  /// Errors: usage if there is no such day.
  constexpr Date(int year, unsigned month, unsigned day) {
    const std::chrono::year_month_day ymd{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if (!ymd.ok()) throw Error(Errc::usage, "make a date: there is no such day in the calendar");
    days = static_cast<std::int32_t>(std::chrono::sys_days(ymd).time_since_epoch().count());
  }
  static constexpr Date from_days(std::int32_t days) {
    Date d;
    d.days = days;
    return d;
  }
  static Date parse(std::string_view iso);  ///< "2026-01-31". Errors: decode
  std::string iso() const;
  friend auto operator<=>(const Date&, const Date&) = default;
};
/// A time of day without a zone.
struct Time {
  std::int64_t microseconds = 0;  ///< since midnight
  static Time parse(std::string_view iso);
  std::string iso() const;  ///< "01:02:03" or "01:02:03.000004"
  friend auto operator<=>(const Time&, const Time&) = default;
};
/// A point in time without a zone; by convention UTC.
struct DateTime {
  std::int64_t microseconds = 0;  ///< since 1970-01-01 00:00
  constexpr DateTime() = default;
  constexpr explicit DateTime(Date date, std::int64_t microseconds_of_day = 0)
      : microseconds(std::int64_t{date.days} * 86'400'000'000 + microseconds_of_day) {}
  static constexpr DateTime from_microseconds(std::int64_t us) {
    DateTime d;
    d.microseconds = us;
    return d;
  }
  static DateTime now();
  static DateTime parse(std::string_view iso);  ///< "2026-01-31 01:02:03[.ffffff]", or with a T. Errors: decode
  std::string iso(char separator = ' ') const;  ///< the fraction only if there is one
  friend auto operator<=>(const DateTime&, const DateTime&) = default;
};
/// An exact decimal number, as its text: "12.50", "1E+10", "NaN". Equal if the texts are.
struct Decimal {
  std::string digits;
  static Decimal parse(std::string_view text);  ///< Errors: decode
  friend bool operator==(const Decimal&, const Decimal&) = default;
};
/// An integer that does not fit 64 bits, as its decimal text.
struct BigInt {
  std::string digits;
  friend bool operator==(const BigInt&, const BigInt&) = default;
};
struct Uuid {
  std::array<std::byte, 16> bytes{};
  static Uuid random();                      ///< version 4, from the system's random source
  static Uuid parse(std::string_view text);  ///< with or without dashes, braces, "urn:uuid:". Errors: decode
  std::string text() const;                  ///< lower case, with dashes
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

}  // namespace oas
