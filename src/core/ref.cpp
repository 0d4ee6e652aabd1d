#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "core/ref_state.hpp"

namespace oas {
namespace {

template <class State>
State& there(const std::shared_ptr<State>& state) {
  if (!state) throw Error(Errc::usage, "use a reference: it is empty");
  return *state;
}

void check_name(const std::string& name) {
  using namespace std::string_view_literals;
  if (name.empty() || name == "." || name == ".." || name.find_first_of("/\\\0"sv) != std::string::npos)
    throw Error(Errc::usage, "make an attachment: '" + name + "' is not a file name");
}

}  // namespace

const Value& ObjectRef::metadata() const { return there(state_).metadata; }
std::string_view ObjectRef::store() const { return there(state_).store_name; }
std::string_view ObjectRef::path() const { return there(state_).path; }
std::uint64_t ObjectRef::size() const { return there(state_).size; }
bool ObjectRef::is_folder() const { return there(state_).folder; }

bool operator==(const ObjectRef& a, const ObjectRef& b) {
  if (a.state_ == b.state_ || !a.state_ || !b.state_) return a.state_ == b.state_;
  return a.store() == b.store() && a.path() == b.path() && a.metadata() == b.metadata();
}

NpyRef::NpyRef(ObjectRef object, ArrayType type, Shape shape) : state_(std::make_shared<State>()) {
  state_->object = std::move(object);
  state_->type = std::move(type);
  state_->shape = std::move(shape);
}

std::span<const std::int64_t> NpyRef::shape() const { return there(state_).shape; }
const ArrayType& NpyRef::type() const { return there(state_).type; }
const ObjectRef& NpyRef::object() const { return there(state_).object; }

std::uint64_t NpyRef::nbytes() const {
  std::uint64_t bytes = type().item_size;
  for (const std::int64_t length : shape())
    if (length < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(length), &bytes))
      throw Error(Errc::decode, fmt::format("size of the array {}: its shape is impossible", path()));
  return bytes;
}

bool NpyRef::is_loaded() const noexcept {
  if (!state_) return false;
  const std::lock_guard lock(state_->mutex);
  return state_->loaded.has_value();
}

bool operator==(const NpyRef& a, const NpyRef& b) {
  if (a.state_ == b.state_ || !a.state_ || !b.state_) return a.state_ == b.state_;
  return a.object() == b.object() && a.type() == b.type() && std::ranges::equal(a.shape(), b.shape());
}

Attachment::Attachment(std::filesystem::path file) {
  std::string name = file.filename().string();
  check_name(name);
  state_ = std::make_shared<const State>(State{std::move(name), {}, std::move(file)});
}

Attachment::Attachment(std::string name, Bytes content) {
  check_name(name);
  state_ = std::make_shared<const State>(State{std::move(name), std::move(content), {}});
}

const std::string& Attachment::name() const { return there(state_).name; }
const std::filesystem::path& Attachment::file() const { return there(state_).file; }

std::uint64_t Attachment::size() const {
  if (file().empty()) return state_->content.size();
  std::error_code failure;
  const std::uint64_t size = std::filesystem::file_size(file(), failure);
  if (failure)
    throw Error(Errc::usage, fmt::format("attach {}: {}", file().string(), failure.message()), file().string());
  return size;
}

Bytes Attachment::bytes() const {
  if (file().empty()) return state_->content;
  Buffer buffer(size());
  std::ifstream in(file(), std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size())))
    throw Error(Errc::usage, fmt::format("attach {}: it cannot be read", file().string()), file().string());
  return std::move(buffer).finish();
}

bool operator==(const Attachment& a, const Attachment& b) {
  if (a.state_ == b.state_ || !a.state_ || !b.state_) return a.state_ == b.state_;
  return a.name() == b.name() && a.file() == b.file() && a.state_->content == b.state_->content;
}

}  // namespace oas
