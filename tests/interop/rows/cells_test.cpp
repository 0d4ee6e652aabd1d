// Attributes of core types: cells as PostgreSQL and MariaDB hold them, through our dialects. What a server prints is
// read as the value that fetch of DataJoint for Python gave; what was inserted binds to what the server then held.
// Where we differ, the rule is told here (docs/compatibility.md, Rows).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "core/typed.hpp"
#include "db/cells.hpp"
#include "db/mysql_dialect.hpp"
#include "db/postgres_dialect.hpp"
#include "engine/state.hpp"
#include "interop/rows/golden_rows.hpp"

namespace oas::interop {
namespace {

using testing::GoldenCase;
using Kind = db::CellType::Kind;

class Cells : public ::testing::TestWithParam<const char*> {
 protected:
  Cells()
      : golden_(GetParam()),
        dialect_(mysql() ? db::mysql_dialect() : db::postgres_dialect()),
        session_(golden_.settings(folder_.path() / "lab.db", golden_.folder / "store")) {
    golden_.declare(session_);
  }
  static bool mysql() { return std::string_view(GetParam()) == "mysql"; }

  /// A cell as our driver hands it over, from what the server prints: numbers as numbers, bytes as bytes.
  static Value cell(const db::CellType& type, const std::string& raw) {
    const auto number = [&]<class T>(T value) {
      const auto [end, failure] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
      EXPECT_TRUE(failure == std::errc{} && end == raw.data() + raw.size()) << raw;
      return value;
    };
    if (type.kind == Kind::boolean && !mysql()) return raw == "true" || raw == "t";
    if (type.kind == Kind::boolean || type.kind == Kind::integer) return number(std::int64_t{});
    if (type.kind == Kind::real) return number(double{});
    if (type.kind == Kind::bytes || (type.kind == Kind::uuid && mysql())) return from_hex(raw).value();
    return raw;
  }

  test::TempFolder folder_;
  GoldenRows golden_;
  const db::Dialect& dialect_;
  Session session_;
  std::map<std::string, std::size_t> counted_;
};

std::string word(const std::string& type) { return type.substr(0, type.find('(')); }

// Members of JSON have no order.
Value unordered(const Value& json) {
  Value out = json;
  if (auto* list = out.get_if<Seq>())
    for (Value& item : list->items) item = unordered(item);
  if (auto* object = out.get_if<Map>()) {
    for (auto& [key, item] : object->items) item = unordered(item);
    std::ranges::sort(object->items, {}, [](const auto& item) { return item.first.template as<std::string>(); });
  }
  return out;
}

enum class Digits { rounded, cut };

// A cell without what servers make of it: the blanks of char(n), and how they come from microseconds to n digits
// (MariaDB cuts).
Value comparable(const db::CellType& type, const std::string& column, Value value, Digits digits = Digits::rounded) {
  if (auto* text = value.get_if<std::string>(); text && column.starts_with("char("))
    text->resize(text->find_last_not_of(' ') + 1);
  if (auto* moment = value.get_if<DateTime>()) {
    std::int64_t unit = 1;
    for (int digit = type.fraction; digit < 6; ++digit) unit *= 10;
    return (moment->microseconds + (digits == Digits::rounded ? unit / 2 : 0)) / unit;
  }
  return unordered(value);
}

TEST_P(Cells, AreReadAsFetchReadsThem) {
  for (const GoldenCase& one : golden_.cases) {
    const Value* raw = one.find("raw");
    const Value* fetched = one.find("fetched");
    if (!raw || !fetched) continue;
    SCOPED_TRACE(one.name);
    const auto entry = session_.state()->find_table(golden_.schema, one.text("table"));
    ASSERT_NE(entry, nullptr) << one.text("table");
    for (std::size_t row = 0; row < fetched->get_if<Seq>()->items.size(); ++row) {
      const Map& cells = *raw->get_if<Seq>()->items.at(row).get_if<Map>();
      for (const Value& item : fetched->get_if<Seq>()->items[row].get_if<Seq>()->items) {
        const std::string name = item.get_if<Seq>()->items[0].as<std::string>();
        const Attribute& attribute = entry->info->heading.at(name);
        if (!attribute.codec.empty()) continue;
        SCOPED_TRACE(name);
        const Value theirs = untyped(item.get_if<Seq>()->items[1]);
        const Value& text = cells.at(name);
        if (text.is_null()) {
          EXPECT_EQ(dialect_.from_cell(attribute.column, Value()), theirs);
          continue;
        }
        const db::CellType type = db::parse_type(attribute.column);
        ++counted_[word(attribute.column)];
        const Value held = cell(type, text.as<std::string>());
        if (type.kind == Kind::boolean && held != Value(0) && held != Value(1) && !held.is<bool>()) {
          EXPECT_THROW(dialect_.from_cell(attribute.column, held), Error);  // any tinyint, on MySQL [D 55]
          continue;
        }
        const Value ours = dialect_.from_cell(attribute.column, held);
        const auto* padded = theirs.get_if<std::string>();
        if (type.kind == Kind::boolean) {  // to it a number on MySQL [D 55]
          EXPECT_EQ(ours, Value(theirs == Value(true) || theirs == Value(1)));
        } else if (word(attribute.column) == "char" && padded) {  // padded on PostgreSQL
          EXPECT_EQ(ours, Value(padded->substr(0, padded->find_last_not_of(' ') + 1)));
        } else if (type.kind == Kind::json && ours.is<std::string>()) {  // it reads the text as JSON again [D 7]
          EXPECT_EQ(to_json(ours), to_json(from_json(text.as<std::string>())));
        } else if (const auto* real = ours.get_if<double>(); real && std::isnan(*real)) {
          EXPECT_TRUE(std::isnan(theirs.as<double>()));
        } else {
          EXPECT_EQ(ours, theirs) << text.as<std::string>();
        }
      }
    }
  }
  for (const auto& [type, count] : counted_)
    testing::tell_cases(fmt::format("cells, {}, {} read", GetParam(), type), count);
  testing::tell_cases(fmt::format("cells, {}, types read", GetParam()), counted_.size());
}

TEST_P(Cells, BindToWhatTheServerThenHeld) {
  std::size_t refused = 0;
  for (const GoldenCase& one : golden_.cases) {
    const Value* raw = one.find("raw");
    if (!raw || raw->get_if<Seq>()->items.size() != 1 || one.text("op") != "insert1") continue;
    const std::string sql = to_json(*one.find("statements"));
    if (sql.find(" ON ") != std::string::npos) continue;  // the row that was there stays
    SCOPED_TRACE(one.name);
    const auto entry = session_.state()->find_table(golden_.schema, one.text("table"));
    ASSERT_NE(entry, nullptr) << one.text("table");
    const Map& cells = *raw->get_if<Seq>()->items[0].get_if<Map>();
    for (const Value& item : one.find("row")->get_if<Seq>()->items) {
      const std::string name = item.get_if<Seq>()->items[0].as<std::string>();
      const Attribute* attribute = entry->info->heading.find(name);
      if (!attribute || !attribute->codec.empty() || cells.at(name).is_null()) continue;
      SCOPED_TRACE(name);
      const Value given = untyped(item.get_if<Seq>()->items[1]);
      if (given.is_null()) continue;  // the column's default, with both
      const db::CellType type = db::parse_type(attribute->column);
      const std::string& held_text = *cells.at(name).get_if<std::string>();
      if (type.kind == Kind::boolean && mysql() && held_text != "0" && held_text != "1") continue;  // any tinyint there
      const Value theirs = dialect_.from_cell(attribute->column, cell(type, cells.at(name).as<std::string>()));
      Value ours;
      try {
        ours = dialect_.from_cell(attribute->column, dialect_.to_cell(attribute->column, given));
      } catch (const Error& e) {
        EXPECT_TRUE(takes_otherwise(*attribute, given)) << e.what();
        ++refused;
        continue;
      }
      ++counted_[word(attribute->column)];
      const auto *real = ours.get_if<double>(), *held = theirs.get_if<double>();
      if (real && held) {  // NaN, and what servers print of 32 bits: MySQL six digits
        EXPECT_TRUE((std::isnan(*real) && std::isnan(*held)) || *real == *held ||
                    (type.single && std::abs(*real - *held) <= (mysql() ? 1e-5 : 1e-7) * std::abs(*held)))
            << *real << " " << *held;
        continue;
      }
      const auto same = [&](const Value& value, Digits digits) {
        return comparable(type, attribute->column, value, digits) ==
               comparable(type, attribute->column, theirs, digits);
      };
      EXPECT_TRUE(same(ours, Digits::rounded) || (mysql() && same(given, Digits::cut)))
          << to_typed(ours) << " " << to_typed(theirs);
    }
  }
  for (const auto& [type, count] : counted_)
    testing::tell_cases(fmt::format("cells, {}, {} bound", GetParam(), type), count);
  testing::tell_cases(fmt::format("cells, {}, types bound", GetParam()), counted_.size());
  std::cout << fmt::format("golden cells, {}: {} values of another type refused\n", GetParam(), refused);
}

INSTANTIATE_TEST_SUITE_P(Golden, Cells, ::testing::Values("postgresql", "mysql"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace oas::interop
