// What an S3 store does with one object, beyond single requests: reading a large one in parallel, and multipart
// uploads.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <oas/store.hpp>

#include "store/s3_client.hpp"

namespace oas::store::s3 {

/// An ETag without quotes is the version; where a server gives none, the time and the size are.
Version version_of(const Answer& answer);
std::string quoted(const Version& version);
/// False for a version that is no ETag.
bool is_etag(const Version& version) noexcept;

/// nullopt: not there. Errors: as Store::stat.
std::optional<ObjectInfo> stat(const Client& client, const std::string& key);

/// As Store::read; `key` with the location.
std::optional<Object> read(const Client& client, const std::string& key, ByteRange range, const Version* only);

/// One object on its way in parts. Destroyed before finish(): its parts are removed.
class Multipart {
 public:
  Multipart(std::shared_ptr<const Client> client, std::string key);
  ~Multipart();
  Multipart(const Multipart&) = delete;
  Multipart& operator=(const Multipart&) = delete;

  /// Sends a part beside others; waits first while `most` are under way. `owner` keeps the bytes alive.
  void add(std::vector<BytesView> bytes, std::shared_ptr<const void> owner, std::size_t most);
  /// nullopt: refused because of the condition. `headers`: if-none-match or if-match.
  std::optional<Version> finish(sigv4::Fields headers);
  std::size_t parts() const noexcept { return parts_.size(); }

 private:
  struct Sent {
    std::size_t number;
    std::shared_ptr<const void> owner;
    Client::Pending pending;
  };
  void take_oldest();

  std::shared_ptr<const Client> client_;
  std::string key_;
  const std::uint64_t began_;
  std::string id_;
  std::uint64_t size_ = 0;
  std::vector<std::string> parts_;  // their ETags
  std::deque<Sent> sent_;
};

/// Ends an upload whose parts may still be arriving, until the server says that it is gone. One that is gone is no
/// error. Cost: two requests and 25 ms, or more where the server keeps it.
void end_upload(const Client& client, const std::string& key, const std::string& id);

/// The size of part `number` (from 0): parts grow, so that the 10,000 that there may be hold 5 TiB.
std::uint64_t size_of_part(std::uint64_t first, std::size_t number) noexcept;

}  // namespace oas::store::s3
