// Write straight into the store, piece by piece; nobody sees it before commit().
#include <oas/oas.hpp>

#include <iostream>
#include <thread>

struct Imaging : oas::Imported {
  static constexpr oas::Definition definition = R"(
    -> Session
    ---
    n_frames : int32
    frames   : <object@>
    film     : <object@>
  )";
};
struct Session : oas::Manual {
  static constexpr oas::Definition definition = R"(
    subject_id : int32
    session_id : int32
  )";
};

int main() {
  oas::Session session;
  oas::Schema lab = session.schema("lab");
  lab.table<Session>().insert1({{"subject_id", 1}, {"session_id", 1}});
  auto imaging = lab.table<Imaging>();
  const std::string header = R"({"zarr_format": 3, "node_type": "array"})";
  const std::vector<std::byte> chunk(4096, std::byte{7});
  {
    auto staged = imaging.staged_insert1({{"subject_id", 1}, {"session_id", 1}});  // the primary key comes first
    oas::Folder frames = staged.store("frames", ".zarr");  // a key-value view of the object-to-be
    frames.write("zarr.json", header);                     // any key, in parallel, from any thread
    std::jthread([&] { frames.write("c/0/0/0", chunk); }).join();
    std::unique_ptr<oas::Upload> film = staged.open("film", ".avi");  // or a byte stream
    film->append(chunk);
    film->append(chunk);
    film->commit();
    staged.set("n_frames", 1000);
    staged.commit();  // sizes, manifest and row become real at once; without this line nothing ever was
  }
  auto [frames, film] = imaging.fetch1<"frames", "film">();
  std::cout << frames.path() << ": " << frames.files().size() << " files, " << frames.size() << " bytes\n"
            << film.path() << ": " << film.size() << " bytes\n";
  return frames.is_folder() && frames.size() == header.size() + 4096 && film.size() == 8192 ? 0 : 1;
}
