// Lazy references: metadata without a request, any part without the whole.
#include <oas/oas.hpp>

#include <filesystem>
#include <iostream>
#include <numeric>

struct Recording : oas::Manual {
  static constexpr oas::Definition definition = R"(
    recording_id : int32
    ---
    waveforms : <npy@>
  )";
};
struct Dataset : oas::Manual {
  static constexpr oas::Definition definition = R"(
    dataset_id : int32
    ---
    zarr_array : <object@>
  )";
};

int main() {
  oas::Session session;
  oas::Schema lab = session.schema("lab");
  auto recordings = lab.table<Recording>();
  std::vector<double> samples(2000 * 64);
  std::iota(samples.begin(), samples.end(), 0.0);
  recordings.insert1({{"recording_id", 1}, {"waveforms", oas::Array(std::span(samples), {2000, 64})}});

  oas::NpyRef ref = recordings.fetch1<"waveforms">();
  ref.shape();
  ref.dtype();
  ref.nbytes();
  ref.path();
  ref.is_loaded();                                                  // no request
  oas::Array part = ref.load(oas::rows(1000, 250));                 // only these bytes
  oas::Array strided = ref.load({oas::all, oas::slice(0, 32, 2)});  // any slice
  oas::Array all = ref.load();                                      // one read, kept
  std::span<const double> view = all.as<double>();                  // and oas::to_xtensor<double>(all)

  std::vector<oas::NpyRef> refs;
  for (auto& row : recordings) {
    refs.push_back(row.at<oas::NpyRef>("waveforms"));
    if (row.at<oas::NpyRef>("waveforms").shape()[0] > 500) std::cout << "long: " << row.at<int>("recording_id") << '\n';
  }
  std::vector<oas::Array> arrays = oas::load(refs);  // of many rows: many requests at once

  auto datasets = lab.table<Dataset>();
  {
    auto staged = datasets.staged_insert1({{"dataset_id", 1}});
    oas::Folder folder = staged.store("zarr_array", ".zarr");
    folder.write("zarr.json", "{}");
    folder.write("c/0", std::as_bytes(std::span(samples)).first(1000));
    staged.commit();
  }
  auto dataset = datasets & oas::key({{"dataset_id", 1}});
  oas::ObjectRef zarr = dataset.fetch1<"zarr_array">();
  zarr.files();
  zarr.size();
  zarr.is_folder();                            // from the metadata
  oas::Bytes header = zarr.read("zarr.json");  // or a byte range; open("…") seeks
  zarr.download("data.zarr");                  // parallel, verified, complete or not there
  return part.shape()[0] == 250 && part.as<double>()[0] == 64000 && strided.shape()[1] == 16 && view.size() == 128000 &&
                 arrays.size() == refs.size() && header.text() == "{}" &&
                 std::filesystem::file_size("data.zarr/c/0") == 1000
             ? 0
             : 1;
}
