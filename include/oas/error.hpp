// The one exception of the library. Every failure that is not an expected outcome arrives as an oas::Error; what can
// be expected (an object that is not there, a conditional write that was refused) is a return value instead.
// An Error is immutable and may be copied between threads.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace oas {

/// What kind of failure, so that a program can decide without reading the message.
enum class Errc {
  usage,              ///< the call itself is wrong: an argument, a type, an order of calls
  definition,         ///< a table definition breaks a rule of the language
  syntax,             ///< a text (condition, JSON, settings) cannot be parsed
  unknown_table,      ///< no such schema or table
  unknown_attribute,  ///< no such attribute in the heading
  missing_attribute,  ///< an attribute without default was not given, or is NULL and must not be
  duplicate,          ///< a row with this key, or this unique value, exists
  constraint,         ///< a foreign key, a check or a range forbids it
  access,             ///< refused: permissions, read-only, a path that leaves its place
  unavailable,        ///< the database or the store did not answer, is full, or is missing
  in_doubt,           ///< a commit was sent and its answer was lost; the ledger will settle it
  missing_object,     ///< a row refers to an object that is not there
  integrity,          ///< bytes are there and are not what was recorded
  decode,             ///< bytes are not in the format they claim
  conflict,           ///< somebody else changed it first
  unsupported,        ///< understood, and not offered here
  cancelled,          ///< stopped on request
  internal            ///< a defect of the library
};

/// The name of the enumerator, for example "duplicate". Stable; used by `--json`.
std::string_view to_string(Errc code) noexcept;

class Error : public std::runtime_error {
 public:
  /// `what`: *what was tried, on what: why. what to do*. `target`: the thing concerned. `native`: the code of the
  /// layer below (SQLSTATE, errno name, HTTP status), empty if there is none. None of them may hold a secret.
  Error(Errc code, const std::string& what, std::string target = {}, std::string native = {});

  Errc code() const noexcept { return code_; }
  /// "lab.session", "store raw, _hash/lab/ab…", "line 3, column 7 of the definition of Scan".
  const std::string& target() const noexcept { return target_; }
  const std::string& native() const noexcept { return native_; }
  /// It surely had no effect, and the same call may succeed later.
  bool retryable() const noexcept { return code_ == Errc::unavailable || code_ == Errc::conflict; }
  /// Nothing more can be done in the transaction that was open.
  bool ends_transaction() const noexcept { return code_ == Errc::in_doubt || code_ == Errc::unavailable; }
  /// The same error with a clause in front: `context: what`. Each layer adds its own clause once.
  Error within(std::string_view context) const;

 private:
  Errc code_;
  std::string target_;
  std::string native_;
};

}  // namespace oas
