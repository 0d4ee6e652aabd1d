// Every .npy file of the golden cases: read as numpy says, written to the same bytes, or refused. What is expected
// comes from what a case says, never from its name, so that any folder of cases can be run.
#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <regex>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "format/array_data.hpp"
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

// The bytes of some elements, made little-endian in place.
void make_native(const ArrayType& type, std::byte* element) {
  if (type.kind == DType::record) {
    for (const RecordField& field : record_fields(type)) {
      const std::uint64_t count = bytes_of_shape(field.shape, 1).value();
      for (std::uint64_t i = 0; i < count; ++i)
        make_native(field.type, element + field.offset + i * field.type.item_size);
    }
  } else if (type.big_endian) {
    const std::uint32_t unit = type.kind == DType::c64 || type.kind == DType::text ? 4
                               : type.kind == DType::c128                          ? 8
                                                                                   : type.item_size;
    for (std::uint32_t at = 0; at < type.item_size; at += unit) std::reverse(element + at, element + at + unit);
  }
}

// numpy's own words for the elements: little-endian, in row order.
Bytes plain_data(const Array& array) {
  const Array rows = array.to_order(Array::Order::row);
  std::vector<std::byte> bytes(rows.data().view().begin(), rows.data().view().end());
  for (std::size_t i = 0; i < rows.size() && rows.type().item_size != 0; ++i)
    make_native(rows.type(), bytes.data() + i * rows.type().item_size);
  return Bytes(std::move(bytes));
}

// Which bytes of an element mean something.
void mark_used(const ArrayType& type, std::size_t at, std::vector<bool>& used) {
  if (type.kind != DType::record) {
    std::fill_n(used.begin() + static_cast<std::ptrdiff_t>(at), type.item_size, true);
    return;
  }
  for (const RecordField& field : record_fields(type)) {
    const std::uint64_t count = bytes_of_shape(field.shape, 1).value();
    for (std::uint64_t i = 0; i < count; ++i) mark_used(field.type, at + field.offset + i * field.type.item_size, used);
  }
}

void check_data(const GoldenCase& golden, const Array& array, const Bytes& as_it_lies) {
  const Bytes ours = plain_data(array);
  // numpy shows bytes of a bool that are neither 0 nor 1.
  if (array.dtype() == DType::bool_ && sha256_hex(as_it_lies) == golden.text("data_sha256")) return;
  const auto theirs = from_hex(golden.text("data_hex"));
  if (array.dtype() != DType::record || !theirs || theirs->size() != ours.size()) {
    EXPECT_EQ(sha256_hex(ours), golden.text("data_sha256"));
    return;
  }
  std::vector<bool> used(array.type().item_size);  // padding has any bytes
  mark_used(array.type(), 0, used);
  for (std::size_t i = 0; i < ours.size(); ++i)
    ASSERT_TRUE(!used[i % used.size()] || ours.data()[i] == theirs->data()[i]) << "byte " << i;
}

bool is_text(const Array& array) {
  const Bytes data = plain_data(array);
  for (std::size_t i = 0; i < data.size(); i += 4) {
    char32_t c = 0;
    std::memcpy(&c, data.data() + i, sizeof c);
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return false;
  }
  return true;
}

// Why we refuse what numpy reads: Python in a header that its writer never writes, keys that come twice, huge names.
bool may_refuse(const Bytes& file, const Error& error) {
  const std::string_view text = file.text();
  if (std::string_view(error.what()).find("longer than 65535 bytes") != std::string_view::npos)
    return text.size() > 65'535;
  const std::string header(text.substr(0, std::min(text.find('}', 10), text.size())));
  static const std::regex python(R"re(#|0[xXoObB]|[ (]\+|'\s+'|[rRbBU]['"]|\d_\d|'descr'[^]*'descr'|'{3}|"{3})re");
  return std::regex_search(header, python);
}

struct Count {
  std::size_t read = 0, refused = 0, written = 0;
};

void expect_refused(const Bytes& file, Count& count) {
  try {
    const Array array = read_npy(file);
    ADD_FAILURE() << "was read as " << Value(array).describe();
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Errc::decode || error.code() == Errc::unsupported) << error.what();
    EXPECT_NE(std::string(error.what()).find("byte"), std::string::npos) << error.what();
  }
  ++count.refused;
}

void run_case(const GoldenCase& golden, const Bytes& file, Count& count) {
  // Long doubles of machines that do not have ours.
  const bool foreign = golden.text("dtype_str").starts_with(">f16") || golden.text("dtype_str").starts_with(">c32");
  if (!golden.find("data_sha256") || foreign) return expect_refused(file, count);
  std::optional<Array> read;
  try {
    read = read_npy(file);
  } catch (const Error& error) {
    EXPECT_TRUE(may_refuse(file, error)) << error.what();
    return expect_refused(file, count);
  }
  const Array& array = *read;
  EXPECT_EQ(read_npy(file, array.type(), array.shape()), array);
  EXPECT_EQ(read_npy(file, ArrayType::of(DType::u16), Shape{7}), array);  // what was expected changes nothing
  const NpyHeader header = parse_npy_header(file);
  EXPECT_EQ(header.shape, golden.find("shape")->as<Shape>());
  EXPECT_EQ(header.order == Array::Order::column, golden.find("fortran_order")->as<bool>());
  EXPECT_EQ(header.data_size, golden.find("data_nbytes")->as<std::uint64_t>());
  EXPECT_EQ(array.type().item_size, golden.find("itemsize")->as<std::uint32_t>());
  const std::string name = golden.text("dtype_str");
  if (!name.starts_with('(')) {                                              // "(long)", "(1600 fields)": left out
    const bool aligned = name.find("'aligned': True") != std::string::npos;  // which a file does not tell
    EXPECT_TRUE(aligned || array.type().name == name) << array.type().name << ", numpy: " << name;
    EXPECT_TRUE(same_elements(parse_dtype(name), array.type())) << array.type().name << ", numpy: " << name;
  }
  const Value* descr = golden.find("descr");
  if (const auto* text = descr ? descr->get_if<std::string>() : nullptr; text && !text->starts_with('(')) {
    EXPECT_EQ(parse_dtype(*text), array.type());
  }
  check_data(golden, array, file.slice(header.data_offset, header.data_size));
  ++count.read;
  if (const Value* length = golden.find("header_len")) {
    EXPECT_EQ(header.data_offset, length->as<std::uint64_t>());
  }
  // The notation tells all of it, if texts are texts.
  if (array.dtype() == DType::text && !is_text(array)) return;
  const Array back = from_typed(to_typed(array)).as<Array>();
  EXPECT_TRUE(std::ranges::equal(back.shape(), array.shape()));
  EXPECT_TRUE(plain_data(back) == plain_data(array));
  if (golden.text("how") != "numpy.save") return;
  EXPECT_TRUE(join(write_npy(array)) == file) << write_npy(array)[0].text();
  ++count.written;
}

TEST(NpyGolden, EveryCase) {
  std::map<std::string, Count> kinds;
  const auto cases = golden_cases("npy");
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name);
    const Bytes file = testing::golden_file("npy", golden);
    EXPECT_EQ(sha256_hex(file), golden.text("sha256")) << "the file is not the one that the case is about";
    EXPECT_NO_THROW(run_case(golden, file, kinds[golden.text("how")]));
  }
  for (const auto& [how, count] : kinds)
    std::printf("golden .npy files, %s: %zu read, %zu written, %zu refused\n", how.c_str(), count.read, count.written,
                count.refused);
  EXPECT_FALSE(cases.empty()) << "no cases in " << testing::golden_folder() / "npy";
}

}  // namespace
}  // namespace oas::format
