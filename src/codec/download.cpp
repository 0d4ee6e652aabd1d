// From references to local files: ObjectRef::download and Attachment::save_to.
//
// A download is made in a draft beside its target and renamed when it is complete: 1. the files and their sizes, from
// the manifest or a listing; 2. the folders and empty files of the draft, so that pieces can be written in any order;
// 3. pieces of at most 8 MiB, several at once, each compared with what was announced; 4. the rename, which replaces
// nothing.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include <oas/ref.hpp>

#include "codec/content.hpp"
#include "codec/local_file.hpp"
#include "codec/object_read.hpp"

namespace oas {
namespace codec {
namespace {

namespace fs = std::filesystem;

struct Piece {
  std::string key;
  fs::path file;
  std::uint64_t offset = 0, length = 0;  // bytes
  std::uint64_t whole = 0;               // bytes of the object
};

void add_pieces(std::vector<Piece>& pieces, const std::string& key, const fs::path& file, std::uint64_t size) {
  LocalFile::create(file).close();
  std::uint64_t offset = 0;
  do {
    const std::uint64_t length = std::min<std::uint64_t>(piece_size, size - offset);
    pieces.push_back({key, file, offset, length, size});
    offset += length;
  } while (offset < size);
}

void fetch(const ObjectRef::State& state, const Piece& piece) {
  const auto other_size = [&](std::uint64_t size) {
    damaged(state, fmt::format("{} has {} bytes, and {} were recorded", piece.key, size, piece.whole));
  };
  if (piece.length == 0) {
    const std::uint64_t size = stat_object(state, piece.key).size;
    if (size != 0) other_size(size);
    return;
  }
  Object part;
  try {
    part = read_object(state, piece.key, {piece.offset, piece.length});
  } catch (const Error& e) {
    if (e.code() == Errc::usage) other_size(stat_object(state, piece.key).size);  // it ends before the piece does
    throw;
  }
  if (part.size != piece.whole) other_size(part.size);
  LocalFile file = LocalFile::open(piece.file);
  file.write(piece.offset, part.data);
  file.close();
}

[[noreturn]] void refuse_target(const ObjectRef::State& state, const fs::path& target) {
  throw Error(Errc::usage,
              fmt::format("download {} to {}: there is something already. name another target, or remove it",
                          state.path, target.string()),
              target.string());
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// True if the file at `path` holds just that.
bool holds(const fs::path& path, const Content& content) {
  std::error_code failure;
  if (!fs::is_regular_file(fs::symlink_status(path, failure)) || fs::file_size(path, failure) != content.size() ||
      failure)
    return false;
  std::ifstream in(path, std::ios::binary);
  std::vector<char> buffer;
  bool same = true;
  read_content(content, [&](BytesView piece) {
    buffer.resize(piece.size());
    same = same && in.read(buffer.data(), static_cast<std::streamsize>(piece.size())) &&
           std::memcmp(buffer.data(), piece.data(), piece.size()) == 0;
  });
  return same;
}

}  // namespace
}  // namespace codec

std::filesystem::path ObjectRef::download(const std::filesystem::path& target) const {
  const State& state = codec::state_of(*this);
  const std::filesystem::path final = target.has_filename() ? target : target.parent_path();
  if (codec::is_there(final)) codec::refuse_target(state, final);
  if (final.filename().empty() || final.filename() == "..")
    throw Error(Errc::usage, fmt::format("download {} to '{}': that is no name", state.path, target.string()));

  std::vector<FileInfo> files;
  if (state.folder) {
    files = this->files();
  } else {
    const std::uint64_t size = codec::stat_object(state, state.path).size;
    if (const auto recorded = codec::recorded_size(state); recorded && *recorded != size)
      codec::damaged(state, fmt::format("it has {} bytes, and the row says {}", size, *recorded));
    files.push_back({{}, size});
  }

  codec::make_folder(final.parent_path());
  codec::Draft draft(final);
  std::vector<codec::Piece> pieces;
  if (state.folder) codec::make_folder(draft.path());
  for (const FileInfo& file : files) {
    const std::filesystem::path local = state.folder ? draft.path() / file.path : draft.path();
    if (state.folder) codec::make_folder(local.parent_path());
    codec::add_pieces(pieces, codec::key_of(state, file.path), local, file.size);
  }
  std::vector<std::uint64_t> bytes;
  for (const codec::Piece& piece : pieces) bytes.push_back(piece.length);
  codec::in_rounds(
      bytes, codec::pieces_at_once(state), [&](const std::vector<std::size_t>& which, std::size_t at_once) {
        codec::in_parallel(which.size(), at_once, [&](std::size_t i) { codec::fetch(state, pieces[which[i]]); });
      });
  if (!state.folder) codec::compare_hash(state, [&] { return codec::hash_content(Content::from_file(draft.path())); });
  if (!draft.publish(final)) codec::refuse_target(state, final);
  return target;
}

std::filesystem::path Attachment::save_to(const std::filesystem::path& folder) const {
  using namespace std::string_view_literals;
  const std::string& known = name();
  if (known.empty() || known == "." || known == ".." || known.find_first_of("/\\\0"sv) != std::string::npos)
    throw Error(Errc::access,
                fmt::format("save an attachment to {}: its name '{}' is no file name, and could lead out of the folder",
                            folder.string(), known),
                folder.string());
  const Content content = file().empty() ? Content(bytes()) : Content::from_file(file());
  codec::make_folder(folder);
  const std::filesystem::path plain(known);
  for (unsigned i = 0;; ++i) {
    const std::string suffix = i == 0 ? "" : fmt::format("_{}", i);
    std::filesystem::path target = folder / (plain.stem().string() + suffix + plain.extension().string());
    if (codec::is_there(target)) {
      if (codec::holds(target, content)) return target;
      continue;
    }
    codec::Draft draft(target);
    codec::LocalFile out = codec::LocalFile::create(draft.path());
    std::uint64_t at = 0;
    codec::read_content(content, [&](BytesView piece) {
      out.write(at, piece);
      at += piece.size();
    });
    out.close();
    if (draft.publish(target)) return target;
    --i;  // somebody was faster: look at what is there now
  }
}

}  // namespace oas
