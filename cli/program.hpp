// What all verbs share: settings and session, opened at the first use, and how the program speaks.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <oas/error.hpp>
#include <oas/session.hpp>

namespace oas::cli {

enum Exit : int { done = 0, found_problems = 1, wrong_use = 2, refused = 3, no_answer = 4 };
Exit exit_code(Errc code) noexcept;

class Program {
 public:
  std::filesystem::path folder = ".";  ///< where settings are looked for
  bool json = false;
  bool typed = false;

  const Settings& settings();
  /// Errors: unavailable if nothing is configured and there is no embedded database either; `may_create` makes one.
  Session& session(bool may_create = false);
  /// A schema that is there. Errors: unknown_table, naming those that are.
  Schema schema(const std::string& name);
  /// "lab.scan", "lab.Scan", "lab.Scan.Frame". Errors: usage, unknown_table.
  Table<> table(std::string_view name);

  /// To standard output: an object as a line of JSON.
  void print(const Map& object) const;
  /// To standard error, as a text or, with --json, as an object.
  void note(std::string_view text, LogLevel level = LogLevel::info) const;
  void report(const Error& error) const;

 private:
  std::optional<Settings> settings_;
  std::optional<Session> session_;
};

/// "lab.scan" → lab, scan. Errors: usage.
std::pair<std::string, std::string> split_name(std::string_view name);
std::string full_name(const Table<>& table);

/// Bytes to standard output. Errors: access.
void write_out(std::string_view text);
/// Errors: access if something that was printed did not get there.
void flush_out();

bool is_terminal(std::FILE* stream) noexcept;
/// Asks on the terminal; anything but y or yes is no.
bool ask(std::string_view question);

/// A line on standard error that tells how far a long work is; nothing if that is no terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `total` 0: not known.
  void show(std::uint64_t done, std::uint64_t total = 0);

 private:
  std::string what_;
  std::chrono::steady_clock::time_point last_;
  bool on_, shown_ = false;
};

/// The content of a file, or of standard input for "-". Errors: usage.
std::string read_text(const std::string& file);

}  // namespace oas::cli
