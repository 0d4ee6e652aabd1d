// What a session knows of schemas and tables: read from the database once, and again when it has changed.
#include <fmt/format.h>

#include <algorithm>

#include "core/nearest.hpp"
#include "db/ddl.hpp"
#include "engine/state.hpp"
#include "engine/work.hpp"
#include "schema/declare.hpp"

namespace oas {
namespace {

bool hidden(const db::TableDef& table) { return table.name.starts_with("~"); }

std::map<std::string, Lineage> read_lineage(SessionState& state, const std::string& schema) {
  std::map<std::string, Lineage> out;
  const db::Dialect& dialect = state.dialect();
  db::Transaction look(*state.main, db::Transaction::Mode::read);
  const auto cursor = look.execute(fmt::format("SELECT {}, {}, {} FROM {}", dialect.quote("table_name"),
                                               dialect.quote("attribute_name"), dialect.quote("lineage"),
                                               dialect.table(schema, "~lineage")));
  std::vector<Value> cells;
  while (cursor->next(cells)) {
    out[cells[0].as<std::string>()][cells[1].as<std::string>()] = cells[2].as<std::string>();
  }
  return out;
}

}  // namespace

void refuse_if_old(const TableEntry& entry, std::string_view what) {
  if (entry.old.empty()) return;
  throw Error(
      Errc::unsupported,
      fmt::format("{}: {} of this schema is from before DataJoint 2.0, and such schemas are read, never written. "
                  "migrate the schema with DataJoint for Python, or insert its rows into a new one",
                  what, entry.old),
      entry.info->def.schema + "." + entry.info->def.name);
}

bool SessionState::legacy() const {
  const Value value = settings.get("database.legacy");
  return value.is<bool>() && value.as<bool>();
}

bool SessionState::is_old(const std::string& schema) {
  return std::ranges::any_of(tables(schema), [](const auto& entry) { return !entry->old.empty(); });
}

const codec::Chain* SessionState::chain(const Attribute& a) {
  if (a.codec.empty()) return nullptr;
  const std::string type = a.old ? fmt::format("<{}{}{}>", a.codec, a.in_store ? "@" : "", a.store) : a.type;
  auto& known = chains_[type];
  if (!known) known = std::make_unique<const codec::Chain>(codec::resolve(codecs, type));
  return known.get();
}

void SessionState::notice_changes() {
  if (works > 0 && noticed_) return;
  noticed_ = works > 0;
  const std::int64_t version = main->catalog_version();
  if (version == catalog_version_) return;
  known_.clear();
  catalog_version_ = version;
}

void SessionState::notice_changes(const std::string& schema, const std::string& table) {
  if (works > 0) return notice_changes();
  const std::int64_t version = main->table_version(schema, table);
  const auto at = table_versions_.find({schema, table});
  if (at != table_versions_.end() && at->second == version) return;
  notice_changes();
  table_versions_[{schema, table}] = version;  // it was asked for before, so a change in between is noticed next time
}

const SessionState::KnownSchema& SessionState::known(const std::string& schema) {
  notice_changes();
  return read(schema);
}

std::vector<std::shared_ptr<const TableEntry>> SessionState::tables(const std::string& schema) {
  return known(schema).tables;
}

std::vector<std::shared_ptr<const TableEntry>> SessionState::all_tables() {
  notice_changes();
  std::vector<std::shared_ptr<const TableEntry>> out;
  for (const std::string& schema : main->schemas()) {
    const auto& tables = read(schema).tables;
    out.insert(out.end(), tables.begin(), tables.end());
  }
  return out;
}

bool SessionState::has_ledger(const std::string& schema) { return known(schema).has_ledger; }

const SessionState::KnownSchema& SessionState::read(const std::string& schema) {
  if (const auto known = known_.find(schema); known != known_.end()) return known->second;
  KnownSchema out;
  const auto found = main->introspect(schema);
  const auto lineage = lineage_of(schema, found);
  std::vector<std::shared_ptr<TableEntry>> entries;
  std::string old;
  out.there = !found.empty();
  for (const db::TableDef& def : found) {
    if (hidden(def)) {
      out.has_ledger = out.has_ledger || def.name == "~oas_trash";
      continue;
    }
    const auto own = lineage.find(def.name);
    auto entry = std::make_shared<TableEntry>();
    entry->info = std::make_shared<const TableInfo>(
        TableInfo{def, heading_of(def, own == lineage.end() ? Lineage{} : own->second, legacy())});
    for (const Attribute& a : entry->info->heading) {
      const codec::Chain* known = nullptr;
      if (!a.codec.empty()) {
        try {
          if (!a.old && a.codec == a.type)
            throw Error(Errc::definition, a.type + " is no type");  // what its comment says
          known = chain(a);
        } catch (const Error& e) {
          if (e.code() != Errc::definition) throw;
          entry->unknown_codec = a.type;  // readable but for this attribute, and never written or collected
        }
      }
      entry->chains.push_back(known);
      if (a.old && old.empty()) old = fmt::format("{}.{}, of type {},", def.name, a.name, a.type);
    }
    entries.push_back(std::move(entry));
  }
  for (auto& entry : entries) {
    entry->old = old;
    out.tables.push_back(std::move(entry));
  }
  return known_[schema] = std::move(out);
}

/// What ~lineage says, or, where there is none, what follows from the references: attributes that a reference brings
/// come from where its parent's do, other attributes of a key from their table.
std::map<std::string, Lineage> SessionState::lineage_of(const std::string& schema,
                                                        const std::vector<db::TableDef>& tables) {
  if (std::ranges::any_of(tables, [](const auto& t) { return t.name == "~lineage"; }))
    return read_lineage(*this, schema);
  std::map<std::string, Lineage> out;
  if (!reading_.insert(schema).second) return out;
  const auto origin = [&](const db::ForeignKeyDef& key, const std::string& column) {
    std::string unknown = fmt::format("{}.{}.{}", key.schema, key.table, column);
    if (key.schema == schema) {
      const auto& parent = out[key.table];
      const auto at = parent.find(column);
      return at == parent.end() ? unknown : at->second;
    }
    if (reading_.contains(key.schema)) return unknown;
    for (const auto& entry : read(key.schema).tables) {
      const Attribute* a = entry->info->def.name == key.table ? entry->info->heading.find(column) : nullptr;
      if (a && !a->lineage.empty()) return a->lineage;
    }
    return unknown;
  };
  for (const db::TableDef& def : tables) {  // parents first
    if (hidden(def)) continue;
    Lineage& own = out[def.name];
    for (const db::ForeignKeyDef& key : def.foreign_keys) {
      if (key.table.starts_with("~")) continue;
      for (std::size_t i = 0; i < key.columns.size(); ++i)
        own.emplace(key.columns[i], origin(key, key.parent_columns[i]));
    }
    for (const std::string& column : def.primary_key)
      own.emplace(column, fmt::format("{}.{}.{}", schema, def.name, column));
  }
  reading_.erase(schema);
  return out;
}

std::shared_ptr<const TableEntry> SessionState::table(const std::string& schema, const std::string& name) {
  notice_changes(schema, name);
  for (const auto& entry : read(schema).tables) {
    if (entry->info->def.name == name) return entry;
  }
  throw Error(Errc::unknown_table, fmt::format("open table {}.{}: it is not there any more", schema, name),
              schema + "." + name);
}

std::shared_ptr<const TableEntry> SessionState::find_table(const std::string& schema, std::string_view name) {
  for (const auto& entry : tables(schema)) {
    const std::string& own = entry->info->def.name;
    if (own == name || (tier_of(own) && class_name_of(own) == name)) return entry;
  }
  return nullptr;
}

void SessionState::ensure_schema(const std::string& schema) {
  if (known(schema).there) return;  // somebody else's perhaps, and to be read only
  const auto names = main->schemas();
  if (std::ranges::find(names, schema) == names.end()) ensure_ledger(schema);
}

void SessionState::ensure_ledger(const std::string& schema) {
  if (const auto& tables = known(schema).tables; !tables.empty())
    refuse_if_old(*tables.front(), "prepare schema " + schema);
  if (has_ledger(schema)) return;
  std::vector<db::TableDef> tables{db::lineage_table(schema)};  // the trash comes last: if it is there, all are
  for (auto& table : Ledger::row_tables(schema)) tables.push_back(std::move(table));
  // Where definitions commit, they must not commit what an open transaction has changed.
  const bool commit = dialect().definitions_commit();
  const auto other = commit && main->depth() > 0 ? main->fork() : nullptr;
  for (std::size_t attempt = 0;; ++attempt) {
    try {
      db::Transaction tx(other ? *other : *main);
      const auto now = main->introspect(schema);
      const auto names = main->schemas();
      if (std::ranges::find(names, schema) == names.end()) {  // servers want a privilege even if there is nothing to do
        for (const auto& sql : dialect().create_schema(schema)) tx.execute(sql);
      }
      for (const auto& table : tables) {
        if (std::ranges::any_of(now, [&](const auto& t) { return t.name == table.name; })) continue;
        for (const auto& sql : dialect().create_table(table)) tx.execute(sql);
      }
      tx.commit();
      return forget_tables();
    } catch (const Error& e) {
      forget_tables();
      if (e.code() == Errc::duplicate && has_ledger(schema)) return;  // by somebody else, meanwhile
      // Somebody else is making them one by one: what is left is made together.
      if (e.code() == Errc::duplicate && commit && attempt < tables.size()) continue;
      throw e.within("prepare schema " + schema);
    }
  }
}

void Schema::init() {
  session_->ensure_ledger(name_);
  static_cast<void>(session_->ledger(name_));
}

std::vector<std::string> Schema::grants(db::Role role, std::string_view grantee) const {
  return session_->dialect().grants(name_, Ledger::table_names(), role, grantee);
}

Table<> Schema::declare(std::string_view class_name, Tier tier, std::string_view definition, std::string_view master) {
  SessionState& state = *session_;
  const auto master_entry = master.empty() ? nullptr : state.find_table(name_, master);
  if (tier == Tier::part && !master_entry) {
    throw Error(Errc::unknown_table,
                fmt::format("declare {}.{}: its master {} is not declared. declare the master first", name_, class_name,
                            master),
                name_);
  }
  const std::string table = table_name(tier, class_name, master_entry ? master_entry->info->def.name : "");
  const std::string full = name_ + "." + table;

  const auto is_set = [&](std::string_view key) {
    const Value value = state.settings.get(key);
    return value.is<bool>() && value.as<bool>();
  };
  schema::Context context;
  context.dialect = &state.dialect();
  context.job_metadata = is_set("jobs.add_job_metadata");
  context.provenance = is_set("provenance.capture");
  context.codec = [&](std::string_view codec, bool in_store) {
    const auto& chain = codec::resolve(state.codecs, fmt::format("<{}{}>", codec, in_store ? "@" : ""));
    return schema::CodecColumn{chain.column, codec::is_object(chain)};
  };
  context.parent = [&](std::string_view reference) {
    std::shared_ptr<const TableEntry> found;
    if (reference == "master" && master_entry) found = master_entry;
    if (!found) found = state.find_table(name_, reference);
    if (const auto dot = reference.find('.'); !found && dot != std::string_view::npos) {
      const std::string_view head = reference.substr(0, dot), tail = reference.substr(dot + 1);
      if (head == "master" && master_entry) {
        found = state.find_table(name_, class_name_of(master_entry->info->def.name) + "." + std::string(tail));
      }
      const auto schemas = state.main->schemas();
      if (!found && std::ranges::find(schemas, head) != schemas.end())
        found = state.find_table(std::string(head), tail);
    }
    if (!found) {
      std::vector<std::string> names;
      for (const auto& entry : state.tables(name_)) {
        if (tier_of(entry->info->def.name)) names.push_back(class_name_of(entry->info->def.name));
      }
      throw Error(Errc::unknown_table,
                  fmt::format("there is no table {} in schema {}. {}; declare it first", reference, name_,
                              suggest_name(reference, {names.begin(), names.end()})),
                  full);
    }
    schema::Parent parent{found->info->def, {}};
    for (const Attribute& a : found->info->heading) {
      if (!a.lineage.empty()) parent.lineage[a.name] = a.lineage;
    }
    return parent;
  };

  const auto parsed = [&] {
    try {
      return schema::parse_definition(definition);
    } catch (const Error& e) {
      throw e.within(fmt::format("declare {}", full));
    }
  }();
  const schema::Declaration declared = schema::declare(parsed, name_, table, context);
  try {
    for (const Attribute& a : heading_of(declared.table)) {
      if (!a.in_store || a.codec.empty()) continue;
      const codec::Chain& chain = *state.chain(a);
      static_cast<void>(state.store_config(
          chain.store.empty() && codec::refers_only(chain) ? state.settings.default_filepath_store() : chain.store));
    }
  } catch (const Error& e) {
    throw e.within(fmt::format("declare {}", full));
  }

  const auto exists = [&] {  // and agrees
    const auto existing = state.find_table(name_, table);
    if (!existing) return false;
    const auto different = schema::differences(declared.table, existing->info->def);
    if (different.empty()) return true;
    std::string list;
    for (const auto& d : different) list += "\n  " + d;
    throw Error(
        Errc::definition,
        fmt::format("declare {}: the table exists and is another one:{}\nuse the definition it has (oas describe "
                    "{}), or drop it first",
                    full, list, full),
        full);
  };
  if (exists()) return (*this)[table];
  for (const std::string& note : declared.notes) state.log(LogLevel::info, fmt::format("declare {}: {}", full, note));
  state.ensure_ledger(name_);
  const db::Dialect& dialect = state.dialect();
  try {
    db::Transaction tx(*state.main);
    if (exists()) return (*this)[table];
    for (const auto& sql : dialect.create_table(declared.table)) tx.execute(sql);
    const std::string lineage = dialect.table(name_, "~lineage");
    const std::vector<Value> of_table{table};
    tx.execute(
        fmt::format("DELETE FROM {} WHERE {} = {}", lineage, dialect.quote("table_name"), dialect.placeholder(1)),
        of_table);
    std::vector<std::vector<Value>> rows;
    for (const auto& [attribute, origin] : declared.lineage) rows.push_back({table, attribute, origin});
    static const std::vector<std::string> columns{"table_name", "attribute_name", "lineage"};
    tx.execute_many(dialect.insert(db::lineage_table(name_), columns, db::Dialect::OnDuplicate::replace), rows);
    tx.commit();
    state.forget_tables();
  } catch (const Error& e) {
    state.forget_tables();
    if (e.code() == Errc::duplicate && exists()) return (*this)[table];  // by somebody else, meanwhile
    throw e.within(fmt::format("declare {}", full));
  }
  return (*this)[table];
}

Table<> Schema::operator[](std::string_view name) {
  const auto entry = session_->find_table(name_, name);
  if (!entry) {
    const auto names = tables();
    throw Error(Errc::unknown_table,
                fmt::format("open table {} of schema {}: there is none. {}", name, name_,
                            names.empty() ? "declare one first" : suggest_name(name, {names.begin(), names.end()})),
                fmt::format("{}.{}", name_, name));
  }
  return Table<>(session_, query::base(entry->info));
}

std::vector<std::string> Schema::tables() {
  std::vector<std::string> out;
  for (const auto& entry : session_->tables(name_)) out.push_back(entry->info->def.name);
  return out;
}

const std::string& Table<void>::schema() const { return tree_->table()->def.schema; }
const std::string& Table<void>::name() const { return tree_->table()->def.name; }
Tier Table<void>::tier() const { return tier_of(name()).value_or(Tier::manual); }
std::string Table<void>::describe() const { return schema::describe(tree_->table()->def); }

}  // namespace oas
