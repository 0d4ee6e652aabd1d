#include <oas/error.hpp>

namespace oas {

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::usage: return "usage";
    case Errc::definition: return "definition";
    case Errc::syntax: return "syntax";
    case Errc::unknown_table: return "unknown_table";
    case Errc::unknown_attribute: return "unknown_attribute";
    case Errc::missing_attribute: return "missing_attribute";
    case Errc::duplicate: return "duplicate";
    case Errc::constraint: return "constraint";
    case Errc::access: return "access";
    case Errc::unavailable: return "unavailable";
    case Errc::in_doubt: return "in_doubt";
    case Errc::missing_object: return "missing_object";
    case Errc::integrity: return "integrity";
    case Errc::decode: return "decode";
    case Errc::conflict: return "conflict";
    case Errc::unsupported: return "unsupported";
    case Errc::cancelled: return "cancelled";
    case Errc::internal: return "internal";
  }
  return "internal";
}

Error::Error(Errc code, const std::string& what, std::string target, std::string native)
    : std::runtime_error(what), code_(code), target_(std::move(target)), native_(std::move(native)) {}

Error Error::within(std::string_view context) const {
  return Error(code_, std::string(context) + ": " + what(), target_, native_);
}

}  // namespace oas
