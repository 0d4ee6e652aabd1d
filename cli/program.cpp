#include "program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include <oas/tools.hpp>

#include "text.hpp"

namespace oas::cli {

Exit exit_code(Errc code) noexcept {
  switch (code) {
    case Errc::usage:
    case Errc::definition:
    case Errc::syntax:
    case Errc::unknown_table:
    case Errc::unknown_attribute:
    case Errc::unsupported: return wrong_use;
    case Errc::missing_attribute:
    case Errc::duplicate:
    case Errc::constraint:
    case Errc::conflict:
    case Errc::missing_object:
    case Errc::integrity:
    case Errc::decode: return refused;
    case Errc::access:
    case Errc::unavailable:
    case Errc::in_doubt:
    case Errc::cancelled: return no_answer;
    case Errc::internal: return found_problems;
  }
  return found_problems;
}

const Settings& Program::settings() {
  if (!settings_) settings_ = Settings::load(folder);
  return *settings_;
}

Session& Program::session(bool may_create) {
  if (session_) return *session_;
  const std::string& file = settings().database().name;
  if (!may_create && settings().embedded() && !std::filesystem::exists(file)) {
    throw Error(Errc::unavailable,
                fmt::format("open the database: no settings were found, and there is no {}. go to the folder of your "
                            "datajoint.json, or begin with: oas config init",
                            file),
                file);
  }
  SessionOptions options;
  options.log = [this](LogLevel level, std::string_view text) { note(text, level); };
  session_.emplace(settings(), std::move(options));
  return *session_;
}

Schema Program::schema(const std::string& name) {
  const auto known = session().schemas();
  if (std::ranges::find(known, name) == known.end()) {
    throw Error(Errc::unknown_table,
                fmt::format("open schema {}: there is none. {}", name,
                            known.empty() ? "declare a table in it first: oas declare"
                                          : fmt::format("there are: {}", fmt::join(known, ", "))),
                name);
  }
  return session().schema(name);
}

Table<> Program::table(std::string_view name) {
  const auto [schema_name, table_name] = split_name(name);
  return schema(schema_name)[table_name];
}

void Program::print(const Map& object) const { write_out(to_json(object) + "\n"); }

void Program::note(std::string_view text, LogLevel level) const {
  if (json) {
    const Map line = map({{"level", level == LogLevel::info ? "info" : "warning"}, {"message", text}});
    fmt::print(stderr, "{}\n", to_json(line));
  } else {
    fmt::print(stderr, "oas: {}\n", printable(text));
  }
}

void Program::report(const Error& error) const {
  std::fflush(stdout);
  if (json) {
    const Map object = map({{"error", to_string(error.code())},
                            {"message", printable(error.what())},
                            {"target", printable(error.target())}});
    fmt::print(stderr, "{}\n", to_json(object));
  } else {
    fmt::print(stderr, "oas: {}\n", printable(error.what(), true));
  }
}

std::pair<std::string, std::string> split_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) {
    throw Error(Errc::usage, fmt::format("open table {}: a table is named SCHEMA.TABLE. oas ls lists them", name),
                std::string(name));
  }
  return {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
}

std::string full_name(const Table<>& table) { return table.schema() + "." + table.name(); }

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    throw Error(Errc::access, "write to standard output: it takes no more");
}

void flush_out() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    throw Error(Errc::access, "write to standard output: it takes no more");
}

bool is_terminal(std::FILE* stream) noexcept { return ::isatty(::fileno(stream)) == 1; }

bool ask(std::string_view question) {
  fmt::print(stderr, "{} [y/N] ", question);
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Progress::Progress(std::string what) : what_(std::move(what)), on_(is_terminal(stderr)) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::show(std::uint64_t done_so_far, std::uint64_t total) {
  if (!on_) return;
  const auto now = std::chrono::steady_clock::now();
  if (shown_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  shown_ = true;
  if (total == 0) {
    fmt::print(stderr, "\r{}: {}\x1b[K", what_, done_so_far);
  } else {
    constexpr std::size_t width = 30;
    const std::size_t full = static_cast<std::size_t>(std::min(done_so_far, total) * width / total);
    fmt::print(stderr, "\r{} [{:=<{}}{:{}}] {}/{}\x1b[K", what_, "", full, "", width - full, done_so_far, total);
  }
  std::fflush(stderr);
}

std::string read_text(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream in(file, std::ios::binary);
  std::error_code failure;
  if (!in || std::filesystem::is_directory(file, failure))
    throw Error(Errc::usage, fmt::format("read {}: there is no such file, or it cannot be opened", file), file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace oas::cli
