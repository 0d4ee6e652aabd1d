#include "db/postgres_errors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace oas::db {
namespace {

/// "Key (id, other)=(1, x) already exists." has the names, in every language; the values stay here.
std::string key_of(const PostgresFailure& f) {
  const std::size_t open = f.detail.find('('), close = f.detail.find(")=(");
  if (open == f.detail.npos || close == f.detail.npos || close < open) return f.constraint;
  return f.detail.substr(open + 1, close - open - 1);
}

std::string table_of(const PostgresFailure& f) {
  return f.table.empty() ? std::string() : f.schema.empty() ? f.table : f.schema + "." + f.table;
}

/// Why a value was refused, in words without the value.
std::string_view refused_value(std::string_view sqlstate) {
  if (sqlstate == "22001") return "a text is longer than its column takes";
  if (sqlstate == "22003") return "a number is out of range";
  if (sqlstate == "22007" || sqlstate == "22008") return "a text is no date or time, or one that is out of range";
  if (sqlstate == "22012") return "a division by zero";
  if (sqlstate == "22021") return "a text is not UTF-8";
  if (sqlstate == "22P02" || sqlstate == "22P03") return "a value is none of the type that its column has";
  if (sqlstate == "22P05") return "a text has a character that the database's encoding has not";
  return "a value is not one that can stand there";
}

}  // namespace

bool ends_connection(std::string_view sqlstate) noexcept {
  return sqlstate.starts_with("08") || sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03" ||
         sqlstate == "57P04" || sqlstate == "57P05" || sqlstate == "25P03";
}

Error postgres_error(const PostgresFailure& f, const std::string& tried, const std::string& location, bool reading) {
  const std::string table = table_of(f);
  const auto error = [&](Errc code, std::string_view why, const std::string& target = {}) {
    return Error(code, fmt::format("{}: {}", tried, why), target.empty() ? location : target, f.sqlstate);
  };
  const auto is = [&](std::string_view state) { return f.sqlstate == state; };
  const std::string_view kind = std::string_view(f.sqlstate).substr(0, 2);

  if (is("23505") && f.schema != "pg_catalog") {
    const bool primary = f.constraint.ends_with("_pkey");
    return error(Errc::duplicate,
                 fmt::format("{}: duplicate {} ({})", table, primary ? "primary key" : "unique value", key_of(f)),
                 table);
  }
  if (is("23502")) {
    return error(Errc::missing_attribute, fmt::format("{}: {} has no value and no default. give one", table, f.column),
                 table);
  }
  if (is("23503") || is("23001")) {
    return error(Errc::constraint,
                 fmt::format("{}: a reference ({}) forbids it: a row that is referred to is missing, or others still "
                             "refer to this one",
                             table, f.constraint),
                 table);
  }
  if (is("23514"))
    return error(Errc::constraint, fmt::format("{}: the check {} forbids it", table, f.constraint), table);
  // Of the server's own tables: somebody makes the same at this moment.
  if (is("23505")) return error(Errc::duplicate, "another session makes the same at this moment. look again");
  if (kind == "23") return error(Errc::constraint, "a constraint forbids it");
  if (is("42804")) return error(Errc::constraint, "a value has a type that its column cannot take");
  if (kind == "22") {
    return error(Errc::constraint, f.column.empty()
                                       ? std::string(refused_value(f.sqlstate))
                                       : fmt::format("{}.{}: {}", table, f.column, refused_value(f.sqlstate)));
  }

  if (is("42P01") || is("3F000")) return error(Errc::unknown_table, f.message);
  if (is("42703") || is("42702")) return error(Errc::unknown_attribute, f.message);
  if (is("42P07") || is("42P06") || is("42710") || is("42701") || is("42723")) return error(Errc::duplicate, f.message);
  if (is("42601") && f.function == "exec_parse_message")
    return error(Errc::usage, "the text holds more than one statement. give one at a time");
  if (is("42601") || is("42611"))
    return error(Errc::syntax, f.position.empty()
                                   ? "syntax error"
                                   : fmt::format("syntax error at character {} of the statement", f.position));
  if (is("42501"))
    return error(Errc::access, fmt::format("{}. get the privilege from whom it belongs to (GRANT)", f.message));
  if (is("42830") || is("42P16") || is("42P17") || is("42622") || is("42939") || is("42602"))
    return error(Errc::definition, f.message);
  if (is("42P02") || is("42P18") || is("08P01")) return error(Errc::usage, "it has other parameters than were given");
  if (kind == "42") return error(Errc::syntax, "PostgreSQL refuses the statement: " + f.message);
  if (kind == "2B") return error(Errc::constraint, "others depend on it. drop those first");

  if (is("25006")) {
    return reading ? error(Errc::usage, "it writes, and the transaction is for reading. begin a writing one")
                   : error(Errc::access, "the server takes no writes now (it is a standby, or set to be read-only)");
  }
  if (is("25P02"))
    return error(Errc::usage, "an earlier statement of this transaction failed. roll back, and begin another one");
  if (is("40001") || is("40P01")) {
    return error(Errc::unavailable, "it collided with another transaction, and the server gave it up. try again");
  }
  if (is("40003")) return error(Errc::in_doubt, f.message);
  if (is("55P03")) return error(Errc::unavailable, "another connection holds what it needs. try again when it is done");
  if (is("55006")) return error(Errc::unavailable, "another connection uses it. try again when it is done");
  if (is("57014")) return error(Errc::unavailable, "the server stopped it, mostly because it took too long. try again");
  if (is("0A000") && f.function == "RevalidateCachedQuery")
    return error(Errc::conflict, "somebody has changed the table. try again");
  if (kind == "0A") return error(Errc::unsupported, f.message);
  if (is("53100")) return error(Errc::unavailable, "the server's disk is full. make room and try again");
  if (is("53300") || is("53400"))
    return error(Errc::unavailable, "the server has no room for another connection. try again, or raise its limit");
  if (is("53200")) return error(Errc::unavailable, "the server has not enough memory");
  if (is("XX001") || is("XX002")) return error(Errc::integrity, "the database is damaged: " + f.message);
  if (kind == "54") return error(Errc::constraint, "a value or the statement is larger than PostgreSQL takes");
  if (ends_connection(f.sqlstate))
    return error(Errc::unavailable, "the server ended the connection, and with it the transaction. try again");
  if (kind == "53" || kind == "55" || kind == "57" || kind == "58") return error(Errc::unavailable, f.message);
  if (kind == "P0" || kind == "44" || kind == "27") return error(Errc::constraint, f.message);
  if (kind == "28") return error(Errc::access, f.message);
  return error(Errc::internal, f.message);
}

Error postgres_connect_error(std::string_view said, const std::string& location, const std::string& name,
                             const std::string& user) {
  // "connection to server at …, port 5432 failed: FATAL:  28P01: password authentication failed for user "x"", and
  // where the message came from in further lines. The severity is in the server's language, the code in none.
  std::string state;
  for (std::size_t at = said.find(":  "); at != said.npos && state.empty(); at = said.find(":  ", at + 1)) {
    const std::string_view code = said.substr(at + 3, 5);
    const bool good = code.size() == 5 && std::ranges::all_of(code, [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                      });
    if (good && said.substr(at + 8, 1) == ":") state = code;
  }
  const auto error = [&](Errc code, const std::string& why) {
    return Error(code, fmt::format("open {}: {}", location, why), location, state);
  };
  const std::string as = user.empty() ? "this user" : "user " + user;
  if (state == "28P01" || state == "28000")
    return error(Errc::access, fmt::format("the server does not let {} in. see database.user, database.password, "
                                           "database.use_tls, and the server's pg_hba.conf",
                                           as));
  if (state == "3D000")
    return error(Errc::usage, fmt::format("there is no database {}. create it, or set database.name to another", name));
  if (state == "42501")
    return error(Errc::access,
                 fmt::format("{} may not connect to this database. get the privilege (GRANT CONNECT)", as));
  if (state == "57P03") return error(Errc::unavailable, "the server is starting or stopping. try again");
  if (state == "53300" || state == "53400")
    return error(Errc::unavailable, "the server has no room for another connection. try again, or raise its limit");
  std::string words(said.substr(0, said.find('\n')));
  if (const std::size_t at = words.rfind(" failed: "); at != words.npos) words.erase(0, at + 9);
  if (!valid_utf8(words)) words = "the connection failed";
  if (words.find("SSL") != words.npos || words.find("certificate") != words.npos)
    return error(Errc::access, words + ". see database.use_tls");
  return error(Errc::unavailable, words + ". see database.host, database.port and database.use_tls");
}

}  // namespace oas::db
