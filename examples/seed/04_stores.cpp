// Named stores and tiers of storage, as datajoint.json names them.
#include <oas/oas.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>

struct Experiment : oas::Manual {
  static constexpr oas::Definition definition = R"(
    experiment_id : uuid
    ---
    raw_video : <blob@raw>        # fast local storage
    processed : <blob@archive>    # long-term
  )";
};

int main() {
  std::filesystem::create_directories("fast/storage");
  std::filesystem::create_directories("archive/project-data");
  std::ofstream("datajoint.json") << R"({
    "stores": {
      "default": "raw",
      "raw": {"protocol": "file", "location": "fast/storage"},
      "archive": {"protocol": "file", "location": "archive/project-data"}
    }
  })";

  oas::Session session;
  for (const oas::StoreConfig& store : session.stores()) std::cout << store.name << ": " << store.protocol << '\n';
  auto experiments = session.schema("lab").table<Experiment>();
  experiments.insert1({{"experiment_id", oas::Uuid::random()},
                       {"raw_video", std::vector<std::uint8_t>(1000, 7)},
                       {"processed", std::vector<double>{0.5, 1.5}}});
  oas::Array processed = experiments.fetch1<"processed">();
  return processed.as<double>()[1] == 1.5 ? 0 : 1;
}
