// `oas inspect FILE --typed` over all golden blobs and arrays: what is printed is what the reference read, and can be
// read back.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <oas/tools.hpp>

#include "support/golden_value.hpp"
#include "support/temp_folder.hpp"
#include "unit/format/golden.hpp"

namespace oas {
namespace {

struct Answer {
  int exit = -1;
  std::string out;
};

// Errors are part of what is printed.
Answer inspect_typed(const std::filesystem::path& file) {
  std::string quoted;
  for (const char c : file.string()) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::string command = std::string(OAS_PROGRAM) + " inspect --typed '" + quoted + "' 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw Error(Errc::unavailable, "start " + command);
  Answer answer;
  std::array<char, 65536> piece{};
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe))
    answer.out.append(piece.data(), size);
  const int status = ::pclose(pipe);
  answer.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

// The value that was printed, or nothing if the file was refused as the library refuses it.
template <class Read>
std::optional<Value> printed(const std::filesystem::path& file, const Read& read) {
  const Answer answer = inspect_typed(file);
  std::optional<std::string> wanted;
  try {
    wanted = to_typed(read(testing::read_file(file)));
  } catch (const Error& error) {
    EXPECT_NE(answer.exit, 0) << error.what();
    EXPECT_TRUE(answer.out.starts_with("oas: ")) << answer.out;
    return std::nullopt;
  }
  EXPECT_EQ(answer.exit, 0) << answer.out;
  EXPECT_EQ(answer.out, *wanted + "\n");
  EXPECT_EQ(to_typed(from_typed(answer.out)), *wanted);
  return from_json(answer.out, "what was printed");
}

TEST(GoldenInspect, Blobs) {
  std::size_t compared = 0, refused = 0;
  for (const auto& golden : testing::golden_cases("blobs")) {
    if (golden.text("file").empty()) continue;
    SCOPED_TRACE(golden.name);
    const auto value = printed(testing::golden_folder() / "blobs" / golden.text("file"), unpack_blob);
    if (!value) {
      ++refused;
      continue;
    }
    testing::SameValue same;
    if (const Value* expected = golden.find("value")) {
      EXPECT_TRUE(same(*value, *expected)) << same.why();
      ++compared;
    }
  }
  std::printf("oas inspect: %zu golden blobs as the reference reads them, %zu refused\n", compared, refused);
  EXPECT_GT(compared + refused, 0u);
}

TEST(GoldenInspect, Arrays) {
  std::size_t compared = 0, refused = 0;
  for (const auto& golden : testing::golden_cases("npy")) {
    SCOPED_TRACE(golden.name);
    const auto value = printed(testing::golden_folder() / "npy" / golden.text("file"),
                               [](const Bytes& file) { return Value(parse_npy(file)); });
    if (!value) {
      ++refused;
      continue;
    }
    const Map& note = *value->get_if<Map>();
    EXPECT_EQ(note.at("shape"), golden.fields.at("shape"));
    const Value* data = golden.find("data_hex");
    // Of texts there are no bytes, and of structures byte order and padding differ.
    const bool plain = note.find("b64") && note.at("dtype").as<std::string>().find_first_of("[{") == std::string::npos;
    if (data && plain && note.at("dtype") != Value("bool")) {
      EXPECT_EQ(hex(*from_base64(note.at("b64").as<std::string>())), data->as<std::string>());
    }
    ++compared;
  }
  std::printf("oas inspect: %zu golden arrays as numpy reads them, %zu refused\n", compared, refused);
  EXPECT_GT(compared + refused, 0u);
}

TEST(GoldenInspect, Manifests) {
  const test::TempFolder folder;
  const auto file = folder.path() / "frames.manifest.json";
  const std::string text =
      R"({"files": [{"path": "a/b", "size": 3}], "total_size": 3, "item_count": 1, "created": "x"})";
  std::ofstream(file) << text;
  const Answer answer = inspect_typed(file);
  EXPECT_EQ(answer.exit, 0) << answer.out;
  EXPECT_EQ(from_typed(answer.out), from_json(text, "a manifest"));
}

}  // namespace
}  // namespace oas
