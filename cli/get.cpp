#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include <oas/tools.hpp>

#include "text.hpp"
#include "verbs.hpp"

namespace oas::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const Get& options, const std::string& why) {
  throw Error(Errc::usage, fmt::format("get {} of {}: {}", options.attribute, options.table, why),
              options.table + "." + options.attribute);
}

Value loaded(const Value& value) {
  if (const auto* ref = value.get_if<NpyRef>()) return ref->load();
  return value;
}

// The bytes as they are, without a notation; nullopt if the value has none of its own.
std::optional<Bytes> raw_bytes(const Value& value) {
  if (const auto* bytes = value.get_if<Bytes>()) return *bytes;
  if (const auto* text = value.get_if<std::string>()) return Bytes::copy(*text);
  if (const auto* file = value.get_if<Attachment>()) return file->bytes();
  if (const auto* ref = value.get_if<NpyRef>()) return ref->object().read();
  if (const auto* ref = value.get_if<ObjectRef>(); ref && !ref->is_folder()) return ref->read();
  if (const auto* array = value.get_if<Array>()) return array->to_native().to_order(Array::Order::row).data();
  return std::nullopt;
}

bool is_binary(const Value& value) { return value.is<Bytes>() || value.is<Attachment>() || value.is<ObjectRef>(); }

std::string as_text(const Program& program, const Get& options, const Value& value) {
  if (program.typed) return to_typed(loaded(value)) + "\n";
  const Value simple = plain_with_data(loaded(value));
  if (program.json) return to_json(map({{"name", options.attribute}, {"value", simple}})) + "\n";
  if (const auto* text = simple.get_if<std::string>()) return printable(*text, true) + "\n";
  return to_json(simple) + "\n";
}

void write_file(const Get& options, BytesView bytes) {
  const fs::path target = options.file;
  if (!options.force && fs::exists(target))
    refuse(options, fmt::format("{} is there already. --force overwrites it", options.file));
  // Complete or not there: a file beside it takes its place.
  const fs::path part = options.file + ".oas-part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) {
      std::error_code ignored;
      fs::remove(part, ignored);
      throw Error(Errc::access, fmt::format("write {}: it cannot be written", options.file), options.file);
    }
  }
  fs::rename(part, target);
}

}  // namespace

int get(Program& program, const Get& options) {
  Query query = program.table(options.table);
  if (!options.where.empty()) query = query & where_runtime(options.where);
  const Value value = query.fetch1(options.attribute);
  const bool to_file = !options.file.empty() && options.file != "-";
  const bool text_wanted = program.json || program.typed;

  if (to_file && !text_wanted && !options.npy && !options.raw) {
    // Files keep their nature: attachments may go into a folder under their own name, folders become folders.
    if (const auto* file = value.get_if<Attachment>(); file && fs::is_directory(options.file)) {
      write_out(printable(file->save_to(options.file).string()) + "\n");
      return done;
    }
    if (const auto* object = value.get_if<ObjectRef>(); object && (object->is_folder() || !options.force)) {
      object->download(options.file);
      return done;
    }
  }
  std::optional<Bytes> bytes;
  if (options.npy || (to_file && !text_wanted && !options.raw && loaded(value).is<Array>())) {
    const Value array = loaded(value);
    if (!array.is<Array>()) refuse(options, fmt::format("there is {} and no array", value.describe()));
    bytes = format_npy(array.as<Array>());
  } else if (options.raw || (!text_wanted && is_binary(value))) {
    bytes = raw_bytes(value);
    if (!bytes)
      refuse(options,
             value.is<ObjectRef>()
                 ? "it is a folder. name one to be made with -o FOLDER"
                 : fmt::format("there is {}, which has no bytes of its own. use --json or --typed", value.describe()));
  }
  if (!bytes) {
    const std::string text = as_text(program, options, value);
    if (to_file)
      write_file(options, as_bytes(text));
    else
      write_out(text);
  } else if (to_file) {
    write_file(options, *bytes);
  } else {
    if (is_terminal(stdout) && !value.is<std::string>())
      refuse(options, "the terminal cannot show it. use -o FILE, or --json");
    write_out(bytes->text());
  }
  return done;
}

}  // namespace oas::cli
