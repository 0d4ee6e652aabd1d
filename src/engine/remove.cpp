// Rows go out: the rows asked for and those that depend on them, leaves first, and in the same transaction what they
// referred to goes to the trash. Keys are read before anything is deleted, so that a condition on dependent rows means
// what it meant when it was asked.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <oas/session.hpp>

#include "codec/metadata.hpp"
#include "core/typed.hpp"
#include "engine/references.hpp"
#include "engine/work.hpp"
#include "query/render.hpp"

namespace oas {
namespace {

constexpr std::size_t keys_a_statement = 100;

using Cells = std::vector<Value>;
using FullName = std::pair<std::string, std::string>;

/// The table name of a part's master.
std::string master_of(const std::string& part) { return part.substr(0, part.rfind("__")); }

std::string shown(const FullName& name) { return name.first + "." + name.second; }

/// Text that tells cells apart.
std::string fingerprint(const Cells& cells) {
  std::string out;
  for (const Value& v : cells) {
    if (const auto* t = v.get_if<std::string>())
      out += fmt::format("t{}:{}", t->size(), *t);
    else if (const auto* n = v.get_if<std::int64_t>())
      out += fmt::format("i{};", *n);
    else if (const auto* d = v.get_if<double>())
      out += fmt::format("d{};", *d);
    else if (const auto* b = v.get_if<Bytes>())
      out += fmt::format("b{}:{}", b->size(), b->text());
    else
      out += to_typed(v) + ";";
  }
  return out;
}

/// Rows of one table that go.
struct Doomed {
  std::shared_ptr<const TableEntry> entry;
  std::vector<std::string> columns;  ///< key, then what references to and from it need, then objects
  std::map<std::string, Cells> rows;
};

class Deletion {
 public:
  /// `for_good`: rows that are read stay as they are until they are deleted.
  Deletion(SessionState& state, Work& work, bool for_good)
      : state_(state), work_(work), dialect_(state.dialect()), lock_(for_good ? dialect_.for_update() : "") {
    all_ = state_.all_tables();
  }

  void plan(const Tree& tree) {
    const TableInfo* info = tree.table();
    if (!info) {
      throw Error(Errc::usage,
                  "delete: only rows of one table can be deleted, not of a join, a projection or a limited "
                  "query. restrict the table by that query instead");
    }
    const FullName name{info->def.schema, info->def.name};
    if (tier_of(info->def.name) == Tier::part) {
      throw Error(Errc::constraint,
                  fmt::format("delete from {}: it is a part, and parts go with their master. delete "
                              "rows of the master",
                              shown(name)),
                  shown(name));
    }
    const auto where = query::render_where(tree, dialect_);
    collect(name, where->text, where->params);
    check_parts();
  }

  std::vector<std::pair<std::string, std::size_t>> sizes() const {
    std::vector<std::pair<std::string, std::size_t>> out;
    for (const auto& name : order()) {
      if (const auto& doomed = doomed_.at(name); !doomed.rows.empty())
        out.emplace_back(shown(name), doomed.rows.size());
    }
    return out;
  }

  std::size_t run() {
    std::size_t count = 0;
    for (const auto& name : order()) {
      Doomed& doomed = doomed_.at(name);
      if (doomed.rows.empty()) continue;
      trash(name, doomed);
      const auto& def = doomed.entry->info->def;
      std::string sql = fmt::format("DELETE FROM {}", dialect_.table(def.schema, def.name));
      for (std::size_t i = 0; i < def.primary_key.size(); ++i) {
        sql += fmt::format(" {} {} = {}", i == 0 ? "WHERE" : "AND", dialect_.quote(def.primary_key[i]),
                           dialect_.placeholder(i + 1));
      }
      std::vector<Cells> keys;
      keys.reserve(doomed.rows.size());
      for (const auto& [print, cells] : doomed.rows) {
        keys.emplace_back(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(def.primary_key.size()));
      }
      try {
        for (const std::int64_t changed : work_.rows().execute_many(sql, keys))
          count += static_cast<std::size_t>(changed);
      } catch (const Error& e) {
        throw e.within(fmt::format("delete from {}", shown(name)));
      }
    }
    return count;
  }

 private:
  void trash(const FullName& name, const Doomed& doomed) {
    refuse_if_old(*doomed.entry, "delete from " + shown(name));
    if (!doomed.entry->unknown_codec.empty()) {
      throw Error(
          Errc::unsupported,
          fmt::format("delete from {}: attribute type {} is not known here, so its objects could not go with the "
                      "rows. add its codec to the session",
                      shown(name), doomed.entry->unknown_codec),
          shown(name));
    }
    const auto attributes = doomed.entry->info->heading.attributes();
    std::vector<ObjectPath> objects;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const codec::Chain* chain = doomed.entry->chains[i];
      if (!chain || !codec::is_object(*chain)) continue;
      const auto at =
          static_cast<std::size_t>(std::ranges::find(doomed.columns, attributes[i].name) - doomed.columns.begin());
      for (const auto& [print, cells] : doomed.rows) {
        if (cells[at].is_null()) continue;
        const auto found = ReferenceFinder(state_).of(chain, codec::parse_metadata(cells[at].as<std::string>()));
        objects.insert(objects.end(), found.begin(), found.end());
      }
    }
    try {
      work_.trash(name.first, objects);
    } catch (const Error& e) {
      throw e.within(fmt::format("delete from {}", shown(name)));
    }
  }

  Doomed& doomed(const FullName& name) {
    const auto [at, fresh] = doomed_.try_emplace(name);
    Doomed& d = at->second;
    if (!fresh) return d;
    d.entry = state_.table(name.first, name.second);
    const auto& def = d.entry->info->def;
    const auto want = [&](const std::string& column) {
      if (std::ranges::find(d.columns, column) == d.columns.end()) d.columns.push_back(column);
    };
    for (const auto& column : def.primary_key) want(column);
    for (const auto& reference : def.foreign_keys) {
      for (const auto& column : reference.columns) want(column);
    }
    for (const auto& child : all_) {
      for (const auto& reference : child->info->def.foreign_keys) {
        if (FullName{reference.schema, reference.table} != name) continue;
        for (const auto& column : reference.parent_columns) want(column);
      }
    }
    const auto attributes = d.entry->info->heading.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      if (d.entry->chains[i] && codec::is_object(*d.entry->chains[i])) want(attributes[i].name);
    }
    return d;
  }

  /// Reads the rows, and then, for those that are new, the rows that refer to them.
  void collect(const FullName& name, const std::string& where, const std::vector<Value>& params) {
    Doomed& d = doomed(name);
    const auto& def = d.entry->info->def;
    std::string columns;
    for (const auto& column : d.columns) columns += (columns.empty() ? "" : ", ") + dialect_.quote(column);
    std::vector<const Cells*> fresh;
    try {
      const auto cursor = work_.rows().execute(
          fmt::format("SELECT {} FROM {} WHERE {}{}", columns, dialect_.table(def.schema, def.name), where, lock_),
          params);
      Cells cells;
      while (cursor->next(cells)) {
        const Cells key(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(def.primary_key.size()));
        const auto [at, is_new] = d.rows.try_emplace(fingerprint(key), std::move(cells));
        if (is_new) fresh.push_back(&at->second);
        cells = Cells{};
      }
    } catch (const Error& e) {
      throw e.within(fmt::format("delete from {}", shown(name)));
    }
    if (fresh.empty()) return;
    for (const auto& child : all_) {
      for (const auto& reference : child->info->def.foreign_keys) {
        if (FullName{reference.schema, reference.table} == name) follow(*child, reference, d, fresh);
      }
    }
  }

  void follow(const TableEntry& child, const db::ForeignKeyDef& reference, const Doomed& parent,
              const std::vector<const Cells*>& rows) {
    std::vector<std::size_t> at;
    for (const auto& column : reference.parent_columns) {
      at.push_back(static_cast<std::size_t>(std::ranges::find(parent.columns, column) - parent.columns.begin()));
    }
    for (std::size_t first = 0; first < rows.size(); first += keys_a_statement) {
      std::string where;
      std::vector<Value> params;
      for (std::size_t r = first; r < std::min(rows.size(), first + keys_a_statement); ++r) {
        where += where.empty() ? "(" : " OR (";
        for (std::size_t c = 0; c < at.size(); ++c) {
          params.push_back((*rows[r])[at[c]]);
          where += fmt::format("{}{} = {}", c > 0 ? " AND " : "", dialect_.quote(reference.columns[c]),
                               dialect_.placeholder(params.size()));
        }
        where += ")";
      }
      collect({child.info->def.schema, child.info->def.name}, where, params);
    }
  }

  /// A part's rows may go only together with the row of their master.
  void check_parts() const {
    for (const auto& [name, d] : doomed_) {
      if (d.rows.empty() || tier_of(name.second) != Tier::part) continue;
      const FullName master{name.first, master_of(name.second)};
      const auto at = doomed_.find(master);
      const db::ForeignKeyDef* reference = nullptr;
      for (const auto& r : d.entry->info->def.foreign_keys) {
        if (FullName{r.schema, r.table} == master) reference = &r;
      }
      std::size_t orphans = at == doomed_.end() || at->second.rows.empty() ? d.rows.size() : 0;
      if (orphans == 0 && reference) {
        const auto column = [](const Doomed& in, const std::string& c) {
          return static_cast<std::size_t>(std::ranges::find(in.columns, c) - in.columns.begin());
        };
        std::set<std::string> masters;
        for (const auto& [print, cells] : at->second.rows) {
          Cells key;
          for (const auto& c : reference->parent_columns) key.push_back(cells[column(at->second, c)]);
          masters.insert(fingerprint(key));
        }
        for (const auto& [print, cells] : d.rows) {
          Cells key;
          for (const auto& c : reference->columns) key.push_back(cells[column(d, c)]);
          if (!masters.contains(fingerprint(key))) ++orphans;
        }
      }
      if (orphans > 0) {
        throw Error(Errc::constraint,
                    fmt::format("delete: {} rows of the part {} would go without their master {}. delete rows of the "
                                "master too, or first",
                                orphans, shown(name), shown(master)),
                    shown(name));
      }
    }
  }

  /// Tables so that each comes before those it refers to.
  std::vector<FullName> order() const {
    std::vector<FullName> out;
    std::set<FullName> done;
    const std::function<void(const FullName&)> visit = [&](const FullName& name) {
      if (!done.insert(name).second) return;
      for (const auto& [other, d] : doomed_) {
        const auto& references = d.entry->info->def.foreign_keys;
        if (other != name && std::ranges::any_of(references, [&](const auto& r) {
              return FullName{r.schema, r.table} == name;
            })) {
          visit(other);
        }
      }
      out.push_back(name);
    };
    for (const auto& [name, d] : doomed_) visit(name);
    return out;
  }

  SessionState& state_;
  Work& work_;
  const db::Dialect& dialect_;
  std::string_view lock_;
  std::vector<std::shared_ptr<const TableEntry>> all_;
  std::map<FullName, Doomed> doomed_;
};

}  // namespace

std::size_t Query::remove() const {
  if (const TableInfo* info = tree_->table()) session_->recover(info->def.schema);
  Work work(*session_);
  Deletion deletion(*session_, work, true);
  deletion.plan(*tree_);
  const std::size_t count = deletion.run();
  work.commit();
  return count;
}

std::vector<std::pair<std::string, std::size_t>> Query::would_remove() const {
  Work work(*session_);
  Deletion deletion(*session_, work, false);
  deletion.plan(*tree_);
  return deletion.sizes();
}

namespace {

using Entries = std::vector<std::shared_ptr<const TableEntry>>;

/// Tables that nothing else refers to.
void drop_now(SessionState& state, Entries going) {
  const db::Dialect& dialect = state.dialect();
  std::vector<std::string> names;
  bool objects = false;
  for (const auto& entry : going) {
    names.push_back(entry->info->def.name);
    objects = objects || !ObjectColumns(*entry).empty();
  }
  const std::string& schema = going.front()->info->def.schema;
  Work work(state);
  if (objects) {
    // Nobody adds rows between now and the end of the tables.
    static const std::vector<std::string> others{"~oas_trash", "~lineage"};
    if (const auto lock = dialect.lock_tables(schema, names, others); !lock.empty()) work.rows().execute(lock);
  }
  for (const auto& entry : going) {
    const ObjectColumns columns(*entry);
    if (columns.empty()) continue;
    std::vector<ObjectPath> found;
    const auto cursor = work.rows().execute(
        fmt::format("SELECT {} FROM {}", columns.list(dialect), dialect.table(schema, entry->info->def.name)));
    std::vector<Value> cells;
    while (cursor->next(cells)) {
      const auto more = columns.objects(state, cells);
      found.insert(found.end(), more.begin(), more.end());
    }
    work.trash(schema, found);
  }
  // Children before parents: a table is declared after those that it refers to.
  std::ranges::reverse(going);
  for (const auto& entry : going)
    for (const auto& sql : dialect.drop_table(entry->info->def)) work.rows().execute(sql);
  std::vector<std::vector<Value>> lines;
  for (const std::string& name : names) lines.push_back({name});
  work.rows().execute_many(fmt::format("DELETE FROM {} WHERE {} = {}", dialect.table(schema, "~lineage"),
                                       dialect.quote("table_name"), dialect.placeholder(1)),
                           lines);
  state.forget_tables();
  work.commit();
}

/// Drops tables of one schema with their rows and objects. `going` in the order of declaration.
void drop_tables(SessionState& state, Entries going, const std::string& what) {
  const auto goes = [&](const std::string& schema, const std::string& table) {
    return std::ranges::any_of(
        going, [&](const auto& e) { return e->info->def.schema == schema && e->info->def.name == table; });
  };
  for (const auto& entry : state.all_tables()) {
    const auto& other = entry->info->def;
    if (goes(other.schema, other.name)) continue;
    for (const auto& reference : other.foreign_keys) {
      if (!goes(reference.schema, reference.table)) continue;
      throw Error(Errc::constraint,
                  fmt::format("drop {}: {}.{} refers to {}. drop that one first", what, other.schema, other.name,
                              reference.table),
                  what);
    }
  }
  for (const auto& entry : going) {
    refuse_if_old(*entry, "drop " + what);
    if (!entry->unknown_codec.empty()) {
      throw Error(
          Errc::unsupported,
          fmt::format("drop {}: attribute type {} of {} is not known here, so its objects could not go. add its "
                      "codec to the session",
                      what, entry->unknown_codec, entry->info->def.name),
          what);
    }
  }
  if (going.empty()) return;
  try {
    drop_now(state, std::move(going));
  } catch (const Error& e) {
    throw e.within(fmt::format("drop {}", what));
  }
}

}  // namespace

void Table<void>::drop() {
  SessionState& state = *session_;
  const db::TableDef def = tree_->table()->def;
  const std::string name = def.schema + "." + def.name;
  if (tier_of(def.name) == Tier::part) {
    throw Error(
        Errc::constraint,
        fmt::format("drop {}: it is a part, and parts go with their master. drop {}", name, master_of(def.name)), name);
  }
  state.recover(def.schema);
  Entries going;
  for (const auto& entry : state.tables(def.schema)) {
    const auto& other = entry->info->def.name;
    if (other == def.name || (tier_of(other) == Tier::part && master_of(other) == def.name)) going.push_back(entry);
  }
  drop_tables(state, std::move(going), name);
}

void Schema::drop() {
  session_->recover(name_);
  drop_tables(*session_, session_->tables(name_), name_);
}

}  // namespace oas
