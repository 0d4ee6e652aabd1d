// Values of core types go in and come out the same, at their limits too.
#include <cfloat>
#include <cmath>

#include "lab.hpp"

namespace oas::test {
namespace {

struct Everything : Manual {
  static constexpr Definition definition = R"(
    id : int32
    ---
    a_int8 : int8
    a_int16 : int16
    a_int32 : int32
    a_int64 : int64
    a_float32 : float32
    a_float64 : float64
    a_bool : bool
    a_decimal : decimal(8,2)
    a_char : char(4)
    a_varchar : varchar(5)
    a_enum : enum('left','right')
    a_date : date
    a_datetime : datetime(6)
    a_uuid : uuid
    a_bytes : bytes
    a_json : json
  )";
};

struct Optional : Manual {
  static constexpr Definition definition = R"(
    id : int32
    ---
    a_int8=null : int8
    a_float64=null : float64
    a_bool=null : bool
    a_decimal=null : decimal(8,2)
    a_varchar=null : varchar(5)
    a_date=null : date
    a_datetime=null : datetime
    a_uuid=null : uuid
    a_bytes=null : bytes
    a_json=null : json
    a_blob=null : <blob>
    b_blob=null : <blob@>
    a_attach=null : <attach>
    b_attach=null : <attach@cold>
    a_hash=null : <hash@>
    a_npy=null : <npy@>
    a_object=null : <object@>
    a_filepath=null : <filepath@>
  )";
};

class CoreTypes : public Lab {};
OAS_EVERYWHERE(CoreTypes);

const std::string null_uuid(32, '0'), full_uuid(32, 'f');

Row lowest() {
  return {{"id", INT32_MIN},
          {"a_int8", INT8_MIN},
          {"a_int16", INT16_MIN},
          {"a_int32", INT32_MIN},
          {"a_int64", INT64_MIN},
          {"a_float32", -FLT_MAX},
          {"a_float64", -DBL_MAX},
          {"a_bool", false},
          {"a_decimal", Decimal{"-999999.99"}},
          {"a_char", ""},
          {"a_varchar", ""},
          {"a_enum", "left"},
          {"a_date", Date(1, 1, 1)},
          {"a_datetime", DateTime(Date(1, 1, 1))},
          {"a_uuid", Uuid::parse(null_uuid)},
          {"a_bytes", Bytes()},
          {"a_json", nullptr}};
}

TEST_P(CoreTypes, ComeBackAtTheirLimits) {
  auto table = lab().table<Everything>();
  Row low = lowest(), high = lowest(), odd = lowest();
  low.set("a_json", Map{});
  for (const auto& [name, value] : std::initializer_list<Row::Item>{
           {"id", INT32_MAX},
           {"a_int8", INT8_MAX},
           {"a_int16", INT16_MAX},
           {"a_int32", INT32_MAX},
           {"a_int64", INT64_MAX},
           {"a_float32", FLT_MAX},
           {"a_float64", DBL_MAX},
           {"a_bool", true},
           {"a_decimal", Decimal{"999999.99"}},
           {"a_char", "wxyz"},
           {"a_varchar", "äöü☃𝄞"},
           {"a_enum", "right"},
           {"a_date", Date(9999, 12, 31)},
           {"a_datetime", DateTime(Date(9999, 12, 31), 86'399'999'999)},
           {"a_uuid", Uuid::parse(full_uuid)},
           {"a_bytes", Bytes::copy(std::string_view("\0\xff\0", 3))},
           {"a_json",
            map({{"", map({{"ü\n\"", ""}})}, {"list", list({1, 2.5, "three", nullptr, true, INT64_MIN})}})}}) {
    high.set(name, value);
  }
  for (const auto& [name, value] : std::initializer_list<Row::Item>{{"id", 0},
                                                                    {"a_float32", FLT_TRUE_MIN},
                                                                    {"a_float64", DBL_TRUE_MIN},
                                                                    {"a_decimal", Decimal{"0.00"}},
                                                                    {"a_varchar", "'\"\\%"},
                                                                    {"a_json", "a text"}}) {
    odd.set(name, value);
  }
  EXPECT_EQ(table.insert({low, odd, high}), 3U);
  const auto rows = table.order_by("id").fetch();
  ASSERT_EQ(rows.size(), 3U);
  for (const auto& [wanted, found] : {std::pair(low, rows[0]), {odd, rows[1]}, {high, rows[2]}}) {
    for (const auto& [name, value] : wanted) {
      EXPECT_TRUE(found[name] == value) << name << ": " << to_typed(found[name]) << " is not " << to_typed(value);
    }
  }
  const auto one = table & key({{"id", INT32_MAX}});
  const auto [i8, i16, i32, i64] = one.fetch1<"a_int8", "a_int16", "a_int32", "a_int64">();
  static_assert(std::is_same_v<decltype(i8), const std::int8_t> && std::is_same_v<decltype(i64), const std::int64_t>);
  EXPECT_EQ(i8, INT8_MAX);
  EXPECT_EQ(i16, INT16_MAX);
  EXPECT_EQ(i32, INT32_MAX);
  EXPECT_EQ(i64, INT64_MAX);
  EXPECT_EQ(one.fetch1<"a_float32">(), FLT_MAX);
  EXPECT_EQ(one.fetch1<"a_float64">(), DBL_MAX);
  EXPECT_TRUE(one.fetch1<"a_bool">());
  EXPECT_EQ(one.fetch1<"a_decimal">(), Decimal{"999999.99"});
  EXPECT_EQ(one.fetch1<"a_varchar">(), "äöü☃𝄞");
  EXPECT_EQ(one.fetch1<"a_enum">(), "right");
  EXPECT_EQ(one.fetch1<"a_date">(), Date(9999, 12, 31));
  EXPECT_EQ(one.fetch1<"a_datetime">().iso(), "9999-12-31 23:59:59.999999");
  EXPECT_EQ(one.fetch1<"a_uuid">().text(), "ffffffff-ffff-ffff-ffff-ffffffffffff");
  EXPECT_EQ(one.fetch1<"a_bytes">().size(), 3U);
  EXPECT_EQ(one.fetch1<"a_json">().as<Map>().at("list").as<Seq>().items.size(), 6U);
}

TEST_P(CoreTypes, InfinitiesAreNumbers) {
  auto table = declare("Measure", "id : int32\n---\nx : float64\ny : float32");
  if (on_mysql()) {  // it has none
    return refused(Errc::usage, {"x", "infinity"}, [&] { table.insert1({{"id", 1}, {"x", HUGE_VAL}, {"y", 1.0}}); });
  }
  table.insert1({{"id", 1}, {"x", HUGE_VAL}, {"y", -HUGE_VALF}});
  const Row row = table.fetch1();
  EXPECT_EQ(row.at<double>("x"), HUGE_VAL);
  EXPECT_EQ(row.at<double>("y"), -HUGE_VAL);
}

TEST_P(CoreTypes, KeysOfEveryKeyType) {
  const std::vector<std::pair<std::string, Value>> cases{{"int8", -1},
                                                         {"int64", INT64_MIN},
                                                         {"bool", true},
                                                         {"decimal(6,3)", Decimal{"1.500"}},
                                                         {"char(3)", "abc"},
                                                         {"varchar(200)", std::string(150, '/') + "ü"},
                                                         {"enum('a','b')", "b"},
                                                         {"date", Date(2024, 2, 29)},
                                                         {"datetime(3)", DateTime(Date(2024, 2, 29), 3'600'000'000)},
                                                         {"uuid", Uuid::parse(full_uuid)}};
  int number = 0;
  for (const auto& [type, value] : cases) {
    SCOPED_TRACE(type);
    auto table = declare("Keyed" + std::to_string(++number), "k : " + type + "\n---\nobject : <npy@>");
    table.insert1({{"k", value}, {"object", counting(3)}});
    const auto one = table & key({{"k", value}});
    EXPECT_TRUE(one.fetch1("k") == value);
    EXPECT_EQ(one.fetch1("object").as<NpyRef>().load(), counting(3));
    EXPECT_EQ(one.remove(), 1U);
  }
  expect_tidy(0);
}

TEST_P(CoreTypes, NullsComeBackAsNothing) {
  auto table = lab().table<Optional>();
  table.insert1({{"id", 1}});
  Row row{{"id", 2}};
  for (const std::string& name : table.heading().names()) {
    if (name != "id") row.set(name, nullptr);
  }
  table.insert1(row);
  for (const Row& found : table) {
    for (const auto& [name, value] : found) EXPECT_EQ(value.is_null(), name != "id") << name;
  }
  const auto one = table & key({{"id", 1}});
  EXPECT_FALSE(one.fetch1<"a_int8">().has_value());
  EXPECT_FALSE(one.fetch1<"a_npy">().has_value());
  EXPECT_FALSE(one.fetch1<"b_attach">().has_value());
  EXPECT_TRUE(one.fetch1<"a_blob">().is_null());
  EXPECT_EQ(table.heading().names().size(), 19U);
  EXPECT_TRUE(objects("main").empty());
  EXPECT_EQ((table & key({{"a_npy", nullptr}})).size(), 2U);
}

TEST_P(CoreTypes, NullableAttributesHoldValuesToo) {
  auto table = lab().table<Optional>();
  table.insert1({{"id", 1},
                 {"a_int8", 3},
                 {"a_blob", "x"},
                 {"b_blob", list({1})},
                 {"a_npy", counting(2)},
                 {"b_attach", Attachment("a.txt", Bytes::copy("hi"))}});
  EXPECT_EQ(table.fetch1<"a_int8">(), std::optional<std::int8_t>(3));
  EXPECT_EQ(table.fetch1<"a_npy">()->load(), counting(2));
  EXPECT_EQ(table.fetch1<"b_attach">()->bytes().text(), "hi");
  EXPECT_TRUE(table.fetch1<"b_blob">() == Value(list({1})));
  table.update1({{"id", 1}, {"a_npy", nullptr}, {"b_blob", nullptr}, {"b_attach", nullptr}, {"a_int8", nullptr}});
  EXPECT_FALSE(table.fetch1<"a_npy">().has_value());
  expect_tidy(0);
}

TEST_P(CoreTypes, DefaultsAreTakenWhereNothingIsGiven) {
  auto table = declare("Defaults", R"(
    id : int32
    ---
    n=-5 : int16
    x=2.5 : float64
    yes=true : bool
    price="1.5" : decimal(5,2)
    word="it's" : varchar(10)
    empty="" : varchar(10)
    side="right" : enum('left','right')
    day="2024-02-29" : date
    at="2024-02-29 01:02:03" : datetime
    made=CURRENT_TIMESTAMP : datetime(6)
    maybe=null : int8
  )");
  const DateTime before = DateTime::now();
  table.insert1({{"id", 1}});
  table.insert1({{"id", 2}, {"n", 7}, {"maybe", 1}, {"word", nullptr}});  // null asks for the default
  const Row row = (table & key({{"id", 1}})).fetch1();
  EXPECT_EQ(row.at<int>("n"), -5);
  EXPECT_EQ(row.at<double>("x"), 2.5);
  EXPECT_TRUE(row.at<bool>("yes"));
  EXPECT_EQ(row.at<Decimal>("price").digits, "1.50");
  EXPECT_EQ(row.at<std::string>("word"), "it's");
  EXPECT_EQ(row.at<std::string>("empty"), "");
  EXPECT_EQ(row.at<std::string>("side"), "right");
  EXPECT_EQ(row.at<Date>("day"), Date(2024, 2, 29));
  EXPECT_EQ(row.at<DateTime>("at").iso(), "2024-02-29 01:02:03");
  EXPECT_GE(row.at<DateTime>("made"), before);
  EXPECT_LE(row.at<DateTime>("made"), DateTime::now());
  EXPECT_TRUE(row["maybe"].is_null());
  EXPECT_EQ((table & key({{"id", 2}})).fetch1("word").as<std::string>(), "it's");
  EXPECT_EQ((table & key({{"id", 2}})).fetch1("n").as<int>(), 7);
}

TEST_P(CoreTypes, NumbersAreTakenFromAnyNumberThatFits) {
  auto table = declare("Numbers", "id : int32\n---\nx : float64\nd : decimal(6,2)\nb : bool\ns : float32");
  table.insert1({{"id", 1}, {"x", 3}, {"d", 5}, {"b", 1}, {"s", 0.1}});
  const Row row = table.fetch1();
  EXPECT_EQ(row.at<double>("x"), 3.0);
  EXPECT_EQ(row.at<Decimal>("d").digits, "5.00");
  EXPECT_TRUE(row.at<bool>("b"));
  EXPECT_EQ(row.at<float>("s"), 0.1F);
}

}  // namespace
}  // namespace oas::test
