// .npy beyond the golden files: types, headers, hostile bytes, and slices against a plain reading of them.
#include "format/npy.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "format/dtype.hpp"
#include "unit/format/golden.hpp"

namespace oas::format {
namespace {

Bytes join(const std::vector<Bytes>& parts) {
  std::string text;
  for (const Bytes& part : parts) text += part.text();
  return Bytes::copy(text);
}

Bytes file_of(const std::string& header, const std::string& data = {}) {
  std::string file("\x93NUMPY\1\0", 8);
  file += static_cast<char>(header.size());
  file += static_cast<char>(header.size() >> 8);
  return Bytes::copy(file + header + data);
}

Array numbered(Shape shape, Array::Order order = Array::Order::row) {
  std::int64_t size = 1;
  for (const std::int64_t length : shape) size *= length;
  std::vector<std::int32_t> numbers;
  for (std::int64_t i = 0; i < size; ++i) numbers.push_back(static_cast<std::int32_t>(i));
  return Array::own(std::move(numbers), shape).to_order(order);
}

TEST(Dtype, NamesAreNumpys) {
  const std::pair<const char*, const char*> names[] = {
      {"<f8", "float64"},
      {"=i4", "int32"},
      {"?", "bool"},
      {"|b1", "bool"},
      {"|i1", "int8"},
      {">c16", ">c16"},
      {">M8[us]", ">M8[us]"},
      {"<m8[25s]", "timedelta64[25s]"},
      {"<M8", "datetime64"},
      {">U3", ">U3"},
      {"U3", "<U3"},
      {"S3", "|S3"},
      {"V4", "|V4"},
      {"[('a', 'f8'), ('b', '|b1'), ('c', 'S2'), ('d', '>i4', (3,)), ('e', [('x', '<M8[D]')])]",
       "[('a', '<f8'), ('b', '?'), ('c', 'S2'), ('d', '>i4', (3,)), ('e', [('x', '<M8[D]')])]"},
      {"[('a', '|i1'), ('', '|V7'), ('b', '<f8')]",
       "{'names': ['a', 'b'], 'formats': ['i1', '<f8'], 'offsets': [0, 8], 'itemsize': 16}"},
      {"{'names': ['a', 'b'], 'formats': ['i1', '<f8'], 'offsets': [0, 8], 'itemsize': 16, 'aligned': True}",
       "{'names': ['a', 'b'], 'formats': ['i1', '<f8'], 'offsets': [0, 8], 'itemsize': 16}"},
      {"[(('title', 'x'), '<u2')]", "[(('title', 'x'), '<u2')]"},
      {"[(('title', 'x'), '|u1'), ('', '|V1'), ('y', '<u2')]",
       "{'names': ['x', 'y'], 'formats': ['u1', '<u2'], 'offsets': [0, 2], 'titles': ['title', None], 'itemsize': 4}"},
      {"[('\u00a0\u200b\U000e0001', 'i1')]", "[('\\xa0\\u200b\\U000e0001', 'i1')]"},
      {"l", "int64"},
      {">H", ">u2"},
      {"<f16", "float128"},
      {"G", "complex256"},
      {"[(\"it's\", '<u2')]", "[(\"it's\", '<u2')]"},
  };
  for (const auto& [text, name] : names) {
    const ArrayType type = parse_dtype(text);
    EXPECT_EQ(type.name, name);
    EXPECT_EQ(parse_dtype(type.name), type);
    // Through a file and back.
    EXPECT_EQ(parse_npy_header(npy_header(type, Shape{2}, Array::Order::row)).type, type) << text;
  }
}

TEST(Dtype, RefusesWhatIsNone) {
  for (const char* text :
       {"", "<", "x", "f3", "<q9", "bool8", "i4x", "f4,i4", "[('a',)]", "[('a', '<f8'), ('a', '<f8')]", "M8[us",
        "M8[0s]", "M4[s]", "U99999999999", "[('a', '<f8', (-1,))]", "[('a', 'V2147483647', (9,))]", "{}"})
    EXPECT_THROW(parse_dtype(text), Error) << text;
  for (const char* text : {"|O", "object", ">f16", "<f12", "[('a', 'O')]"}) {
    try {
      parse_dtype(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::unsupported) << text;
    }
  }
}

TEST(Npy, FieldNamesBeyondLatin1MakeVersion3) {
  const auto version = [](std::string_view name) {
    const ArrayType type = parse_dtype("[('" + std::string(name) + "', '<f8')]");
    const Bytes header = npy_header(type, Shape{1}, Array::Order::row);
    EXPECT_EQ(header.size() % 64, 0u);
    EXPECT_EQ(parse_npy_header(header).type, type);
    return std::to_integer<int>(header.data()[6]);
  };
  EXPECT_EQ(version("a"), 1);
  EXPECT_EQ(version("é"), 1);
  EXPECT_EQ(version("☃"), 3);
}

TEST(Npy, HeaderArrivesInPieces) {
  const Bytes file = join(write_npy(numbered({3, 4})));
  EXPECT_EQ(npy_header_size(file.view().first(0)), 12u);
  EXPECT_EQ(npy_header_size(file.view().first(7)), 12u);
  EXPECT_EQ(npy_header_size(file.view().first(12)), 128u);
  EXPECT_EQ(parse_npy_header(file.view().first(128)).shape, (Shape{3, 4}));
  EXPECT_THROW(parse_npy_header(file.view().first(127)), Error);
}

TEST(Npy, MisalignedElementsAreCopiedAlignedOnesShared) {
  const Bytes file = join(write_npy(numbered({3, 4})));
  EXPECT_EQ(read_npy(file).data().data(), file.data() + 128);
  Buffer shifted(file.size() + 1);
  std::memcpy(shifted.data() + 1, file.data(), file.size());
  const Bytes odd = std::move(shifted).finish().slice(1, file.size());
  EXPECT_EQ(read_npy(odd), numbered({3, 4}));
  EXPECT_EQ(read_npy(odd).as<std::int32_t>()[5], 5);
}

TEST(Npy, BoolsAreZeroOrOne) {
  const Bytes file = file_of("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", std::string("\0\1\xff", 3));
  const Array array = read_npy(file);
  EXPECT_EQ(array.data().text(), std::string("\0\1\1", 3));
}

TEST(Npy, RefusesOddHeaders) {
  for (const char* header :
       {"", "{}", "None", "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)} x",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (03,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 3}", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["})
    EXPECT_THROW(parse_npy_header(file_of(header)), Error) << header;
}

TEST(Npy, ReadsHeadersOfOtherWriters) {
  const auto type = [](const std::string& descr) {
    return parse_npy_header(file_of("{'descr': " + descr + ", 'fortran_order': False, 'shape': (0L,)}")).type.name;
  };
  EXPECT_EQ(type("u'<f8'"), "float64");
  EXPECT_EQ(type("[('a', '<f4', 2)]"), "[('a', '<f4', (2,))]");
  EXPECT_EQ(type("[['a', '<f4']]"), "[('a', '<f4')]");
}

TEST(Npy, TruncatedOrFlippedNeverCrashes) {
  std::mt19937_64 random(20260101);
  std::size_t files = 0;
  for (const auto& golden : testing::golden_cases("npy")) {
    const Bytes file = testing::golden_file("npy", golden);
    if (file.size() > 1000) continue;
    std::size_t whole = file.size();
    if (golden.find("data_nbytes")) {  // bytes behind the elements are not looked at
      const NpyHeader header = parse_npy_header(file);
      whole = header.data_offset + header.data_size;
    }
    for (std::size_t size = 0; size < whole; ++size) {
      try {
        read_npy(Bytes::copy(file.view().first(size)));
        ADD_FAILURE() << golden.name << " was read from " << size << " bytes";
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == Errc::decode || error.code() == Errc::unsupported) << error.what();
      }
    }
    for (std::size_t at = 0; at < file.size(); ++at) {
      std::vector<std::byte> damaged(file.view().begin(), file.view().end());
      damaged[at] ^= std::byte{1} << random() % 8;
      try {
        read_npy(Bytes(std::move(damaged)));
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == Errc::decode || error.code() == Errc::unsupported) << error.what();
      }
    }
    ++files;
  }
  EXPECT_GT(files, 0u);
}

TEST(Dtype, PaddingInsideMayDiffer) {
  const ArrayType told = parse_dtype(
      "{'names': ['in', 'z'], 'formats': [[('x', '<f8'), ('y', '<u2')], 'S3'], "
      "'offsets': [0, 16], 'itemsize': 24, 'aligned': True}");
  const ArrayType found = parse_dtype("[('in', [('x', '<f8'), ('y', '<u2'), ('', '|V6')]), ('z', '|S3'), ('', '|V5')]");
  EXPECT_FALSE(told == found);
  EXPECT_TRUE(same_elements(told, found));
  EXPECT_FALSE(same_elements(told, parse_dtype("[('in', [('x', '<f8'), ('y', '<i2')]), ('z', '|S3')]")));
  EXPECT_FALSE(same_elements(told, parse_dtype("[('z', '|S3'), ('in', [('x', '<f8'), ('y', '<u2')])]")));
}

TEST(Npy, LongDoublesAreKeptAsBytes) {
  const Array array(parse_dtype("<f16"), {2}, Bytes::copy(std::string(32, '\7')));
  const Bytes file = join(write_npy(array));
  EXPECT_NE(file.text().find("'descr': '<f16'"), std::string::npos);
  EXPECT_EQ(read_npy(file), array);
  EXPECT_EQ(from_typed(to_typed(array)), Value(array));
}

// ---- slices

Array load(const Array& whole, std::span<const Slice> slices, std::uint64_t max_gap, std::size_t* runs = nullptr) {
  const SlicePlan plan(whole.type(), whole.shape(), whole.order(), slices, max_gap);
  std::vector<Bytes> read;
  std::uint64_t end = 0;
  for (const format::Run& run : plan.runs()) {
    EXPECT_GE(run.offset, end);
    end = run.offset + run.length;
    read.push_back(whole.data().slice(run.offset, run.length));
  }
  if (runs) *runs = read.size();
  return plan.gather(read);
}

// One element after the other, as the words of the interface say.
Array expected(const Array& whole, std::span<const Slice> slices) {
  const Array rows = whole.to_order(Array::Order::row);
  std::vector<std::vector<std::int64_t>> taken;
  Shape shape;
  for (std::size_t d = 0; d < rows.ndim(); ++d) {
    const std::int64_t length = rows.shape()[d];
    const Slice slice = d < slices.size() ? slices[d] : all;
    const std::int64_t first = slice.first < 0 ? slice.first + length : slice.first;
    const std::int64_t last = slice.last == Slice::end ? length : slice.last < 0 ? slice.last + length : slice.last;
    taken.emplace_back();
    for (std::int64_t i = first; i < last; i += slice.step) taken.back().push_back(i);
    shape.push_back(static_cast<std::int64_t>(taken.back().size()));
  }
  std::vector<std::int32_t> numbers;
  const auto walk = [&](auto&& self, std::size_t d, std::int64_t index) -> void {
    if (d == taken.size()) return numbers.push_back(rows.as<std::int32_t>()[static_cast<std::size_t>(index)]);
    for (const std::int64_t i : taken[d]) self(self, d + 1, index * rows.shape()[d] + i);
  };
  walk(walk, 0, 0);
  return shape.empty() ? Array(DType::i32, {}, rows.data()) : Array::own(std::move(numbers), shape);
}

TEST(Slices, AgreeWithOneElementAfterTheOther) {
  std::random_device device;
  const std::uint64_t seed = device();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
  };
  for (int i = 0; i < 2000; ++i) {
    Shape shape;
    for (std::int64_t n = below(5); n > 0; --n) shape.push_back(below(6));
    const Array whole = numbered(shape, below(2) ? Array::Order::row : Array::Order::column);
    std::vector<Slice> slices;
    for (std::size_t d = 0; d < shape.size() && below(5) != 0; ++d) {
      const std::int64_t first = below(shape[d] + 1);
      std::int64_t last = first + below(shape[d] - first + 1);
      Slice slice{first, last == shape[d] && below(2) ? Slice::end : last, 1 + below(3)};
      if (below(3) == 0 && first < shape[d]) slice.first -= shape[d];
      slices.push_back(below(4) == 0 ? all : slice);
    }
    const Array part = load(whole, slices, below(2) ? 0 : static_cast<std::uint64_t>(below(40)));
    EXPECT_EQ(part, expected(whole, slices));
  }
}

TEST(Slices, RowsAreOneRunAndShared) {
  const Array whole = numbered({1000, 7});
  const Slice slice = rows(100, 50);
  const SlicePlan plan(whole.type(), whole.shape(), whole.order(), std::span(&slice, 1));
  ASSERT_EQ(plan.runs(), (std::vector<format::Run>{{100 * 7 * 4, 50 * 7 * 4}}));
  const Bytes read = Bytes::copy(whole.data().view().subspan(100 * 7 * 4, 50 * 7 * 4));
  EXPECT_EQ(plan.gather(std::span(&read, 1)).data().data(), read.data());
}

TEST(Slices, NearPiecesAreReadTogether) {
  const Array whole = numbered({100, 100});
  const Slice columns[] = {all, slice(0, 32, 2)};
  std::size_t runs = 0;
  load(whole, columns, 256 * 1024, &runs);
  EXPECT_EQ(runs, 1u);
  load(whole, columns, 4, &runs);
  EXPECT_EQ(runs, 100u);
  load(whole, columns, 0, &runs);
  EXPECT_EQ(runs, 1600u);
}

TEST(Slices, RefuseWhatIsOutOfBounds) {
  const Shape shape{4, 3};
  const ArrayType type = ArrayType::of(DType::f64);
  const auto plan = [&](std::vector<Slice> slices) { SlicePlan(type, shape, Array::Order::row, slices); };
  EXPECT_NO_THROW(plan({slice(4), all}));
  EXPECT_THROW(plan({slice(5)}), Error);
  EXPECT_THROW(plan({slice(0, 5)}), Error);
  EXPECT_THROW(plan({slice(-5)}), Error);
  EXPECT_THROW(plan({slice(0, 4, 0)}), Error);
  EXPECT_THROW(plan({slice(0, 4, -1)}), Error);
  EXPECT_THROW(plan({slice(3, 2)}), Error);
  EXPECT_THROW(plan({all, all, all}), Error);
  EXPECT_NO_THROW(plan({slice(0, 4, INT64_MAX)}));
}

}  // namespace
}  // namespace oas::format
