#include <oas/array.hpp>

#include <numeric>
#include <random>

#include "expect_error.hpp"

namespace oas {
namespace {

Array counting(Shape shape) {
  std::vector<std::int32_t> elements(1);
  std::size_t n = 1;
  for (const auto length : shape) n *= static_cast<std::size_t>(length);
  elements.resize(n);
  std::iota(elements.begin(), elements.end(), 0);
  return Array::own(std::move(elements), std::move(shape));
}

TEST(Array, VectorsAreArraysWithoutACopy) {
  const std::vector<double> vector{1, 2, 3};
  const Array array = vector;
  EXPECT_EQ(array.as<double>().data(), vector.data());
  EXPECT_EQ(array.type().name, "float64");
  EXPECT_TRUE(std::ranges::equal(array.shape(), Shape{3}));
  EXPECT_TRUE(array.data().borrowed());
  EXPECT_EQ(array, Array::own(std::vector<double>{1, 2, 3}));
}

TEST(Array, RefusesShapesThatAreNotTheData) {
  const Bytes bytes = Bytes::copy("12345678");
  EXPECT_NO_THROW(Array(DType::f64, {}, bytes));
  EXPECT_EQ(code_of([&] { Array(DType::f64, {2}, bytes); }), Errc::usage);
  EXPECT_EQ(code_of([&] { Array(DType::i8, {-8}, bytes); }), Errc::usage);
  EXPECT_EQ(code_of([&] { Array(DType::i8, {-2, -4}, bytes); }), Errc::usage);
  // 2^32 · 2^32 elements wrap around to none.
  EXPECT_EQ(code_of([] { Array(DType::i8, {1LL << 32, 1LL << 32}, {}); }), Errc::usage);
  EXPECT_NO_THROW(Array(DType::i8, {1LL << 40, 0, 1LL << 40}, {}));
  EXPECT_EQ(code_of([] { (void)ArrayType::of(DType::record); }), Errc::usage);
}

TEST(Array, ReadsOnlyAsWhatItIs) {
  const Array array = counting({2, 2});
  EXPECT_EQ(array.as<std::int32_t>()[3], 3);
  EXPECT_EQ(code_of([&] { (void)array.as<float>(); }), Errc::usage);
  EXPECT_EQ(code_of([&] { (void)array.item<std::int32_t>(); }), Errc::usage);
  EXPECT_EQ(counting({1, 1}).item<std::int32_t>(), 0);
}

TEST(Array, CopiesWhatLiesAskew) {
  alignas(8) std::byte memory[17]{};
  const Bytes bytes = Bytes::borrow(memory);
  EXPECT_EQ(Array(DType::f64, {1}, bytes.slice(8, 8)).data().data(), memory + 8);
  const Array askew(DType::f64, {2}, bytes.slice(1, 16));
  EXPECT_NE(askew.data().data(), memory + 1);
  EXPECT_EQ(askew.as<double>()[1], 0.0);
}

TEST(Array, KnowsZeros) {
  const Array zeros = Array::zeros<std::uint16_t>({3, 0, 2});
  EXPECT_EQ(zeros.size(), 0u);
  EXPECT_EQ(Array::zeros<double>({2, 2}).as<double>()[3], 0.0);
}

// Each element of the result by its index, slowly.
void expect_same_elements(const Array& row, const Array& column) {
  const auto from = row.as<std::int32_t>();
  const auto to = column.as<std::int32_t>();
  const auto shape = row.shape();
  std::vector<std::size_t> at(shape.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t where = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) where = where * static_cast<std::size_t>(shape[axis]) + at[axis];
    ASSERT_EQ(from[i], to[where]) << i;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++at[axis] < static_cast<std::size_t>(shape[axis])) break;
      at[axis] = 0;
    }
  }
}

TEST(Array, ChangesItsOrder) {
  for (const Shape& shape : {Shape{2, 3}, Shape{1, 5}, Shape{67, 129}, Shape{3, 50, 41}, Shape{1, 2, 1, 3, 1},
                             Shape{2, 3, 4, 5, 6}, Shape{1000, 3}, Shape{}, Shape{0, 4}}) {
    const Array row = counting(shape);
    const Array column = row.to_order(Array::Order::column);
    EXPECT_EQ(column.order(), Array::Order::column);
    expect_same_elements(row, column);
    EXPECT_EQ(row, column);
    const Array back = column.to_order(Array::Order::row);
    EXPECT_EQ(back.order(), Array::Order::row);
    EXPECT_EQ(back.data(), row.data());
  }
}

TEST(Array, ChangesTheOrderOfElementsOfAnySize) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  // Less than a tile, many tiles with edges, whole tiles, and dimensions around and between; short runs and long ones.
  for (const Shape& shape : {Shape{37, 53}, Shape{130, 200}, Shape{128, 192}, Shape{3, 70, 5, 66}, Shape{2, 1, 300},
                             Shape{17, 3, 213}, Shape{70, 2, 129}, Shape{4100, 2, 5}, Shape{5, 64, 3}}) {
    for (const std::uint32_t size : {1u, 2u, 3u, 4u, 8u, 16u, 24u, 100u}) {
      std::size_t count = 1;
      for (const std::int64_t length : shape) count *= static_cast<std::size_t>(length);
      std::vector<std::byte> bytes(count * size);
      for (std::byte& b : bytes) b = static_cast<std::byte>(random());
      const Array row({DType::raw, size, false, "|V" + std::to_string(size)}, shape, Bytes(bytes));
      const Array column = row.to_order(Array::Order::column);
      std::vector<std::size_t> at(shape.size());
      for (std::size_t i = 0; i < count; ++i) {  // in row order
        std::size_t place = 0;
        for (std::size_t d = shape.size(); d-- > 0;) place = place * static_cast<std::size_t>(shape[d]) + at[d];
        ASSERT_EQ(row.data().slice(i * size, size), column.data().slice(place * size, size)) << i << " of " << size;
        for (std::size_t d = shape.size(); d-- > 0;) {
          if (++at[d] < static_cast<std::size_t>(shape[d])) break;
          at[d] = 0;
        }
      }
      EXPECT_EQ(column.to_order(Array::Order::row).data(), row.data());
    }
  }
}

TEST(Array, OneDimensionIsBothOrders) {
  EXPECT_TRUE(counting({5}).is_both_orders());
  EXPECT_TRUE(counting({1, 5, 1}).is_both_orders());
  EXPECT_FALSE(counting({2, 5}).is_both_orders());
  const Array row = counting({1, 5});
  EXPECT_EQ(row.to_order(Array::Order::column).data().data(), row.data().data());
}

TEST(Array, BecomesLittleEndian) {
  const Array big({DType::i16, 2, true, ">i2"}, {2}, Bytes::copy(std::string_view("\0\1\1\0", 4)));
  EXPECT_EQ(code_of([&] { (void)big.as<std::int16_t>(); }), Errc::usage);
  const Array native = big.to_native();
  EXPECT_EQ(native.type(), ArrayType::of(DType::i16));
  EXPECT_EQ(native.as<std::int16_t>()[0], 1);
  EXPECT_EQ(native.as<std::int16_t>()[1], 256);
  // The halves of a complex number are swapped each by itself.
  const Array complex({DType::c64, 8, true, ">c8"}, {}, Bytes::copy(std::string_view("\x3f\x80\0\0\x40\0\0\0", 8)));
  EXPECT_EQ(complex.to_native().item<std::complex<float>>(), std::complex<float>(1, 2));
  const Array time({DType::datetime64, 8, true, ">M8[us]"}, {0}, {});
  EXPECT_EQ(time.to_native().type().name, "datetime64[us]");
}

}  // namespace
}  // namespace oas
