// Runs a fuzz target over all files of the folders and files that are given: a corpus as a plain test.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/target.hpp"

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  std::size_t ran = 0;
  const auto run = [&](const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++ran;
  };
  for (int i = 1; i < count; ++i) {
    if (!fs::is_directory(arguments[i])) {
      run(arguments[i]);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(arguments[i]))
      if (entry.is_regular_file()) run(entry.path());
  }
  std::printf("%zu inputs\n", ran);
  return ran == 0;  // an empty corpus is a mistake
}
