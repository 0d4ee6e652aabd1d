// The audit: every reference has its object, and every object in the managed sections has a reference. It reads rows
// and lists stores; it removes nothing itself. What leaks is handed to the trash, which the collector checks again.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "engine/collector.hpp"
#include "engine/quarantine.hpp"
#include "engine/references.hpp"
#include "engine/rows.hpp"
#include "engine/work.hpp"

namespace oas {
namespace {

class Auditor {
 public:
  Auditor(Session& session, const AuditOptions& options) : state_(*session.state()), options_(options) {}

  Audit run() {
    // Objects first, then intents, then references: an object written meanwhile is no leak, because its intent is seen
    // later, or has gone since its row was committed. What old schemas have in stores is looked after by others.
    for (auto& schema : state_.main->schemas())
      if (!state_.is_old(schema)) managed_.insert(std::move(schema));
    for (const auto& [name, config] : state_.settings.stores()) list(name, config);
    announced();
    count_quarantine();
    for (const auto& entry : state_.all_tables()) references(entry->info->def.schema, *entry);
    check_references();
    leaks();
    return std::move(audit_);
  }

 private:
  struct Reference {
    ObjectPath object;
    Value metadata;
    const codec::Chain* chain;
    std::string where;
  };

  /// The schema that a path in the schema-addressed section belongs to: the first part that is not `name=value`.
  static std::string_view schema_of(std::string_view rest) {
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, rest.find('/'));
      if (part.find('=') == std::string_view::npos) return part;
      if (part.size() == rest.size()) return {};
      rest.remove_prefix(part.size() + 1);
    }
    return {};
  }

  /// What writers are about to commit.
  void announced() {
    for (const auto& schema : state_.main->schemas()) {
      if (!state_.has_ledger(schema)) continue;
      Ledger& ledger = state_.ledger(schema);
      db::Transaction look(*state_.main, db::Transaction::Mode::read);
      std::vector<std::string> live;
      for (const auto& intent : ledger.intents()) {
        if (ledger.verdict(look, intent.id) == Ledger::Verdict::none && !ledger.dead(intent.owner, intent.until))
          live.push_back(intent.id);
      }
      for (const auto& [id, paths] : ledger.paths(live)) writing_.insert(paths.begin(), paths.end());
    }
  }

  void count_quarantine() {
    std::set<ObjectPath> kept;
    for (const auto& schema : state_.main->schemas()) {
      if (!state_.has_ledger(schema)) continue;
      db::Transaction look(*state_.main, db::Transaction::Mode::read);
      for (const auto& line : state_.ledger(schema).trashed(look, INT64_MAX, 0, Ledger::Lines::quarantined))
        kept.insert(line.object);
    }
    audit_.quarantined = kept.size();
  }

  void list(const std::string& name, const StoreConfig& config) {
    if (managed_.empty()) return;
    const std::string hashes = codec::hash_section(config), named = codec::schema_section(config);
    const auto store = state_.store(name);
    for (const auto& schema : managed_) {
      if (!hashes.empty()) list(*store, fmt::format("{}/{}/", hashes, schema), {});
      if (!named.empty() && !config.partition_pattern) list(*store, fmt::format("{}/{}/", named, schema), {});
    }
    if (!named.empty() && config.partition_pattern) list(*store, named + "/", named + "/");
  }

  /// Without a section it is known to be managed.
  bool is_managed(std::string_view key, std::string_view section) const {
    return section.empty() || managed_.contains(schema_of(key.substr(section.size())));
  }

  void list(Store& store, const std::string& prefix, const std::string& section) {
    for (UnfinishedUpload& upload : store.unfinished(prefix))
      if (is_managed(upload.key, section)) uploads_.emplace_back(store.name(), std::move(upload));
    std::string after;
    for (;;) {
      const Page page = store.list(prefix, after);
      for (const ObjectInfo& entry : page.entries) {
        if (!is_managed(entry.key, section)) continue;
        objects_[store.name()].push_back(entry);
        ++audit_.objects;
      }
      if (!page.more) return;
      after = page.entries.back().key;
    }
  }

  void references(const std::string& schema, const TableEntry& entry) {
    const db::TableDef& def = entry.info->def;
    if (!entry.unknown_codec.empty()) {
      throw Error(
          Errc::unsupported,
          fmt::format("audit {}.{}: attribute type {} is not known here, so its references cannot be read. add its "
                      "codec to the session",
                      schema, def.name, entry.unknown_codec),
          schema + "." + def.name);
    }
    const auto attributes = entry.info->heading.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const codec::Chain* chain = entry.chains[i];
      if (!chain || !codec::is_object(*chain)) continue;
      const db::Dialect& dialect = state_.dialect();
      std::string columns = dialect.quote(attributes[i].name);
      for (const auto& key : def.primary_key) columns += ", " + dialect.quote(key);
      db::Transaction look(*state_.main, db::Transaction::Mode::read);
      const auto cursor = look.execute(fmt::format("SELECT {} FROM {} WHERE {} IS NOT NULL", columns,
                                                   dialect.table(schema, def.name), dialect.quote(attributes[i].name)));
      std::vector<Value> cells;
      while (cursor->next(cells)) {
        std::string key;
        for (std::size_t k = 0; k < def.primary_key.size(); ++k) {
          const Value& cell = cells[k + 1];
          const auto* text = cell.get_if<std::string>();
          const auto* number = cell.get_if<std::int64_t>();
          key += fmt::format("{}{}={}", k ? ", " : "", def.primary_key[k],
                             text     ? *text
                             : number ? std::to_string(*number)
                                      : cell.describe());
        }
        const std::string where = fmt::format("{}.{}.{} ({})", schema, def.name, attributes[i].name, key);
        Value metadata = codec::parse_metadata(cells[0].as<std::string>());
        for (auto& object : ReferenceFinder(state_).of(chain, metadata)) {
          references_.push_back({std::move(object), metadata, chain, where});
        }
      }
    }
  }

  void check_references() {
    audit_.references = references_.size();
    std::mutex mutex;
    std::size_t done = 0;
    parallel_for(state_.pool, references_.size(), state_.in_flight(), [&](std::size_t i) {
      const Reference& r = references_[i];
      std::optional<Finding> finding = check(r);
      const std::lock_guard lock(mutex);
      ++done;
      if (options_.progress) options_.progress(done, references_.size());
      if (!finding) return;
      ++(finding->kind == Finding::Kind::dangling ? audit_.dangling : audit_.damaged);
      audit_.findings.push_back(std::move(*finding));
    });
  }

  std::optional<Finding> check(const Reference& r) {
    const auto found = [&](Finding::Kind kind, std::string detail) {
      return Finding{kind, r.object.store, r.object.path, r.where, std::move(detail)};
    };
    try {
      const auto store = state_.store(r.object.store);
      const ObjectRef ref = codec::make_ref(r.metadata, store);
      const auto metadata = codec::read_metadata(r.metadata);
      if (r.object.folder || options_.deep) {
        ref.verify();
        if (options_.deep) deep(r, ref);
        return std::nullopt;
      }
      const auto info = store->stat(r.object.path);
      if (!info) return found(Finding::Kind::dangling, "there is no such object");
      if (metadata.size && *metadata.size != info->size) {
        return found(Finding::Kind::damaged, fmt::format("{} bytes, recorded are {}", info->size, *metadata.size));
      }
      return std::nullopt;
    } catch (const Error& e) {
      if (e.code() == Errc::missing_object) return found(Finding::Kind::dangling, e.what());
      if (e.code() == Errc::integrity || e.code() == Errc::decode) return found(Finding::Kind::damaged, e.what());
      throw;
    }
  }

  /// Reads everything, as a fetch would: what has a hash is compared with it, what has a header with the metadata.
  void deep(const Reference& r, const ObjectRef& ref) {
    const Site site{{}, {}, r.where, r.object.store, nullptr};
    const Value value = codec::decode(*r.chain, r.metadata, site, Source(state_));
    if (const auto* npy = value.get_if<NpyRef>()) {
      static_cast<void>(npy->load());
    } else if (value.is<ObjectRef>()) {
      if (!ref.is_folder())
        static_cast<void>(ref.read());
      else
        for (const FileInfo& file : ref.files()) static_cast<void>(ref.read(file.path));
    }
  }

  void leaks() {
    std::set<ObjectPath> kept = writing_;
    for (const Reference& r : references_) kept.insert(r.object);
    abandoned();
    std::map<std::string, std::vector<ObjectPath>> leaked;  // by schema
    const std::int64_t newest = DateTime::now().microseconds - options_.grace.count() * 1'000'000;
    // A foreign writer's upload may be about to get its row.
    const auto kept_for = quarantine::is_on(state_.settings)
                              ? std::chrono::microseconds(quarantine::grace(state_.settings)).count()
                              : std::int64_t{0};
    for (const auto& [store, entries] : objects_) {
      const StoreConfig& config = state_.store_config(store);
      for (const ObjectInfo& entry : entries) {
        constexpr std::string_view manifest = ".manifest.json";  // it lies beside its folder
        const bool needed = holder_of(store, entry.key, kept) ||
                            (entry.key.ends_with(manifest) &&
                             kept.contains({store, entry.key.substr(0, entry.key.size() - manifest.size()), true}));
        if (needed || entry.modified > newest || !state_.store(store)->stat(entry.key)) continue;
        ++audit_.leaked;
        audit_.findings.push_back({Finding::Kind::leaked, store, entry.key,
                                   "since " + DateTime::from_microseconds(entry.modified).iso(),
                                   fmt::format("{} bytes", entry.size)});
        const std::string hashes = codec::hash_section(config), named = codec::schema_section(config);
        const std::string_view rest =
            std::string_view(entry.key).substr((entry.key.starts_with(hashes + "/") ? hashes : named).size() + 1);
        if (entry.modified <= newest - kept_for)
          leaked[std::string(schema_of(rest))].push_back({store, entry.key, false});
      }
    }
    if (!options_.repair) return;
    for (const auto& [schema, objects] : leaked) {
      Work work(state_);
      work.trash(schema, objects);
      work.commit();  // and the collector looks again before it removes
    }
  }

  /// Uploads that nobody will finish: they hold parts, which no listing of objects shows.
  void abandoned() {
    const std::int64_t newest = DateTime::now().microseconds - options_.grace.count() * 1'000'000;
    for (const auto& [name, upload] : uploads_) {
      if (holder_of(name, upload.key, writing_) || upload.begun > newest) continue;
      // Its writer may have ended it since it was seen, and its intent with it.
      const auto still = state_.store(name)->unfinished(upload.key);
      if (std::ranges::find(still, upload.id, &UnfinishedUpload::id) == still.end()) continue;
      ++audit_.leaked;
      audit_.findings.push_back({Finding::Kind::leaked, name, upload.key,
                                 "since " + DateTime::from_microseconds(upload.begun).iso(),
                                 "an upload that was never finished"});
      if (options_.repair) state_.store(name)->abandon(upload);
    }
  }

  SessionState& state_;
  const AuditOptions& options_;
  Audit audit_;
  std::set<std::string, std::less<>> managed_;  // schemas
  std::set<ObjectPath> writing_;
  std::vector<std::pair<std::string, UnfinishedUpload>> uploads_;
  std::map<std::string, std::vector<ObjectInfo>> objects_;
  std::vector<Reference> references_;
};

}  // namespace

Audit Session::audit(const AuditOptions& options) {
  if (state_->works > 0) throw Error(Errc::usage, "audit: a transaction is open. commit it first");
  if (options.repair) collect();
  return Auditor(*this, options).run();
}

}  // namespace oas
