// Declare a table whose big attributes live in the object store.
#include <oas/oas.hpp>

#include <iostream>

struct Recording : oas::Manual {
  static constexpr oas::Definition definition = R"(
    recording_id : uuid
    ---
    metadata  : <blob>       # in the table
    raw_data  : <blob@>      # in the store, by content hash
    waveforms : <npy@>       # in the store, by schema path, lazy
  )";
};

int main() {
  oas::Session session;  // datajoint.json, DJ_*; without either: ./oas.db and ./oas-store/, and it says so
  oas::Schema lab = session.schema("lab");
  auto recordings = lab.table<Recording>();  // declared if it is not there; must agree if it is

  // The same from a text that only arrives at run time, and tables that somebody else declared.
  lab.declare("Subject", oas::Tier::manual, R"(
    subject_id : int32
    ---
    species = "mouse" : varchar(30)
  )");
  auto again = lab["recording"];
  std::cout << again.describe() << lab["Subject"].describe();
  return recordings.heading() == again.heading() ? 0 : 1;
}
