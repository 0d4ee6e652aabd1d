// Any bytes as the answer of an S3 server, or as a shared file of credentials (what begins with '['). Values, or
// integrity; keys that are asked for are written so that XML gives them back.
#include "core/text.hpp"
#include "fuzz/target.hpp"
#include "store/credentials.hpp"
#include "store/s3_xml.hpp"

namespace {

using namespace oas;

template <class Read>
void try_out(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() != Errc::integrity || !valid_utf8(error.what())) std::abort();
  }
}

void run(BytesView input) {
  const std::string_view text = as_text(input);
  if (text.starts_with('[')) {
    for (const auto& [name, keys] : store::parse_profiles(text))
      for (const auto& [key, value] : keys)
        if (key.find('\n') != key.npos || value.find('\n') != value.npos) std::abort();
    return;
  }
  namespace s3 = store::s3;
  try_out([&] {
    const s3::Listing listing = s3::read_listing(input);
    std::vector<std::string> keys;
    for (const s3::Listed& one : listing.entries)
      if (s3::fits_xml(one.key)) keys.push_back(one.key);
    if (!s3::read_problem(as_bytes(s3::remove_request(keys))).code.empty()) std::abort();
  });
  try_out([&] { s3::read_uploads(input); });
  try_out([&] { s3::read_upload_id(input); });
  try_out([&] { s3::read_finished(input); });
  try_out([&] { s3::read_removed(input); });
  s3::read_problem(input);
  s3::read_element(input, "AccessKeyId");
  s3::read_time(text);
}

}  // namespace

OAS_FUZZ_TARGET(run)
