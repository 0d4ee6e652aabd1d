#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <oas/tools.hpp>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {
namespace {

namespace fs = std::filesystem;

// What a store can do is tried out rather than believed. All keys lie in a folder of their own, outside of what
// belongs to rows.
class Probe {
 public:
  Probe(Program& program, Store& store)
      : program_(program), store_(store), folder_(".oas-probe-" + Uuid::random().text()) {}

  int run(const std::optional<Error>& untried) {
    if (untried) step("probe", [&]() -> bool { throw *untried; });
    const std::string key = folder_ + "/a", other = folder_ + "/b", streamed = folder_ + "/c";
    const Bytes first = Bytes::copy("0123456789"), second = Bytes::copy("abc");
    const Version absent = Version::absent();
    step("write", [&] { return store_.write(key, first).has_value(); });
    step("read", [&] {
      const auto object = store_.read(key);
      return object && object->data == first && object->size == first.size();
    });
    step("range", [&] {
      const auto object = store_.read(key, {3, 4});
      return object && object->data.text() == "3456" && object->size == first.size();
    });
    step("stat", [&] {
      const auto info = store_.stat(key);
      return info && info->size == first.size();
    });
    step("upload", [&] {
      auto upload = store_.upload(streamed);
      upload->append(first);
      upload->append(second);
      upload->commit();
      const auto object = store_.read(streamed);
      return object && object->data.text() == "0123456789abc";
    });
    step("list", [&] {
      const Page page = store_.list(folder_ + "/");
      return !page.more && page.entries.size() == 2 && page.entries[0].key == key && page.entries[1].key == streamed;
    });
    step("create_only", [&] {
      if (store_.write(key, second, &absent)) return false;
      const auto kept = store_.read(key);
      return kept && kept->data == first && store_.write(other, second, &absent).has_value();
    });
    if (store_.traits().conditional_write) {
      step("conditional_write", [&] {
        const auto seen = store_.stat(key);
        if (!seen || !store_.write(key, second, &seen->version)) return false;
        return !store_.write(key, first, &seen->version);
      });
    }
    step("overwrite", [&] {
      store_.write(key, second);
      const auto object = store_.read(key);
      return object && object->data == second;
    });
    step("remove", [&] {
      const bool gone = store_.remove(key) && !store_.remove(key) && !store_.stat(key);
      const std::vector<std::string> rest{other, streamed};
      return store_.remove_many(rest).empty() && gone && store_.list(folder_ + "/").entries.empty();
    });
    return result_;
  }

 private:
  template <class Try>
  void step(const std::string& name, Try&& attempt) {
    std::string problem;
    try {
      if (!attempt()) problem = "the answer is not what it should be";
    } catch (const Error& e) {
      problem = e.what();
      result_ = std::max<int>(result_, exit_code(e.code()) == no_answer ? no_answer : found_problems);
    }
    if (!problem.empty()) result_ = std::max<int>(result_, found_problems);
    if (program_.json)
      program_.print(map({{"store", store_.name()}, {"step", name}, {"ok", problem.empty()}, {"problem", problem}}));
    else
      write_out(fmt::format("{:<18} {}\n", name, problem.empty() ? "ok" : printable(problem)));
  }

  Program& program_;
  Store& store_;
  std::string folder_;
  int result_ = done;
};

// "raw:films/a.avi"; nullopt if it is a local path. A path with a colon can be written ./a:b.
std::optional<std::pair<std::string, std::string>> store_key(Program& program, const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string name = text.substr(0, colon);
  if (name.find('/') != std::string::npos) return std::nullopt;
  if (!program.settings().stores().contains(name))
    throw Error(Errc::usage,
                fmt::format("copy {}: there is no store {}. write ./{} for a local file", text, name, text), text);
  return std::pair{name, text.substr(colon + 1)};
}

void refuse_managed(const StoreConfig& config, const std::string& key) {
  for (std::string section : {config.hash_prefix.value_or("_hash"), config.schema_prefix.value_or("_schema")}) {
    section = section.substr(0, section.find_last_not_of('/') + 1);
    section.erase(0, section.find_first_not_of('/'));
    if (!section.empty() && (key == section || key.starts_with(section + "/")))
      throw Error(
          Errc::access,
          fmt::format("copy to {}: what lies under {}/ belongs to rows. insert it instead: oas put", key, section),
          "store " + config.name + ", " + key);
  }
}

constexpr std::uint64_t piece = std::uint64_t{8} << 20;

std::uint64_t download(const Store& store, const std::string& key, const fs::path& target) {
  const auto info = store.stat(key);
  if (!info)
    throw Error(Errc::missing_object, fmt::format("copy {} from store {}: it is not there", key, store.name()), key);
  const fs::path part = target.string() + ".oas-part";
  try {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    Progress progress(key);
    for (std::uint64_t at = 0; at < info->size; at += piece) {
      const auto object = store.read(key, {at, std::min(piece, info->size - at)}, &info->version);
      if (!object) throw Error(Errc::conflict, fmt::format("copy {}: it was removed meanwhile", key), key);
      out.write(reinterpret_cast<const char*>(object->data.data()), static_cast<std::streamsize>(object->data.size()));
      progress.show(at, info->size);
    }
    if (!out.flush())
      throw Error(Errc::access, fmt::format("write {}: it cannot be written", target.string()), target.string());
    out.close();
    fs::rename(part, target);
  } catch (...) {
    std::error_code ignored;
    fs::remove(part, ignored);
    throw;
  }
  return info->size;
}

std::uint64_t upload(Store& store, const std::string& key, const fs::path& source, bool force) {
  std::ifstream in(source, std::ios::binary);
  if (!in || !fs::is_regular_file(source))
    throw Error(Errc::usage, fmt::format("read {}: there is no such file, or it cannot be opened", source.string()),
                source.string());
  const std::uint64_t total = fs::file_size(source);
  const auto taken = [&] {
    throw Error(Errc::conflict,
                fmt::format("copy to {} in store {}: it is there already. --force replaces it", key, store.name()),
                key);
  };
  std::vector<char> buffer(std::min(total, piece));
  if (total <= piece) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    if (static_cast<std::uint64_t>(in.gcount()) != total)
      throw Error(Errc::conflict, fmt::format("read {}: it changed meanwhile", source.string()), source.string());
    const Version absent = Version::absent();
    if (!store.write(key, std::as_bytes(std::span(buffer)), force ? nullptr : &absent)) taken();
    return total;
  }
  if (!force && store.stat(key)) taken();
  auto writing = store.upload(key);
  Progress progress(key);
  std::uint64_t written = 0;
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    const auto count = static_cast<std::size_t>(in.gcount());
    writing->append(std::as_bytes(std::span(buffer).first(count)));
    written += count;
    progress.show(written, total);
  }
  if (in.bad()) throw Error(Errc::access, fmt::format("read {}: it cannot be read", source.string()), source.string());
  writing->commit();
  return written;
}

}  // namespace

int store_check(Program& program, const std::string& name) {
  const auto store = open_store(program.settings(), name);
  std::optional<Error> untried;
  try {
    store->probe();
  } catch (const Error& e) {
    untried = e;
  }
  const StoreTraits& traits = store->traits();
  if (program.json) {
    Map line = map({{"store", store->name()},
                    {"location", store->location()},
                    {"atomic_create", traits.atomic_create},
                    {"conditional_write", traits.conditional_write}});
    line.set("max_single_write", traits.max_single_write == UINT64_MAX ? Value() : Value(traits.max_single_write));
    program.print(line);
  } else {
    write_out(fmt::format("store {}: {}\n", store->name(), printable(store->location())));
    write_out(fmt::format("promises: atomic create {}, conditional write {}{}\n", traits.atomic_create ? "yes" : "no",
                          traits.conditional_write ? "yes" : "no",
                          traits.max_single_write == UINT64_MAX
                              ? ""
                              : fmt::format(", up to {} in one write", human_size(traits.max_single_write))));
  }
  return Probe(program, *store).run(untried);
}

int store_ls(Program& program, const StoreLs& options) {
  const auto store = open_store(program.settings(), options.name);
  constexpr std::size_t at_a_time = 100'000;
  std::uint64_t left = options.limit.value_or(UINT64_MAX);
  std::string after;
  for (bool more = left > 0; more;) {
    const Page page =
        store->list(options.prefix, after, static_cast<std::size_t>(std::min<std::uint64_t>(left, at_a_time)));
    for (const ObjectInfo& info : page.entries) {
      const std::string modified = DateTime::from_microseconds(info.modified).iso();
      if (program.json)
        program.print(map({{"key", info.key}, {"size", info.size}, {"modified", modified}}));
      else
        write_out(fmt::format("{:>14}  {:<26}  {}\n", info.size, modified, printable(info.key)));
      after = info.key;
    }
    left -= page.entries.size();
    more = page.more && left > 0;
  }
  return done;
}

int store_cp(Program& program, const StoreCp& options) {
  const auto from = store_key(program, options.from), to = store_key(program, options.to);
  if (from.has_value() == to.has_value())
    throw Error(Errc::usage, fmt::format("copy {} to {}: one of them must be STORE:KEY and the other a local file",
                                         options.from, options.to));
  std::uint64_t bytes = 0;
  std::string target;
  if (from) {
    fs::path local = options.to;
    if (fs::is_directory(local)) local /= fs::path(from->second).filename();
    if (!options.force && fs::exists(local))
      throw Error(Errc::conflict, fmt::format("copy to {}: it is there already. --force replaces it", local.string()),
                  local.string());
    bytes = download(*open_store(program.settings(), from->first), from->second, local);
    target = local.string();
  } else {
    std::string key = to->second;
    if (key.empty() || key.ends_with('/')) key += fs::path(options.from).filename().string();
    refuse_managed(program.settings().stores().find(to->first)->second, key);
    bytes = upload(*open_store(program.settings(), to->first), key, options.from, options.force);
    target = to->first + ":" + key;
  }
  if (program.json)
    program.print(map({{"to", target}, {"size", bytes}}));
  else
    write_out(fmt::format("{} to {}\n", human_size(bytes), printable(target)));
  return done;
}

}  // namespace oas::cli
