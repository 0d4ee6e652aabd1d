#include "interop/rows/golden_rows.hpp"

#include <fmt/format.h>
#include <regex>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/typed.hpp"
#include "db/cells.hpp"

namespace oas::interop {
namespace {

namespace fs = std::filesystem;
using testing::GoldenCase;

Map read_json(const fs::path& path) { return from_json(testing::read_file(path).text(), path.string()).as<Map>(); }

// Takes a quoted name off the front, "x" or `x`; the names of the golden data hold no quotes.
std::string take_name(std::string_view& sql) {
  const char quote = sql.empty() ? '\0' : sql.front();
  const std::size_t end = quote == '"' || quote == '`' ? sql.find(quote, 1) : std::string_view::npos;
  if (end == std::string_view::npos) throw Error(Errc::syntax, "no name at: " + std::string(sql.substr(0, 60)));
  const std::string name(sql.substr(1, end - 1));
  sql.remove_prefix(end + 1);
  return name;
}
bool take(std::string_view& sql, std::string_view word) {
  if (!sql.starts_with(word)) return false;
  sql.remove_prefix(word.size());
  return true;
}

// One placeholder of `args`, or DEFAULT.
void take_argument(std::string_view& sql, const Seq& args, std::size_t& next, std::map<std::string, Value>& row,
                   const std::string& column) {
  if (take(sql, "DEFAULT")) return;
  if (!take(sql, "%s") || next == args.items.size())
    throw Error(Errc::syntax, "no argument at: " + std::string(sql.substr(0, 60)));
  row.emplace(column, args.items[next++]);
}

}  // namespace

std::optional<Binding> read_binding(const Map& statement) {
  const std::string text = statement.at("sql").as<std::string>();
  const Seq& args = *statement.at("args").get_if<Seq>();
  std::string_view sql = text;
  std::size_t next = 0;
  Binding binding;
  const bool update = take(sql, "UPDATE ");
  if (!update && !take(sql, "INSERT INTO ") && !take(sql, "REPLACE INTO ")) return std::nullopt;
  take_name(sql);  // the schema
  if (!take(sql, ".")) throw Error(Errc::syntax, "no table in: " + text);
  binding.table = take_name(sql);
  if (update) {
    if (!take(sql, " SET ")) throw Error(Errc::syntax, "no SET in: " + text);
    binding.rows.emplace_back();
    // The platform's own columns are not quoted there.
    while (!sql.empty() && (sql.front() == '"' || sql.front() == '`')) {
      const std::string column = take_name(sql);
      if (!take(sql, "=")) throw Error(Errc::syntax, "no = in: " + text);
      take_argument(sql, args, next, binding.rows.back(), column);
      take(sql, ",");
    }
    return binding;
  }
  take(sql, " ");
  if (!take(sql, "(")) return std::nullopt;
  std::vector<std::string> columns;
  while (!take(sql, ")")) {
    columns.push_back(take_name(sql));
    take(sql, ",");
  }
  if (!take(sql, " VALUES ")) return std::nullopt;  // INSERT … SELECT
  while (take(sql, "(")) {
    binding.rows.emplace_back();
    for (const std::string& column : columns) {
      take_argument(sql, args, next, binding.rows.back(), column);
      take(sql, ",");
    }
    if (!take(sql, ")")) throw Error(Errc::syntax, "no ) in: " + text);
    take(sql, ",");
  }
  return binding;
}

GoldenRows::GoldenRows(const std::string& backend)
    : folder(testing::golden_folder() / "rows"), meta(read_json(folder / (backend + "_meta.json"))) {
  const auto lines = [](const fs::path& path) {
    std::vector<Map> out;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) out.push_back(from_json(line, path.string()).as<Map>());
    return out;
  };
  for (Map& fields : lines(folder / (backend + ".jsonl"))) {
    std::string name = fields.at("name").as<std::string>();
    cases.push_back({std::move(name), std::move(fields)});
  }
  for (const Map& line : lines(folder / "store_files.jsonl")) {
    const std::string path = line.at("path").as<std::string>();
    files.push_back({path.substr(0, path.find('/')), path.substr(path.find('/') + 1),
                     line.at("sha256").as<std::string>(), line.at("size").as<std::uint64_t>()});
  }
  schema = meta.at("schema").as<std::string>();
}

Settings GoldenRows::settings(const fs::path& database, const fs::path& root) const {
  Map stores;
  for (const auto& [name, entry] : meta.at("stores").get_if<Map>()->items) {
    const Map* map = entry.get_if<Map>();
    if (!map) {
      stores.items.emplace_back(name, entry);
      continue;
    }
    Map moved = *map;
    moved.set("location", (root / name.as<std::string>()).string());
    stores.items.emplace_back(name, moved);
  }
  return Settings::parse(
      to_json(map({{"database", map({{"backend", "sqlite"}, {"name", database.string()}})}, {"stores", stores}})));
}

void GoldenRows::declare(Session& session) const {
  Schema ours = session.schema(schema);
  const Map* errors = meta.at("declare_errors").get_if<Map>();
  for (const Value& item : meta.at("tables").get_if<Seq>()->items) {
    const Map& table = *item.get_if<Map>();
    const std::string name = table.at("class").as<std::string>(), tier = table.at("tier").as<std::string>();
    if (errors && errors->find(name)) continue;
    const std::map<std::string, Tier> tiers{
        {"Manual", Tier::manual}, {"Lookup", Tier::lookup}, {"Imported", Tier::imported}, {"Computed", Tier::computed}};
    ours.declare(name, tiers.at(tier), table.at("definition").as<std::string>());
    for (const Value& part : table.at("parts").get_if<Seq>()->items) {
      const Seq& pair = *part.get_if<Seq>();
      ours.declare(pair.items[0].as<std::string>(), Tier::part, pair.items[1].as<std::string>(), name);
    }
  }
}

Bytes GoldenRows::content(const StoredFile& file) const {
  return testing::read_file(folder / "store" / file.store / file.key);
}

std::vector<StoredFile> GoldenRows::object(std::string_view store, std::string_view key) const {
  std::vector<StoredFile> found;
  for (const StoredFile& file : files)
    if (file.store == store && (file.key == key || file.key.starts_with(std::string(key) + "/"))) found.push_back(file);
  return found;
}

Value stored_value(const std::string& column, const std::string& raw) {
  if (column == "json") return from_json(raw, "a cell");
  return from_hex(raw).value();
}

std::string without_token(std::string path, std::string_view attribute, int token_length) {
  const std::string begin = std::string(attribute) + "_";
  const std::size_t last = path.rfind('/') + 1;
  EXPECT_EQ(path.compare(last, begin.size(), begin), 0) << path;
  const auto length = static_cast<std::size_t>(token_length);
  EXPECT_GE(path.size(), last + begin.size() + length) << path;
  return path.replace(last + begin.size(), length, length, 'X');
}

namespace {

// 'infinity', 'now', …: what PostgreSQL takes for a date.
bool is_word(const Value& given) {
  const auto* text = given.get_if<std::string>();
  return text && (text->empty() || text->front() < '0' || text->front() > '9');
}

}  // namespace

bool takes_otherwise(const Attribute& attribute, const Value& given) {
  using Kind = db::CellType::Kind;
  const db::CellType type = db::parse_type(attribute.column);
  if (given.is<Array>()) return true;  // numpy's scalars; here numbers are numbers
  const auto* real = given.get_if<double>();
  if (real && std::isnan(*real)) return true;  // it means DEFAULT there, but for float64 on PostgreSQL
  switch (type.kind) {
    case Kind::boolean: return !given.is<bool>();
    case Kind::integer: {  // an int8 is a smallint on PostgreSQL
      const auto* n = given.get_if<std::int64_t>();
      return !n || *n < type.low || *n > type.high;
    }
    case Kind::real: return given.is<std::string>() || given.is<Decimal>();
    case Kind::decimal: return given.is<double>();
    case Kind::bytes: return !given.is<Bytes>();
    case Kind::enumeration:  // exactly one of the labels; MySQL takes other capitals and positions
      return !given.is<std::string>() || std::ranges::find(type.labels, given.as<std::string>()) == type.labels.end();
    case Kind::text: {  // servers cut blanks that are too many
      const auto* text = given.get_if<std::string>();
      return !text || (type.length > 0 && text->size() > type.length && text->ends_with(' '));
    }
    case Kind::date: return given.is<DateTime>() || is_word(given);
    case Kind::datetime: return is_word(given);
    default: return false;
  }
}

namespace {

void expect_object(const ObjectRef& ours, const GoldenRows& golden) {
  const auto files = golden.object(ours.store(), ours.path());
  if (files.empty()) {  // a staged insert that wrote nothing, or a file that was taken away
    EXPECT_THROW(ours.verify(), Error) << ours.path();
    return;
  }
  ours.verify();
  if (!ours.is_folder()) {
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(ours.read(), golden.content(files[0]));
    return;
  }
  std::map<std::string, std::uint64_t> theirs, found;
  for (const StoredFile& file : files) theirs[file.key.substr(ours.path().size() + 1)] = file.size;
  for (const FileInfo& file : ours.files()) found[file.path] = file.size;
  EXPECT_EQ(found, theirs);
  for (const StoredFile& file : files)
    EXPECT_EQ(ours.read(file.key.substr(ours.path().size() + 1)), golden.content(file)) << file.key;
}

}  // namespace

void expect_array(const Array& ours, const Value& theirs) {
  // The notation tells of no byte order, and of records field by field: those are compared as files.
  const Value value = untyped(theirs);
  if (const Fields* records = value.get_if<Fields>()) {
    EXPECT_TRUE(std::ranges::equal(ours.shape(), records->shape));
    return;
  }
  const Array* array = value.get_if<Array>();
  ASSERT_NE(array, nullptr) << value.describe();
  EXPECT_EQ(ours.to_native(), array->to_native());
}

void expect_fetched(const Value& ours, const Value& theirs, const GoldenRows& golden) {
  const Map& notation = *theirs.get_if<Map>();
  const std::string type = notation.at("t").as<std::string>();
  if (type == "attached") {
    const Attachment* file = ours.get_if<Attachment>();
    ASSERT_NE(file, nullptr) << ours.describe();
    // "x_1.pdf" where a fetch of several rows had made "x.pdf" already.
    const std::filesystem::path name = file->name();
    const std::string theirs_name = notation.at("name").as<std::string>();
    static const std::regex number("^_\\d+");
    EXPECT_TRUE(theirs_name == name ||
                (theirs_name.starts_with(name.stem().string()) &&
                 std::regex_replace(theirs_name.substr(name.stem().string().size()), number, "") == name.extension()))
        << theirs_name;
    EXPECT_EQ(file->bytes(), from_hex(notation.at("hex").as<std::string>()).value());
  } else if (type == "npyref") {
    const NpyRef* ref = ours.get_if<NpyRef>();
    ASSERT_NE(ref, nullptr) << ours.describe();
    EXPECT_EQ(ref->path(), notation.at("path").as<std::string>());
    EXPECT_EQ(ref->store(), notation.at("store").as<std::string>());
    EXPECT_EQ(ref->type().name, notation.at("dtype").as<std::string>());
    std::vector<std::int64_t> shape(ref->shape().begin(), ref->shape().end());
    EXPECT_EQ(shape, notation.at("shape").as<std::vector<std::int64_t>>());
    expect_array(ref->load(), notation.at("array"));
  } else if (type == "objectref") {
    const ObjectRef* ref = ours.get_if<ObjectRef>();
    ASSERT_NE(ref, nullptr) << ours.describe();
    const Map& metadata = *ref->metadata().get_if<Map>();
    for (const auto& [key, value] : notation.items) {
      const std::string member = key.as<std::string>();
      if (member == "t") continue;
      const Value* have = metadata.find(member);
      EXPECT_EQ(have ? *have : Value(), value) << member;
    }
    EXPECT_EQ(ref->path(), notation.at("path").as<std::string>());
    EXPECT_EQ(ref->store(), notation.at("store").as<std::string>());
    EXPECT_EQ(Value(ref->is_folder()), notation.at("is_dir"));
    expect_object(*ref, golden);
  } else {
    EXPECT_EQ(ours, untyped(theirs)) << ours.describe();
  }
}

}  // namespace oas::interop
