// What a fuzz target is: one function over bytes that aborts, or trips a sanitizer, where the library is wrong.
// clang links it with libFuzzer; elsewhere replay.cpp runs it over files.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <oas/bytes.hpp>
#include <oas/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

#define OAS_FUZZ_TARGET(function)                                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    function(std::as_bytes(std::span(data, size)));                                   \
    return 0;                                                                         \
  }
