// Our side of the tests beside DataJoint for Python: one session over the settings of its working directory. Each line
// of standard input is a command, {"do": NAME, …}, and each is answered with one line: {"ok": …}, or {"error": code,
// "message": …}. Values are in the notation of docs/format/typed.md, in which whole objects stand for references:
//   {"t": "file", "ext", "hex"}  {"t": "folder", "ext", "files": [[path, hex], …]}  {"t": "array", …} of a `.npy`
// with what the row says of the object in `at`, which inserts pass over.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include <oas/oas.hpp>
#include <oas/tools.hpp>

namespace {

using namespace oas;
namespace fs = std::filesystem;

/// Local files from which objects are inserted; gone with the program.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "oas-side-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw Error(Errc::access, "make a temporary folder");
    folder_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path fresh(const std::string& name) {
    const fs::path folder = folder_ / std::to_string(++count_);
    fs::create_directory(folder);
    return folder / name;
  }
  static void write(const fs::path& file, const Value& hexadecimal) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << from_hex(hexadecimal.as<std::string>()).value().text();
  }

 private:
  fs::path folder_;
  int count_ = 0;
};

class Side {
 public:
  Side() : session_(Settings::load(), {.log = [](LogLevel, std::string_view) {}}) {}

  Value answer(const Map& command) {
    const std::string what = text(command, "do");
    const auto found = commands_.find(what);
    if (found == commands_.end()) throw Error(Errc::usage, "no command " + what);
    return (this->*found->second)(command);
  }

 private:
  using Command = Value (Side::*)(const Map&);

  static std::string text(const Map& command, std::string_view name) {
    const Value* found = command.find(name);
    return found ? found->as<std::string>() : std::string();
  }
  static bool flag(const Map& command, std::string_view name) {
    const Value* found = command.find(name);
    return found && found->as<bool>();
  }
  Table<> table(const Map& command) { return session_.schema(text(command, "schema"))[text(command, "table")]; }
  Query query(const Map& command) {
    const std::string where = text(command, "where");
    const Table<> all = table(command);
    return where.empty() ? Query(all) : all & where_runtime(where);
  }

  // --- values

  Value value(const Value& notation) {
    const Map& note = *notation.get_if<Map>();
    const std::string t = text(note, "t");
    if (t != "file" && t != "folder") return untyped(notation);
    const fs::path path = scratch_.fresh("object" + text(note, "ext"));
    if (t == "file") {
      Scratch::write(path, note.at("hex"));
    } else {
      fs::create_directory(path);
      for (const Value& file : note.at("files").get_if<Seq>()->items) {
        const auto& parts = file.get_if<Seq>()->items;
        Scratch::write(path / parts[0].as<std::string>(), parts[1]);
      }
    }
    return path;
  }
  Row row(const Value& notations) {
    Row out;
    for (const auto& [name, notation] : notations.get_if<Map>()->items)
      out.set(name.as<std::string>(), value(notation));
    return out;
  }
  static Value contents(const ObjectRef& object) {
    Map out = map({{"t", object.is_folder() ? "folder" : "file"}, {"at", object.metadata()}});
    if (!object.is_folder()) {
      out.set("hex", hex(object.read()));
      return out;
    }
    auto files = object.files();
    std::ranges::sort(files, {}, &FileInfo::path);
    Seq contents;
    for (const FileInfo& file : files) contents.items.emplace_back(list({file.path, hex(object.read(file.path))}));
    out.set("files", std::move(contents));
    return out;
  }
  static Value notation(const Value& value) {
    if (const auto* object = value.get_if<ObjectRef>()) return contents(*object);
    const auto* array = value.get_if<NpyRef>();
    if (!array) return from_json(to_typed(value), "a notation");
    Value loaded = from_json(to_typed(array->load()), "a notation");
    loaded.get_if<Map>()->set("at", array->object().metadata());
    return loaded;
  }

  // --- commands

  Value declare(const Map& c) {
    static const std::map<std::string, Tier> tiers{{"manual", Tier::manual},
                                                   {"lookup", Tier::lookup},
                                                   {"imported", Tier::imported},
                                                   {"computed", Tier::computed},
                                                   {"part", Tier::part}};
    const std::string tier = text(c, "tier");
    return session_.schema(text(c, "schema"))
        .declare(text(c, "class"), tier.empty() ? Tier::manual : tiers.at(tier), text(c, "definition"),
                 text(c, "master"))
        .name();
  }
  Value insert(const Map& c) {
    std::vector<Row> rows;
    for (const Value& notations : c.at("rows").get_if<Seq>()->items) rows.push_back(row(notations));
    return table(c).insert(rows, {.skip_duplicates = flag(c, "skip_duplicates"), .replace = flag(c, "replace")});
  }
  Value update(const Map& c) {
    table(c).update1(row(c.at("row")));
    return {};
  }
  /// The object of one attribute is written in place: a file, or a folder.
  Value stage(const Map& c) {
    const Map& object = *c.at("object").get_if<Map>();
    StagedInsert staged = table(c).staged_insert1(row(c.at("row")));
    if (text(object, "t") == "folder") {
      const Folder folder = staged.store(text(c, "attribute"), text(object, "ext"));
      for (const Value& file : object.at("files").get_if<Seq>()->items) {
        const auto& parts = file.get_if<Seq>()->items;
        folder.write(parts[0].as<std::string>(), from_hex(parts[1].as<std::string>()).value());
      }
    } else {
      const auto upload = staged.open(text(c, "attribute"), text(object, "ext"));
      upload->append(from_hex(text(object, "hex")).value());
      upload->commit();
    }
    return staged.commit();
  }
  Value fetch(const Map& c) {
    Query rows = query(c);
    if (const Value* names = c.find("attributes")) rows = rows.proj(names->as<std::vector<std::string>>());
    Seq out;
    for (const Row& row : rows.order_by("KEY")) {
      Map notations;
      for (const auto& [name, value] : row) notations.set(name, notation(value));
      out.items.emplace_back(std::move(notations));
    }
    return out;
  }
  Value remove(const Map& c) { return query(c).remove(); }
  Value tables(const Map& c) {
    Seq out;
    for (const std::string& name : session_.schema(text(c, "schema")).tables()) out.items.emplace_back(name);
    return out;
  }
  Value describe(const Map& c) { return table(c).describe(); }
  Value heading(const Map& c) {
    Seq out;
    for (const Attribute& a : table(c).heading())
      out.items.emplace_back(map({{"name", a.name},
                                  {"type", a.type},
                                  {"comment", a.comment},
                                  {"codec", a.codec},
                                  {"nullable", a.nullable},
                                  {"hidden", a.hidden},
                                  {"in_key", a.in_key},
                                  {"lineage", a.lineage}}));
    return out;
  }
  Value collect(const Map&) {
    const Collected collected = session_.collect();
    if (!collected.errors.empty()) throw collected.errors.front();
    return map({{"removed", collected.removed}, {"kept", collected.kept}, {"waiting", collected.waiting}});
  }
  Value audit(const Map& c) {
    AuditOptions options{.deep = flag(c, "deep"), .repair = flag(c, "repair")};
    if (const Value* grace = c.find("grace")) options.grace = std::chrono::seconds(grace->as<std::int64_t>());
    const Audit audit = session_.audit(options);
    Seq leaks, faults;
    for (const Finding& finding : audit.findings) {
      if (finding.kind == Finding::Kind::leaked)
        leaks.items.emplace_back(finding.store + ": " + finding.path);
      else
        faults.items.emplace_back(finding.where + ", " + finding.store + ": " + finding.path + ": " + finding.detail);
    }
    return map({{"references", audit.references}, {"leaks", leaks}, {"faults", faults}});
  }

  const std::map<std::string, Command> commands_{
      {"declare", &Side::declare}, {"insert", &Side::insert},     {"update", &Side::update},
      {"stage", &Side::stage},     {"fetch", &Side::fetch},       {"remove", &Side::remove},
      {"tables", &Side::tables},   {"describe", &Side::describe}, {"heading", &Side::heading},
      {"collect", &Side::collect}, {"audit", &Side::audit}};
  Scratch scratch_;
  Session session_;
};

}  // namespace

int main() {
  Side side;
  for (std::string line; std::getline(std::cin, line);) {
    Map out;
    try {
      const Value command = from_json(line, "a command");
      out = map({{"ok", side.answer(*command.get_if<Map>())}});
    } catch (const Error& e) {
      out = map({{"error", std::string(to_string(e.code()))}, {"message", std::string(e.what())}});
    }
    std::cout << to_json(out) << std::endl;
  }
}
