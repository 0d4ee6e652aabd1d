#include "db/mysql_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "core/text.hpp"

namespace oas::db {
namespace {

bool one_of(unsigned number, std::initializer_list<unsigned> list) {
  return std::ranges::find(list, number) != list.end();
}

/// Without what stands between quotation marks '…': values do, in most messages.
std::string without_values(const std::string& message) {
  if (!valid_utf8(message)) return "it said nothing readable";
  std::string out;
  bool inside = false;
  for (const char c : message) {
    if (c != '\'') {
      if (!inside) out += c;
      continue;
    }
    out += inside ? "'" : "'…";
    inside = !inside;
  }
  return out;
}

/// The column in "… for column 'size' at row 1" or "… for column `lab`.`rig`.`size` at row 1"; empty if there is none.
std::string column_of(std::string_view message) {
  const std::size_t at = message.rfind("column ");
  if (at == message.npos) return {};
  std::string_view rest = message.substr(at + 7);
  if (rest.empty() || (rest[0] != '\'' && rest[0] != '`')) return {};
  const char mark = rest[0];
  const std::size_t row = rest.find(" at row");
  rest = rest.substr(1, std::min(row, rest.size()) - 1);
  const std::size_t end = rest.rfind(mark);
  if (end == rest.npos) return {};
  rest = rest.substr(0, end);
  const std::size_t last = mark == '`' ? rest.rfind('`') : rest.npos;
  return std::string(last == rest.npos ? rest : rest.substr(last + 1));
}

/// Why a value was refused, in words without the value.
std::string_view refused_value(unsigned number) {
  switch (number) {
    case 1264:
    case 1690:
    case 1441: return "a number or time is out of range";
    case 1406: return "a value is longer than its column takes";
    case 1265: return "a value is not one that the column takes";
    case 1292: return "a text is no date, time or number, or one that is out of range";
    case 1365: return "a division by zero";
    case 3140:
    case 3141:
    case 3143:
    case 4035:
    case 4037:
    case 4038: return "a text that is no JSON was taken for JSON";
    case 1366:
    case 1300:
    case 3854:
    default: return "a value is none of the type that its column has";
  }
}

}  // namespace

bool ends_mysql_connection(unsigned number) noexcept {
  // Of the client: 2000 to 2020 but for those that it says before it sends anything; 2055, 2056.
  return one_of(number,
                {2002, 2003, 2006, 2012, 2013, 2020, 2026, 2027, 2055, 2056,  // the client's
                 1053, 1077, 1079, 1152, 1153, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 3032, 3169, 4031});
}

bool is_mysql_duplicate(unsigned number) noexcept { return one_of(number, {1022, 1062, 1169, 1586, 1859}); }

std::string mysql_key_name(const MysqlFailure& f) {
  const std::string_view message = f.message;
  const std::size_t end = message.rfind('\'');
  const std::size_t begin = end == message.npos || end == 0 ? message.npos : message.rfind('\'', end - 1);
  if (begin == message.npos) return {};
  std::string_view name = message.substr(begin + 1, end - begin - 1);
  if (const std::size_t dot = name.rfind('.'); dot != name.npos) name.remove_prefix(dot + 1);  // MySQL: table.key
  return std::string(name);
}

Error mysql_error(const MysqlFailure& f, const MysqlContext& context) {
  const auto is = [&](std::initializer_list<unsigned> list) { return one_of(f.number, list); };
  const std::string native = fmt::format("{}{}{}", f.number, f.sqlstate.empty() ? "" : "/", f.sqlstate);
  const auto error = [&](Errc code, std::string_view why, const std::string& target = {}) {
    return Error(code, fmt::format("{}: {}", context.tried, why), target.empty() ? context.location : target, native);
  };
  const std::string table = context.table.empty() ? "" : context.table + ": ";

  if (is_mysql_duplicate(f.number)) {
    return error(Errc::duplicate,
                 fmt::format("{}duplicate {} ({})", table, context.primary ? "primary key" : "unique value",
                             context.key.empty() ? mysql_key_name(f) : context.key),
                 context.table);
  }
  if (is({1048, 1263, 1364, 3673})) {
    const std::size_t first = f.message.find('\''), last = f.message.rfind('\'');
    const std::string column = last > first ? f.message.substr(first + 1, last - first - 1) : "an attribute";
    return error(Errc::missing_attribute, fmt::format("{}{} has no value and no default. give one", table, column),
                 context.table);
  }
  if (is({1216, 1217, 1451, 1452, 1701, 3730})) {
    return error(Errc::constraint,
                 table +
                     "a reference forbids it: a row that is referred to is missing, or others still refer to this "
                     "one",
                 context.table);
  }
  if (is({3819, 4025})) return error(Errc::constraint, f.message, context.table);  // names of checks
  if (is({1264, 1265, 1292, 1300, 1365, 1366, 1367, 1406, 1411, 1441, 1690, 3140, 3141, 3143, 3854, 4035, 4037,
          4038})) {
    const std::string column = column_of(f.message);
    return error(Errc::constraint,
                 fmt::format("{}{}{}", table, column.empty() ? "" : column + ": ", refused_value(f.number)),
                 context.table);
  }
  if (is({1153, 1162, 1301, 2020}) || (f.number == 1105 && f.message.find("max_allowed_packet") != f.message.npos)) {
    return error(Errc::constraint,
                 "a value or the statement is larger than the server takes at once. keep the value in a store, or "
                 "raise max_allowed_packet of the server",
                 context.table);
  }

  if (is({1046, 1049, 1051, 1109, 1146, 1932, 1964, 4091})) return error(Errc::unknown_table, f.message);
  if (is({1052, 1054, 1072, 1247, 3174})) return error(Errc::unknown_attribute, f.message);
  if (is({1007, 1050, 1060, 1061, 1826})) return error(Errc::duplicate, f.message);
  if (is({1044, 1045, 1095, 1130, 1142, 1143, 1227, 1251, 1370, 1410, 1698, 1820, 1862, 1940, 3118, 3955, 4151})) {
    return error(Errc::access, fmt::format("{}. get the privilege from whom it belongs to (GRANT)", f.message),
                 context.table);
  }
  if (is({1290, 1836, 3100, 4119})) {
    return error(Errc::access, "the server takes no writes now (it is a replica, or set to be read-only)");
  }
  if (is({1665})) {
    return error(Errc::unsupported,
                 "the server keeps its log as statements, which is not safe. set its binlog_format to ROW or MIXED");
  }
  if (is({1792})) {
    return context.reading ? error(Errc::usage, "it writes, and the transaction is for reading. begin a writing one")
                           : error(Errc::access, "the server takes no writes now");
  }
  if (is({1210, 2031, 2034})) return error(Errc::usage, "it has other parameters than were given");
  if (is({1064, 1065, 1149, 1583, 3707})) {
    const std::size_t at = f.message.rfind(" at line ");
    return error(Errc::syntax,
                 "syntax error" + (at == f.message.npos ? "" : f.message.substr(at) + " of the statement"));
  }
  if (is({1005, 1059, 1063, 1067, 1068, 1069, 1070, 1071, 1073, 1074, 1075, 1089, 1090, 1091, 1101,
          1102, 1103, 1113, 1115, 1117, 1118, 1121, 1163, 1166, 1167, 1170, 1171, 1172, 1173, 1193,
          1215, 1230, 1239, 1253, 1267, 1271, 1273, 1280, 1291, 1294, 1425, 1426, 1427, 1439, 1464,
          1709, 1728, 1773, 1822, 1824, 1825, 3106, 3152, 3156, 3746, 3757, 3758, 3780, 4161})) {
    return error(Errc::definition, f.message, context.table);
  }

  if (is({1205, 3058, 3572})) {
    return error(Errc::unavailable, "another connection holds what it needs. try again when it is done");
  }
  if (is({1020, 1213, 1614, 3101})) {
    return error(Errc::unavailable, "it collided with another transaction, and the server gave it up. try again");
  }
  if (is({1412, 1615})) {
    return error(Errc::unavailable, "somebody has changed the table since the transaction began. try again");
  }
  if (is({1317, 1028, 1969, 3024})) {
    return error(Errc::unavailable, "the server stopped it, mostly because it took too long. try again");
  }
  if (is({1021, 1114}) || (f.number == 3 && f.message.find("28") != f.message.npos)) {
    return error(Errc::unavailable, "the server's disk is full. make room and try again");
  }
  if (is({1037, 1038, 1041, 2008})) return error(Errc::unavailable, "there is not enough memory");
  if (is({1040, 1203, 1226, 1461})) {
    return error(Errc::unavailable,
                 "the server has no room for another connection or statement. try again, or raise "
                 "its limit");
  }
  if (is({1034, 1194, 1195, 1712})) return error(Errc::integrity, "the database is damaged: " + f.message);
  if (is({1235, 1289, 1295, 1314, 1336, 2054})) return error(Errc::unsupported, without_values(f.message));
  if (ends_mysql_connection(f.number)) {
    return error(Errc::unavailable, "the connection to the server was lost, and with it the transaction. try again");
  }

  const std::string said = without_values(f.message);
  if (f.sqlstate.starts_with("22") || f.sqlstate.starts_with("23") || f.sqlstate.starts_with("45")) {
    return error(Errc::constraint, said, context.table);
  }
  if (f.sqlstate.starts_with("42") || f.sqlstate.starts_with("21")) {
    return error(Errc::syntax, "the server refuses the statement: " + said);
  }
  if (f.sqlstate.starts_with("28")) return error(Errc::access, said);
  if (f.sqlstate.starts_with("08") || f.sqlstate.starts_with("40") || f.sqlstate.starts_with("70")) {
    return error(Errc::unavailable, said);
  }
  if (is({1055, 1056, 1058, 1066, 1110, 1111, 1140, 1176, 1221, 1222, 1241, 1242, 1248, 1305, 1327, 1582})) {
    return error(Errc::syntax, "the server refuses the statement: " + said);
  }
  return error(Errc::internal, fmt::format("the server failed: {}", said));
}

Error mysql_connect_error(const MysqlFailure& f, const std::string& location, const std::string& user) {
  const auto is = [&](std::initializer_list<unsigned> list) { return one_of(f.number, list); };
  const auto error = [&](Errc code, const std::string& why) {
    return Error(code, fmt::format("open {}: {}", location, why), location,
                 fmt::format("{}{}{}", f.number, f.sqlstate.empty() ? "" : "/", f.sqlstate));
  };
  const std::string as = user.empty() ? "this user" : "user " + user;
  if (is({1044, 1045, 1130, 1698, 1251, 1275, 1524, 1820, 1862, 3118, 4151, 2061})) {
    return error(Errc::access, fmt::format("the server does not let {} in. see database.user, database.password and "
                                           "database.use_tls, and the server's users",
                                           as));
  }
  if (is({3159, 2068}))
    return error(Errc::access, fmt::format("the server lets {} in over TLS only. set database.use_tls", as));
  if (is({1049})) return error(Errc::usage, "there is no such database. leave database.name out");
  if (is({1040, 1203, 1226})) {
    return error(Errc::unavailable, "the server has no room for another connection. try again, or raise its limit");
  }
  if (is({1053, 1927})) return error(Errc::unavailable, "the server is starting or stopping. try again");
  if (is({1129})) return error(Errc::access, "the server has blocked this host after too many failures (FLUSH HOSTS)");
  if (is({2005})) return error(Errc::unavailable, "there is no host of this name. see database.host");
  if (is({2026})) {
    return error(Errc::access, fmt::format("no TLS connection: {}. see database.use_tls", f.message));
  }
  if (is({2059, 2058, 2049})) {
    return error(Errc::unsupported,
                 fmt::format("the server wants a way to log in that the client library has not: {}", f.message));
  }
  std::string words = valid_utf8(f.message) ? f.message : "the connection failed";
  return error(Errc::unavailable, words + ". see database.host, database.port and database.use_tls");
}

}  // namespace oas::db
