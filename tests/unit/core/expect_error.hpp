#pragma once

#include <gtest/gtest.h>

#include <oas/error.hpp>

// The code of the error that `call` must end in.
template <class Call>
oas::Errc code_of(Call call) {
  try {
    call();
  } catch (const oas::Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "no error came";
  return oas::Errc::internal;
}
