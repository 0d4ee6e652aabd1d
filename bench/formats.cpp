// Blobs and .npy files in memory: large arrays beside memcpy of their elements into fresh memory, and a nested dict of
// 1,000 small values beside the reference, where it is installed (python3, or BENCH_PYTHON).
//
//   oas_bench_formats [--json] [--quick] [--repeats N] [--only WORKLOAD…]
#include <cstdio>
#include <functional>
#include <iostream>
#include <set>

#include <oas/tools.hpp>

#include "data.hpp"
#include "report.hpp"

using bench::Timed;

namespace {

struct Options {
  bool json = false, quick = false;
  int repeats = 15;
  std::set<std::string> only;
};

void must(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

// The same bytes, beginning so many after a multiple of 8.
oas::Bytes placed(const oas::Bytes& bytes, std::size_t lead) {
  oas::Buffer buffer(lead + bytes.size());
  std::memcpy(buffer.data() + lead, bytes.data(), bytes.size());
  return std::move(buffer).finish().slice(lead, bytes.size());
}

/// What nobody reads must still be made.
void keep(const void* made) { asm volatile("" : : "g"(made) : "memory"); }

class Workloads {
 public:
  Workloads(const Options& options, bench::Report& out) : options_(options), out_(out) {}

  void run() {
    const std::size_t count = (options_.quick ? 1 : 8) << 20;  // 64 MB of doubles
    const auto side = static_cast<std::int64_t>(options_.quick ? 1000 : 3000);
    const std::vector<double> noise = bench::uniform(1, count);
    const std::span<const double> plane(noise.data(),
                                        static_cast<std::size_t>(side) * static_cast<std::size_t>(side) / 4 * 3);
    const oas::Shape flat{side, side / 4 * 3};
    array("array_f64", oas::Array(noise));
    array("array_f64_columns",
          oas::Array(plane.first(static_cast<std::size_t>(flat[0] * flat[1])), flat, oas::Array::Order::column));
    array("array_f64_rows", oas::Array(plane.first(static_cast<std::size_t>(flat[0] * flat[1])), flat));
    const std::string octets = bench::octets(2, noise.size() * sizeof(double));
    const auto frames = static_cast<std::int64_t>(octets.size() / (480 * 640));
    const auto pixels = oas::as_bytes(octets).first(static_cast<std::size_t>(frames) * 480 * 640);
    array("array_u8_stack", oas::Array(oas::DType::u8, {frames, 480, 640}, oas::Bytes::borrow(pixels)));
    array("array_c128", oas::Array(oas::DType::c128, {static_cast<std::int64_t>(count / 2)},
                                   oas::Bytes::borrow(std::as_bytes(std::span(noise)))));
    dict();
  }

 private:
  bool wanted(const std::string& workload) const { return options_.only.empty() || options_.only.contains(workload); }

  // `pack` makes the parts that are written one after the other, after a look whether compressing pays (it does not,
  // for noise); `pack_joined` one piece of them. `unpack` reads a blob that lies anywhere, `unpack_in_place` one that
  // lies so that its elements are aligned, as those of stores do.
  void array(const std::string& workload, const oas::Array& array) {
    if (!wanted(workload)) return;
    const double megabytes = static_cast<double>(array.nbytes()) / 1e6;
    const auto compare = [&](const std::string& op, const std::function<void()>& ours) {
      const Timed copy{[&](int) {
        oas::Buffer fresh(array.nbytes());
        std::memcpy(fresh.data(), array.data().data(), array.nbytes());
        keep(fresh.data());
      }};
      out_.compare(workload, op, "MB/s", megabytes, {[&](int) { ours(); }}, copy, "memcpy into fresh memory");
    };
    const oas::Value value(array);
    const oas::Bytes blob = oas::pack_blob_joined(value, false), file = oas::format_npy(array);
    must(oas::unpack_blob(blob) == value && oas::parse_npy(file) == array, "an array did not come back");
    const oas::Bytes askew = placed(blob, 0), in_place = placed(blob, 3);
    compare("pack", [&] { keep(oas::pack_blob(value).data()); });
    compare("pack_joined", [&] { keep(oas::pack_blob_joined(value).data()); });
    compare("unpack", [&] { keep(oas::unpack_blob(askew).get_if<oas::Array>()->data().data()); });
    compare("unpack_in_place", [&] { keep(oas::unpack_blob(in_place).get_if<oas::Array>()->data().data()); });
    compare("npy_write", [&] { keep(oas::format_npy(array).data()); });
    compare("npy_read", [&] { keep(oas::parse_npy(file).data().data()); });
  }

  static oas::Value small(std::size_t i) {
    const std::uint64_t word = bench::splitmix(1, i);
    switch (i % 5) {
      case 0: return word % 100000;
      case 1: return static_cast<double>(word >> 11) * 0x1p-53;
      case 2: return "text " + std::to_string(word % 10000);
      case 3: return word % 2 == 0;
      default: return nullptr;
    }
  }

  void dict() {
    const std::string workload = "dict_of_1000";
    if (!wanted(workload)) return;
    oas::Map groups;
    for (std::size_t g = 0; g < 20; ++g) {
      oas::Map group;
      for (std::size_t i = 0; i < 50; ++i) group.items.emplace_back("name " + std::to_string(i), small(50 * g + i));
      groups.items.emplace_back("group " + std::to_string(g), std::move(group));
    }
    const oas::Value value(std::move(groups));
    const oas::Bytes plain = oas::pack_blob_joined(value, false), packed = oas::pack_blob_joined(value);
    must(oas::unpack_blob(plain) == value && oas::unpack_blob(packed) == value, "a dict did not come back");
    const std::pair<std::string, std::function<void()>> operations[] = {
        {"pack", [&] { keep(oas::pack_blob_joined(value, false).data()); }},
        {"unpack", [&] { keep(oas::unpack_blob(plain).get_if<oas::Map>()); }},
        {"pack_compressed", [&] { keep(oas::pack_blob_joined(value).data()); }},
        {"unpack_compressed", [&] { keep(oas::unpack_blob(packed).get_if<oas::Map>()); }}};
    const auto theirs = reference();
    for (const auto& [op, run] : operations) {
      std::vector<double> times;
      for (int turn = 0; turn < 20 * options_.repeats; ++turn)
        times.push_back(Timed{[&](int) { run(); }}.seconds(turn));
      const double ours = bench::median(times) * 1e3;
      const oas::Map* line = theirs.find(op) ? theirs.find(op)->get_if<oas::Map>() : nullptr;
      if (!line) {
        out_.value(workload, op, "ms", ours);
        out_.skipped(workload, op + "_reference", "datajoint is not installed for " + python() + ", see BENCH_PYTHON");
        continue;
      }
      const auto blob = oas::from_base64(line->at("blob").as<std::string>());
      must(blob && oas::unpack_blob(*blob) == value, "the reference packed another dict");
      out_.beside(workload, op, "ms", ours, line->at("ms").as<double>(),
                  "datajoint.blob " + line->at("version").as<std::string>());
    }
  }

  static std::string python() {
    const char* given = std::getenv("BENCH_PYTHON");
    return given && *given ? given : "python3";
  }
  /// {op: its line}, empty where it is not installed.
  oas::Map reference() const {
    const std::string command =
        python() + " " OAS_BENCH_FOLDER "/formats_reference.py " + std::to_string(options_.repeats) + " 2>/dev/null";
    oas::Map lines;
    FILE* const pipe = ::popen(command.c_str(), "r");
    must(pipe != nullptr, "start the reference");
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) {
      if (c != '\n') {
        text += static_cast<char>(c);
        continue;
      }
      const oas::Map line = oas::from_json(text, "a line of the reference").as<oas::Map>();
      lines.set(line.at("op").as<std::string>(), line);
      text.clear();
    }
    ::pclose(pipe);
    return lines;
  }

  const Options& options_;
  bench::Report& out_;
};

}  // namespace

int main(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--durable") {
      continue;  // nothing here is written to a disk; `make bench` gives its arguments to all programs
    } else if (word == "--quick") {
      options.quick = true;
    } else if (word == "--repeats" && i + 1 < count) {
      options.repeats = std::max(1, std::atoi(words[++i]));
    } else if (word == "--only") {
      while (i + 1 < count && words[i + 1][0] != '-') options.only.insert(words[++i]);
    } else {
      std::cerr << "oas_bench_formats [--json] [--quick] [--repeats N] [--only WORKLOAD…]\n";
      return 2;
    }
  }
  bench::Report out(options.json, options.repeats, OAS_VERSION);
  try {
    Workloads(options, out).run();
  } catch (const std::exception& error) {
    out.failed("formats", "", error.what());
  }
  return out.failures() == 0 ? 0 : 1;
}
