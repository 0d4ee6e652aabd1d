#include <oas/xtensor.hpp>

#include <oas/value.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "expect_error.hpp"

namespace oas {
namespace {

TEST(Xtensor, LooksAtArrays) {
  const Array row = Array::own(std::vector<int>{1, 2, 3, 4, 5, 6}, {2, 3});
  const auto view = to_xtensor<int>(row);
  EXPECT_EQ(view(1, 0), 4);
  EXPECT_EQ(&view(0, 0), row.as<int>().data());
  const Array column = row.to_order(Array::Order::column);
  const auto other = to_xtensor<int>(column);
  EXPECT_EQ(other(1, 0), 4);
  EXPECT_EQ(&other(1, 0), column.as<int>().data() + 1);
  EXPECT_EQ(xt::sum(other)(), 21);
  EXPECT_EQ(code_of([&] { (void)to_xtensor<float>(row); }), Errc::usage);
}

TEST(Xtensor, ContainersBecomeArraysWithoutACopy) {
  xt::xarray<double> container{{1, 2, 3}, {4, 5, 6}};
  const double* data = container.data();
  const Array seen = from_xtensor(container);
  EXPECT_EQ(seen.as<double>().data(), data);
  EXPECT_TRUE(seen.data().borrowed());
  const Array taken = from_xtensor(std::move(container));
  EXPECT_EQ(taken.as<double>().data(), data);
  EXPECT_FALSE(taken.data().borrowed());
  EXPECT_EQ(Value(taken).describe(), "array of float64, shape (2, 3)");
}

TEST(Xtensor, KeepsTheOrder) {
  xt::xtensor<std::int16_t, 2, xt::layout_type::column_major> container{{1, 2, 3}, {4, 5, 6}};
  const Array array = from_xtensor(container);
  EXPECT_EQ(array.order(), Array::Order::column);
  EXPECT_EQ(array, Array::own(std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}, {2, 3}));
}

TEST(Xtensor, ComputesExpressions) {
  const xt::xarray<float> container{{1, 2}, {3, 4}};
  EXPECT_EQ(from_xtensor(container * 2.0f), Array::own(std::vector<float>{2, 4, 6, 8}, {2, 2}));
  EXPECT_EQ(from_xtensor(xt::view(container, xt::all(), 1)), Array::own(std::vector<float>{2, 4}));
}

}  // namespace
}  // namespace oas
