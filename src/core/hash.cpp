#include "core/hash.hpp"

#include <openssl/evp.h>

#include <oas/error.hpp>

namespace oas {
namespace {

// MD5 names content here and protects nothing, but a system that allows only approved digests may refuse it.
void check(int ok, const char* step) {
  if (ok != 1) throw Error(Errc::unsupported, std::string(step) + " a digest: OpenSSL refused");
}

/// Looked up once: OpenSSL searches its providers under a lock whenever it is given EVP_md5(). nullptr: refused.
const EVP_MD* algorithm(std::size_t size) {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return size == 16 ? md5 : sha256;
}

template <class H>
typename H::Digest digest_of(std::span<const BytesView> parts) {
  H hasher;
  for (const BytesView part : parts) hasher.update(part);
  return hasher.finish();
}

}  // namespace

template <std::size_t Size>
void Hasher<Size>::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

template <std::size_t Size>
Hasher<Size>::Hasher() : context_(EVP_MD_CTX_new()) {
  const EVP_MD* const digest = algorithm(Size);
  check(context_ && digest && EVP_DigestInit_ex2(context_.get(), digest, nullptr) == 1, "start");
}

template <std::size_t Size>
void Hasher<Size>::update(BytesView bytes) {
  check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "compute");
}

template <std::size_t Size>
typename Hasher<Size>::Digest Hasher<Size>::finish() {
  Digest digest{};
  check(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr), "finish");
  check(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr), "start");
  return digest;
}

template class Hasher<16>;
template class Hasher<32>;

Md5::Digest md5(std::span<const BytesView> parts) { return digest_of<Md5>(parts); }
Sha256::Digest sha256(std::span<const BytesView> parts) { return digest_of<Sha256>(parts); }

std::string content_hash(const Md5::Digest& digest) { return base32_lower_nopad(digest); }
std::string content_hash(std::span<const BytesView> parts) { return content_hash(md5(parts)); }

}  // namespace oas
