// Every blob that the reference wrote: read equal, and written to the same bytes.
#include <algorithm>
#include <map>
#include <set>

#include "format/blob.hpp"
#include "unit/format/golden.hpp"

namespace oas::format {
namespace {

using testing::golden_cases;
using testing::GoldenCase;

// Where the reference reads other values than were packed, or none, and we read what the bytes say.
const std::set<std::string> read_as_packed{"cplx64_inf_imag", "cplx_inf_imag", "rec_subarray_mixed"};
// Where the reference loses the sign of zeros while it reads.
const std::set<std::string> loses_sign_of_zero{"ml_complex_3d"};
// Where the reference reads something out of damaged bytes, or fails, and what we do.
const std::set<std::string> refused{"bad_header", "bad_empty", "bad_dtype_cell"};
// The reference packs another type than the one that is noted: a memoryview (which it takes for a tuple) and a masked
// array (which loses its mask).
const std::set<std::string> packed_as_read{"memoryview_abc", "arr_masked"};

void read_case(const GoldenCase& golden, const Bytes& blob) {
  if (golden.name == "raw_char_wide") {  // beyond ASCII: the reference fails, MATLAB means this
    EXPECT_EQ(to_typed(unpack(blob)),
              R"({"t": "array", "dtype": "unicode", "itemchars": 2, "shape": [1], "v": ["\u00e9\u2603"]})");
    return;
  }
  if (refused.contains(golden.name) || (!golden.find("value") && !read_as_packed.contains(golden.name))) {
    try {
      unpack(blob);
      FAIL() << "was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::decode) << error.what();
    }
    return;
  }
  const Value expected = untyped(*golden.find(read_as_packed.contains(golden.name) ? "source" : "value"));
  const Value value = unpack(blob);
  if (loses_sign_of_zero.contains(golden.name)) {
    const Array array = value.as<Array>().to_order(Array::Order::row), theirs = expected.as<Array>();
    EXPECT_TRUE(std::ranges::equal(array.as<std::complex<double>>(), theirs.as<std::complex<double>>()));
    return;
  }
  EXPECT_EQ(to_typed(value), to_typed(expected));
}

void write_case(const GoldenCase& golden, const Bytes& blob) {
  const bool source = golden.find("source") && !packed_as_read.contains(golden.name) &&
                      golden.find("source")->as<Map>().at("t") != Value("other");  // a Python type that we do not have
  const Value value = untyped(*golden.find(source ? "source" : "value"));
  using Compress = PackOptions::Compress;
  const PackOptions options{golden.find("compress_requested")->as<bool>() ? Compress::automatic : Compress::never};
  const Bytes packed = pack_joined(value, options);
  EXPECT_TRUE(packed == blob) << packed.size() << " bytes, " << blob.size() << " expected";
}

TEST(BlobGolden, EveryCase) {
  std::size_t read = 0, written = 0;
  for (const GoldenCase& golden : golden_cases("blobs")) {
    SCOPED_TRACE(golden.name);
    if (golden.text("file").empty()) continue;  // errors of packing, below
    const Bytes blob = testing::read_file(testing::golden_folder() / "blobs" / golden.text("file"));
    EXPECT_NO_THROW(read_case(golden, blob));
    ++read;
    if (golden.text("kind") != "pack") continue;
    EXPECT_NO_THROW(write_case(golden, blob));
    ++written;
  }
  std::printf("%zu golden blobs read, %zu written\n", read, written);
  EXPECT_GT(read, 0u);
  EXPECT_GT(written, 0u);
}

Array of_type(ArrayType type) { return Array::zeros(type, {2}); }

// Those of the reference's refusals that can be said in C++: long doubles and durations of Python cannot.
TEST(BlobGolden, RefusesWhatTheReferenceRefuses) {
  const std::map<std::string, Value> values{
      {"err_f16", of_type(ArrayType::of(DType::f16))},
      {"err_S3", of_type({DType::bytes, 3, false, "|S3"})},
      {"err_timedelta64", Array::zeros({DType::timedelta64, 8, false, "timedelta64[s]"}, {})},
      {"err_dt_generic", Array::zeros({DType::datetime64, 8, false, "datetime64"}, {})},
      {"err_dt_25s", Array::zeros({DType::datetime64, 8, false, "datetime64[25s]"}, {})},
      {"err_surrogate", Value("\xED\xA0\x80")},
      {"err_int_toolong", BigInt{std::string(157'900, '9')}},
      {"err_timedelta64_array", of_type({DType::timedelta64, 8, false, "timedelta64[s]"})}};
  std::size_t ran = 0;
  for (const GoldenCase& golden : golden_cases("blobs")) {
    const auto found = values.find(golden.name);
    if (golden.text("kind") != "pack_error" || found == values.end()) continue;
    SCOPED_TRACE(golden.name);
    try {
      pack(found->second);
      ADD_FAILURE() << "was packed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::usage) << error.what();
    }
    ++ran;
  }
  EXPECT_EQ(ran, values.size());
}

}  // namespace
}  // namespace oas::format
