#include "engine/collector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "core/json.hpp"
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

bool Collector::managed(const StoreConfig& config, std::string_view path) {
  const auto under = [path](const std::string& prefix) {
    return !prefix.empty() && path.size() > prefix.size() + 1 && path.starts_with(prefix) && path[prefix.size()] == '/';
  };
  return under(config.hash_prefix.value_or("_hash")) || under(config.schema_prefix.value_or("_schema"));
}

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

void Collector::erase_folder(Store& store, const std::string& path) {
  const std::string prefix = path + "/";
  for (;;) {
    const Page page = store.list(prefix);
    if (page.entries.empty()) break;
    std::vector<std::string> keys;
    for (const ObjectInfo& entry : page.entries) keys.push_back(entry.key);
    std::vector<std::vector<std::string>> parts;
    for (std::size_t i = 0; i < keys.size(); i += 64) {
      parts.emplace_back(keys.begin() + i, keys.begin() + std::min(keys.size(), i + 64));
    }
    parallel_for(state_.pool, parts.size(), state_.in_flight(), [&](std::size_t i) {
      auto errors = store.remove_many(parts[i]);
      if (!errors.empty()) throw errors.front();
    });
    if (!page.more) break;
  }
  store.remove(path + ".manifest.json");
}

std::vector<Error> Collector::erase(std::span<const ObjectPath> objects, std::set<ObjectPath>& stayed) {
  std::vector<Error> errors;
  std::map<std::string, std::vector<const ObjectPath*>> files;
  for (const ObjectPath& object : objects) {
    try {
      if (object.folder)
        erase_folder(*state_.store(object.store), object.path);
      else
        files[object.store].push_back(&object);
    } catch (const Error& e) {
      errors.push_back(e);
      stayed.insert(object);
    }
  }
  for (const auto& [name, list] : files) {
    try {
      Store& store = *state_.store(name);
      std::mutex mutex;
      const std::size_t parts = (list.size() + 63) / 64;
      parallel_for(state_.pool, parts, state_.in_flight(), [&, &objects_here = list](std::size_t part) {
        const std::size_t first = part * 64, last = std::min(objects_here.size(), first + 64);
        std::vector<std::string> keys;
        for (std::size_t i = first; i < last; ++i) keys.push_back(objects_here[i]->path);
        auto failed = store.remove_many(keys);
        if (failed.empty()) return;
        // Which of the keys stayed is not told by their number: all of this part are tried again later.
        const std::lock_guard lock(mutex);
        for (std::size_t i = first; i < last; ++i) stayed.insert(*objects_here[i]);
        errors.insert(errors.end(), failed.begin(), failed.end());
      });
    } catch (const Error& e) {
      errors.push_back(e);
      for (const ObjectPath* object : list) stayed.insert(*object);
    }
  }
  return errors;
}

std::set<ObjectPath> Collector::referenced(std::span<const ObjectPath> candidates) {
  return ReferenceFinder(state_).find(candidates);
}

void Collector::finish_dead_claims() {
  if (!ledger_.acquire()) return;
  const Lease lease{ledger_};
  std::vector<ObjectPath> objects;
  for (const auto& claim : ledger_.take_dead_claims()) objects.push_back(claim.object);
  if (objects.empty()) return;
  std::set<ObjectPath> stayed;
  const auto errors = erase(objects, stayed);
  std::erase_if(objects, [&](const ObjectPath& o) { return stayed.contains(o); });
  ledger_.unclaim(objects);
  if (!errors.empty()) throw errors.front();
}

bool Collector::pass(std::size_t limit, Collected& total) {
  // 1. Removals that were begun are finished: their claims keep writers away until then.
  {
    std::vector<ObjectPath> begun;
    for (const auto& claim : ledger_.take_dead_claims()) begun.push_back(claim.object);
    std::set<ObjectPath> stayed;
    const auto errors = erase(begun, stayed);
    total.errors.insert(total.errors.end(), errors.begin(), errors.end());
    total.waiting += stayed.size();
    std::erase_if(begun, [&](const ObjectPath& o) { return stayed.contains(o); });
    ledger_.unclaim(begun);
  }
  // 2. Intents: those of committed rows are forgotten, those of dead writers become void. Before references are read.
  std::vector<std::string> done, voided;
  std::set<ObjectPath> candidates;
  std::map<std::string, std::vector<ObjectPath>> paths_of_void;
  {
    const auto intents = ledger_.intents();
    std::vector<const Ledger::Intent*> undecided;
    const auto sort = [&](const Ledger::Intent& intent, Ledger::Verdict verdict) {
      if (verdict == Ledger::Verdict::done)
        done.push_back(intent.id);
      else if (verdict == Ledger::Verdict::void_) {
        voided.push_back(intent.id);
        paths_of_void[intent.id] = intent.paths;
      }
    };
    if (!intents.empty()) {
      db::Transaction look(*state_.main, db::Transaction::Mode::read);
      for (const auto& intent : intents) {
        const auto verdict = ledger_.verdict(look, intent.id);
        if (verdict == Ledger::Verdict::none && ledger_.dead(intent.owner, intent.until))
          undecided.push_back(&intent);
        else
          sort(intent, verdict);
      }
    }
    if (!undecided.empty()) {
      db::Transaction rows(*state_.main, db::Transaction::Mode::write);
      std::vector<Ledger::Verdict> verdicts;
      for (const auto* intent : undecided) verdicts.push_back(ledger_.make_void(rows, intent->id));
      rows.commit();
      for (std::size_t i = 0; i < undecided.size(); ++i) sort(*undecided[i], verdicts[i]);
    }
    ledger_.forget(done);
  }
  // Void intents are handled whole, so that their ids can be forgotten.
  std::vector<std::string> void_now;
  for (const auto& [id, paths] : paths_of_void) {
    if (!candidates.empty() && candidates.size() + paths.size() > limit) break;
    void_now.push_back(id);
    candidates.insert(paths.begin(), paths.end());
  }
  // 3. Trash.
  std::vector<ObjectPath> trash;
  {
    db::Transaction look(*state_.main, db::Transaction::Mode::read);
    trash = ledger_.trashed(look, std::max<std::size_t>(batch, 1));
  }
  candidates.insert(trash.begin(), trash.end());
  if (candidates.empty()) {
    if (!done.empty()) {
      db::Transaction rows(*state_.main, db::Transaction::Mode::write);
      ledger_.prune_witnesses(rows);
      rows.commit();
    }
    return false;
  }
  // 4. ReferenceFinder, in a fresh snapshot; 5. claims; 6. removal.
  std::vector<ObjectPath> list(candidates.begin(), candidates.end());
  const std::set<ObjectPath> needed = referenced(list);
  std::vector<ObjectPath> free, settled(needed.begin(), needed.end());
  for (const ObjectPath& object : list) {
    if (needed.contains(object)) continue;
    if (managed(state_.store_config(object.store), object.path))
      free.push_back(object);
    else
      settled.push_back(object);  // never ours to remove, whatever a row said
  }
  total.kept += settled.size();
  const auto claimed = ledger_.claim(free, voided);
  std::set<ObjectPath> stayed;
  const auto errors = erase(claimed, stayed);
  total.errors.insert(total.errors.end(), errors.begin(), errors.end());
  std::vector<ObjectPath> gone;
  for (const ObjectPath& object : claimed) {
    if (!stayed.contains(object)) gone.push_back(object);
  }
  total.removed += gone.size();
  total.waiting += free.size() - gone.size();
  settled.insert(settled.end(), gone.begin(), gone.end());
  // 7. What is settled leaves the trash, then the claims, then the void intents.
  {
    db::Transaction rows(*state_.main, db::Transaction::Mode::write);
    ledger_.untrash(rows, settled);
    ledger_.prune_witnesses(rows);
    rows.commit();
  }
  ledger_.unclaim(gone);
  const std::set<ObjectPath> finished(settled.begin(), settled.end());
  std::erase_if(void_now, [&](const std::string& id) {
    return !std::ranges::all_of(paths_of_void[id], [&](const ObjectPath& o) { return finished.contains(o); });
  });
  ledger_.forget(void_now);
  return !settled.empty();  // progress: there may be more
}

Collected Collector::run(std::size_t limit, std::chrono::milliseconds patience) {
  Collected total;
  if (!acquire(patience)) return total;
  const Lease lease{ledger_};
  while (total.removed + total.kept < limit) {
    total.waiting = 0;
    if (!pass(limit, total)) break;
    ledger_.acquire();  // renews
  }
  return total;
}

}  // namespace oas
