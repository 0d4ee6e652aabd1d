// What is behind the handles of oas/ref.hpp. Core answers what the state alone can tell; everything that reads from a
// store is the codec room's.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include <oas/ref.hpp>
#include <oas/value.hpp>

namespace oas {

class Store;

struct ObjectRef::State {
  Value metadata;
  std::shared_ptr<const Store> store;
  std::string store_name;
  std::string path;
  bool folder = false;
  std::uint64_t size = 0;  ///< bytes
  mutable std::mutex mutex;
  mutable std::map<std::string, std::string, std::less<>> pinned;  ///< key in the store → version first read; by mutex
};

struct NpyRef::State {
  ObjectRef object;
  ArrayType type;
  Shape shape;
  std::mutex mutex;
  std::optional<Array> loaded;  ///< by mutex
  struct Header {
    std::uint64_t data_offset = 0;  ///< of the first element in the file
    Array::Order order = Array::Order::row;
    ArrayType type;
  };
  std::optional<Header> header;  ///< by mutex
};

struct Attachment::State {
  std::string name;
  Bytes content;
  std::filesystem::path file;
};

/// Attachments as they were stored, whose names nobody checked.
struct AttachmentAccess {
  static Attachment stored(std::string name, Bytes content) {
    Attachment attachment;
    attachment.state_ =
        std::make_shared<const Attachment::State>(Attachment::State{std::move(name), std::move(content), {}});
    return attachment;
  }
};

}  // namespace oas
