// The tables that the cases of fetch1 share.
#pragma once

#include <oas/table.hpp>

struct Subject : oas::Manual {
  static constexpr oas::Definition definition = "subject_id : int32\n---\nname : varchar(20)";
};
struct Scan : oas::Imported {
  using references = oas::References<Subject>;
  static constexpr oas::Definition definition = R"(
    -> Subject
    ---
    channels : int32
    waves=null : <npy@>
    index(channels)
  )";
};
