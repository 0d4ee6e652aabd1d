// Digests. Fast enough to be computed while bytes are on their way: large inputs go to the digest as they are.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include <oas/bytes.hpp>

#include "core/encoding.hpp"

extern "C" {
struct evp_md_ctx_st;
}

namespace oas {

/// A digest of Size bytes, fed piece by piece. One thread at a time.
template <std::size_t Size>
class Hasher {
 public:
  using Digest = std::array<std::byte, Size>;
  Hasher();
  void update(BytesView bytes);
  /// Of all that was fed. The hasher starts anew afterwards.
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

using Md5 = Hasher<16>;
using Sha256 = Hasher<32>;
extern template class Hasher<16>;
extern template class Hasher<32>;

/// Of the parts one after the other.
Md5::Digest md5(std::span<const BytesView> parts);
Sha256::Digest sha256(std::span<const BytesView> parts);

/// The name of content in hash-addressed storage (interop: MD5 in base32): 26 characters of a-z2-7.
std::string content_hash(const Md5::Digest& digest);
std::string content_hash(std::span<const BytesView> parts);
inline std::string content_hash(BytesView bytes) { return content_hash(std::span<const BytesView>(&bytes, 1)); }

}  // namespace oas
