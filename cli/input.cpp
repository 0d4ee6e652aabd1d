#include "input.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>

#include <oas/tools.hpp>

#include "program.hpp"

namespace oas::cli {
namespace {

namespace fs = std::filesystem;

enum class Kind {
  boolean,
  integer,
  real,
  decimal,
  text,
  uuid,
  bytes,
  json,
  attachment,
  object,
  npy,
  filepath,
  hash,
  any
};

Kind kind_of(const Attribute& a) {
  if (a.codec == "attach") return Kind::attachment;
  if (a.codec == "object") return Kind::object;
  if (a.codec == "npy") return Kind::npy;
  if (a.codec == "filepath") return Kind::filepath;
  if (a.codec == "hash") return Kind::hash;
  if (!a.codec.empty()) return Kind::any;
  std::string type = a.column;
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto has = [&](std::string_view word) { return type.find(word) != std::string::npos; };
  const auto begins = [&](std::string_view word) { return type.starts_with(word); };
  if (begins("bool")) return Kind::boolean;
  if (begins("enum") || begins("set") || has("char") || has("text")) return Kind::text;
  if (has("int") && !begins("point") && !begins("interval")) return Kind::integer;
  if (begins("float") || begins("double") || begins("real")) return Kind::real;
  if (begins("decimal") || begins("numeric")) return Kind::decimal;
  if (begins("uuid")) return Kind::uuid;
  if (begins("json")) return Kind::json;
  if (begins("bytes") || has("blob") || has("binary")) return Kind::bytes;
  return Kind::text;  // dates and times too: the library reads their texts
}

[[noreturn]] void unfit(const Attribute& a, std::string_view text, std::string_view wanted) {
  throw Error(Errc::usage,
              fmt::format("read the value of {}: '{}' is no {}. {}", a.name, text.substr(0, 80), a.type, wanted),
              a.name);
}

Bytes file_bytes(const std::string& file) {
  std::string text = read_text(file);
  auto owner = std::make_shared<const std::string>(std::move(text));
  const auto view = as_bytes(*owner);
  return {owner, view.data(), view.size()};
}

Value from_file(const Attribute& a, Kind kind, const std::string& file) {
  const std::string extension = fs::path(file).extension().string();
  switch (kind) {
    case Kind::attachment: return Attachment(fs::path(file));
    case Kind::object: return fs::path(file);
    case Kind::npy: return parse_npy(file_bytes(file));
    case Kind::json: return from_json(read_text(file), file);
    case Kind::any:
      if (extension == ".npy") return parse_npy(file_bytes(file));
      if (extension == ".json") return from_json(read_text(file), file);
      return file_bytes(file);
    case Kind::bytes:
    case Kind::hash: return file_bytes(file);
    default: unfit(a, "@" + file, "only arrays, bytes, JSON, blobs, attachments and objects come from files");
  }
}

Value bytes_from(const Attribute& a, const std::string& text) {
  constexpr std::string_view wanted = "write hexadecimal digits, base64:…, or @file";
  constexpr std::string_view base64 = "base64:";
  const auto bytes =
      text.starts_with(base64) ? from_base64(std::string_view(text).substr(base64.size())) : from_hex(text);
  if (!bytes) unfit(a, text, wanted);
  return *bytes;
}

Value real_from(const Attribute& a, const std::string& text) {
  double d = 0;
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(first, last, d);  // "NaN" and "Infinity" too
  if (failure != std::errc() || end != last) unfit(a, text, "write a number such as 1.5e-3");
  return d;
}

std::string_view without_escape(std::string_view text) { return text.starts_with("@@") ? text.substr(1) : text; }

// A text that is meant as one: of JSON or typed on the command line.
Value from_string(const Attribute& a, Kind kind, const std::string& text, bool json_text) {
  const bool file = text.starts_with('@') && !text.starts_with("@@");
  switch (kind) {
    case Kind::boolean:
      if (text == "true" || text == "1") return true;
      if (text == "false" || text == "0") return false;
      unfit(a, text, "write true or false");
    case Kind::integer:
      if (const auto n = parse_integer(text)) return *n;
      unfit(a, text, "write a whole number");
    case Kind::real: return real_from(a, text);
    case Kind::decimal:
    case Kind::text:
    case Kind::filepath: return text;
    case Kind::uuid: return Uuid::parse(text);
    case Kind::bytes: return file ? from_file(a, kind, text.substr(1)) : bytes_from(a, text);
    case Kind::json:
    case Kind::any:
      if (file) return from_file(a, kind, text.substr(1));
      if (!json_text) return without_escape(text);
      try {
        return from_json(text, a.name);
      } catch (const Error& e) {
        throw Error(e.code(),
                    fmt::format("read the value of {}: '{}' is no JSON. write @file, or JSON such as "
                                "'[1, 2]' or '\"text\"' in its quotes",
                                a.name, text.substr(0, 80)),
                    a.name, e.native());
      }
    case Kind::attachment:
    case Kind::object:
    case Kind::npy:
    case Kind::hash:
      if (file) return from_file(a, kind, text.substr(1));
      unfit(a, text, "write @ and the path of a local file");
  }
  return {};
}

}  // namespace

Value from_text(const Attribute& attribute, const std::string& text) {
  const Kind kind = kind_of(attribute);
  if (text.empty() && kind != Kind::text) return {};
  return from_string(attribute, kind, text, true);
}

Value from_plain(const Attribute& attribute, const Value& json) {
  const Kind kind = kind_of(attribute);
  if (const auto* text = json.get_if<std::string>()) return from_string(attribute, kind, *text, false);
  if (const auto* number = json.get_if<double>(); number && kind == Kind::decimal) return fmt::format("{}", *number);
  return json;  // what does not fit is refused by the library, which knows more of the type
}

std::optional<std::pair<std::string, std::string>> assignment(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const std::string name = argument.substr(0, equals);
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!std::ranges::all_of(name, good)) return std::nullopt;
  return std::pair{name, argument.substr(equals + 1)};
}

RowReader::RowReader(std::istream& in, std::string name, RowFormat format, const Heading& heading, Session& session)
    : in_(in), name_(std::move(name)), format_(format), heading_(heading), session_(session) {}

RowReader::~RowReader() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

bool RowReader::next(Row& row) {
  row = Row();
  try {
    return format_ == RowFormat::csv ? next_csv(row) : next_json(row);
  } catch (const Error& e) {
    throw e.within(fmt::format("read line {} of {}", line_, name_));
  }
}

bool RowReader::next_json(Row& row) {
  std::string line;
  do {
    if (!std::getline(in_, line)) {
      if (in_.bad()) throw Error(Errc::access, "it cannot be read");
      return false;
    }
    ++line_;
  } while (line.find_first_not_of(" \t\r") == std::string::npos);
  const Value json = from_json(line, "the line");
  const Map* members = json.get_if<Map>();
  if (!members)
    throw Error(Errc::usage, "there is " + json.describe() + ". each line is one row: {\"attribute\": value, …}");
  for (const auto& [key, value] : members->items) {
    const auto& name = *key.get_if<std::string>();
    const Attribute* a = heading_.find(name);
    if (!a)
      row.set(name, value);  // refused or passed over by the insert
    else
      row.set(name, format_ == RowFormat::typed ? from_notation(*a, value) : from_plain(*a, value));
  }
  return true;
}

Value RowReader::from_notation(const Attribute& attribute, const Value& notation) {
  if (const Map* map = notation.get_if<Map>())
    if (const Value* t = map->find("t"); t && *t == Value("folder")) return unpack_folder(*map);
  Value value = untyped(notation);
  const auto* ref = value.get_if<ObjectRef>();
  if (!ref) return value;
  if (attribute.codec == "filepath") return ref->path();
  return attach_ref(session_, *ref);
}

// A folder is inserted from a folder.
fs::path RowReader::unpack_folder(const Map& notation) {
  if (folder_.empty()) {
    std::string name = (fs::temp_directory_path() / "oas-put-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw Error(Errc::access, "make a temporary folder " + name + ": it cannot be made");
    folder_ = name;
  }
  fs::path root = folder_ / std::to_string(++folders_);
  fs::create_directories(root);
  const Value& files = notation.at("files");
  if (!files.is<Seq>()) throw Error(Errc::decode, "read a typed value: 'files' of a folder is not a list");
  for (const Value& file : files.get_if<Seq>()->items) {
    const auto parts = file.as<std::vector<std::string>>();
    const auto content = parts.size() == 2 ? from_hex(parts[1]) : std::nullopt;
    if (!content) throw Error(Errc::decode, "read a typed value: a file of a folder is not [path, hex]");
    const fs::path relative = fs::path(parts[0]).lexically_normal();
    if (relative.empty() || relative.is_absolute() || *relative.begin() == ".." || relative == ".")
      throw Error(Errc::access, fmt::format("read a typed value: '{}' leaves its folder", parts[0]));
    fs::create_directories((root / relative).parent_path());
    std::ofstream out(root / relative, std::ios::binary);
    out.write(reinterpret_cast<const char*>(content->data()), static_cast<std::streamsize>(content->size()));
    if (!out.flush()) throw Error(Errc::access, "write " + (root / relative).string() + ": it cannot be written");
  }
  return root;
}

bool RowReader::read_record(std::vector<std::optional<std::string>>& fields) {
  fields.clear();
  std::string field;
  bool quoted = false, inside = false, any = false;
  const auto end_field = [&] {
    fields.push_back(field.empty() && !quoted ? std::nullopt : std::optional(field));
    field.clear();
    quoted = false;
  };
  ++line_;
  const std::size_t first = line_;
  for (int c = in_.get(); c != std::istream::traits_type::eof(); c = in_.get()) {
    any = true;
    const char ch = static_cast<char>(c);
    if (inside) {
      if (ch == '\n') ++line_;
      if (ch != '"')
        field += ch;
      else if (in_.peek() == '"')
        field += static_cast<char>(in_.get());
      else
        inside = false;
    } else if (ch == '"' && field.empty() && !quoted) {
      inside = quoted = true;
    } else if (ch == ',') {
      end_field();
    } else if (ch == '\n') {
      end_field();
      return true;
    } else if (ch != '\r' || in_.peek() != '\n') {
      if (quoted) throw Error(Errc::syntax, "something follows a closing quote. write quotes inside a field twice");
      field += ch;
    }
  }
  if (inside) throw Error(Errc::syntax, fmt::format("a quote that is open since line {} is not closed", first));
  if (any) end_field();
  return any;
}

bool RowReader::next_csv(Row& row) {
  std::vector<std::optional<std::string>> fields;
  if (names_.empty()) {
    if (!read_record(fields)) throw Error(Errc::usage, "the names of the attributes are missing in the first line");
    for (auto& name : fields) names_.push_back(name.value_or(""));
    if (names_[0].starts_with("\xef\xbb\xbf")) names_[0].erase(0, 3);
  }
  do {
    if (!read_record(fields)) return false;
  } while (fields.size() == 1 && !fields[0] && names_.size() > 1);
  if (fields.size() != names_.size())
    throw Error(Errc::usage, fmt::format("there are {} fields and {} names", fields.size(), names_.size()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i]) continue;
    const Attribute* a = heading_.find(names_[i]);
    row.set(names_[i], a ? from_text(*a, *fields[i]) : Value(*fields[i]));
  }
  return true;
}

}  // namespace oas::cli
