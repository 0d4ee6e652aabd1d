#include "core/typed.hpp"

#include <cmath>

#include "core/json.hpp"
#include "expect_error.hpp"

namespace oas {
namespace {

std::string again(std::string_view text) { return to_typed(from_typed(text)); }

TEST(Typed, EveryTypeComesBack) {
  for (
      const char* text : {
          R"({"t": "none"})",
          R"({"t": "bool", "v": false})",
          R"({"t": "int", "v": "-123456789012345678901234567890"})",
          R"({"t": "float", "bits": "3ff8000000000000", "repr": "1.5"})",
          R"({"t": "float", "bits": "8000000000000000", "repr": "-0.0"})",
          R"({"t": "float", "bits": "7ff8000000000001", "repr": "nan"})",
          R"_({"t": "complex", "re": "8000000000000000", "im": "401c000000000000", "repr": "(-0+7j)"})_",
          R"({"t": "str", "v": "\u00fc\u0000"})",
          R"({"t": "bytes", "hex": "00ff"})",
          R"({"t": "decimal", "v": "-0.000"})",
          R"({"t": "uuid", "v": "12345678-1234-5678-1234-567812345678"})",
          R"({"t": "date", "v": "2024-03-07"})",
          R"({"t": "time", "v": "01:02:03.000004"})",
          R"({"t": "datetime", "v": "2024-03-07T01:02:03.000000"})",
          R"({"t": "list", "v": [{"t": "none"}, {"t": "tuple", "v": []}, {"t": "set", "v": [{"t": "int", "v": "1"}]}]})",
          R"({"t": "dict", "v": [[{"t": "int", "v": "1"}, {"t": "none"}], [{"t": "str", "v": "a"}, {"t": "dict", "v": []}]]})",
          R"({"t": "array", "dtype": "int16", "shape": [2, 1], "b64": "AQACAA=="})",
          R"({"t": "array", "dtype": "uint64", "shape": [], "b64": "/f////////8=", "np_scalar": true})",
          R"({"t": "array", "dtype": "float16", "shape": [0], "b64": ""})",
          R"({"t": "array", "dtype": "datetime64[25s]", "shape": [1], "b64": "AAAAAAAAAIA="})",
          R"({"t": "array", "dtype": "|S1", "shape": [2], "b64": "eHk="})",
          R"({"t": "array", "dtype": "[('a', 'u1'), ('b', '<i2')]", "shape": [1], "b64": "AQIA", "itemsize": 3})",
          R"({"t": "array", "dtype": "unicode", "itemchars": 2, "shape": [3], "v": ["a", "", "\u00fc\ud83d\udc2d"]})",
          R"({"t": "array", "dtype": "object", "shape": [1, 2], "v": [{"t": "none"}, {"t": "int", "v": "1"}]})",
          R"({"t": "recarray", "shape": [1], "fields": [["x", {"t": "array", "dtype": "int8", "shape": [1], "b64": "AQ=="}]]})",
          R"({"t": "matcell", "shape": [2, 2], "v": [{"t": "int", "v": "1"}, {"t": "int", "v": "2"}, {"t": "int", "v": "3"}, {"t": "int", "v": "4"}]})",
          R"({"t": "matstruct", "shape": [2, 1], "fields": ["a", "b"], "v": [[{"t": "int", "v": "1"}, {"t": "none"}], [{"t": "int", "v": "2"}, {"t": "none"}]]})",
          R"({"t": "matstruct", "shape": [0, 0], "fields": ["a"], "v": []})",
          R"({"t": "recarray", "shape": [], "fields": [["x", {"t": "array", "dtype": "int8", "shape": [], "b64": "AQ=="}]]})",
          R"({"t": "attached", "name": "report.txt", "hex": "6869"})",
          R"({"t": "ref", "metadata": {"path": "a/b", "store": "raw", "size": 4, "is_dir": false}})",
      })
    EXPECT_EQ(again(text), text);
}

TEST(Typed, CellsAreKeptInColumnOrder) {
  const Value value = from_typed(
      R"({"t": "matcell", "shape": [2, 3], "v": [{"t": "int", "v": "11"}, {"t": "int", "v": "12"}, {"t": "int", "v": "13"},
          {"t": "int", "v": "21"}, {"t": "int", "v": "22"}, {"t": "int", "v": "23"}]})");
  EXPECT_EQ(value.as<Cells>().items, (std::vector<Value>{11, 21, 12, 22, 13, 23}));
}

TEST(Typed, ArraysAreWrittenInRowOrderAndLittleEndian) {
  const std::int16_t memory[] = {1, 2, 3, 4};
  const Array column(std::span<const std::int16_t>(memory), {2, 2}, Array::Order::column);
  EXPECT_EQ(to_typed(column), R"({"t": "array", "dtype": "int16", "shape": [2, 2], "b64": "AQADAAIABAA="})");
  const Array big({DType::i16, 2, true, ">i2"}, {1}, Bytes::copy(std::string_view("\0\1", 2)));
  EXPECT_EQ(to_typed(big), R"({"t": "array", "dtype": "int16", "shape": [1], "b64": "AQA="})");
}

TEST(Typed, RefusesWhatItDoesNotKnow) {
  for (const char* text : {
           "1",
           "{}",
           R"({"t": 1})",
           R"({"t": "other", "type": "range"})",
           R"({"t": "int", "v": 1})",
           R"({"t": "int", "v": "1.5"})",
           R"({"t": "float", "bits": "3ff"})",
           R"({"t": "float", "bits": "3ff800000000000g"})",
           R"({"t": "bytes", "hex": "0"})",
           R"({"t": "list", "v": [1]})",
           R"({"t": "dict", "v": [[{"t": "none"}]]})",
           R"({"t": "array", "dtype": "float64", "shape": [2], "b64": "AAAA"})",
           R"({"t": "array", "dtype": "float64", "shape": [-1], "b64": ""})",
           R"({"t": "array", "dtype": "quad", "shape": [0], "b64": ""})",
           R"({"t": "array", "dtype": "object", "shape": [2], "v": []})",
           R"({"t": "array", "dtype": "object", "shape": [4294967296, 4294967296], "v": []})",
           R"({"t": "array", "dtype": "unicode", "itemchars": 1, "shape": [1], "v": ["ab"]})",
           R"({"t": "array", "dtype": "unicode", "itemchars": 500000000, "shape": [1], "v": ["ab"]})",
           R"({"t": "matstruct", "shape": [1], "fields": ["a"], "v": [[]]})",
           R"({"t": "ref", "metadata": {"store": "raw"}})",
       })
    EXPECT_EQ(code_of([&] { (void)from_typed(text); }), Errc::decode) << text;
  EXPECT_EQ(code_of([] { (void)from_typed("{"); }), Errc::syntax);
}

TEST(Typed, IsOnlyNestedSoDeep) {
  const auto nested = [](int depth) {
    std::string text = R"({"t": "none"})";
    for (int i = 0; i < depth; ++i) text = R"({"t": "list", "v": [)" + text + "]}";
    return text;
  };
  EXPECT_EQ(again(nested(500)), nested(500));
  EXPECT_EQ(code_of([&] { (void)from_typed(nested(600)); }), Errc::decode);
  Value deep;
  for (int i = 0; i < 600; ++i) {
    Seq around;
    around.items.push_back(std::move(deep));
    deep = std::move(around);
  }
  EXPECT_EQ(code_of([&] { (void)to_typed(deep); }), Errc::usage);
}

}  // namespace
}  // namespace oas
