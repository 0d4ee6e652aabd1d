#include "engine/collector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "codec/paths.hpp"
#include "engine/quarantine.hpp"
#include "engine/references.hpp"

namespace oas {
namespace {

constexpr std::size_t batch = 1000;

struct Lease {
  Ledger& ledger;
  ~Lease() { ledger.release(); }
};

}  // namespace

Collector::Collector(SessionState& state, std::string schema)
    : state_(state), schema_(std::move(schema)), ledger_(state.ledger(schema_)) {}

bool Collector::acquire(std::chrono::milliseconds patience) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + patience;
  auto pause = std::chrono::milliseconds(1);
  while (!ledger_.acquire()) {
    if (clock::now() > deadline) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
  return true;
}

namespace {

/// Of a folder what one listing shows, and at the end its manifest. True if there is more.
bool erase_some(Store& store, const std::string& path) {
  const Page page = store.list(path + "/");
  std::vector<std::string> keys;
  for (const ObjectInfo& entry : page.entries) keys.push_back(entry.key);
  const bool more = page.more && !keys.empty();
  if (!more) keys.push_back(codec::manifest_path(path));
  if (const auto errors = store.remove_many(keys); !errors.empty()) throw errors.front();
  return more;
}

}  // namespace

std::vector<Error> Collector::abandon_uploads(const std::set<ObjectPath>& objects, std::set<ObjectPath>& stayed) {
  std::vector<Error> errors;
  for (auto first = objects.begin(); first != objects.end();) {
    const std::string& name = first->store;
    const auto end = std::find_if(first, objects.end(), [&](const ObjectPath& o) { return o.store != name; });
    // They are in order, so what the first and the last have in common, all have.
    const std::string_view low = first->path, high = std::prev(end)->path;
    const std::string_view prefix(low.begin(), std::ranges::mismatch(low, high).in1);
    try {
      Store& store = *state_.store(name);
      for (const UnfinishedUpload& upload : store.unfinished(prefix)) {
        const ObjectPath* const object = holder_of(name, upload.key, objects);
        if (!object) continue;
        try {
          store.abandon(upload);
        } catch (const Error& e) {
          errors.push_back(e);
          stayed.insert(*object);
        }
      }
    } catch (const Error& e) {
      errors.push_back(e);
      stayed.insert(first, end);
    }
    first = end;
  }
  return errors;
}

std::vector<Error> Collector::erase(std::span<const ObjectPath> objects, std::set<ObjectPath>& stayed) {
  std::vector<ObjectPath> careful;
  std::ranges::copy_if(objects, std::back_inserter(careful), [&](const ObjectPath& o) { return retires(o); });
  std::vector<Error> errors = retire(careful, stayed);
  const auto failed = [&](const Error& e, const ObjectPath& object) {
    errors.push_back(e);
    stayed.insert(object);
  };
  std::vector<const ObjectPath*> folders;
  std::map<std::string, std::vector<const ObjectPath*>> files;
  for (const ObjectPath& object : objects) {
    if (retires(object)) continue;
    if (object.folder)
      folders.push_back(&object);
    else
      files[object.store].push_back(&object);
  }
  std::mutex mutex;
  std::vector<const ObjectPath*> large;
  parallel_for(state_.pool, folders.size(), state_.in_flight(), [&](std::size_t i) {
    try {
      const bool more = erase_some(*state_.store(folders[i]->store), folders[i]->path);
      const std::lock_guard lock(mutex);
      if (more) large.push_back(folders[i]);
    } catch (const Error& e) {
      const std::lock_guard lock(mutex);
      failed(e, *folders[i]);
    }
  });
  for (const ObjectPath* folder : large) {
    try {
      do {
        if (!ledger_.acquire())  // renewed: it may take long
          throw Error(Errc::conflict, fmt::format("remove {}: another collector has taken over", folder->path),
                      folder->store);
      } while (erase_some(*state_.store(folder->store), folder->path));
    } catch (const Error& e) {
      failed(e, *folder);
    }
  }
  for (const auto& [name, list] : files) {
    try {
      Store& store = *state_.store(name);
      // Not side by side: a file system that waits for its disk lets one at a time into a folder anyway, and makes the
      // others queue for it; a server takes this many at once.
      for (std::size_t first = 0; first < list.size(); first += batch) {
        const auto part = std::span(list).subspan(first, std::min(batch, list.size() - first));
        std::vector<std::string> keys;
        for (const ObjectPath* object : part) keys.push_back(object->path);
        const auto kept = store.remove_many(keys);
        if (kept.empty()) continue;
        // Which of the keys stayed is not told by their number: all of this part are tried again later.
        for (const ObjectPath* object : part) stayed.insert(*object);
        errors.insert(errors.end(), kept.begin(), kept.end());
      }
    } catch (const Error& e) {
      errors.push_back(e);
      for (const ObjectPath* object : list) stayed.insert(*object);
    }
  }
  return errors;
}

bool Collector::retires(const ObjectPath& object) const {
  if (object.folder || !quarantine::is_on(state_.settings)) return false;
  const auto config = state_.settings.stores().find(object.store);
  if (config == state_.settings.stores().end()) return false;
  const std::string hashes = codec::hash_section(config->second);
  return !hashes.empty() && object.path.starts_with(hashes + "/");
}

std::vector<Error> Collector::retire(std::span<const ObjectPath> objects, std::set<ObjectPath>& stayed) {
  std::vector<Error> errors;
  if (objects.empty()) return errors;
  const auto failed = [&](const Error& e, const ObjectPath& object) {
    errors.push_back(e);
    stayed.insert(object);
  };
  // 1. Written down, so that it is found whatever happens; 2. kept, and not only in a cache; 3. gone; 4. still
  // nobody's?
  std::vector<ObjectPath> places;
  for (const ObjectPath& object : objects) places.push_back(quarantine::kept(object));
  {
    db::Transaction rows(*state_.main, db::Transaction::Mode::write);
    ledger_.quarantine(rows, places);
    rows.commit();
  }
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> copies;  // by store
  parallel_for(state_.pool, objects.size(), state_.in_flight(), [&](std::size_t i) {
    try {
      const bool copied = quarantine::copy(*state_.store(objects[i].store), objects[i].path, places[i].path);
      const std::lock_guard lock(mutex);
      if (copied) copies[objects[i].store].push_back(places[i].path);
    } catch (const Error& e) {
      const std::lock_guard lock(mutex);
      failed(e, objects[i]);
    }
  });
  for (const auto& by_store : copies) {
    const std::vector<std::string>& keys = by_store.second;
    Store& store = *state_.store(by_store.first);
    std::optional<Error> unsynced;
    try {
      store.sync(keys);
    } catch (const Error& e) {
      unsynced = e;
    }
    parallel_for(state_.pool, keys.size(), state_.in_flight(), [&](std::size_t i) {
      const ObjectPath object = *quarantine::original({store.name(), keys[i]});
      try {
        if (unsynced) throw *unsynced;
        store.remove(object.path);
      } catch (const Error& e) {
        const std::lock_guard lock(mutex);
        failed(e, object);
      }
    });
  }
  std::vector<ObjectPath> gone;
  std::ranges::copy_if(objects, std::back_inserter(gone), [&](const ObjectPath& o) { return !stayed.contains(o); });
  if (gone.empty()) return errors;
  for (const ObjectPath& object : referenced(gone)) {
    try {
      put_back(object);
    } catch (const Error& e) {
      failed(e, object);
    }
  }
  return errors;
}

void Collector::put_back(const ObjectPath& object) {
  Store& store = *state_.store(object.store);
  if (!store.stat(object.path) && quarantine::copy(store, quarantine::kept(object).path, object.path))
    store.sync(std::span(&object.path, 1));
}

void Collector::review(Collected& total) {
  const std::int64_t over = DateTime::now().microseconds - quarantine::grace(state_.settings).count() * 1'000'000;
  for (std::size_t skip = 0;;) {
    std::vector<Ledger::Trashed> lines;
    {
      db::Transaction look(*state_.main, db::Transaction::Mode::read);
      lines = ledger_.trashed(look, batch, skip, Ledger::Lines::quarantined);
    }
    std::vector<ObjectPath> originals;
    for (const auto& line : lines) {
      if (const auto object = quarantine::original(line.object); object && ours(*object)) originals.push_back(*object);
    }
    const auto needed = originals.empty() ? std::set<ObjectPath>() : referenced(originals);
    std::vector<std::string> settled;
    for (const auto& line : lines) {
      const auto object = quarantine::original(line.object);
      try {
        const bool known = object && ours(*object);  // else not for us to touch, whatever the line says
        if (known && needed.contains(*object))
          put_back(*object);
        else if (known && line.since > over)
          continue;
        if (known) state_.store(line.object.store)->remove(line.object.path);
        settled.push_back(line.id);
      } catch (const Error& e) {
        total.errors.push_back(e);
      }
    }
    if (!settled.empty()) {
      db::Transaction rows(*state_.main, db::Transaction::Mode::write);
      ledger_.untrash(rows, settled);
      rows.commit();
    }
    if (lines.size() < batch) return;
    skip += lines.size() - settled.size();
  }
}

bool Collector::may_arrive(const Ledger::Intent& intent, std::span<const ObjectPath> paths) const {
  if (intent.owner == state_.owner || intent.until < DateTime::now().microseconds) return false;
  return std::ranges::any_of(paths, [&](const ObjectPath& object) {
    try {
      return state_.settings.stores().contains(object.store) && state_.store(object.store)->traits().at_once > 1;
    } catch (const Error&) {
      return true;  // out of reach now; what is removed from it says why
    }
  });
}

std::set<ObjectPath> Collector::referenced(std::span<const ObjectPath> candidates) {
  return ReferenceFinder(state_).find(candidates);
}

bool Collector::ours(const ObjectPath& object) const {
  const auto& stores = state_.settings.stores();
  const auto found = stores.find(object.store);
  if (found == stores.end()) return false;
  const StoreConfig& config = found->second;
  // A path is what some row says. It must be one that a row of this schema can have; without a prefix, there is little
  // to tell it by.
  const auto below = [&](const std::string& section, bool partitioned) {
    if (!section.empty() && !object.path.starts_with(section + "/")) return false;
    const std::string rest = section.empty() ? "/" + object.path : object.path.substr(section.size());
    const std::string own = "/" + schema_ + "/";
    return rest.size() > own.size() && (partitioned ? rest.find(own) != rest.npos : rest.starts_with(own));
  };
  const std::string users = codec::filepath_section(config);
  if (!users.empty() && object.path.starts_with(users + "/")) return false;
  return below(codec::hash_section(config), false) ||
         below(codec::schema_section(config), config.partition_pattern.has_value());
}

void Collector::finish_claims(Collected& total) {
  std::vector<ObjectPath> begun = ledger_.take_claims();
  if (begun.empty()) return;
  // Nobody can refer to what is claimed, except after a power cut, which may bring back a claim that had been released.
  const std::set<ObjectPath> needed = referenced(begun);
  std::vector<ObjectPath> free;
  std::ranges::copy_if(begun, std::back_inserter(free), [&](const ObjectPath& o) { return !needed.contains(o); });
  std::set<ObjectPath> stayed;
  const auto errors = erase(free, stayed);
  total.errors.insert(total.errors.end(), errors.begin(), errors.end());
  std::erase_if(begun, [&](const ObjectPath& o) { return stayed.contains(o); });
  ledger_.unclaim(begun);
}

void Collector::finish_claims() {
  if (!ledger_.acquire()) return;
  const Lease lease{ledger_};
  Collected total;
  finish_claims(total);
  if (!total.errors.empty()) throw total.errors.front();
}

bool Collector::pass(std::size_t limit, std::size_t& skip, Collected& total) {
  // 1. Removals that were begun are finished: their claims keep writers away until then.
  finish_claims(total);
  // 2. Intents: those of committed rows are forgotten, those of dead writers become void. Before references are read.
  std::vector<std::string> done, voided;
  struct Handled {
    const Ledger::Intent* intent;
    std::vector<ObjectPath> paths;
    bool last;  // nobody writes to them any more: asked before anything is removed
  };
  std::vector<Handled> handled;                                    // void, all of whose paths are candidates
  std::map<std::pair<std::string, std::string>, bool> candidates;  // and whether it is a folder
  const auto add = [&](const ObjectPath& o) {
    bool& folder = candidates[{o.store, o.path}];
    folder = folder || o.folder;
  };
  const auto intents = ledger_.intents();
  if (!intents.empty()) {
    std::vector<const Ledger::Intent*> undecided;
    std::vector<std::pair<const Ledger::Intent*, Ledger::Verdict>> decided;
    {
      db::Transaction look(*state_.main, db::Transaction::Mode::read);
      for (const auto& intent : intents) {
        const auto verdict = ledger_.verdict(look, intent.id);
        if (verdict != Ledger::Verdict::none)
          decided.emplace_back(&intent, verdict);
        else if (ledger_.dead(intent.owner, intent.until))
          undecided.push_back(&intent);
      }
    }
    if (!undecided.empty()) {
      db::Transaction rows(*state_.main, db::Transaction::Mode::write);
      for (const auto* intent : undecided) decided.emplace_back(intent, ledger_.make_void(rows, intent->id));
      rows.commit();
    }
    std::vector<std::string> fresh;  // void, and not looked after by this session a moment ago
    for (const auto& [intent, verdict] : decided) {
      (verdict == Ledger::Verdict::done ? done : voided).push_back(intent->id);
      if (verdict != Ledger::Verdict::done && !state_.looked_after.contains(intent->id)) fresh.push_back(intent->id);
    }
    auto paths = ledger_.paths(fresh);
    for (const auto& [intent, verdict] : decided) {
      const auto found = paths.find(intent->id);
      if (found == paths.end()) continue;
      if (!candidates.empty() && candidates.size() + found->second.size() > limit) continue;
      std::ranges::for_each(found->second, add);
      const bool last = !ledger_.may_write(*intent) && !may_arrive(*intent, found->second);
      handled.push_back({intent, std::move(found->second), last});
    }
    ledger_.forget(done);
  }
  // 3. Trash.
  std::vector<Ledger::Trashed> trash;
  {
    db::Transaction look(*state_.main, db::Transaction::Mode::read);
    trash = ledger_.trashed(look, batch, skip);
  }
  for (const auto& line : trash) add(line.object);
  // 4. References, in a fresh snapshot; 5. claims; 6. removal.
  std::vector<ObjectPath> list, free;
  for (const auto& [path, folder] : candidates) list.push_back({path.first, path.second, folder});
  std::set<std::pair<std::string, std::string>> settled;
  if (!list.empty()) {
    const std::set<ObjectPath> needed = referenced(list);
    for (const ObjectPath& object : list) {
      if (!state_.settings.stores().contains(object.store)) {
        ++total.waiting;
        total.errors.emplace_back(Errc::usage,
                                  fmt::format("remove {}: the settings have no store {}, so it stays. add the store",
                                              object.path, object.store),
                                  "store " + object.store);
      } else if (needed.contains(object) || !ours(object)) {
        settled.emplace(object.store, object.path);  // needed, or not for us to remove, whatever a row said
        ++total.kept;
      } else {
        free.push_back(object);
      }
    }
  }
  const auto claimed = free.empty() ? free : ledger_.claim(free, voided);
  const std::set<ObjectPath> ours_now(claimed.begin(), claimed.end());
  std::set<ObjectPath> begun, stayed;  // begun: and never committed
  for (const auto& [intent, paths, last] : handled)
    std::ranges::copy_if(paths, std::inserter(begun, begun.end()), [&](const auto& o) { return ours_now.contains(o); });
  std::vector<Error> errors = abandon_uploads(begun, stayed);
  std::vector<ObjectPath> erased;
  std::ranges::copy_if(claimed, std::back_inserter(erased), [&](const ObjectPath& o) { return !stayed.contains(o); });
  std::ranges::move(erase(erased, stayed), std::back_inserter(errors));
  total.errors.insert(total.errors.end(), errors.begin(), errors.end());
  std::vector<ObjectPath> gone;
  for (const ObjectPath& object : claimed) {
    if (stayed.contains(object)) continue;
    gone.push_back(object);
    settled.emplace(object.store, object.path);
  }
  total.removed += gone.size();
  total.waiting += free.size() - gone.size();
  // 7. What is settled leaves the trash, then the claims, then the void intents. Of the trash, the lines that were read
  // before the references: what was thrown away since then stays.
  const auto is_settled = [&](const ObjectPath& o) { return settled.contains({o.store, o.path}); };
  std::vector<std::string> untrash;
  for (const auto& line : trash) {
    if (is_settled(line.object)) untrash.push_back(line.id);
  }
  skip += trash.size() - untrash.size();
  if (!untrash.empty() || !done.empty()) {
    db::Transaction rows(*state_.main, db::Transaction::Mode::write);
    ledger_.untrash(rows, untrash);
    ledger_.prune_witnesses(rows);
    rows.commit();
  }
  ledger_.unclaim(gone);
  std::vector<std::string> over;
  for (const auto& [intent, paths, last] : handled) {
    if (!std::ranges::all_of(paths, is_settled)) continue;
    if (last)
      over.push_back(intent->id);
    else
      state_.looked_after.insert(intent->id);
  }
  ledger_.forget(over);
  return trash.size() == batch || !over.empty();  // there may be more
}

Collected Collector::run(std::size_t limit, std::chrono::milliseconds patience) {
  Collected total;
  busy_ = !acquire(patience);
  if (busy_) return total;
  const Lease lease{ledger_};
  if (state_.review_is_due(schema_)) {
    state_.looked_after.clear();
    if (quarantine::is_on(state_.settings)) review(total);
  }
  std::size_t skip = 0;
  while (pass(limit, skip, total) && total.removed + total.kept < limit) {
    if (!ledger_.acquire()) break;  // renewed, or lost to somebody after an hour
  }
  return total;
}

}  // namespace oas
