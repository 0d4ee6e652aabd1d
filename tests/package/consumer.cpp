// A user's program: a value goes in and comes out, and an error of the library is caught as what it is.
#include <cstdio>
#include <vector>

#include <oas/array.hpp>
#include <oas/error.hpp>
#include <oas/value.hpp>

int main() {
  const oas::Value value = oas::Array::own(std::vector<double>{1, 2, 3, 4}, {2, 2});
  const oas::Array array = value;
  try {
    array.item<double>();
    std::puts("four elements passed for one");
    return 1;
  } catch (const oas::Error& error) {
    std::printf("%s: %s\n", value.describe().c_str(), error.what());
    return error.code() == oas::Errc::usage ? 0 : 1;
  }
}
