// The same rows, written by us: on SQLite with stores of its own a session goes through what DataJoint for Python did,
// and every attribute of a codec becomes the same bytes or the same members of JSON, with the same paths and the same
// files. What chance or the clock decides (tokens, timestamps) is masked. Where we differ, the rule is told below, in
// terms of what a case holds (docs/compatibility.md, Rows).
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <regex>

#include "codec/codec.hpp"
#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/typed.hpp"
#include "engine/sink.hpp"
#include "engine/state.hpp"
#include "format/npy.hpp"
#include "interop/rows/golden_rows.hpp"

namespace oas::interop {
namespace {

namespace fs = std::filesystem;
using testing::GoldenCase;

// Errors of it that come from limits of its own or of its server. Everything else that it refuses we refuse too.
bool we_take(const std::string& error) {
  static const std::vector<std::regex> patterns{
      std::regex("dict can not be used as parameter"),                      // [D 9]
      std::regex("is of type uuid but expression is of type bytea"),        // [D 4]
      std::regex("syntax error at or near \"REPLACE\""),                    // [D 37]
      std::regex("is of type boolean but expression is of type integer"),   // [D 55]
      std::regex("column \"-?(nan|inf|infinity)\" does not exist"),         // [D 71]
      std::regex("Incorrect (double|float) value: '-?inf'"),                // MySQL has no infinities
      std::regex("Inserts into an auto-populated table can only be done"),  // we have no make methods
  };
  return std::ranges::any_of(patterns, [&](const std::regex& one) { return std::regex_search(error, one); });
}

// SQLite has no NaN and no infinity; nor do we turn other types into that of the attribute.
bool we_refuse(const Row& row, const Heading& heading) {
  return std::ranges::any_of(row, [&](const Row::Item& item) {
    const Attribute* attribute = heading.find(item.first);
    return attribute && attribute->codec.empty() && !item.second.is_null() && takes_otherwise(*attribute, item.second);
  });
}

class WriteRows : public ::testing::TestWithParam<const char*> {
 protected:
  WriteRows() : golden_(GetParam()) {
    std::set<std::string> made;  // by some operation
    for (const char* backend : {"postgresql", "mysql"})
      for (const GoldenCase& one : GoldenRows(backend).cases)
        for (const Value& file : one.find("new_files")->get_if<Seq>()->items)
          made.insert(file.get_if<Map>()->at("path").as<std::string>());
    for (const StoredFile& file : golden_.files) {
      fs::create_directories(root_ / file.store);
      if (!made.contains(file.store + "/" + file.key)) write(root_ / file.store / file.key, golden_.content(file));
    }
    session_.emplace(golden_.settings(folder_.path() / "lab.db", root_));
    golden_.declare(*session_);
  }

  static void write(const fs::path& path, const Bytes& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out << bytes.text();
    ASSERT_TRUE(out.flush());
  }
  Table<> table(const std::string& name) { return session_->schema(golden_.schema)[name]; }
  const TableEntry& entry(const std::string& name) {
    return *kept_.emplace(name, session_->state()->find_table(golden_.schema, name)).first->second;
  }
  static const codec::Chain* chain(const TableEntry& of, std::string_view attribute) {
    const auto attributes = of.info->heading.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i)
      if (attributes[i].name == attribute) return of.chains[i];
    return nullptr;
  }
  std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> files;
    for (const auto& file : fs::recursive_directory_iterator(root_))
      if (file.is_regular_file()) files[file.path().lexically_relative(root_)] = testing::read_file(file.path()).text();
    return files;
  }

  /// A local file or folder that was inserted, made again from what became of it in the golden stores.
  /// `missing`: there was none.
  std::optional<Value> local_path(const Map& notation, const codec::Chain& codec, const Value* argument, bool missing) {
    const fs::path path = folder_.path() / "local" / std::to_string(++locals_) / notation.at("name").as<std::string>();
    fs::create_directories(path.parent_path());
    if (missing) return path.string();
    if (!argument) {  // it never came so far
      if (notation.at("is_dir") == Value(true))
        fs::create_directories(path);
      else
        write(path, Bytes::copy("x"));
      return path.string();
    }
    const Value stored = stored_argument(*argument);
    const bool attached = codec.codecs.front()->name() == "attach";
    const auto after_name = [](const Bytes& payload) {
      return Bytes::copy(payload.text().substr(payload.text().find('\0') + 1));
    };
    if (const Bytes* bytes = stored.get_if<Bytes>()) {
      write(path, after_name(*bytes));
      return path.string();
    }
    const codec::Metadata known = codec::read_metadata(stored);
    const auto files = golden_.object(known.store, known.path);
    if (files.empty()) return std::nullopt;
    if (known.folder) fs::create_directories(path);
    for (const StoredFile& file : files) {
      const Bytes content = golden_.content(file);
      write(known.folder ? path / file.key.substr(known.path.size() + 1) : path,
            attached ? after_name(content) : content);
    }
    return path.string();
  }
  /// An argument of a statement as what a codec made: bytes, or JSON in its order.
  static Value stored_argument(const Value& notation) {
    const Value value = untyped(notation);
    if (const auto* text = value.get_if<std::string>()) return from_json(*text, "an argument");
    return value;
  }

  /// The row that a case inserts. Codecs and keys take what was given. Other attributes take what fetch gave, where it
  /// gave something: how numbers, dates and texts are bound is for the tests of the dialects.
  Row row_of(const GoldenCase& one, const TableEntry& into, const std::map<std::string, Value>* arguments) {
    Row row;
    const Value* fetched = one.find("fetched");
    const Seq* rows = fetched ? fetched->get_if<Seq>() : nullptr;
    for (const Value& item : one.find("row")->get_if<Seq>()->items) {
      const std::string name = item.get_if<Seq>()->items[0].as<std::string>();
      const Map& notation = *item.get_if<Seq>()->items[1].get_if<Map>();
      const codec::Chain* codec = chain(into, name);
      const Attribute* attribute = into.info->heading.find(name);
      const Value* argument = nullptr;
      if (arguments)
        if (const auto at = arguments->find(name); at != arguments->end()) argument = &at->second;
      if (notation.at("t") == Value("localpath")) {
        if (!codec) throw Error(Errc::usage, "a local path for an attribute without a codec");
        const bool missing = one.text("error").starts_with("FileNotFoundError");
        if (const auto path = local_path(notation, *codec, argument, missing)) row.set(name, *path);
        continue;
      }
      row.set(name, untyped(notation));
      if (codec && codec->codecs.front()->name() == "npy" && argument) {
        // The notation tells neither of byte order nor of the order of elements; what numpy wrote does.
        const codec::Metadata known = codec::read_metadata(stored_argument(*argument));
        const Array array = format::read_npy(golden_.content(golden_.object(known.store, known.path).at(0)));
        expect_array(array, item.get_if<Seq>()->items[1]);
        row.set(name, array);
      }
      if (codec || !attribute || attribute->in_key || !rows || rows->items.size() != 1) continue;
      for (const Value& other : rows->items[0].get_if<Seq>()->items)
        if (other.get_if<Seq>()->items[0] == Value(name)) row.set(name, untyped(other.get_if<Seq>()->items[1]));
    }
    return row;
  }

  /// What is in the columns of codecs, by attribute; only what is not NULL.
  std::map<std::string, Value> stored(const TableEntry& of, const Row& key) {
    const db::Dialect& dialect = session_->state()->dialect();
    std::string columns = "1", where;
    std::vector<std::string> names;
    const auto attributes = of.info->heading.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      if (!of.chains[i]) continue;
      names.push_back(attributes[i].name);
      columns += ", " + dialect.quote(attributes[i].name);
    }
    std::vector<Value> parameters;
    for (const Attribute& a : attributes) {
      if (!a.in_key || a.hidden) continue;
      where += fmt::format("{}{} = {}", where.empty() ? " WHERE " : " AND ", dialect.quote(a.name),
                           dialect.placeholder(parameters.size() + 1));
      parameters.push_back(dialect.to_cell(a.column, key[a.name]));
    }
    std::map<std::string, Value> found;
    db::Transaction look(*session_->state()->main, db::Transaction::Mode::read);
    const auto cursor = look.execute(
        fmt::format("SELECT {} FROM {}{}", columns, dialect.table(golden_.schema, of.info->def.name), where),
        parameters);
    std::vector<Value> cells;
    if (!cursor->next(cells)) ADD_FAILURE() << "the row is not there";
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      const Value& cell = cells[i + 1];
      if (cell.is_null()) continue;
      const auto* text = cell.get_if<std::string>();
      found[names[i]] = text ? from_json(*text, "a cell") : cell;
    }
    return found;
  }

  /// `path_of_theirs`: where we put an object that it put elsewhere; as it did, if empty.
  void compare(const TableEntry& of, const std::string& attribute, const Value& ours, const Value& theirs,
               const std::string& path_of_theirs = {}) {
    SCOPED_TRACE(attribute);
    ++counted_[of.info->heading.at(attribute).codec];
    const Map* have = ours.get_if<Map>();
    const Map* want = theirs.get_if<Map>();
    if (!have || !want) {
      EXPECT_EQ(ours, theirs) << ours.describe() << " " << theirs.describe();
      return;
    }
    const bool hashed = want->find("hash") && want->find("schema"), refers = !codec::is_object(*chain(of, attribute));
    const std::string store = want->at("store").as<std::string>();
    const int token = session_->state()->store_config(store).token_length;
    ASSERT_EQ(have->items.size(), want->items.size()) << to_json(*have);
    for (std::size_t i = 0; i < have->items.size(); ++i) {  // in the order in which it binds them
      const auto& [key, value] = want->items[i];
      ASSERT_EQ(have->items[i].first, key) << to_json(*have);
      const std::string member = key.as<std::string>();
      if (member == "timestamp") {
        static const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00)");
        EXPECT_TRUE(std::regex_match(have->items[i].second.as<std::string>(), form));
        EXPECT_TRUE(std::regex_match(value.as<std::string>(), form));
      } else if (member == "path" && !hashed && !refers) {
        const std::string wanted = path_of_theirs.empty() ? value.as<std::string>() : path_of_theirs;
        EXPECT_EQ(without_token(have->items[i].second.as<std::string>(), attribute, token),
                  without_token(wanted, attribute, token));
      } else {
        EXPECT_EQ(have->items[i].second, value) << member;
      }
    }
    compare_files(store, have->at("path").as<std::string>(), want->at("path").as<std::string>());
  }

  void compare_files(const std::string& store, const std::string& ours, const std::string& theirs) {
    const auto relative = [](const std::string& key, const std::string& path) { return key.substr(path.size()); };
    std::map<std::string, std::string> want, have;
    for (const StoredFile& file : golden_.object(store, theirs))
      want[relative(file.key, theirs)] = golden_.content(file).text();
    for (const auto& [path, content] : everything())
      if (path == store + "/" + ours || path.starts_with(store + "/" + ours + "/"))
        have[relative(path, store + "/" + ours)] = content;
    EXPECT_EQ(have, want);
    EXPECT_GT(have.size(), 0u) << ours;
    // A folder's manifest: the same text, but for the time and the order, which is its walk's; ours is sorted.
    const auto manifests = golden_.object(store, theirs + ".manifest.json");
    const fs::path manifest = root_ / store / (ours + ".manifest.json");
    if (manifests.empty()) return;  // it writes none for staged inserts
    ++manifests_;
    ASSERT_TRUE(fs::exists(manifest)) << manifest;
    const Bytes text = golden_.content(manifests[0]);
    std::vector<FileInfo> listed = codec::read_manifest(text.view());
    std::ranges::sort(listed, {}, &FileInfo::path);
    const Map known = from_json(text.text(), "a manifest").as<Map>();
    const std::string again =
        codec::manifest_text(listed, known.at("total_size").as<std::uint64_t>(), known.at("created").as<std::string>());
    const auto timeless = [](std::string all) {
      const std::size_t at = all.rfind("\"created\": \"");
      return all.replace(at, all.size() - at, "");
    };
    EXPECT_EQ(timeless(std::string(testing::read_file(manifest).text())), timeless(again));
    // With its own order and time it is the same, byte by byte.
    EXPECT_EQ(codec::manifest_text(codec::read_manifest(text.view()), known.at("total_size").as<std::uint64_t>(),
                                   known.at("created").as<std::string>()),
              text.text());
  }

  // --- operations

  static std::optional<Binding> binding_of(const GoldenCase& one, const std::string& table) {
    for (const Value& statement : one.find("statements")->get_if<Seq>()->items) {
      auto binding = read_binding(*statement.get_if<Map>());
      if (binding && binding->table == table) return binding;
    }
    return std::nullopt;
  }
  static bool said(const GoldenCase& one, std::string_view words) {
    return std::ranges::any_of(one.find("statements")->get_if<Seq>()->items, [&](const Value& statement) {
      return statement.get_if<Map>()->at("sql").as<std::string>().find(words) != std::string::npos;
    });
  }
  bool compare_all(const TableEntry& of, const Row& row, const std::map<std::string, Value>& arguments) {
    const std::map<std::string, Value> ours = stored(of, row);
    for (const auto& [attribute, argument] : arguments) {
      if (!chain(of, attribute)) continue;
      const Value theirs = stored_argument(argument);
      const auto at = ours.find(attribute);
      if (theirs.is_null() || at == ours.end()) {
        EXPECT_TRUE(theirs.is_null() && at == ours.end()) << attribute;
        continue;
      }
      compare(of, attribute, at->second, theirs);
    }
    for (const auto& [attribute, value] : ours)
      EXPECT_TRUE(arguments.contains(attribute)) << attribute << " is NULL there";
    return true;
  }

  void insert(const GoldenCase& one) {
    const TableEntry& into = entry(one.text("table"));
    const auto binding = binding_of(one, one.text("table"));
    const auto* arguments = binding && binding->rows.size() == 1 ? &binding->rows[0] : nullptr;
    const Row row = row_of(one, into, arguments);
    InsertOptions options;
    options.skip_duplicates = said(one, "ON CONFLICT") || said(one, "ON DUPLICATE KEY");
    options.replace = said(one, "REPLACE INTO");
    options.ignore_extra_fields = !one.find("error") && std::ranges::any_of(row, [&](const Row::Item& item) {
      return !into.info->heading.find(item.first);
    });
    const std::string error = one.text("error");
    const bool there_already = taken_.contains(key_text(into, row));
    options.replace = options.replace || there_already;
    const auto before = everything();
    try {
      table(one.text("table")).insert1(row, options);
    } catch (const Error& e) {
      if ((error.empty() || we_take(error)) && !we_refuse(row, into.info->heading))
        ADD_FAILURE() << e.what();
      else
        ++refused_;
      EXPECT_EQ(everything(), before);  // nothing is left behind; it leaves its objects [D 32]
      return;
    }
    if (!error.empty() && !we_take(error)) {
      ADD_FAILURE() << "it refused this row: " << error;
      return;
    }
    (error.empty() ? written_ : taken_).insert(key_text(into, row));
    if (!arguments || options.skip_duplicates) return;
    compare_all(into, row, *arguments);
    only_these(before, into, row);
  }
  /// Files that are new belong to objects of this row.
  void only_these(const std::map<std::string, std::string>& before, const TableEntry& of, const Row& row) {
    std::vector<std::string> named;
    for (const auto& [attribute, value] : stored(of, row))
      if (const Map* map = value.get_if<Map>())
        named.push_back(map->at("store").as<std::string>() + "/" + map->at("path").as<std::string>());
    for (const auto& [path, content] : everything()) {
      if (before.contains(path)) continue;
      EXPECT_TRUE(std::ranges::any_of(named, [&](const std::string& one) {
        return path == one || path.starts_with(one + "/") || path == one + ".manifest.json";
      })) << path;
    }
  }
  std::string key_text(const TableEntry& of, const Row& row) {
    std::string text = of.info->def.name;
    for (const std::string& name : of.info->heading.primary_key())
      if (const Value* value = row.find(name)) text += "," + to_typed(*value);
    return text;
  }

  void update(const GoldenCase& one) {
    const TableEntry& into = entry(one.text("table"));
    const auto binding = binding_of(one, one.text("table"));
    const auto* arguments = binding ? &binding->rows.at(0) : nullptr;
    const Row row = row_of(one, into, arguments);
    try {
      table(one.text("table")).update1(row);
    } catch (const Error& e) {
      if (one.find("error"))
        ++refused_;
      else
        ADD_FAILURE() << e.what();
      return;
    }
    if (one.find("error")) {  // there it did not get in [D 9]
      EXPECT_TRUE(taken_.contains(key_text(into, row))) << "it refused this update: " << one.text("error");
      return;
    }
    Row key;
    for (const std::string& name : into.info->heading.primary_key()) key.set(name, row[name]);
    const auto ours = stored(into, row);
    for (const auto& [attribute, argument] : *arguments) {
      if (!chain(into, attribute)) continue;
      const Value theirs = stored_argument(argument);
      const Map& want = *theirs.get_if<Map>();
      std::string path;
      if (!want.find("hash")) {  // it gives no key to the codec [D 24]; our path is that of an insert
        const std::string store = want.at("store").as<std::string>(), theirs_path = want.at("path").as<std::string>();
        const StoreConfig& config = session_->state()->store_config(store);
        const std::string last = theirs_path.substr(theirs_path.rfind('/') + 1);
        const std::size_t fixed = attribute.size() + 1, length = static_cast<std::size_t>(config.token_length);
        path = codec::named_path(config, Site{golden_.schema, one.text("table"), attribute, store, &key},
                                 last.substr(fixed + length), last.substr(fixed, length));
      }
      compare(into, attribute, ours.at(attribute), theirs, path);
    }
  }

  void stage(const GoldenCase& one) {
    const TableEntry& into = entry(one.text("table"));
    const auto binding = binding_of(one, one.text("table"));
    const Row key = row_of(one, into, nullptr);
    const auto attempt = [&](bool& wrote) {
      StagedInsert staged = table(one.text("table")).staged_insert1(key);
      std::map<std::string, Map> objects;
      if (binding)
        for (const auto& [attribute, argument] : binding->rows.at(0))
          if (chain(into, attribute)) objects[attribute] = *stored_argument(argument).get_if<Map>();
      for (const auto& [attribute, want] : objects) {
        const std::string path = want.at("path").as<std::string>();
        const auto files = golden_.object(want.at("store").as<std::string>(), path);
        wrote = wrote || !files.empty();
        const std::string ext = testing::optional_text(want, "ext").value_or("");
        if (want.at("is_dir") == Value(true) || files.empty()) {
          const Folder folder = staged.store(attribute, ext);
          for (const StoredFile& file : files)
            folder.write(file.key.substr(path.size() + 1), golden_.content(file).view());
        } else {
          const auto upload = staged.open(attribute, ext);
          upload->append(golden_.content(files.at(0)).view());
          upload->commit();
        }
      }
      if (objects.empty()) throw Error(Errc::usage, "it came to no object");
      staged.commit();
      const auto ours = stored(into, key);
      for (const auto& [attribute, want] : objects) {
        // The class name stands in its path, the name of the table in ours [D 23].
        std::string path = want.at("path").as<std::string>();
        const std::string class_part = "/" + one.text("class") + "/";
        const std::size_t at = path.find(class_part);
        ASSERT_NE(at, std::string::npos) << path;
        path.replace(at, class_part.size(), "/" + one.text("table") + "/");
        compare(into, attribute, ours.at(attribute), want, path);
        // Ours besides: a manifest beside every folder.
        const Map& have = *ours.at(attribute).get_if<Map>();
        if (want.at("is_dir") == Value(true)) {
          EXPECT_TRUE(fs::exists(root_ / have.at("store").as<std::string>() /
                                 (have.at("path").as<std::string>() + ".manifest.json")));
        }
      }
    };
    const auto before = everything();
    bool wrote = false;
    try {
      attempt(wrote);
    } catch (const Error& e) {
      // Its error, or nothing written at all: it records a file of size 0 that is not there.
      if (one.find("error") || !wrote)
        ++refused_;
      else
        ADD_FAILURE() << e.what();
      EXPECT_EQ(everything(), before);
      return;
    }
    EXPECT_FALSE(one.find("error")) << "it refused this: " << one.text("error");
    EXPECT_TRUE(wrote);
  }

  /// Rows that it wrote in other ways (make methods, contents, queries): put in as they were fetched.
  void put_fetched(const GoldenCase& one) {
    const Value* fetched = one.find("fetched");
    if (!fetched) return;
    const TableEntry& into = entry(one.text("table"));
    const auto binding = binding_of(one, one.text("table"));
    std::vector<std::map<std::string, Value>> arguments;
    for (const Value& statement : one.find("statements")->get_if<Seq>()->items)
      if (const auto more = read_binding(*statement.get_if<Map>()); more && more->table == one.text("table"))
        if (said_insert(*statement.get_if<Map>()))
          arguments.insert(arguments.end(), more->rows.begin(), more->rows.end());
    const Seq& rows = *fetched->get_if<Seq>();
    for (std::size_t i = 0; i < rows.items.size(); ++i) {
      Row row;
      for (const Value& item : rows.items[i].get_if<Seq>()->items) {
        const Map& notation = *item.get_if<Seq>()->items[1].get_if<Map>();
        const bool array = notation.at("t") == Value("npyref");
        row.set(item.get_if<Seq>()->items[0].as<std::string>(),
                array ? untyped(notation.at("array")) : untyped(notation));
      }
      const auto before = everything();
      if (table(one.text("table")).insert1(row, {.skip_duplicates = true}) == 0) continue;
      written_.insert(key_text(into, row));
      // make() may have written rows that are told of in no case of their own.
      if (arguments.size() == rows.items.size()) compare_all(into, row, arguments[i]);
      only_these(before, into, row);
    }
  }
  static bool said_insert(const Map& statement) { return statement.at("sql").as<std::string>().starts_with("INSERT"); }

  /// Deletes what its last statement deletes: the rows that were asked for, after all that depends on them.
  void remove(const GoldenCase& one) {
    if (one.find("error")) return;  // parts, which we remove like other rows
    static const std::regex last(R"(^DELETE FROM [`"]\w+[`"]\.[`"]([^`"]+)[`"] WHERE (.*)$)");
    std::smatch match;
    std::string name, where;
    for (const Value& statement : one.find("statements")->get_if<Seq>()->items) {
      const std::string sql = statement.get_if<Map>()->at("sql").as<std::string>();
      if (!std::regex_match(sql, match, last)) continue;
      name = match[1];
      where = match[2];
    }
    if (where.empty() || where.find("SELECT") != std::string::npos) return;
    std::ranges::replace(where, '`', '"');
    const Query doomed = table(name) & where_runtime(where);
    const auto before = everything();
    doomed.remove();
    session_->collect();
    ++removed_;
    // What is left is what it has left, of the rows that both have: it wrote some that no case tells of.
    const Value* fetched = one.find("fetched");
    const TableEntry& of = entry(one.text("table"));
    std::set<std::string> theirs, ours;
    for (const Value& item : fetched ? fetched->get_if<Seq>()->items : std::vector<Value>{}) {
      Row row;
      for (const Value& cell : item.get_if<Seq>()->items) {
        const std::string attribute = cell.get_if<Seq>()->items[0].as<std::string>();
        if (of.info->heading.at(attribute).in_key) row.set(attribute, untyped(cell.get_if<Seq>()->items[1]));
      }
      if (const std::string text = key_text(of, row); written_.contains(text)) theirs.insert(text);
    }
    for (const Row& row : table(one.text("table")))
      if (const std::string text = key_text(of, row); !taken_.contains(text)) ours.insert(text);
    EXPECT_EQ(ours, theirs);
    // It leaves all objects; ours go with their last row, and the audit at the end finds all that are needed.
    for (const auto& [path, content] : everything()) EXPECT_TRUE(before.contains(path)) << path;
  }

  test::TempFolder folder_;
  fs::path root_ = folder_.path() / "store";
  GoldenRows golden_;
  std::optional<Session> session_;
  std::map<std::string, std::shared_ptr<const TableEntry>> kept_;
  std::set<std::string> written_, taken_;  // keys of rows that both took, and that we took and it refused
  std::map<std::string, std::size_t> counted_;
  std::size_t locals_ = 0, manifests_ = 0, refused_ = 0, removed_ = 0;
};

TEST_P(WriteRows, BecomeTheSameCellsPathsAndFiles) {
  std::map<std::string, std::size_t> operations;
  for (const GoldenCase& one : golden_.cases) {
    SCOPED_TRACE(one.name);
    const std::string op = one.text("op");
    ++operations[op];
    if (op == "insert1")
      insert(one);
    else if (op == "update1")
      update(one);
    else if (op == "staged_insert1")
      stage(one);
    else if (op == "delete")
      remove(one);
    else
      put_fetched(one);
  }
  const Audit audit = session_->audit({.deep = true});
  for (const Finding& finding : audit.findings) ADD_FAILURE() << finding.path << ": " << finding.detail;

  const auto tell = [&](const std::string& what, std::size_t count) {
    testing::tell_cases(fmt::format("rows, {}, {}", GetParam(), what), count);
  };
  for (const auto& [op, count] : operations) tell("operation " + op, count);
  for (const auto& [codec, count] : counted_) tell(fmt::format("<{}> written", codec), count);
  tell("codecs written", counted_.size());
  if (std::ranges::any_of(golden_.files, [](const StoredFile& file) { return file.key.ends_with(".manifest.json"); }))
    tell("manifests", manifests_);
  std::cout << fmt::format("golden rows, {}: {} refused by both, {} deletes done again\n", GetParam(), refused_,
                           removed_);
}

INSTANTIATE_TEST_SUITE_P(Golden, WriteRows, ::testing::Values("postgresql", "mysql"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace oas::interop
