// Clock and output. Ours and the raw operation take turns, so that whatever else the machine does falls on both; the
// values are medians, the ratio is the median of the ratios of the turns. With --json each result is one line of JSON.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Timed {
  std::function<void(int)> run;
  std::function<void(int)> prepare = {};  ///< not timed
  double seconds(int turn) const {
    if (prepare) prepare(turn);
    const auto began = std::chrono::steady_clock::now();
    run(turn);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
};

/// For what reads: it runs once before the clock starts, so that each side finds the caches as its own last run left
/// them, and not as the other side did.
inline Timed again(const std::function<void(int)>& run) { return {run, run}; }

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

class Report {
 public:
  Report(bool json, int repeats, std::string version) : json_(json), repeats_(repeats), version_(std::move(version)) {
    if (!json_)
      fmt::print("{:<32} {:>9} {:>12} {:>12} {:>8}  {}\n", "workload", "unit", "ours", "raw", "ratio", "raw operation");
  }

  /// `unit` "ms", "s" or something per second, of which one run moves `amount`. The ratio is above 1 where ours is
  /// faster.
  void compare(const std::string& workload, const std::string& op, const std::string& unit, double amount,
               const Timed& ours, const Timed& raw = {}, const std::string& by = {}, const std::string& more = {}) {
    std::vector<double> mine, theirs, ratios;
    double spent = 0;
    for (int turn = 0; turn < repeats_ && (turn < 3 || spent < budget); ++turn) {
      if (raw.run) theirs.push_back(raw.seconds(turn));
      mine.push_back(ours.seconds(turn));
      if (raw.run) ratios.push_back(theirs.back() / mine.back());
      spent += mine.back() + (raw.run ? theirs.back() : 0);
    }
    const auto value = [&](const std::vector<double>& seconds) {
      const double t = median(seconds);
      return unit == "ms" ? t * 1e3 : unit == "s" ? t : amount / t;
    };
    std::string runs;
    for (const double s : mine) runs += fmt::format("{}{:.6f}", runs.empty() ? "" : ", ", s);
    line(workload, op, unit, value(mine), raw.run ? value(theirs) : 0, raw.run ? median(ratios) : 0, by,
         fmt::format(", \"seconds\": [{}]{}", runs, more));
  }

  /// Ours beside another program's, which was measured in the same run; both `unit` per operation, less is better.
  void beside(const std::string& workload, const std::string& op, const std::string& unit, double ours, double theirs,
              const std::string& by) {
    line(workload, op, unit, ours, theirs, theirs / ours, by, {});
  }

  /// What cannot be measured here, and why.
  void skipped(const std::string& workload, const std::string& op, const std::string& why) const {
    if (json_)
      print(workload, op, fmt::format("\"status\": \"skipped\", \"error\": \"{}\"", why));
    else
      fmt::print("{:<32} skipped: {}\n", name(workload, op), why);
  }

  /// A number that was measured otherwise: memory, objects.
  void value(const std::string& workload, const std::string& op, const std::string& unit, double value,
             const std::string& more = {}) {
    line(workload, op, unit, value, 0, 0, {}, more);
  }

  void failed(const std::string& workload, const std::string& op, const std::string& why) {
    ++failures_;
    std::string text;
    for (const char c : why) text += c == '"' || c == '\\' || static_cast<unsigned char>(c) < 32 ? '\'' : c;
    if (json_)
      print(workload, op, fmt::format("\"status\": \"failed\", \"error\": \"{}\"", text));
    else
      fmt::print("{:<32} failed: {}\n", name(workload, op), why);
    std::fflush(stdout);
  }
  int failures() const noexcept { return failures_; }

 private:
  static constexpr double budget = 6;  // seconds, of which at least three turns are taken

  static std::string name(const std::string& workload, const std::string& op) {
    return op.empty() ? workload : workload + "." + op;
  }
  void print(const std::string& workload, const std::string& op, const std::string& rest) const {
    fmt::print(
        "{{\"program\": \"oas\", \"version\": \"{}\", \"workload\": \"{}\", \"op\": \"{}\", \"database\": "
        "\"sqlite\", \"store\": \"file\", {}}}\n",
        version_, workload, op, rest);
  }
  void line(const std::string& workload, const std::string& op, const std::string& unit, double value, double raw,
            double ratio, const std::string& by, const std::string& more) const {
    if (json_) {
      print(workload, op,
            fmt::format(
                "\"status\": \"ok\", \"unit\": \"{}\", \"value\": {:.4g}{}{}", unit, value, more,
                by.empty() ? "" : fmt::format(", \"raw\": {:.4g}, \"ratio\": {:.3f}, \"by\": \"{}\"", raw, ratio, by)));
    } else if (by.empty()) {
      fmt::print("{:<32} {:>9} {:>12.4g}\n", name(workload, op), unit, value);
    } else {
      fmt::print("{:<32} {:>9} {:>12.4g} {:>12.4g} {:>8.2f}  {}\n", name(workload, op), unit, value, raw, ratio, by);
    }
    std::fflush(stdout);
  }

  bool json_;
  int repeats_;
  std::string version_;
  int failures_ = 0;
};

}  // namespace bench
