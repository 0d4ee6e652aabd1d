#include "core/bigint.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

namespace oas {
namespace {

struct Free {
  void operator()(BIGNUM* n) const noexcept { BN_free(n); }
  void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
  void operator()(char* text) const noexcept { OPENSSL_free(text); }
};
using Big = std::unique_ptr<BIGNUM, Free>;

void check(bool ok) {
  if (!ok) throw Error(Errc::unavailable, "compute with a big integer: out of memory", {}, "ENOMEM");
}

[[noreturn]] void too_long() {
  throw Error(Errc::unsupported, fmt::format("read an integer: it has more than {} digits", max_integer_digits));
}

// The digits without sign and leading zeros, and the sign; nullopt if it is no integer.
struct Digits {
  bool negative;
  std::string_view digits;
};
std::optional<Digits> split(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  return Digits{negative && !text.empty(), text};
}

// BN_bn2dec divides the whole by one word after the other. Halving it first, by powers of ten that are half as long,
// takes a tenth of the time where there are many digits.
class Decimals {
 public:
  explicit Decimals(const BIGNUM* n) : context_(BN_CTX_new()) {
    check(context_ != nullptr);
    Big power(BN_new());
    check(power != nullptr && BN_set_word(power.get(), 10) == 1);
    const Big exponent(BN_new());
    check(exponent != nullptr && BN_set_word(exponent.get(), piece) == 1);
    check(BN_exp(power.get(), power.get(), exponent.get(), context_.get()) == 1);
    while (BN_ucmp(power.get(), n) <= 0) {
      powers_.push_back(std::move(power));
      power.reset(BN_new());
      check(power != nullptr);
      // A square that would surely be larger than n is not needed.
      if (2 * BN_num_bits(powers_.back().get()) - 1 > BN_num_bits(n)) break;
      check(BN_sqr(power.get(), powers_.back().get(), context_.get()) == 1);
    }
    put(n, powers_.size());
  }
  /// Without zeros in front.
  std::string take() {
    digits_.erase(0, digits_.find_first_not_of('0'));
    return std::move(digits_);
  }

 private:
  static constexpr std::size_t piece = 500;  // digits

  // `n` has at most piece * 2^level digits, and all of them are written.
  void put(const BIGNUM* n, std::size_t level) {
    if (level == 0) {
      const std::unique_ptr<char, Free> text(BN_bn2dec(n));
      check(text != nullptr);
      const std::string_view digits(text.get());
      digits_.append(piece - digits.size(), '0').append(digits);
      return;
    }
    const Big upper(BN_new()), lower(BN_new());
    check(upper != nullptr && lower != nullptr &&
          BN_div(upper.get(), lower.get(), n, powers_[level - 1].get(), context_.get()) == 1);
    put(upper.get(), level - 1);
    put(lower.get(), level - 1);
  }

  std::unique_ptr<BN_CTX, Free> context_;
  std::vector<Big> powers_;  // of ten, with as many zeros as piece, twice, four times …
  std::string digits_;
};

}  // namespace

Value integer_from_text(std::string_view text) {
  const auto number = split(text);
  if (!number) throw Error(Errc::decode, fmt::format("read '{}' as an integer: it is not one", text.substr(0, 80)));
  if (number->digits.empty()) return 0;
  if (number->digits.size() > max_integer_digits) too_long();
  std::string plain = (number->negative ? "-" : "") + std::string(number->digits);
  std::int64_t small = 0;
  if (std::from_chars(plain.data(), plain.data() + plain.size(), small).ec == std::errc()) return small;
  return BigInt{std::move(plain)};
}

Value integer_from_bytes(BytesView little_endian) {
  if (little_endian.empty()) return 0;
  const bool negative = (little_endian.back() & std::byte{0x80}) != std::byte{0};
  if (little_endian.size() <= sizeof(std::int64_t)) {
    std::uint64_t n = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = little_endian.size(); i-- > 0;) n = n << 8 | std::to_integer<std::uint64_t>(little_endian[i]);
    return static_cast<std::int64_t>(n);
  }
  // What only repeats the sign says nothing.
  const std::byte fill = negative ? std::byte{0xFF} : std::byte{0};
  while (little_endian.size() > sizeof(std::int64_t) && little_endian.back() == fill &&
         ((little_endian[little_endian.size() - 2] ^ fill) & std::byte{0x80}) == std::byte{0})
    little_endian = little_endian.first(little_endian.size() - 1);
  if (little_endian.size() <= sizeof(std::int64_t)) return integer_from_bytes(little_endian);
  if (little_endian.size() > max_integer_bytes) too_long();

  // The magnitude of a negative number is its complement plus one.
  std::vector<unsigned char> magnitude(little_endian.size());
  std::ranges::transform(little_endian, magnitude.begin(),
                         [&](std::byte b) { return std::to_integer<unsigned char>(b ^ fill); });
  const Big n(BN_lebin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr));
  check(n != nullptr);
  if (negative) check(BN_add_word(n.get(), 1) == 1);
  return BigInt{(negative ? "-" : "") + Decimals(n.get()).take()};
}

std::vector<std::byte> integer_to_bytes(const Value& integer) {
  std::string digits;
  if (const auto* small = integer.get_if<std::int64_t>()) {
    const auto n = static_cast<std::uint64_t>(*small);
    const auto bits = static_cast<std::size_t>(std::bit_width(*small < 0 ? 0 - n : n));
    std::vector<std::byte> bytes(bits / 8 + 1, *small < 0 ? std::byte{0xFF} : std::byte{0});
    std::memcpy(bytes.data(), &n, std::min(bytes.size(), sizeof n));
    return bytes;
  }
  if (const auto* big = integer.get_if<BigInt>()) digits = big->digits;
  const auto number = split(digits);
  if (!number) throw Error(Errc::usage, "write an integer: there is " + integer.describe() + " that is none");
  if (number->digits.size() > max_integer_digits) too_long();
  if (number->digits.empty()) return {std::byte{0}};

  BIGNUM* raw = nullptr;
  check(BN_dec2bn(&raw, std::string(number->digits).c_str()) != 0);
  const Big n(raw);
  const auto size = static_cast<std::size_t>(BN_num_bits(n.get())) / 8 + 1;
  if (number->negative) check(BN_sub_word(n.get(), 1) == 1);
  std::vector<unsigned char> magnitude(size);
  check(BN_bn2lebinpad(n.get(), magnitude.data(), static_cast<int>(size)) >= 0);
  const std::byte fill = number->negative ? std::byte{0xFF} : std::byte{0};
  std::vector<std::byte> bytes(size);
  std::ranges::transform(magnitude, bytes.begin(), [&](unsigned char c) { return static_cast<std::byte>(c) ^ fill; });
  return bytes;
}

}  // namespace oas
