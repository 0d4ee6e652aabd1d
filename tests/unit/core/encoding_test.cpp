#include "core/encoding.hpp"

#include <random>

#include "core/hash.hpp"
#include "expect_error.hpp"

namespace oas {
namespace {

TEST(Encoding, SpellsAsRfc4648Says) {
  const std::pair<const char*, const char*> base32[] = {{"", ""},
                                                        {"f", "my"},
                                                        {"fo", "mzxq"},
                                                        {"foo", "mzxw6"},
                                                        {"foob", "mzxw6yq"},
                                                        {"fooba", "mzxw6ytb"},
                                                        {"foobar", "mzxw6ytboi"}};
  for (const auto& [plain, spelt] : base32) EXPECT_EQ(base32_lower_nopad(as_bytes(plain)), spelt);
  const std::pair<const char*, const char*> base64s[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                                         {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, spelt] : base64s) {
    EXPECT_EQ(base64(as_bytes(plain)), spelt);
    EXPECT_EQ(from_base64(spelt)->text(), plain);
  }
  EXPECT_EQ(hex(as_bytes("\x01\xfe")), "01fe");
  EXPECT_EQ(from_hex("01Fe")->text(), "\x01\xfe");
}

TEST(Encoding, RefusesWhatIsNotSpelt) {
  for (const char* text : {"Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Z!==", "=Zg=", "Zg==Zg=="})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const char* text : {"0", "0g", " 0", "0x"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Encoding, ComesBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (std::size_t size = 0; size < 100; ++size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    EXPECT_EQ(*from_base64(base64(bytes)), Bytes::copy(bytes));
    EXPECT_EQ(*from_hex(hex(bytes)), Bytes::copy(bytes));
  }
}

TEST(Hash, IsTheWellKnownOne) {
  const BytesView abc = as_bytes("abc");
  EXPECT_EQ(hex(md5({&abc, 1})), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(sha256({&abc, 1})), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Hash, DoesNotDependOnHowTheContentIsCut) {
  const BytesView parts[] = {as_bytes("hello"), {}, as_bytes(" world")};
  Md5 hasher;
  for (const BytesView part : parts) hasher.update(part);
  EXPECT_EQ(hasher.finish(), md5(parts));
  EXPECT_EQ(content_hash(parts), content_hash(as_bytes("hello world")));
  hasher.update(as_bytes("abc"));  // anew
  const BytesView abc = as_bytes("abc");
  EXPECT_EQ(hasher.finish(), md5({&abc, 1}));
}

TEST(Hash, NamesContentWithTwentySixLetters) {
  // d41d8cd98f00b204e9800998ecf8427e in base32
  EXPECT_EQ(content_hash(BytesView{}), "2qoyzwmpaczaj2mabgmoz6ccpy");
  EXPECT_EQ(content_hash(as_bytes("hello world")).size(), 26u);
}

}  // namespace
}  // namespace oas
