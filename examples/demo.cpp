// The main job, with real data: recordings go into tables, their big attributes into a file store; they come back
// lazily; they are deleted with nothing left behind. Everything stays in ./demo to be looked at.
#include <oas/oas.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>

namespace fs = std::filesystem;

struct Subject : oas::Manual {
  static constexpr oas::Definition definition = R"(
    # Who was recorded
    subject_id : int32
    ---
    species : enum('human', 'mouse')
    photo = null : <attach@>           # a picture, with its file name
  )";
};
struct Session : oas::Manual {
  using references = oas::References<Subject>;
  static constexpr oas::Definition definition = R"(
    # One minute of electrocardiogram
    -> Subject
    session : int16
    ---
    session_date : date
    rate         : float64             # samples per second
    setup        : <blob>              # what was set on the amplifier, in the table
    calibration  : <blob@>             # in the store, once for all sessions that share it
  )";
};
struct Recording : oas::Manual {
  using references = oas::References<Session>;
  static constexpr oas::Definition definition = R"(
    # The signal in pieces of ten seconds
    -> Session
    piece : int16
    ---
    signal : <npy@>                    # millivolt; lazy, a .npy file anybody can open
  )";
};
struct Beats : oas::Computed {
  using references = oas::References<Session>;
  static constexpr oas::Definition definition = R"(
    # Heart beats found in a session
    -> Session
    ---
    beats  : int32
    bpm    : float64                   # beats per minute
    report : <object@>                 # a folder: a table of beats and a summary
  )";
};

namespace {

void title(std::string_view text) { std::cout << "\n== " << text << '\n'; }

std::string shown(const oas::Value& value) {
  if (value.is_null()) return "-";
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* date = value.get_if<oas::Date>()) return date->iso();
  if (const auto* number = value.get_if<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.get_if<double>()) {
    std::ostringstream out;
    out << *number;
    return out.str();
  }
  if (const auto* ref = value.get_if<oas::NpyRef>()) {
    return ref->type().name + " (" + std::to_string(ref->shape()[0]) + ",), not loaded";
  }
  if (const auto* ref = value.get_if<oas::ObjectRef>()) {
    return std::to_string(ref->files().size()) + " files, " + std::to_string(ref->size()) + " bytes";
  }
  if (const auto* file = value.get_if<oas::Attachment>())
    return file->name() + ", " + std::to_string(file->size()) + " bytes";
  return value.describe();
}

void print(const std::string& name, const oas::Query& query) {
  std::vector<std::vector<std::string>> lines{query.heading().names()};
  for (const oas::Row& row : query) {
    auto& line = lines.emplace_back();
    for (const auto& [attribute, value] : row) line.push_back(shown(value));
  }
  std::cout << name << " (" << lines.size() - 1 << (lines.size() == 2 ? " row)\n" : " rows)\n");
  for (const auto& line : lines) {
    std::cout << "  ";
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::size_t width = 0;
      for (const auto& other : lines) width = std::max(width, other[i].size());
      std::cout << std::left << std::setw(static_cast<int>(width) + 2) << line[i];
    }
    std::cout << '\n';
  }
}

std::set<std::string> objects(const fs::path& store) {
  std::set<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    if (entry.is_regular_file()) out.insert(entry.path().lexically_relative(store).generic_string());
  }
  return out;
}

/// Seconds at which a beat begins: where the signal rises or falls nearly as fast as it ever does, and not within a
/// third of a second of the beat before.
std::vector<double> find_beats(std::span<const double> signal, double rate) {
  const auto step = static_cast<std::size_t>(rate / 50);  // samples, about 20 ms
  std::vector<double> change;
  for (std::size_t i = 0; i + step < signal.size(); ++i) change.push_back(std::abs(signal[i + step] - signal[i]));
  std::vector<double> sorted = change;
  std::ranges::sort(sorted);
  const double threshold = 0.6 * sorted[sorted.size() * 995 / 1000];
  std::vector<double> seconds;
  for (std::size_t i = 0; i < change.size(); ++i) {
    const double t = static_cast<double>(i) / rate;
    if (change[i] > threshold && (seconds.empty() || t - seconds.back() > 0.33)) seconds.push_back(t);
  }
  return seconds;
}

void run() {
  const fs::path data = OAS_EXAMPLES_DATA;
  fs::remove_all("demo");
  fs::create_directories("demo/store");
  std::ofstream("demo/datajoint.json") << R"({
  "database": {"backend": "sqlite", "name": "lab.db"},
  "stores": {
    "default": "main",
    "main": {"protocol": "file", "location": "store"}
  }
}
)";
  oas::Session session(oas::Settings::load("demo"));
  oas::Schema lab = session.schema("lab");
  auto subjects = lab.table<Subject>();
  auto sessions = lab.table<Session>();
  auto recordings = lab.table<Recording>();
  auto beats = lab.table<Beats>();

  title("A real recording goes in");
  std::ifstream file(data / "electrocardiogram.npy", std::ios::binary);
  const std::string npy((std::istreambuf_iterator<char>(file)), {});
  constexpr std::size_t header = 128, samples = 21600, piece = 3600;
  std::vector<double> signal(samples);
  std::memcpy(signal.data(), npy.data() + header, samples * sizeof(double));
  const double rate = 360;

  const std::vector<double> calibration(4096, 0.005);
  subjects.insert1({{"subject_id", 208}, {"species", "human"}, {"photo", oas::Attachment{data / "ascent.png"}}});
  for (int number = 1; number <= 2; ++number) {
    const oas::Row key{{"subject_id", 208}, {"session", number}};
    session.transaction([&] {  // a session is there with all its pieces, or not at all
      sessions.insert1({{"subject_id", 208},
                        {"session", number},
                        {"session_date", oas::Date{2026, 1, 10u + unsigned(number)}},
                        {"rate", rate},
                        {"setup", oas::map({{"lead", "MLII"}, {"gain", 200}})},
                        {"calibration", calibration}});
      std::vector<oas::Row> rows;
      for (std::size_t i = 0; i < samples / piece; ++i) {
        const std::span part = std::span(signal).subspan(i * piece, piece);
        rows.push_back({{"subject_id", 208},
                        {"session", number},
                        {"piece", i},
                        {"signal", oas::Array(std::span<const double>(part), {std::int64_t(piece)})}});
      }
      recordings.insert(rows);
    });
  }
  print("lab.subject", subjects);
  print("lab.session", sessions.proj("session_date", "rate", "setup", "calibration"));
  print("lab.recording", recordings.limit(4));

  title("It comes back lazily");
  const auto ref = (recordings & oas::key({{"session", 1}, {"piece", 0}})).fetch1<"signal">();
  const oas::Array second = ref.load(oas::rows(360, 360));
  std::cout << "  the second second of " << ref.nbytes() << " bytes: " << second.nbytes() << " bytes read, highest "
            << *std::ranges::max_element(second.as<double>()) << " mV\n";

  title("A computation writes a folder straight into the store");
  for (const oas::Row& row : sessions - beats) {
    const oas::Row key{{"subject_id", row["subject_id"]}, {"session", row["session"]}};
    std::vector<double> all;
    for (const oas::Row& part : (recordings & oas::key(key)).order_by("piece")) {
      const oas::Array loaded = part.at<oas::NpyRef>("signal").load();
      const auto values = loaded.as<double>();
      all.insert(all.end(), values.begin(), values.end());
    }
    const auto times = find_beats(all, row.at<double>("rate"));
    std::string table = "seconds\n";
    for (const double t : times) table += std::to_string(t) + "\n";
    const double bpm = static_cast<double>(times.size()) * 60.0 * rate / static_cast<double>(all.size());
    auto staged = beats.staged_insert1(key);
    const oas::Folder report = staged.store("report", ".report");
    report.write("beats.csv", table);
    report.write("summary.txt", std::to_string(times.size()) + " beats, " + std::to_string(bpm) + " per minute\n");
    staged.set("beats", times.size());
    staged.set("bpm", bpm);
    staged.commit();
  }
  print("lab.__beats", beats);

  title("Where it lies (ls -R demo/store)");
  const auto before = objects("demo/store");
  std::string last;
  for (const auto& path : before) {
    const bool repeated =
        path.find("/recording/") != std::string::npos && last.find("/recording/") != std::string::npos;
    if (!repeated) std::cout << "  " << path << '\n';
    last = path;
  }
  std::cout << "  … and one such file for each of " << recordings.size() << " pieces\n";
  std::size_t shared = 0;
  for (const auto& path : before) shared += path.starts_with("_hash/") && fs::file_size("demo/store/" + path) < 100000;
  std::cout << "  stored once: the calibration, by its content, for " << sessions.size() << " sessions (" << shared
            << " object)\n";

  title("Deleting session 1");
  const auto doomed = sessions & oas::key({{"session", 1}});
  for (const auto& [table, rows] : doomed.would_remove()) std::cout << "  " << table << ": " << rows << " rows\n";
  const std::size_t gone = doomed.remove();
  const auto after = objects("demo/store");
  std::cout << "  " << gone << " rows are gone, and " << before.size() - after.size() << " of " << before.size()
            << " files with them\n  the calibration stays, because session 2 needs it\n";
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "demo: " << e.what() << '\n';
    return 1;
  }
}
