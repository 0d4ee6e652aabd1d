// Objects are written under their final paths, which nobody knows before the row is there. The intent is announced
// before the first byte, one for each object; commit() writes manifests and rows and their witnesses at once.
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>

#include <oas/staged.hpp>
#include <oas/table.hpp>

#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "core/json.hpp"
#include "engine/rows.hpp"
#include "engine/work.hpp"

namespace oas {

struct Folder::State {
  std::shared_ptr<Store> store;
  std::string path;
  std::mutex mutex;
  std::map<std::string, std::uint64_t, std::less<>> files;  ///< by mutex
  std::atomic<bool> closed{false};
  std::atomic<int> uploads{0};

  std::string key(std::string_view relative) const {
    if (closed) {
      throw Error(Errc::usage,
                  fmt::format("write {} to a staged folder: it was committed or discarded already", relative),
                  fmt::format("store {}, {}", store->name(), path));
    }
    return fmt::format("{}/{}", path, relative);
  }
  void add(std::string_view relative, std::uint64_t size) {
    const std::lock_guard lock(mutex);
    files.insert_or_assign(std::string(relative), size);
  }
};

namespace {

/// Counts what passes, and tells the folder or file at the end.
class CountedUpload final : public Upload {
 public:
  CountedUpload(std::unique_ptr<Upload> inner, std::shared_ptr<Folder::State> folder, std::string relative)
      : inner_(std::move(inner)), folder_(std::move(folder)), relative_(std::move(relative)) {
    ++folder_->uploads;
  }
  ~CountedUpload() override {
    if (!done_) --folder_->uploads;
  }
  void append(BytesView bytes) override {
    static_cast<void>(folder_->key(relative_));  // refused once the insert is over
    inner_->append(bytes);
    size_ += bytes.size();
  }
  Version commit() override {
    static_cast<void>(folder_->key(relative_));
    Version version = inner_->commit();
    folder_->add(relative_, size_);
    done_ = true;
    --folder_->uploads;
    return version;
  }

 private:
  std::unique_ptr<Upload> inner_;
  std::shared_ptr<Folder::State> folder_;
  std::string relative_;
  std::uint64_t size_ = 0;
  bool done_ = false;
};

}  // namespace

void Folder::write(std::string_view key, BytesView bytes) const {
  state_->store->write(state_->key(key), bytes);
  state_->add(key, bytes.size());
}
std::unique_ptr<Upload> Folder::open(std::string_view key) const {
  return std::make_unique<CountedUpload>(state_->store->upload(state_->key(key)), state_, std::string(key));
}
std::optional<Bytes> Folder::read(std::string_view key, ByteRange range) const {
  auto object = state_->store->read(state_->key(key), range);
  if (!object) return std::nullopt;
  return std::move(object->data);
}
bool Folder::remove(std::string_view key) const {
  const bool there = state_->store->remove(state_->key(key));
  const std::lock_guard lock(state_->mutex);
  state_->files.erase(std::string(key));
  return there;
}
std::vector<FileInfo> Folder::list(std::string_view prefix) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<FileInfo> out;
  for (auto at = state_->files.lower_bound(prefix); at != state_->files.end() && at->first.starts_with(prefix); ++at) {
    out.push_back({at->first, at->second});
  }
  return out;
}
std::string_view Folder::path() const { return state_->path; }

struct StagedInsert::State {
  struct Object {
    std::shared_ptr<Folder::State> files;  ///< of a single file: one entry, whose name is empty
    std::string extension;
    bool folder = false;
  };
  struct OneRow {
    Row row;
    std::map<std::string, Object, std::less<>> objects;
  };

  State(std::shared_ptr<SessionState> owner, std::shared_ptr<const TableEntry> table, bool several_rows)
      : session(std::move(owner)), entry(std::move(table)), encoder(*session, entry, false), several(several_rows) {
    session->recover(entry->info->def.schema);
  }

  OneRow& current() {
    if (over) throw Error(Errc::usage, "staged insert: it was committed already. begin another one");
    if (rows.empty()) throw Error(Errc::usage, "staged insert: no row was begun. call row(key) first");
    return rows.back();
  }
  std::shared_ptr<SessionState> session;
  std::shared_ptr<const TableEntry> entry;
  RowEncoder encoder;
  bool several;
  bool over = false;
  std::vector<OneRow> rows;
  std::vector<SessionState::Intent> intents;

  std::shared_ptr<Folder::State> begin(std::string_view attribute, std::string_view extension, bool folder);
  /// Handles that users still have are refused from now on.
  void close() {
    over = true;
    for (auto& row : rows) {
      for (auto& [name, object] : row.objects) object.files->closed = true;
    }
  }
};

std::shared_ptr<Folder::State> StagedInsert::State::begin(std::string_view attribute, std::string_view extension,
                                                          bool folder) {
  OneRow& row = current();
  const Heading& heading = entry->info->heading;
  const Attribute& a = heading.at(attribute);
  const std::string target = fmt::format("{}.{}.{}", entry->info->def.schema, entry->info->def.name, attribute);
  const codec::Chain* chain = session->chain(a);
  if (!chain || !codec::is_staged(*chain)) {
    throw Error(Errc::usage,
                fmt::format("staged insert: attribute {} is {} and cannot be written in place. use an <object@> "
                            "attribute, or set its value",
                            attribute, a.type),
                target);
  }
  if (row.objects.contains(attribute)) {
    throw Error(
        Errc::usage,
        fmt::format("staged insert: attribute {} was opened before. one object an attribute and row", attribute),
        target);
  }
  const std::string store = session->store_name(chain->store);
  const StoreConfig& config = session->store_config(store);
  std::string dotted(extension);
  if (!dotted.empty() && dotted.front() != '.') dotted.insert(dotted.begin(), '.');
  const Site site{entry->info->def.schema, entry->info->def.name, attribute, store, &row.row};
  const Row key = encoder.key_of(row.row);
  Site keyed = site;
  keyed.key = &key;
  auto files = std::make_shared<Folder::State>();
  files->store = session->store(store);
  files->path = codec::named_path(config, keyed, dotted, codec::random_token(config.token_length));
  const ObjectPath object{store, files->path, folder};
  intents.push_back(announce(*session, entry->info->def.schema, {&object, 1}, true));
  row.objects.emplace(std::string(attribute), Object{files, dotted, folder});
  return files;
}

StagedInsert::StagedInsert(std::unique_ptr<State> state) : state_(std::move(state)) {}
StagedInsert::StagedInsert(StagedInsert&&) noexcept = default;
StagedInsert& StagedInsert::operator=(StagedInsert&& other) noexcept {
  StagedInsert old(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}
StagedInsert::~StagedInsert() {
  if (!state_) return;
  state_->close();
  abandon(*state_->session, std::move(state_->intents));
}

void StagedInsert::row(Row key) {
  if (!state_->several) throw Error(Errc::usage, "staged insert: staged_insert1 takes one row. use staged_insert()");
  if (state_->over) throw Error(Errc::usage, "staged insert: it was committed already. begin another one");
  static_cast<void>(state_->encoder.key_of(key));
  state_->rows.push_back({std::move(key), {}});
}

Folder StagedInsert::store(std::string_view attribute, std::string_view extension) {
  return Folder(state_->begin(attribute, extension, true));
}

std::unique_ptr<Upload> StagedInsert::open(std::string_view attribute, std::string_view extension) {
  auto files = state_->begin(attribute, extension, false);
  auto upload = files->store->upload(files->path);
  return std::make_unique<CountedUpload>(std::move(upload), std::move(files), "");
}

void StagedInsert::set(std::string_view attribute, Value value) {
  State::OneRow& row = state_->current();
  const Attribute& a = state_->entry->info->heading.at(attribute);
  const Value* old = row.row.find(attribute);
  if (a.in_key && old && !(*old == value)) {
    throw Error(Errc::usage,
                fmt::format("staged insert: attribute {} is part of the key, which objects are named after. "
                            "give it when the row begins",
                            attribute));
  }
  row.row.set(attribute, std::move(value));
}

std::size_t StagedInsert::commit() {
  State& state = *state_;
  if (state.over) throw Error(Errc::usage, "staged insert: it was committed already. begin another one");
  const db::TableDef& def = state.entry->info->def;
  const std::string name = def.schema + "." + def.name;
  Work work(*state.session);
  Sink sink(*state.session, work, def.schema);
  RowSink objects(sink);

  // What was written in place is complete, and its metadata is known.
  std::vector<std::map<std::string, std::string>> written(state.rows.size());
  std::map<std::string, std::pair<std::shared_ptr<Store>, std::vector<std::string>>> keys;
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    for (auto& [attribute, object] : state.rows[i].objects) {
      Folder::State& files = *object.files;
      if (files.uploads > 0) {
        throw Error(Errc::usage,
                    fmt::format("insert into {}: an upload of attribute {} is not committed. commit or destroy "
                                "it first",
                                name, attribute),
                    name);
      }
      std::uint64_t total = 0;
      std::vector<FileInfo> infos;
      {
        const std::lock_guard lock(files.mutex);
        for (const auto& [path, size] : files.files) {
          infos.push_back({path, size});
          total += size;
        }
      }
      if (infos.empty()) {
        throw Error(Errc::usage,
                    fmt::format("insert into {}: nothing was written to attribute {}. write it, or do not open "
                                "it",
                                name, attribute),
                    name);
      }
      auto& [store, list] = keys[files.store->name()];
      store = files.store;
      const std::string now = codec::utc_timestamp();
      std::optional<std::uint64_t> count;
      if (object.folder) {
        count = infos.size();
        const std::string manifest = codec::manifest_path(files.path);
        files.store->write(manifest, as_bytes(codec::manifest_text(infos, total, now)));
        list.push_back(manifest);
        for (const FileInfo& info : infos) list.push_back(files.path + "/" + info.path);
      } else {
        list.push_back(files.path);
      }
      std::optional<std::string_view> extension;
      if (!object.extension.empty()) extension = object.extension;
      written[i][attribute] =
          to_json(codec::object_metadata({files.path, files.store->name(), total}, extension, count, now));
    }
  }
  for (auto& [store_name, store] : keys) store.first->sync(store.second);

  std::vector<std::vector<Value>> cells;
  for (std::size_t i = 0; i < state.rows.size(); ++i) {
    Row row = state.rows[i].row;
    for (const auto& [attribute, metadata] : written[i]) {
      if (row.find(attribute)) {
        throw Error(Errc::usage,
                    fmt::format("insert into {}: attribute {} was both written in place and set", name, attribute),
                    name);
      }
    }
    state.encoder.validate(row, i + 1, &written[i]);
    cells.push_back(state.encoder.encode(row, i + 1, objects, &written[i]));
  }
  sink.flush();
  const std::string sql = state.session->dialect().insert(def, state.encoder.columns(), db::Dialect::OnDuplicate::fail);
  try {
    work.rows().execute_many(sql, cells);
  } catch (const Error& e) {
    throw e.within(fmt::format("insert into {}", name));
  }
  // From here the work decides about the objects, also when its commit fails.
  work.adopt(std::exchange(state.intents, {}));
  state.close();
  work.commit();
  return cells.size();
}

StagedInsert Table<void>::staged_insert1(Row key) {
  const db::TableDef& def = tree_->table()->def;
  auto state = std::make_unique<StagedInsert::State>(session_, session_->table(def.schema, def.name), false);
  static_cast<void>(state->encoder.key_of(key));
  state->rows.push_back({std::move(key), {}});
  return StagedInsert(std::move(state));
}

StagedInsert Table<void>::staged_insert() {
  const db::TableDef& def = tree_->table()->def;
  return StagedInsert(std::make_unique<StagedInsert::State>(session_, session_->table(def.schema, def.name), true));
}

}  // namespace oas
