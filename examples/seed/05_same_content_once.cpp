// The same content is stored once, and goes with the last row that needs it.
#include <oas/oas.hpp>

#include <filesystem>
#include <iostream>

struct Template : oas::Manual {
  static constexpr oas::Definition definition = R"(
    id : int32
    ---
    array : <blob@>
  )";
};

static std::size_t objects() {
  std::size_t n = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("oas-store")) n += entry.is_regular_file();
  return n;
}

int main() {
  oas::Session session;
  auto table = session.schema("lab").table<Template>();

  const auto data = oas::Array::zeros<double>({1000, 1000});
  table.insert1({{"id", 1}, {"array", data}});
  table.insert1({{"id", 2}, {"array", data}});  // the same object; it goes when the last of its rows goes
  const std::size_t both = objects();

  (table & oas::key({{"id", 1}})).remove();
  const std::size_t one = objects();
  (table & oas::key({{"id", 2}})).remove();
  std::cout << both << " object for two rows, " << one << " for one, " << objects() << " for none\n";
  return both == 1 && one == 1 && objects() == 0 ? 0 : 1;
}
