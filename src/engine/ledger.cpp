#include "engine/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include <oas/value.hpp>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace oas {
namespace {

constexpr std::int64_t hour = std::int64_t{3600} * 1'000'000;
constexpr std::int64_t month = 31 * 24 * hour;

std::int64_t now() { return DateTime::now().microseconds; }

/// An owner is a process and, behind '#', which of its sessions.
Life owner_life(const std::string& owner) { return life(ProcessId::parse(owner.substr(0, owner.rfind('#')))); }

db::ColumnDef column(const char* name, const char* type) {
  db::ColumnDef c;
  c.name = name;
  c.type = type;
  return c;
}

db::TableDef table_of_paths(const std::string& schema, const char* name, std::vector<db::ColumnDef> more) {
  db::TableDef t;
  t.schema = schema;
  t.name = name;
  t.columns = {column("store", "varchar(255)"), column("path", "varchar(1024)"), column("folder", "bool")};
  t.columns.insert(t.columns.end(), more.begin(), more.end());
  t.primary_key = {"store", "path"};
  return t;
}

std::vector<db::TableDef> side_tables(const std::string& schema) {
  db::TableDef intents;
  intents.schema = schema;
  intents.name = "~oas_intents";
  intents.columns = {column("id", "varchar(40)"), column("owner", "varchar(255)"), column("until", "int64"),
                     column("paths", "bytes")};
  intents.primary_key = {"id"};
  auto claims = table_of_paths(schema, "~oas_claims", {column("owner", "varchar(255)"), column("since", "int64")});
  db::TableDef collector;
  collector.schema = schema;
  collector.name = "~oas_collector";
  collector.columns = {column("one", "int32"), column("owner", "varchar(255)"), column("until", "int64")};
  collector.primary_key = {"one"};
  return {intents, claims, collector};
}

/// MySQL keeps the texts of the ledger as bytes.
std::string text_of(const Value& cell) {
  const auto* bytes = cell.get_if<Bytes>();
  return bytes ? std::string(bytes->text()) : cell.as<std::string>();
}

ObjectPath object_of(const std::vector<Value>& cells, std::size_t first = 0) {
  const Value& folder = cells[first + 2];  // a bool where the database has them
  return {text_of(cells[first]), text_of(cells[first + 1]),
          folder.is<bool>() ? folder.as<bool>() : folder.as<std::int64_t>() != 0};
}

/// All paths of an intent are one cell: thousands of rows of small files are announced as fast as one, and nobody looks
/// for a single path but a collector, who reads the few intents that are under way.
Bytes write_paths(std::span<const ObjectPath> objects) {
  std::map<std::string, std::map<std::string, Seq>> by_store;
  for (const ObjectPath& o : objects) by_store[o.store][o.folder ? "folders" : "files"].items.emplace_back(o.path);
  Map out;
  for (auto& [store, kinds] : by_store) {
    Map lists;
    for (auto& [kind, paths] : kinds) lists.items.emplace_back(kind, std::move(paths));
    out.items.emplace_back(store, std::move(lists));
  }
  return Bytes::copy(to_json(out));
}

std::vector<ObjectPath> read_paths(const Value& cell) {
  std::vector<ObjectPath> out;
  const auto stores = from_json(cell.as<Bytes>().text(), "the paths of an intent").as<Map>();
  for (const auto& [store, kinds] : stores.items) {
    const auto lists = kinds.as<Map>();
    for (const auto& [kind, paths] : lists.items)
      for (std::string& path : paths.as<std::vector<std::string>>())
        out.push_back({store.as<std::string>(), std::move(path), kind == Value("folders")});
  }
  return out;
}

/// Calls run(placeholders, parameters) with some of the texts at a time, behind the parameters `ahead`. There are three
/// numbers of placeholders, so that a database knows the statements again; what is missing is filled up with the last.
template <class F>
void in_parts(const db::Dialect& dialect, const std::vector<Value>& ahead, std::span<const std::string> texts,
              F&& run) {
  while (!texts.empty()) {
    const std::size_t marks = texts.size() == 1 ? 1 : texts.size() <= 16 ? 16 : 256;
    const std::size_t count = std::min(marks, texts.size());
    std::string placeholders;
    std::vector<Value> params = ahead;
    for (std::size_t i = 0; i < marks; ++i) {
      params.emplace_back(texts[std::min(i, count - 1)]);
      placeholders += (i > 0 ? ", " : "") + dialect.placeholder(params.size());
    }
    run(placeholders, params);
    texts = texts.subspan(count);
  }
}

/// Lines of a table by their ids.
void delete_lines(const db::Dialect& dialect, db::Transaction& tx, const std::string& table,
                  std::span<const std::string> ids) {
  in_parts(dialect, {}, ids, [&](const std::string& marks, std::span<const Value> params) {
    tx.execute(fmt::format("DELETE FROM {} WHERE id IN ({})", table, marks), params);
  });
}

std::map<std::string, std::vector<std::string>> paths_by_store(std::span<const ObjectPath> objects) {
  std::map<std::string, std::vector<std::string>> out;
  for (const ObjectPath& o : objects) out[o.store].push_back(o.path);
  return out;
}

}  // namespace

Ledger::Ledger(db::Connection& side, std::string schema, std::string owner, std::chrono::seconds lease)
    : side_(side), dialect_(side.dialect()), schema_(std::move(schema)), owner_(std::move(owner)), lease_(lease) {
  const auto made = [this] {
    const auto known = side_.introspect(schema_);
    return std::ranges::any_of(known, [](const db::TableDef& t) { return t.name == "~oas_collector"; });
  };
  if (made()) return;
  const auto tables = side_tables(schema_);
  for (std::size_t attempt = 0;; ++attempt) {
    try {
      db::Transaction tx(side_);
      if (made()) return;
      const auto names = side_.schemas();
      if (std::ranges::find(names, schema_) == names.end()) {
        for (const auto& sql : dialect_.create_schema(schema_)) tx.execute(sql);
      }
      const auto known = side_.introspect(schema_);
      for (const auto& table : tables) {
        if (std::ranges::find(known, table.name, &db::TableDef::name) != known.end()) continue;
        for (const auto& sql : dialect_.create_table(table)) tx.execute(sql);
      }
      tx.commit();
      return;
    } catch (const Error& e) {
      if (made()) return;  // by another process, meanwhile
      // Where each definition commits, another process is making them one by one: what is left is made together.
      if (e.code() == Errc::duplicate && dialect_.definitions_commit() && attempt < tables.size()) continue;
      throw;
    }
  }
}

std::vector<db::TableDef> Ledger::row_tables(const std::string& schema) {
  db::TableDef witnesses;
  witnesses.schema = schema;
  witnesses.name = "~oas_witnesses";
  witnesses.columns = {column("id", "varchar(40)"), column("verdict", "varchar(4)"), column("since", "int64")};
  witnesses.primary_key = {"id"};
  auto trash = table_of_paths(schema, "~oas_trash", {column("id", "varchar(40)"), column("since", "int64")});
  trash.primary_key = {"id"};
  return {witnesses, trash};
}

const std::vector<std::string>& Ledger::table_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& tables : {row_tables({}), side_tables({})})
      for (const auto& table : tables) out.push_back(table.name);
    return out;
  }();
  return names;
}

std::string Ledger::side_table(std::string_view name) const { return dialect_.table(schema_, name); }
std::string Ledger::row_table(std::string_view name) const { return dialect_.table(schema_, name); }

bool Ledger::dead(const std::string& owner, std::int64_t until) const {
  if (owner == owner_) return false;
  switch (owner_life(owner)) {
    case Life::alive: return false;
    case Life::dead: return true;
    case Life::unknown: return until < now();
  }
  return false;
}

bool Ledger::may_write(const Intent& intent) const {
  return intent.owner != owner_ && owner_life(intent.owner) == Life::unknown && intent.until + month > now();
}

bool Ledger::collector_busy(db::Transaction& tx) {
  const auto cursor = tx.execute(fmt::format("SELECT owner, until FROM {}", side_table("~oas_collector")));
  std::vector<Value> cells;
  // A collector that died cannot remove any more; one that is only late may.
  return cursor->next(cells) && !(owner_life(text_of(cells[0])) == Life::dead);
}

/// False: not now.
bool Ledger::prune(db::Transaction& tx) {
  if (settled_.empty() || collector_busy(tx)) return false;
  delete_lines(dialect_, tx, side_table("~oas_intents"), settled_);
  return true;
}

void Ledger::prune() {
  if (settled_.empty() && !holding_) return;
  db::Transaction tx(side_);
  if (holding_) drop_lease(tx);
  prune(tx);
  tx.commit();
  holding_ = false;
}

/// The first one that names one of the paths.
std::optional<Ledger::Claim> Ledger::claim_on(db::Transaction& tx, std::span<const ObjectPath> paths) {
  std::set<std::pair<std::string, std::string>> wanted;
  const auto claims =
      tx.execute(fmt::format("SELECT store, path, folder, owner, since FROM {}", side_table("~oas_claims")));
  std::vector<Value> cells;
  while (claims->next(cells)) {
    if (wanted.empty()) {
      for (const ObjectPath& p : paths) wanted.emplace(p.store, p.path);
    }
    Claim claim{object_of(cells), text_of(cells[3]), cells[4].as<std::int64_t>()};
    if (wanted.contains({claim.object.store, claim.object.path})) return claim;
  }
  return std::nullopt;
}

bool Ledger::begin_put(const std::string& id, std::span<const ObjectPath> paths, Claim& blocking) {
  db::Transaction tx(side_);
  const auto claimed = [&] {
    auto found = claim_on(tx, paths);
    if (found) blocking = std::move(*found);
    return found.has_value();
  };
  // Before the intents: where a collector locks both tables, it takes them in this order too.
  if (claimed()) return false;
  if (holding_) drop_lease(tx);
  const bool pruned = prune(tx);
  static const std::vector<std::string> names{"id", "owner", "until", "paths"};
  const std::vector<Value> line{id, owner_, now() + lease_.count() * 1'000'000, write_paths(paths)};
  tx.execute(dialect_.insert(side_tables(schema_)[0], names, db::Dialect::OnDuplicate::fail), line);
  // Again: a collector that claims locks the intents first, so either it sees ours, or we see its claim.
  if (claimed()) return false;
  tx.commit();
  holding_ = false;
  if (pruned) {
    pruned_.insert(pruned_.end(), settled_.begin(), settled_.end());
    settled_.clear();
  }
  return true;
}

void Ledger::finish_put(db::Transaction& rows, const std::string& id) {
  // Witnesses whose intents are gone have no reader any more; going with these rows they cost no commit of their own.
  if (!pruned_.empty()) {
    delete_lines(dialect_, rows, row_table("~oas_witnesses"), pruned_);
    pruned_.clear();
  }
  try {
    const std::vector<Value> witness{id, "done", now()};
    rows.execute(fmt::format("INSERT INTO {} (id, verdict, since) VALUES ({}, {}, {})", row_table("~oas_witnesses"),
                             dialect_.placeholder(1), dialect_.placeholder(2), dialect_.placeholder(3)),
                 witness);
  } catch (const Error& e) {
    if (e.code() != Errc::duplicate) throw;
    throw Error(Errc::conflict,
                fmt::format("commit rows of schema {}: another process gave up this one's unfinished objects, because "
                            "its lease was over. insert again, or use a longer lease",
                            schema_),
                schema_, e.native());
  }
}

void Ledger::renew() {
  db::Transaction tx(side_);
  const std::vector<Value> params{now() + lease_.count() * 1'000'000, owner_};
  tx.execute(fmt::format("UPDATE {} SET until = {} WHERE owner = {}", side_table("~oas_intents"),
                         dialect_.placeholder(1), dialect_.placeholder(2)),
             params);
  tx.commit();
}

Ledger::Verdict Ledger::verdict(db::Transaction& rows, const std::string& id) {
  const std::vector<Value> params{id};
  const auto cursor = rows.execute(
      fmt::format("SELECT verdict FROM {} WHERE id = {}", row_table("~oas_witnesses"), dialect_.placeholder(1)),
      params);
  std::vector<Value> cells;
  if (!cursor->next(cells)) return Verdict::none;
  return text_of(cells[0]) == "done" ? Verdict::done : Verdict::void_;
}

Ledger::Verdict Ledger::make_void(db::Transaction& rows, const std::string& id) {
  // Written before it is looked: a commit of `done` that is under way is waited for, and decides.
  static const std::vector<std::string> names{"id", "verdict", "since"};
  const std::vector<Value> witness{id, "void", now()};
  const auto insert = dialect_.insert(row_tables(schema_)[0], names, db::Dialect::OnDuplicate::skip);
  return rows.execute(insert, witness)->affected() > 0 ? Verdict::void_ : verdict(rows, id);
}

void Ledger::trash(db::Transaction& rows, std::span<const ObjectPath> objects) {
  if (objects.empty()) return;
  static const std::vector<std::string> names{"id", "store", "path", "folder", "since"};
  std::vector<std::vector<Value>> lines;
  const std::int64_t since = now();
  for (const ObjectPath& o : objects) lines.push_back({Uuid::random().text(), o.store, o.path, o.folder, since});
  rows.execute_many(dialect_.insert(row_tables(schema_)[1], names, db::Dialect::OnDuplicate::fail), lines);
}

void Ledger::quarantine(db::Transaction& rows, std::span<const ObjectPath> kept) {
  static const std::vector<std::string> names{"id", "store", "path", "folder", "since"};
  std::map<std::string, std::vector<Value>> lines;
  for (const ObjectPath& o : kept) {
    Md5 digest;
    digest.update(as_bytes(o.store + '\n' + o.path));
    const std::string id = hex(digest.finish());
    lines.emplace(id, std::vector<Value>{id, o.store, o.path, o.folder, now()});
  }
  std::vector<std::vector<Value>> cells;
  for (auto& [id, line] : lines) cells.push_back(std::move(line));
  rows.execute_many(dialect_.insert(row_tables(schema_)[1], names, db::Dialect::OnDuplicate::replace), cells);
}

bool Ledger::acquire() {
  db::Transaction tx(side_);
  const std::string table = side_table("~oas_collector");
  const auto cursor = tx.execute(fmt::format("SELECT owner, until FROM {}", table));
  std::vector<Value> cells;
  if (cursor->next(cells)) {
    const auto owner = text_of(cells[0]);
    // The design's one timing assumption: a collector that has not renewed for an hour does not wake up and remove.
    const bool gone = owner == owner_ || owner_life(owner) == Life::dead || cells[1].as<std::int64_t>() + hour < now();
    if (!gone) return false;
    // That one and no other: somebody else may take it over at the same time.
    const std::vector<Value> seen{owner, cells[1]};
    tx.execute(fmt::format("DELETE FROM {} WHERE owner = {} AND until = {}", table, dialect_.placeholder(1),
                           dialect_.placeholder(2)),
               seen);
  }
  static const std::vector<std::string> names{"one", "owner", "until"};
  const std::vector<Value> lease{1, owner_, now()};
  const auto insert = dialect_.insert(side_tables(schema_)[2], names, db::Dialect::OnDuplicate::skip);
  if (tx.execute(insert, lease)->affected() == 0) return false;
  holding_ = true;  // also if the answer to the commit is lost
  tx.commit();
  return true;
}

void Ledger::drop_lease(db::Transaction& tx) {
  const std::vector<Value> params{owner_};
  tx.execute(fmt::format("DELETE FROM {} WHERE owner = {}", side_table("~oas_collector"), dialect_.placeholder(1)),
             params);
}

void Ledger::release() noexcept {
  try {
    db::Transaction tx(side_);
    drop_lease(tx);
    tx.commit();
    holding_ = false;
  } catch (const Error&) {
    // Tried again with the next intent, and at the end of the session. When this process ends, the lease is free
    // anyway.
  }
}

std::vector<Ledger::Intent> Ledger::intents() {
  db::Transaction tx(side_, db::Transaction::Mode::read);
  const auto cursor = tx.execute(fmt::format("SELECT id, owner, until FROM {}", side_table("~oas_intents")));
  std::vector<Intent> out;
  std::vector<Value> cells;
  while (cursor->next(cells)) out.push_back({text_of(cells[0]), text_of(cells[1]), cells[2].as<std::int64_t>()});
  return out;
}

std::map<std::string, std::vector<ObjectPath>> Ledger::paths(std::span<const std::string> intent_ids) {
  std::map<std::string, std::vector<ObjectPath>> out;
  if (intent_ids.empty()) return out;
  db::Transaction tx(side_, db::Transaction::Mode::read);
  in_parts(dialect_, {}, intent_ids, [&](const std::string& marks, std::span<const Value> params) {
    const auto cursor =
        tx.execute(fmt::format("SELECT id, paths FROM {} WHERE id IN ({})", side_table("~oas_intents"), marks), params);
    std::vector<Value> cells;
    while (cursor->next(cells)) out.emplace(text_of(cells[0]), read_paths(cells[1]));
  });
  return out;
}

void Ledger::forget(std::span<const std::string> intent_ids) {
  if (intent_ids.empty()) return;
  db::Transaction tx(side_);
  delete_lines(dialect_, tx, side_table("~oas_intents"), intent_ids);
  tx.commit();
}

void Ledger::prune_witnesses(db::Transaction& rows) {
  std::vector<std::string> gone;
  {
    const auto cursor = rows.execute(fmt::format("SELECT id, verdict, since FROM {}", row_table("~oas_witnesses")));
    std::vector<Value> cells;
    while (cursor->next(cells)) {
      const bool done = text_of(cells[1]) == "done";
      if (done || cells[2].as<std::int64_t>() + month < now()) gone.push_back(text_of(cells[0]));
    }
  }
  if (gone.empty()) return;
  // Intents second: one that a witness belongs to is there, or was forgotten for good.
  std::set<std::string> open;
  for (const Intent& intent : intents()) open.insert(intent.id);
  std::erase_if(gone, [&](const auto& id) { return open.contains(id); });
  delete_lines(dialect_, rows, row_table("~oas_witnesses"), gone);
}

std::vector<Ledger::Trashed> Ledger::trashed(db::Transaction& rows, std::size_t limit, std::size_t skip, Lines lines) {
  const auto cursor = rows.execute(fmt::format(
      "SELECT store, path, folder, id, since FROM {} WHERE path {}LIKE '=_oas=_quarantine/%' ESCAPE '=' ORDER "
      "BY since, id LIMIT {} OFFSET {}",
      row_table("~oas_trash"), lines == Lines::due ? "NOT " : "", limit, skip));
  std::vector<Trashed> out;
  std::vector<Value> cells;
  while (cursor->next(cells)) out.push_back({text_of(cells[3]), object_of(cells), cells[4].as<std::int64_t>()});
  return out;
}

void Ledger::untrash(db::Transaction& rows, std::span<const std::string> ids) {
  delete_lines(dialect_, rows, row_table("~oas_trash"), ids);
}

std::vector<ObjectPath> Ledger::claim(std::span<const ObjectPath> objects, std::span<const std::string> void_ids) {
  const std::set<std::string_view> voided(void_ids.begin(), void_ids.end());
  using Path = std::pair<std::string_view, std::string_view>;
  std::set<Path> open;
  for (const ObjectPath& o : objects) open.emplace(o.store, o.path);
  db::Transaction tx(side_);
  static const std::vector<std::string> intents{"~oas_intents"}, claims{"~oas_claims"};
  if (const auto lock = dialect_.lock_tables(schema_, intents, claims); !lock.empty()) tx.execute(lock);
  std::vector<Value> cells;
  {
    const auto cursor = tx.execute(fmt::format("SELECT store, path FROM {}", side_table("~oas_claims")));
    // Removals that failed half-way keep their claims.
    while (cursor->next(cells)) open.erase(Path(text_of(cells[0]), text_of(cells[1])));
  }
  {
    const auto cursor = tx.execute(fmt::format("SELECT id, paths FROM {}", side_table("~oas_intents")));
    while (cursor->next(cells)) {
      if (voided.contains(text_of(cells[0]))) continue;
      for (const ObjectPath& o : read_paths(cells[1])) open.erase(Path(o.store, o.path));
    }
  }
  std::vector<ObjectPath> out;
  for (const ObjectPath& object : objects)
    if (open.contains(Path(object.store, object.path))) out.push_back(object);
  std::vector<std::vector<Value>> lines;
  const std::int64_t since = now();
  for (const ObjectPath& o : out) lines.push_back({o.store, o.path, o.folder, owner_, since});
  std::string marks;
  for (std::size_t i = 1; i <= 5; ++i) marks += (i > 1 ? ", " : "") + dialect_.placeholder(i);
  tx.execute_many(
      fmt::format("INSERT INTO {} (store, path, folder, owner, since) VALUES ({})", side_table("~oas_claims"), marks),
      lines);
  tx.commit();
  return out;
}

void Ledger::unclaim(std::span<const ObjectPath> objects) {
  if (objects.empty()) return;
  db::Transaction tx(side_);
  for (const auto& [store, paths] : paths_by_store(objects)) {
    in_parts(dialect_, {store}, paths, [&](const std::string& marks, std::span<const Value> params) {
      tx.execute(fmt::format("DELETE FROM {} WHERE store = {} AND path IN ({})", side_table("~oas_claims"),
                             dialect_.placeholder(1), marks),
                 params);
    });
  }
  tx.commit();
}

std::vector<ObjectPath> Ledger::take_claims() {
  std::vector<ObjectPath> out;
  {
    db::Transaction look(side_, db::Transaction::Mode::read);
    const auto cursor = look.execute(fmt::format("SELECT store, path, folder FROM {}", side_table("~oas_claims")));
    std::vector<Value> cells;
    while (cursor->next(cells)) out.push_back(object_of(cells));
  }
  if (out.empty()) return out;
  db::Transaction tx(side_);
  const std::vector<Value> params{owner_};
  tx.execute(fmt::format("UPDATE {} SET owner = {}", side_table("~oas_claims"), dialect_.placeholder(1)), params);
  tx.commit();
  return out;
}

}  // namespace oas
