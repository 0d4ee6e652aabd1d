#include "engine/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "codec/codec.hpp"
#include "codec/metadata.hpp"
#include "core/json.hpp"
#include "core/nearest.hpp"

namespace oas {
namespace {

bool lazy(const codec::Chain& chain) {
  if (chain.codecs.empty()) return true;
  const std::string_view innermost = chain.codecs.back()->name();
  return innermost == "npy" || innermost == "object" || innermost == "filepath";
}

bool is_json(const Attribute& attribute) { return attribute.column == "json"; }

/// None for what others have declared and we do not know: that is said when a value of it comes.
std::optional<db::CellType> known_type(const db::Dialect& dialect, std::string_view column) {
  try {
    return dialect.cell_type(column);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// As DataJoint for Python tells where a row came from that was not computed; JSON, or Null if there is nothing to
/// tell.
Value provenance(const Settings& settings) {
  const auto text = [&](std::string_view key) {
    const Value value = settings.get(key);
    return value.is<std::string>() ? value.as<std::string>() : std::string();
  };
  Map out, agent;
  out.set("time", DateTime::now().iso('T') + "+00:00");
  const std::string backend = text("database.backend");
  if (backend != "sqlite") {
    agent = map({{"user", text("database.user")}, {"host", text("database.host")}});
    if (backend == "postgresql") agent.set("database_name", text("database.name"));
    out.set("agent", agent);
  }
  const Value source = settings.get("provenance.source");
  if (const Map* members = source.get_if<Map>(); members && !members->items.empty()) out.set("source", source);
  return out.items.size() > 1 ? Value(to_json(out)) : Value();
}

/// Columns of times have no zone: the clock on the wall, as DataJoint for Python has it there.
DateTime local_time() {
  const DateTime now = DateTime::now();
  const std::time_t seconds = now.microseconds / 1'000'000;
  std::tm here{};
  ::localtime_r(&seconds, &here);
  return DateTime::from_microseconds(now.microseconds + std::int64_t{here.tm_gmtoff} * 1'000'000);
}

}  // namespace

RowEncoder::RowEncoder(SessionState& state, std::shared_ptr<const TableEntry> table, bool ignore_extra_fields)
    : state_(state), table_(std::move(table)), ignore_extra_(ignore_extra_fields) {
  const db::TableDef& def = table_->info->def;
  full_name_ = def.schema + "." + def.name;
  refuse_if_old(*table_, "write to " + full_name_);
  if (!table_->unknown_codec.empty()) {
    throw Error(Errc::unsupported,
                fmt::format("write to {}: attribute type {} is not known here. add its codec to the session",
                            full_name_, table_->unknown_codec),
                full_name_);
  }
  const auto attributes = table_->info->heading.attributes();
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const Attribute& a = attributes[i];
    if (a.hidden) continue;
    Column column{&a, table_->chains[i], {}, {}, {}, false, false};
    if (!is_json(a)) column.type = known_type(state_.dialect(), a.column);
    has_codecs_ = has_codecs_ || column.chain;
    if (column.chain && column.chain->in_store) {
      column.store = state_.store_name(column.chain->store.empty() && codec::refers_only(*column.chain)
                                           ? state_.settings.default_filepath_store()
                                           : column.chain->store);
      has_objects_ = has_objects_ || codec::is_object(*column.chain);
    }
    switch (a.fallback.kind) {
      case db::Default::Kind::none: column.required = !a.nullable; break;
      case db::Default::Kind::null: break;
      case db::Default::Kind::now: column.now = true; break;
      case db::Default::Kind::literal:
        column.fallback =
            state_.dialect().to_cell(a.column, db::parse_default(db::parse_type(a.column), a.fallback.literal));
        break;
    }
    layout_.push_back(std::move(column));
    columns_.push_back(a.name);
  }
  of_statement_ = columns_;
  for (const Attribute& a : attributes)
    if (a.hidden) add_hidden(a);
}

void RowEncoder::add_hidden(const Attribute& a) {
  const auto now = [&] { return state_.dialect().to_cell(a.column, local_time()); };
  const Value capture = state_.settings.get("provenance.capture");
  if (a.name == "_job_start_time")
    hidden_.push_back(now());
  else if (a.name == "_job_duration")
    durations_.emplace_back(hidden_.size(), &a), hidden_.emplace_back();
  else if (a.name == "_prov" && capture.is<bool>() && capture.as<bool>())
    hidden_.push_back(provenance(state_.settings));
  else
    return;
  of_statement_.push_back(a.name);
}

std::string RowEncoder::where(std::size_t number) const {
  return number == 0 ? fmt::format("write to {}", full_name_)
                     : fmt::format("insert into {}, row {}", full_name_, number);
}

const Value* RowEncoder::find(const Row& row, std::size_t column) const {
  // Rows mostly come in the order of the heading.
  const auto& name = columns_[column];
  if (column < row.size() && (row.begin() + static_cast<std::ptrdiff_t>(column))->first == name) {
    return &(row.begin() + static_cast<std::ptrdiff_t>(column))->second;
  }
  return row.find(name);
}

Value RowEncoder::cell(const Column& column, const Value& value) const {
  if (is_json(*column.attribute)) return to_json(value);
  return column.type ? state_.dialect().to_cell(*column.type, value)
                     : state_.dialect().to_cell(column.attribute->column, value);
}

void RowEncoder::validate(const Row& row, std::size_t number, const Written* written) {
  std::size_t known = 0;
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    const Column& column = layout_[i];
    const Value* value = find(row, i);
    if (value) ++known;
    if (!value || value->is_null()) {
      if (column.required && !(written && written->contains(columns_[i]))) {
        throw Error(Errc::missing_attribute,
                    fmt::format("{}: attribute {} {} and has no default. give it a value of type {}", where(number),
                                columns_[i], value ? "is null" : "is missing", column.attribute->type),
                    full_name_ + "." + columns_[i]);
      }
      continue;
    }
    try {
      const Site site{table_->info->def.schema, table_->info->def.name, columns_[i], column.store, nullptr};
      if (column.chain)
        codec::validate(*column.chain, *value, site);
      else
        static_cast<void>(cell(column, *value));
    } catch (const Error& e) {
      throw Error(e.code(), fmt::format("{}: attribute {}: {}", where(number), columns_[i], e.what()),
                  full_name_ + "." + columns_[i], e.native());
    }
  }
  if (known == row.size()) return;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : row) {
    if (!seen.insert(name).second) {
      throw Error(Errc::usage, fmt::format("{}: attribute {} is given twice. give it once", where(number), name),
                  full_name_ + "." + name);
    }
    if (ignore_extra_ || std::ranges::find(columns_, name) != columns_.end()) continue;
    throw Error(Errc::unknown_attribute,
                fmt::format("{}: there is no attribute {}. {} or leave it out, or set ignore_extra_fields",
                            where(number), name, suggest_name(name, {columns_.begin(), columns_.end()})),
                full_name_ + "." + name);
  }
}

Row RowEncoder::key_of(const Row& row) const {
  Row key;
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    if (!layout_[i].attribute->in_key) continue;
    const Value* value = find(row, i);
    if (value && !value->is_null())
      key.set(columns_[i], *value);
    else if (layout_[i].required) {
      throw Error(
          Errc::missing_attribute,
          fmt::format("{}: attribute {} of the primary key is missing. give the whole key", where(0), columns_[i]),
          full_name_ + "." + columns_[i]);
    } else {
      key.set(columns_[i], layout_[i].fallback);
    }
  }
  return key;
}

std::vector<Value> RowEncoder::encode(const Row& row, std::size_t number, ObjectSink& sink,
                                      const Written* written) const {
  std::vector<Value> cells;
  cells.reserve(of_statement_.size());
  const Row key = has_objects_ ? key_of(row) : Row{};
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    const Column& column = layout_[i];
    if (written) {
      if (const auto at = written->find(columns_[i]); at != written->end()) {
        cells.emplace_back(at->second);
        continue;
      }
    }
    const Value* value = find(row, i);
    if (!value || value->is_null()) {
      cells.push_back(column.now ? cell(column, DateTime::now()) : column.fallback);
      continue;
    }
    try {
      if (!column.chain) {
        cells.push_back(cell(column, *value));
        continue;
      }
      const Site site{table_->info->def.schema, table_->info->def.name, columns_[i], column.store, &key};
      Value stored = codec::encode(*column.chain, *value, site, sink);
      cells.push_back(is_json(*column.attribute) ? Value(to_json(stored)) : std::move(stored));
    } catch (const Error& e) {
      throw Error(e.code(), fmt::format("{}: attribute {}: {}", where(number), columns_[i], e.what()),
                  full_name_ + "." + columns_[i], e.native());
    }
  }
  cells.insert(cells.end(), hidden_.begin(), hidden_.end());
  for (const auto& [at, attribute] : durations_) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun_;
    cells[layout_.size() + at] = state_.dialect().to_cell(attribute->column, seconds.count());
  }
  return cells;
}

Value RowEncoder::encode_one(const Attribute& attribute, const Value& value, const Row& key, ObjectSink& sink) const {
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    if (columns_[i] != attribute.name) continue;
    Row row = key;
    row.set(attribute.name, value);
    const Column& column = layout_[i];
    if (value.is_null()) {
      if (column.required) {
        throw Error(Errc::missing_attribute,
                    fmt::format("{}: attribute {} cannot be null. give it a value of type {}", where(0), attribute.name,
                                attribute.type),
                    full_name_ + "." + attribute.name);
      }
      return column.now ? state_.dialect().to_cell(attribute.column, DateTime::now()) : column.fallback;
    }
    const Site site{table_->info->def.schema, table_->info->def.name, columns_[i], column.store, &key};
    try {
      if (!column.chain) return cell(column, value);
      codec::validate(*column.chain, value, site);
      Value stored = codec::encode(*column.chain, value, site, sink);
      return is_json(attribute) ? Value(to_json(stored)) : std::move(stored);
    } catch (const Error& e) {
      throw Error(e.code(), fmt::format("{}: attribute {}: {}", where(0), attribute.name, e.what()),
                  full_name_ + "." + attribute.name, e.native());
    }
  }
  throw Error(Errc::unknown_attribute, fmt::format("{}: there is no attribute {}", where(0), attribute.name),
              full_name_);
}

RowDecoder::RowDecoder(SessionState& state, const Heading& heading, std::span<const std::string> attributes)
    : source_(state), dialect_(state.dialect()) {
  for (const std::string& name : attributes) {
    const Attribute& a = heading.at(name);
    if (a.old && !state.legacy()) {
      throw Error(
          Errc::unsupported,
          fmt::format("fetch attribute {}: its type {} is from before DataJoint 2.0. set database.legacy to read "
                      "such data",
                      a.name, a.type),
          a.name);
    }
    Column column{a.name, a.column, {}, state.chain(a)};
    column.json = a.column == "json";
    column.typed = !column.json && !column.chain && !a.column.empty();
    if (column.typed) column.type = known_type(dialect_, a.column);
    column.reads = column.chain && column.chain->in_store && !lazy(*column.chain);
    reads_objects_ = reads_objects_ || column.reads;
    columns_.push_back(std::move(column));
  }
}

bool RowDecoder::has_objects() const noexcept {
  return std::ranges::any_of(columns_, [](const Column& column) { return column.chain && column.chain->in_store; });
}

std::uint64_t RowDecoder::look_ahead(std::vector<Value>& cells) const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].reads || cells[i].is_null()) continue;
    try {
      cells[i] = codec::parse_metadata(cells[i].as<std::string>());
    } catch (const Error& e) {
      throw e.within(fmt::format("fetch attribute {}", columns_[i].name));
    }
    const Map* map = cells[i].get_if<Map>();
    if (const Value* size = map ? map->find("size") : nullptr; size && size->is<std::int64_t>()) {
      bytes += size->as<std::uint64_t>();
    }
  }
  return bytes;
}

Row RowDecoder::decode(std::vector<Value>&& cells) const {
  std::vector<Row::Item> items;
  items.reserve(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    Value& cell = cells[i];
    if (cell.is_null()) {
      items.emplace_back(column.name, nullptr);
      continue;
    }
    try {
      Value stored;
      if (column.json && !column.reads)
        stored = column.chain ? codec::parse_metadata(cell.as<std::string>()) : from_json(cell.as<std::string>());
      else
        stored = !column.typed ? std::move(cell)
                 : column.type ? dialect_.from_cell(*column.type, std::move(cell))
                               : dialect_.from_cell(column.spelling, std::move(cell));
      if (column.chain) {
        const Site site{{}, {}, column.name, column.chain->store, nullptr};
        stored = codec::decode(*column.chain, stored, site, source_);
      }
      items.emplace_back(column.name, std::move(stored));
    } catch (const Error& e) {
      throw e.within(fmt::format("fetch attribute {}", column.name));
    }
  }
  return Row(std::move(items));
}

}  // namespace oas
