#include "config/keys.hpp"

#include <algorithm>
#include <array>

namespace oas {
namespace {

using Type = SettingsKey::Type;
// Those that matter to DataJoint for Python alone are known too, so that one file serves both.
constexpr std::array<SettingsKey, 29> table{{
    {Type::text, "database.backend", "DJ_BACKEND"},
    {Type::text, "database.name", "DJ_DATABASE_NAME"},
    {Type::text, "database.host", "DJ_HOST"},
    {Type::integer, "database.port", "DJ_PORT"},
    {Type::text, "database.user", "DJ_USER"},
    {Type::text, "database.password", "DJ_PASS"},
    {Type::object, "database.use_tls", "DJ_USE_TLS"},
    {Type::boolean, "database.reconnect", "DJ_RECONNECT"},
    {Type::boolean, "database.create_tables", "DJ_CREATE_TABLES"},
    {Type::text, "database.database_prefix", "DJ_DATABASE_PREFIX"},
    {Type::text, "connection.charset", ""},
    {Type::text, "loglevel", "DJ_LOG_LEVEL"},
    {Type::boolean, "safemode", "DJ_SAFEMODE"},
    {Type::text, "download_path", "DJ_DOWNLOAD_PATH"},
    {Type::text, "query_cache", "DJ_QUERY_CACHE"},
    {Type::integer, "display.limit", ""},
    {Type::integer, "display.width", ""},
    {Type::boolean, "display.show_tuple_count", ""},
    {Type::text, "display.diagram_direction", "DJ_DIAGRAM_DIRECTION"},
    {Type::text, "display.diagram_theme", "DJ_DIAGRAM_THEME"},
    {Type::boolean, "jobs.auto_refresh", "DJ_JOBS_AUTO_REFRESH"},
    {Type::boolean, "jobs.keep_completed", "DJ_JOBS_KEEP_COMPLETED"},
    {Type::integer, "jobs.stale_timeout", "DJ_JOBS_STALE_TIMEOUT"},
    {Type::integer, "jobs.default_priority", "DJ_JOBS_DEFAULT_PRIORITY"},
    {Type::text, "jobs.version_method", "DJ_JOBS_VERSION_METHOD"},
    {Type::boolean, "jobs.allow_new_pk_fields_in_computed_tables", "DJ_JOBS_ALLOW_NEW_PK_FIELDS_IN_COMPUTED_TABLES"},
    {Type::boolean, "jobs.add_job_metadata", "DJ_JOBS_ADD_JOB_METADATA"},
    {Type::boolean, "provenance.capture", "DJ_PROVENANCE_CAPTURE"},
    {Type::object, "provenance.source", "DJ_PROVENANCE_SOURCE"},
}};

}  // namespace

std::span<const SettingsKey> settings_keys() { return table; }

const SettingsKey* find_settings_key(std::string_view key) {
  const auto found = std::ranges::find(table, key, &SettingsKey::key);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace oas
