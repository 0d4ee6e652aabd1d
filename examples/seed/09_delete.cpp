// Delete: rows, what depends on them, and the objects that no row needs any more. All of it together, or nothing.
#include <oas/oas.hpp>

#include <iostream>

struct Subject : oas::Manual {
  static constexpr oas::Definition definition = "subject_id : int32";
};
struct Scan : oas::Manual {
  static constexpr oas::Definition definition = R"(
    -> Subject
    scan : int32
    ---
    image : <npy@>
  )";
};

int main() {
  oas::Session session;
  oas::Schema lab = session.schema("lab");
  auto subjects = lab.table<Subject>();
  auto scans = lab.table<Scan>();
  for (int id = 1; id <= 2; ++id) {
    subjects.insert1({{"subject_id", id}});
    for (int scan = 0; scan < 3; ++scan) {
      scans.insert1({{"subject_id", id}, {"scan", scan}, {"image", oas::Array::zeros<float>({64, 64})}});
    }
  }
  try {
    session.transaction([&] {
      subjects.remove();
      throw std::runtime_error("changed my mind");
    });
  } catch (const std::runtime_error& e) {
    std::cout << e.what() << ": " << scans.size() << " scans\n";
  }
  const bool kept = scans.size() == 6 && scans.limit(1).fetch1<"image">().load().size() == 4096;

  auto one = subjects & oas::key({{"subject_id", 1}});
  std::size_t gone = one.remove();  // rows, rows that depend on them, and the objects that no row needs any more
  session.transaction([&] {         // all of it together, or nothing
    subjects.insert1({{"subject_id", 3}});
    scans.insert1({{"subject_id", 3}, {"scan", 1}, {"image", oas::Array::zeros<float>({8, 8})}});
  });
  const oas::Audit audit = session.audit();
  std::cout << gone << " rows gone, " << audit.objects << " objects, " << audit.dangling << " dangling, "
            << audit.leaked << " leaked\n";
  return kept && gone == 4 && audit.objects == 4 && audit.dangling == 0 && audit.leaked == 0 ? 0 : 1;
}
