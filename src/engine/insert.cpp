// Rows go in: a window of rows is checked whole, its objects are written, then its cells go to the database. All
// windows share one transaction, which begins only when the first window's objects are in their stores.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <oas/table.hpp>

#include "codec/metadata.hpp"
#include "core/typed.hpp"
#include "engine/references.hpp"
#include "engine/rows.hpp"
#include "engine/work.hpp"
#include "query/render.hpp"

namespace oas {
namespace {

constexpr std::size_t most_rows = 4096;        // of a window
constexpr std::size_t rows_at_once = 64;       // encoded before it is seen whether their objects fill the window
constexpr std::size_t rows_a_statement = 128;  // that go to the database while the next ones are encoded

std::size_t weight(const Value& value) {
  if (const auto* bytes = value.get_if<Bytes>()) return bytes->size();
  if (const auto* array = value.get_if<Array>()) return array->nbytes();
  if (const auto* text = value.get_if<std::string>()) return text->size();
  if (const auto* ref = value.get_if<NpyRef>()) return static_cast<std::size_t>(ref->nbytes());
  return 64;
}

std::shared_ptr<const TableEntry> entry_of(SessionState& state, const Query& table) {
  const TableInfo* info = table.tree()->table();
  return state.table(info->def.schema, info->def.name);
}

std::string describe_key(const Row& key) {
  std::string text;
  for (const auto& [name, value] : key) {
    std::string shown;
    if (const auto* t = value.get_if<std::string>())
      shown = *t;
    else if (const auto* n = value.get_if<std::int64_t>())
      shown = std::to_string(*n);
    else if (const auto* u = value.get_if<Uuid>())
      shown = u->text();
    else if (const auto* yes = value.get_if<bool>())
      shown = *yes ? "true" : "false";
    else if (const auto* exact = value.get_if<Decimal>())
      shown = exact->digits;
    else if (const auto* d = value.get_if<Date>())
      shown = d->iso();
    else if (const auto* dt = value.get_if<DateTime>())
      shown = dt->iso();
    else
      shown = value.describe();
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, shown.substr(0, 100));
  }
  return text;
}

/// One number of an array, as a value of a row.
Value element(const Array& array, std::size_t at) {
  switch (array.dtype()) {
    case DType::bool_: return array.as<bool>()[at];
    case DType::i8: return array.as<std::int8_t>()[at];
    case DType::i16: return array.as<std::int16_t>()[at];
    case DType::i32: return array.as<std::int32_t>()[at];
    case DType::i64: return array.as<std::int64_t>()[at];
    case DType::u8: return array.as<std::uint8_t>()[at];
    case DType::u16: return array.as<std::uint16_t>()[at];
    case DType::u32: return array.as<std::uint32_t>()[at];
    case DType::u64: return array.as<std::uint64_t>()[at];
    case DType::f32: return array.as<float>()[at];
    case DType::f64: return array.as<double>()[at];
    default:
      throw Error(Errc::usage, fmt::format("insert columns: {} is no column of numbers. give a list of values",
                                           Value(array).describe()));
  }
}

class Inserter {
 public:
  Inserter(const Table<>& table, InsertOptions options)
      : state_(*table.session()),
        options_(options),
        entry_(entry_of(state_, table)),
        encoder_(state_, entry_, options.ignore_extra_fields),
        work_(start(state_, entry_)),
        sink_(state_, work_, entry_->info->def.schema) {
    if (options.skip_duplicates && options.replace) {
      throw Error(Errc::usage, "insert: skip_duplicates and replace contradict each other. choose one");
    }
    const auto mode = options.replace           ? db::Dialect::OnDuplicate::replace
                      : options.skip_duplicates ? db::Dialect::OnDuplicate::skip
                                                : db::Dialect::OnDuplicate::fail;
    sql_ = state_.dialect().insert(entry_->info->def, encoder_.columns(), mode);
  }

  std::size_t run(const RowSource& source) {
    std::vector<Row> rows;
    Row row;
    std::size_t bytes = 0;
    while (source(row)) {
      bytes += weight(row);
      rows.push_back(std::move(row));
      row = Row{};
      if (rows.size() < most_rows && bytes < options_.window) continue;
      put_all(rows);
      rows.clear();
      bytes = 0;
    }
    put_all(rows);
    return finish();
  }

  /// Of rows that stay where they are.
  std::size_t run(std::span<const Row> rows) {
    std::vector<const Row*> window;
    std::size_t bytes = 0;
    for (const Row& row : rows) {
      bytes += weight(row);
      window.push_back(&row);
      if (window.size() < most_rows && bytes < options_.window) continue;
      put(window);
      window.clear();
      bytes = 0;
    }
    put(window);
    return finish();
  }

 private:
  using Window = std::vector<const Row*>;

  static SessionState& start(SessionState& state, const std::shared_ptr<const TableEntry>& entry) {
    state.recover(entry->info->def.schema);
    return state;
  }

  static std::size_t weight(const Row& row) {
    std::size_t bytes = 0;
    for (const auto& [name, value] : row) bytes += oas::weight(value);
    return bytes;
  }

  std::size_t finish() {
    work_.rows();
    work_.commit();
    return count_;
  }

  void put_all(const std::vector<Row>& rows) {
    Window window;
    window.reserve(rows.size());
    for (const Row& row : rows) window.push_back(&row);
    put(window);
  }

  void put(Window& window) {
    if (window.empty()) return;
    for (std::size_t i = 0; i < window.size(); ++i) encoder_.validate(*window[i], first_ + i);
    const std::size_t given = window.size();
    if (encoder_.has_objects())
      put_with_objects(window);
    else
      put_cells(window);
    first_ += given;
  }

  /// Nothing but the database is touched, so some rows go there while others are encoded.
  void put_cells(const Window& window) {
    std::vector<std::vector<Value>> cells(window.size());
    const auto part = [&](std::size_t n) {
      const std::size_t first = n * rows_a_statement;
      return std::pair(first, std::min(rows_a_statement, window.size() - first));
    };
    const auto encode = [&](std::size_t n) {
      RowSink sink(sink_);
      const auto [first, count] = part(n);
      for (std::size_t i = first; i < first + count; ++i) cells[i] = encoder_.encode(*window[i], first_ + i, sink);
    };
    change(window, [&](db::Transaction& tx) {
      parallel_in_order(state_.pool, (window.size() + rows_a_statement - 1) / rows_a_statement,
                        encoder_.has_codecs() ? state_.cores : 1, encode, [&](std::size_t n) {
                          const auto [first, count] = part(n);
                          const auto changed = execute(tx, sql_, std::span(cells).subspan(first, count));
                          count_ += static_cast<std::size_t>(std::ranges::count_if(changed, std::identity{}));
                          for (std::size_t i = first; i < first + count; ++i) cells[i] = {};
                        });
    });
  }

  /// Objects are in their stores before anything is locked in the database.
  void put_with_objects(Window& window) {
    if (options_.skip_duplicates) drop_known(window);
    std::vector<std::vector<Value>> cells(window.size());
    std::vector<std::vector<ObjectPath>> put_by_row(window.size());
    for (std::size_t i = 0; i < window.size();) {
      // Values may become larger by being encoded, as a reference to an array does, so not too many at a time.
      const std::size_t count = std::min(rows_at_once, window.size() - i);
      parallel_for(state_.pool, count, state_.in_flight(), [&, i](std::size_t n) {
        RowSink sink(sink_);
        cells[i + n] = encoder_.encode(*window[i + n], first_ + i + n, sink);
        put_by_row[i + n] = std::move(sink).objects();
      });
      i += count;
      if (sink_.waiting() >= options_.window) flush();
    }
    flush();
    std::vector<ObjectPath> superfluous;
    if (options_.replace) {
      change(window, [&](db::Transaction& tx) { superfluous = replace(tx, window, cells, put_by_row); });
      count_ += window.size();
    } else {
      std::vector<std::int64_t> changed;
      change(window, [&](db::Transaction& tx) { changed = execute(tx, sql_, cells); });
      for (std::size_t i = 0; i < changed.size(); ++i) {
        if (changed[i] > 0)
          ++count_;
        else  // skipped after all, because somebody else inserted it meanwhile: its objects are nobody's
          append(superfluous, put_by_row[i]);
      }
    }
    work_.trash(entry_->info->def.schema, superfluous);
  }

  static void append(std::vector<ObjectPath>& to, const std::vector<ObjectPath>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  /// Rows that are new are inserted; of the others, the old ones are locked, so that nobody changes them between being
  /// read and being replaced. What nobody refers to any more afterwards.
  std::vector<ObjectPath> replace(db::Transaction& tx, const Window& window, std::vector<std::vector<Value>>& cells,
                                  const std::vector<std::vector<ObjectPath>>& put_by_row) {
    const auto insert = state_.dialect().insert(entry_->info->def, encoder_.columns(), db::Dialect::OnDuplicate::skip);
    std::vector<ObjectPath> old;
    std::vector<std::vector<Value>> there;
    std::map<std::string, std::size_t> last;  // a row of this window may itself be replaced by a later one
    std::vector<std::size_t> open(window.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    while (!open.empty()) {
      std::vector<std::vector<Value>> rows;
      for (const std::size_t i : open) rows.push_back(cells[i]);
      const auto inserted = execute(tx, insert, rows);
      std::vector<std::size_t> deleted_meanwhile;
      for (std::size_t n = 0; n < open.size(); ++n) {
        if (inserted[n] > 0) continue;
        const std::size_t i = open[n];
        const Row key = encoder_.key_of(*window[i]);
        if (const auto at = last.find(print(key)); at != last.end()) {
          append(old, put_by_row[std::exchange(at->second, i)]);
        } else if (const auto objects = objects_of(tx, key)) {
          append(old, *objects);
          last.emplace(print(key), i);
        } else {
          deleted_meanwhile.push_back(i);
          continue;
        }
        there.push_back(std::move(cells[i]));
      }
      open = std::move(deleted_meanwhile);
    }
    execute(tx, sql_, there);
    return old;
  }

  /// `statements` run in a transaction that is undone before explain() looks for the reason why one was refused.
  template <class F>
  void change(const Window& window, F&& statements) {
    refused_.reset();
    try {
      db::Transaction window_alone(work_.rows().connection());
      statements(window_alone);
      window_alone.commit();
    } catch (const Error&) {
      if (!refused_) throw;
    }
    if (refused_) throw explain(*refused_, window);
  }
  std::vector<std::int64_t> execute(db::Transaction& tx, const std::string& sql,
                                    std::span<const std::vector<Value>> cells) {
    try {
      return tx.execute_many(sql, cells);
    } catch (const Error& e) {
      refused_ = e;
      throw;
    }
  }

  void flush() {
    try {
      sink_.flush();
    } catch (const Error& e) {
      throw e.within(fmt::format("insert into {}.{}", entry_->info->def.schema, entry_->info->def.name));
    }
  }

  /// Rows that are there already are left out before their objects are written.
  void drop_known(Window& window) {
    db::Transaction look(*state_.main, db::Transaction::Mode::read);
    std::erase_if(window, [&](const Row* row) { return exists(look, encoder_.key_of(*row)); });
  }

  db::Sql select(const Row& key, const std::string& what) const {
    const db::Dialect& dialect = state_.dialect();
    const db::TableDef& def = entry_->info->def;
    db::Sql sql{fmt::format("SELECT {} FROM {}", what, dialect.table(def.schema, def.name)), {}};
    for (const auto& [name, value] : key) {
      sql.params.push_back(dialect.to_cell(entry_->info->heading.at(name).column, value));
      sql.text += fmt::format(" {} {} = {}", sql.params.size() == 1 ? "WHERE" : "AND", dialect.quote(name),
                              dialect.placeholder(sql.params.size()));
    }
    return sql;
  }

  /// Text that tells keys apart as the database does.
  std::string print(const Row& key) const {
    std::string text;
    for (const auto& [name, value] : key) {
      text += to_typed(state_.dialect().to_cell(entry_->info->heading.at(name).column, value)) + '\n';
    }
    return text;
  }

  bool exists(db::Transaction& look, const Row& key) const {
    std::vector<Value> cells;
    return look.execute(select(key, "1"))->next(cells);
  }

  /// What the row refers to, which stays as it is from now on; nullopt if it is not there.
  std::optional<std::vector<ObjectPath>> objects_of(db::Transaction& tx, const Row& key) const {
    const ObjectColumns columns(*entry_);
    db::Sql sql = select(key, columns.list(state_.dialect()));
    sql.text += state_.dialect().for_update();
    const auto cursor = tx.execute(sql);
    std::vector<Value> cells;
    if (!cursor->next(cells)) return std::nullopt;
    return columns.objects(state_, cells);
  }

  /// Says which row it was, where that can be found out.
  Error explain(const Error& e, const Window& window) {
    const db::TableDef& def = entry_->info->def;
    const std::string name = def.schema + "." + def.name;
    if (e.code() != Errc::duplicate) return e.within(fmt::format("insert into {}", name));
    std::set<std::string> seen;
    for (const Row* row : window) {
      const Row key = encoder_.key_of(*row);
      bool there = !seen.insert(print(key)).second;
      if (!there) {
        try {
          db::Transaction look(*state_.main, db::Transaction::Mode::read);
          there = exists(look, key);
        } catch (const Error&) {
          break;  // the transaction is beyond questions; the plain message has to do
        }
      }
      if (there) {
        return Error(Errc::duplicate,
                     fmt::format("insert into {}: duplicate primary key ({}). use skip_duplicates to keep the old row, "
                                 "or replace to take the new one",
                                 name, describe_key(key)),
                     name, e.native());
      }
    }
    return e.within(fmt::format("insert into {}", name));
  }

  SessionState& state_;
  InsertOptions options_;
  std::shared_ptr<const TableEntry> entry_;
  RowEncoder encoder_;
  Work work_;
  Sink sink_;
  std::string sql_;
  std::optional<Error> refused_;  ///< by the database
  std::size_t first_ = 1, count_ = 0;
};

}  // namespace

Columns columns(std::initializer_list<std::pair<std::string, Value>> items) { return {{items.begin(), items.end()}}; }

std::size_t Table<void>::insert(const RowSource& rows, InsertOptions options) {
  return Inserter(*this, options).run(rows);
}

std::size_t Table<void>::insert(std::span<const Row> rows, InsertOptions options) {
  return Inserter(*this, options).run(rows);
}

std::size_t Table<void>::insert1(Row row, InsertOptions options) {
  return Inserter(*this, options).run(std::span<const Row>(&row, 1));
}

std::size_t Table<void>::insert(const Query& query, InsertOptions options) {
  auto it = query.begin();
  return insert(RowSource([&](Row& row) {
                  if (it == std::default_sentinel) return false;
                  row = *it;
                  ++it;
                  return true;
                }),
                options);
}

std::size_t Table<void>::insert(const Columns& columns, InsertOptions options) {
  // A column becomes one value a row: of an array its numbers, of a list its items.
  std::size_t count = 0;
  for (const auto& [name, value] : columns.columns) {
    const Array* array = value.get_if<Array>();
    const Seq* list = value.get_if<Seq>();
    if (!list && (!array || array->ndim() != 1)) {
      throw Error(Errc::usage, fmt::format("insert columns: {} is {}. give a list or an array of one dimension", name,
                                           value.describe()));
    }
    const std::size_t length = list ? list->items.size() : array->size();
    if (&name != &columns.columns.front().first && length != count) {
      throw Error(Errc::usage, fmt::format("insert columns: {} has {} values and the first column {}. give as many",
                                           name, length, count));
    }
    count = length;
  }
  std::size_t at = 0;
  return insert(RowSource([&](Row& row) {
                  if (at == count) return false;
                  for (const auto& [name, value] : columns.columns) {
                    if (const Seq* list = value.get_if<Seq>())
                      row.set(name, list->items[at]);
                    else
                      row.set(name, element(*value.get_if<Array>(), at));
                  }
                  ++at;
                  return true;
                }),
                options);
}

void Table<void>::update1(const Row& row) {
  SessionState& state = *session_;
  const auto entry = entry_of(state, *this);
  const db::TableDef& def = entry->info->def;
  const std::string name = def.schema + "." + def.name;
  state.recover(def.schema);
  Work work(state);
  Sink sink(state, work, def.schema);
  RowSink objects(sink);
  RowEncoder encoder(state, entry, false);
  const Row key = encoder.key_of(row);
  std::vector<std::pair<const Attribute*, Value>> changes;
  for (const auto& [attribute, value] : row) {
    const Attribute& a = heading().at(attribute);
    if (!a.in_key) changes.emplace_back(&a, encoder.encode_one(a, value, key, objects));
  }
  if (changes.empty()) {
    throw Error(Errc::usage,
                fmt::format("update {}: there is nothing to change besides the key. give an attribute", name), name);
  }
  sink.flush();
  const db::Dialect& dialect = state.dialect();
  const auto where = query::render_where(*query::restrict(tree_, oas::key(key)), dialect, changes.size() + 1);
  const auto no_such_row = [&] {
    return Error(Errc::usage,
                 fmt::format("update {}: there is no row with the key ({}). insert it first", name, describe_key(key)),
                 name);
  };
  // What the row refers to now is no longer needed afterwards.
  const ObjectColumns columns(*entry, [&](const Attribute& a) {
    return std::ranges::any_of(changes, [&](const auto& c) { return c.first->name == a.name; });
  });
  if (!columns.empty()) {
    const auto here = query::render_where(*query::restrict(tree_, oas::key(key)), dialect);
    std::vector<Value> cells;
    const bool there = work.rows()
                           .execute(fmt::format("SELECT {} FROM {} WHERE {}{}", columns.list(dialect),
                                                dialect.table(def.schema, def.name), here->text, dialect.for_update()),
                                    here->params)
                           ->next(cells);
    if (!there) throw no_such_row();
    work.trash(def.schema, columns.objects(state, cells));
  }
  db::Sql sql{fmt::format("UPDATE {} SET ", dialect.table(def.schema, def.name)), {}};
  for (const auto& [attribute, cell] : changes) {
    sql.params.push_back(cell);
    sql.text += fmt::format("{}{} = {}", sql.params.size() > 1 ? ", " : "", dialect.quote(attribute->name),
                            dialect.placeholder(sql.params.size()));
  }
  sql.text += " WHERE " + where->text;
  sql.params.insert(sql.params.end(), where->params.begin(), where->params.end());
  std::int64_t changed = 0;
  try {
    changed = work.rows().execute(sql)->affected();
  } catch (const Error& e) {
    throw e.within(fmt::format("update {}", name));
  }
  if (changed != 1) throw no_such_row();
  work.commit();
}

}  // namespace oas
