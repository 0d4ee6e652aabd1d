// Arrays for users of xtensor, both ways without copying elements. Includes xtensor, which the library itself does not
// need.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <oas/array.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xexpression.hpp>

namespace oas {

/// A read-only view of the elements, in the order in which they lie. The array, or a copy of it, must live as long as
/// the view. Errors: usage if T is not dtype(), or the bytes are big-endian.
template <Element T>
auto to_xtensor(const Array& array) {
  const auto elements = array.template as<T>();
  const std::vector<std::size_t> shape(array.shape().begin(), array.shape().end());
  std::vector<std::ptrdiff_t> strides(shape.size());
  xt::compute_strides(
      shape, array.order() == Array::Order::row ? xt::layout_type::row_major : xt::layout_type::column_major, strides);
  return xt::adapt(elements.data(), elements.size(), xt::no_ownership(), shape, strides);
}
template <Element T>
auto to_xtensor(Array&&) = delete;  // the view would outlive it

/// An xt::xarray or xt::xtensor given as an rvalue is taken over, one given as an lvalue is looked at (it must live,
/// unchanged, as long as the array), and any other expression is computed first.
template <class E>
Array from_xtensor(E&& expression) {
  using Plain = std::remove_cvref_t<E>;
  using T = typename Plain::value_type;
  static_assert(Element<T>, "not an element of arrays");
  constexpr bool contiguous =
      Plain::static_layout == xt::layout_type::row_major || Plain::static_layout == xt::layout_type::column_major;
  if constexpr (xt::is_xexpression<Plain>::value && contiguous && requires { expression.storage(); }) {
    constexpr auto order =
        Plain::static_layout == xt::layout_type::row_major ? Array::Order::row : Array::Order::column;
    const auto make = [](const auto& container, std::shared_ptr<const void> owner) {
      const auto bytes = std::as_bytes(std::span<const T>(container.data(), container.size()));
      Shape shape(container.shape().begin(), container.shape().end());
      return Array(detail::dtype_of<T>::value, std::move(shape), Bytes(std::move(owner), bytes.data(), bytes.size()),
                   order);
    };
    if constexpr (std::is_lvalue_reference_v<E>)
      return make(expression, nullptr);
    else {
      const auto kept = std::make_shared<const Plain>(std::forward<E>(expression));
      return make(*kept, kept);
    }
  } else {
    return from_xtensor(xt::xarray<T, xt::layout_type::row_major>(std::forward<E>(expression)));
  }
}

}  // namespace oas
