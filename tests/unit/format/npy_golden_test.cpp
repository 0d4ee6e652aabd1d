// Every .npy file that numpy wrote, and some by hand: read as numpy says, and written to the same bytes.
#include <algorithm>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "format/dtype.hpp"
#include "format/npy.hpp"
#include "unit/format/golden.hpp"

namespace oas::format {
namespace {

using testing::golden_cases;
using testing::GoldenCase;

Bytes join(const std::vector<Bytes>& parts) {
  std::string text;
  for (const Bytes& part : parts) text += part.text();
  return Bytes::copy(text);
}

std::string sha256_hex(BytesView bytes) { return hex(sha256(std::span(&bytes, 1))); }

// numpy's own words for the elements: little-endian, in row order.
Bytes plain_data(const Array& array) { return array.to_native().to_order(Array::Order::row).data(); }

TEST(NpyGolden, EveryCase) {
  std::size_t read = 0, written = 0, refused = 0;
  for (const GoldenCase& golden : golden_cases("npy")) {
    SCOPED_TRACE(golden.name);
    const Bytes file = testing::read_file(testing::golden_folder() / "npy" / golden.text("file"));
    if (!golden.find("data_sha256")) {
      try {
        read_npy(file);
        ADD_FAILURE() << "was read";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Errc::decode) << error.what();
      }
      ++refused;
      continue;
    }
    const Array array = read_npy(file);
    const NpyHeader header = parse_npy_header(file);
    EXPECT_EQ(header.shape, golden.find("shape")->as<Shape>());
    EXPECT_EQ(header.order == Array::Order::column, golden.find("fortran_order")->as<bool>());
    EXPECT_EQ(header.data_size, golden.find("data_nbytes")->as<std::uint64_t>());
    EXPECT_EQ(array.type().item_size, golden.find("itemsize")->as<std::uint32_t>());
    if (golden.text("dtype_str") != "(long)") {
      EXPECT_EQ(array.type().name, golden.text("dtype_str"));
      EXPECT_EQ(parse_dtype(golden.text("dtype_str")), array.type());
      EXPECT_EQ(parse_dtype(golden.text("descr")), array.type());
    }
    const bool numbers = array.dtype() != DType::bytes && array.dtype() != DType::record;
    EXPECT_EQ(sha256_hex(numbers ? plain_data(array) : array.data()), golden.text("data_sha256"));
    ++read;
    if (golden.text("how") != "numpy.save") continue;
    EXPECT_EQ(header.data_offset, golden.find("header_len")->as<std::uint64_t>());
    EXPECT_TRUE(join(write_npy(array)) == file);
    ++written;
  }
  std::printf("%zu golden .npy files read, %zu written, %zu refused\n", read, written, refused);
  EXPECT_GT(read, 0u);
  EXPECT_GT(written, 0u);
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace oas::format
