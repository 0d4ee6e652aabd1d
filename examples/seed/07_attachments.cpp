// Files that keep their names.
#include <oas/oas.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>

struct Document : oas::Manual {
  static constexpr oas::Definition definition = R"(
    doc_id : uuid
    ---
    report : <attach@>
  )";
};

int main() {
  std::ofstream("report.pdf") << "%PDF-1.4 …";
  oas::Session session;
  auto documents = session.schema("lab").table<Document>();

  documents.insert1({{"doc_id", oas::Uuid::random()}, {"report", oas::Attachment{"report.pdf"}}});
  oas::Attachment report = documents.fetch1<"report">();  // name, size, bytes
  const auto saved = report.save_to("downloads");         // never leaves the folder
  std::cout << report.name() << ", " << report.size() << " bytes, saved to " << saved.string() << '\n';
  return saved == std::filesystem::path("downloads/report.pdf") && std::filesystem::file_size(saved) == report.size()
             ? 0
             : 1;
}
