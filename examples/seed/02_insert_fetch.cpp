// Insert and fetch: the same, wherever a value lives.
#include <oas/oas.hpp>

#include <iostream>
#include <numeric>

struct Recording : oas::Manual {
  static constexpr oas::Definition definition = R"(
    recording_id : uuid
    ---
    metadata  : <blob>
    raw_data  : <blob@>
    waveforms : <npy@>
  )";
};

int main() {
  oas::Session session;
  auto recordings = session.schema("lab").table<Recording>();

  std::vector<double> samples(32 * 30000);
  std::iota(samples.begin(), samples.end(), 0.0);
  const oas::Array waves{std::span(samples), {1000, 960}};

  const auto id = oas::Uuid::random();
  recordings.insert1({{"recording_id", id},
                      {"metadata", oas::map({{"channels", 32}, {"rate", 30000}})},
                      {"raw_data", samples},  // oas::Array, a span with a shape, a vector, an xtensor: no copy
                      {"waveforms", waves}});

  auto one = recordings & oas::key({{"recording_id", id}});
  oas::Array data = one.fetch1<"raw_data">();                // misspelt: does not compile
  auto [meta, ref] = one.fetch1<"metadata", "waveforms">();  // oas::Value, oas::NpyRef
  oas::Row row = one.fetch1();                               // by name at run time
  const bool lazy = !row.at<oas::NpyRef>("waveforms").is_loaded();

  std::cout << meta.as<oas::Map>().at("channels").as<int>() << " channels, " << data.size() << " samples, waveforms "
            << ref.shape()[0] << " x " << ref.shape()[1] << (lazy ? ", not loaded yet\n" : "\n");

  // Many rows: any range of rows, typed columns, or a query.
  std::vector<oas::Row> more;
  for (int i = 0; i < 3; ++i) {
    more.push_back(
        {{"recording_id", oas::Uuid::random()}, {"metadata", i}, {"raw_data", samples}, {"waveforms", waves}});
  }
  recordings.insert(more);
  recordings.insert(more, {.skip_duplicates = true});  // they are there already: nothing happens
  const bool equal = std::ranges::equal(data.as<double>(), samples) && ref.load() == waves;
  return equal && recordings.size() == 4 ? 0 : 1;
}
