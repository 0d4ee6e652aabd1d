#include "codec/content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/hash.hpp"

namespace oas {

Content Content::from_file(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure))
    throw Error(Errc::usage,
                fmt::format("read {}: {}", file.string(), failure ? failure.message() : "it is not a regular file"),
                file.string());
  Content content;
  content.file = file;
  content.more = std::filesystem::file_size(file, failure);
  if (failure) throw Error(Errc::usage, fmt::format("read {}: {}", file.string(), failure.message()), file.string());
  return content;
}

Content Content::from_object(const ObjectRef& object, std::string_view file) {
  Content content;
  content.object = object;
  content.object_file = file;
  content.more = object.open(file)->size();
  return content;
}

std::uint64_t Content::size() const noexcept {
  std::uint64_t size = more;
  for (const Bytes& part : parts) size += part.size();
  return size;
}

namespace codec {
namespace {

void read_file(const Content& content, std::span<std::byte> buffer, const std::function<void(BytesView)>& take) {
  std::ifstream in(content.file, std::ios::binary);
  const auto refuse = [&](const std::string& why) {
    throw Error(Errc::usage, fmt::format("read {}: {}", content.file.string(), why), content.file.string());
  };
  if (!in) refuse("it cannot be opened");
  for (std::uint64_t left = content.more; left > 0;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(count));
    if (static_cast<std::size_t>(in.gcount()) != count)
      refuse("it became shorter while it was stored. insert it again");
    take(buffer.first(count));
    left -= count;
  }
  if (in.peek() != std::ifstream::traits_type::eof()) refuse("it grew while it was stored. insert it again");
}

void read_object(const Content& content, std::span<std::byte> buffer, const std::function<void(BytesView)>& take) {
  const std::unique_ptr<Reader> reader = content.object.open(content.object_file);
  if (reader->size() != content.more)
    throw Error(Errc::conflict, fmt::format("copy {}: it was rewritten meanwhile", content.object.path()));
  for (std::uint64_t left = content.more; left > 0;) {
    const std::size_t count = reader->read(buffer);
    take(buffer.first(count));
    left -= count;
  }
}

}  // namespace

bool in_memory(const Content& content) noexcept { return content.file.empty() && !content.object.state(); }

void read_content(const Content& content, const std::function<void(BytesView)>& take) {
  for (const Bytes& part : content.parts)
    for (std::size_t first = 0; first < part.size(); first += piece_size)
      take(part.view().subspan(first, std::min(piece_size, part.size() - first)));
  if (in_memory(content)) return;
  Buffer buffer(static_cast<std::size_t>(std::clamp<std::uint64_t>(content.more, 1, piece_size)));
  if (!content.file.empty())
    read_file(content, buffer.span(), take);
  else
    read_object(content, buffer.span(), take);
}

std::string hash_content(const Content& content) {
  Md5 md5;
  read_content(content, [&](BytesView piece) { md5.update(piece); });
  return content_hash(md5.finish());
}

std::optional<Version> write_content(Store& store, std::string_view key, const Content& content, Expect expect) {
  if (in_memory(content) && content.size() <= store.traits().max_single_write) {
    const std::vector<BytesView> views(content.parts.begin(), content.parts.end());
    if (expect == Expect::unknown_key) return store.create(key, views);
    const Version absent = Version::absent();
    return store.write(key, views, expect == Expect::absent ? &absent : nullptr);
  }
  if (content.size() <=
      std::min<std::uint64_t>(piece_size, store.traits().max_single_write)) {  // one request is enough
    Buffer buffer(static_cast<std::size_t>(content.size()));
    std::size_t at = 0;
    read_content(content, [&](BytesView piece) {
      std::ranges::copy(piece, buffer.data() + at);
      at += piece.size();
    });
    return write_content(store, key, Content(std::move(buffer).finish()), expect);
  }
  if (expect != Expect::anything && store.stat(key)) return std::nullopt;
  const std::unique_ptr<Upload> upload = store.upload(key);
  read_content(content, [&](BytesView piece) { upload->append(piece); });
  return upload->commit();
}

}  // namespace codec
}  // namespace oas
