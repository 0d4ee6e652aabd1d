// A user's program: a row with an object goes in and comes out, and an error of the library is caught as what it is.
#include <cstdio>
#include <vector>

#include <oas/oas.hpp>

struct Recording : oas::Manual {
  static constexpr oas::Definition definition = R"(
    recording_id : uuid
    ---
    waveform : <npy@>
  )";
};

int main() {
  oas::Session session{oas::Settings{}};  // ./oas.db and ./oas-store/, whatever the environment says
  auto recordings = session.schema("lab").table<Recording>();
  const oas::Row key{{"recording_id", oas::Uuid::random()}};
  const std::vector<double> samples{1, 2, 3, 4};
  recordings.insert1({key.begin()[0], {"waveform", samples}});
  try {
    recordings.insert1({key.begin()[0], {"waveform", samples}});
    std::puts("a duplicate was taken");
    return 1;
  } catch (const oas::Error& error) {
    std::puts(error.what());
    if (error.code() != oas::Errc::duplicate) return 1;
  }
  auto one = recordings & oas::key(key);
  const oas::NpyRef waveform = one.fetch1<"waveform">();
  const oas::Array part = waveform.load(oas::rows(1, 2));
  return part.as<double>()[0] == 2 && one.remove() == 1 ? 0 : 1;
}
