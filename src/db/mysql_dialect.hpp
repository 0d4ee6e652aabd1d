// How MySQL and MariaDB spell things (docs/format/mysql.md). Pure; needs no server and no client library.
#pragma once

#include <string_view>

#include <oas/db.hpp>

namespace oas::db {

const Dialect& mysql_dialect();

}  // namespace oas::db
