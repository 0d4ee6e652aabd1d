// How MySQL and MariaDB spell things (docs/format/mysql.md). Pure; needs no server and no client library.
#pragma once

#include <string>
#include <string_view>

#include <oas/db.hpp>

namespace oas::db {

const Dialect& mysql_dialect();
/// Of the same name. It differs where MariaDB has no indexes on expressions.
const Dialect& mariadb_dialect();

/// The type of the language that a column has: what its comment says, if the server's type is the one that it is stored
/// as, else the server's own, without the widths that integers are shown with.
std::string mysql_core_type(std::string_view server_type, std::string_view comment);

}  // namespace oas::db
