#include "core/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/bigint.hpp"
#include "core/text.hpp"

namespace oas {
namespace {

// Builds the Value as the parser goes; the parser itself does not recurse.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view what, bool strict) : what_(what), strict_(strict) {}
  Value take() { return std::move(root_); }

  bool null() override { return put({}); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(value); }
  bool number_unsigned(std::uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string& text) override {
    // The parser gives integers beyond 64 bits as floats.
    if (text.find_first_of(".eE") == std::string::npos) return put(integer_from_text(text));
    return put(value);
  }
  // The parser's own text keeps its memory for the next one.
  bool string(std::string& value) override { return put(Value(std::string(value))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Map{}); }
  bool key(std::string& name) override {
    auto& items = open_.back().map().items;
    if (items.empty()) items.reserve(4);
    items.emplace_back(Value(std::string(name)), Value());
    return true;
  }
  bool end_object() override {
    keep_last(open_.back().map());
    return close();
  }
  bool start_array(std::size_t) override { return open(Seq{}); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string& last, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …": the last part is the reason.
    std::string_view why = e.what();
    if (const auto reason = why.find("syntax error"); reason != std::string_view::npos) why.remove_prefix(reason);
    throw Error(Errc::syntax,
                fmt::format("read {}: at byte {}: {} near '{}'", what_, position, shown(why, 300), shown(last, 40)), {},
                fmt::format("byte {}", position));
  }

 private:
  struct Open {
    Value value;
    Map& map() { return *value.get_if<Map>(); }
  };

  bool put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* list = open_.back().value.get_if<Seq>()) {
      list->items.push_back(std::move(value));
    } else {
      open_.back().map().items.back().second = std::move(value);
    }
    return true;
  }
  bool open(Value container) {
    if (open_.size() == max_json_depth)
      throw Error(Errc::syntax, fmt::format("read {}: it is nested deeper than {} levels", what_, max_json_depth));
    open_.push_back({std::move(container)});
    return true;
  }
  bool close() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(done));
  }
  void keep_last(Map& map) {
    if (map.items.size() < few && !has_again(map)) return;
    std::unordered_map<std::string_view, std::size_t> first;
    first.reserve(map.items.size());
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
      const auto [where, fresh] = first.try_emplace(*map.items[i].first.get_if<std::string>(), i);
      if (fresh) continue;
      if (strict_)
        throw Error(Errc::syntax, fmt::format("read {}: the key '{}' comes twice", what_, place(where->first)));
      map.items[where->second].second = std::move(map.items[i].second);
      again.push_back(i);
    }
    if (again.empty()) return;
    std::vector<std::pair<Value, Value>> kept;
    std::size_t next = 0;
    for (std::size_t i = 0; i < map.items.size(); ++i)
      if (next < again.size() && again[next] == i)
        ++next;
      else
        kept.push_back(std::move(map.items[i]));
    map.items = std::move(kept);
  }

  /// Of a few members: less work than a table of them.
  static constexpr std::size_t few = 16;
  static bool has_again(const Map& map) {
    for (std::size_t i = 1; i < map.items.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (*map.items[i].first.get_if<std::string>() == *map.items[k].first.get_if<std::string>()) return true;
    return false;
  }

  // "stores.raw.location" for the last of them.
  std::string place(std::string_view key) const {
    std::string path;
    for (const Open& outer : open_) {
      const Map* map = outer.value.get_if<Map>();
      if (&outer == &open_.back() || path.size() > 200) break;
      if (map) path += shown(*map->items.back().first.get_if<std::string>()) + '.';
    }
    return path + shown(key);
  }

  std::string_view what_;
  bool strict_;
  std::vector<Open> open_;
  Value root_;
};

class Writer {
 public:
  std::string take() { return std::move(out_); }

  void write(const Value& value, std::size_t depth = 0) {
    if (depth > max_json_depth)
      throw Error(Errc::usage, fmt::format("write JSON: the value is nested deeper than {} levels", max_json_depth));
    if (const auto* text = value.get_if<std::string>()) return quote(*text);
    if (const auto* list = value.get_if<Seq>(); list && list->kind != Seq::Kind::set) {
      out_ += '[';
      for (const Value& item : list->items) {
        if (&item != &list->items.front()) out_ += ", ";
        write(item, depth + 1);
      }
      out_ += ']';
    } else if (const auto* map = value.get_if<Map>()) {
      out_ += '{';
      for (const auto& [key, item] : map->items) {
        if (&key != &map->items.front().first) out_ += ", ";
        if (const auto* name = key.get_if<std::string>())
          quote(*name);
        else
          quote(atom(key));
        out_ += ": ";
        write(item, depth + 1);
      }
      out_ += '}';
    } else {
      out_ += atom(value);
    }
  }

 private:
  static std::string atom(const Value& value) {
    if (value.is_null()) return "null";
    if (const auto* b = value.get_if<bool>()) return *b ? "true" : "false";
    if (const auto* n = value.get_if<std::int64_t>()) return std::to_string(*n);
    // Through the reader, so that only an integer gets out.
    if (const auto* big = value.get_if<BigInt>()) {
      const Value n = integer_from_text(big->digits);
      return n.is<BigInt>() ? n.get_if<BigInt>()->digits : std::to_string(n.as<std::int64_t>());
    }
    if (const auto* d = value.get_if<double>()) {
      if (std::isnan(*d)) return "NaN";
      if (std::isinf(*d)) return *d < 0 ? "-Infinity" : "Infinity";
      return python_float_repr(*d);
    }
    throw Error(Errc::usage, "write JSON: it has no form for " + value.describe());
  }

  void quote(std::string_view text) {
    out_ += '"';
    while (!text.empty()) {
      const auto next = take_code_point(text);
      if (!next) throw Error(Errc::usage, "write JSON: a text is not UTF-8");
      const auto c = static_cast<std::uint32_t>(*next);
      switch (c) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\b': out_ += "\\b"; break;
        case '\f': out_ += "\\f"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        default:
          if (c >= 0x20 && c < 0x7F)
            out_ += static_cast<char>(c);
          else if (c < 0x10000)
            fmt::format_to(std::back_inserter(out_), "\\u{:04x}", c);
          else
            fmt::format_to(std::back_inserter(out_), "\\u{:04x}\\u{:04x}", 0xD800 + ((c - 0x10000) >> 10),
                           0xDC00 + (c & 0x3FF));
      }
    }
    out_ += '"';
  }

  std::string out_;
};

}  // namespace

Value from_json(std::string_view text, std::string_view what) {
  Builder builder(what, false);
  nlohmann::json::sax_parse(text, &builder);
  return builder.take();
}

Value from_strict_json(std::string_view text, std::string_view what) {
  Builder builder(what, true);
  nlohmann::json::sax_parse(text, &builder);
  return builder.take();
}

std::string to_json(const Value& value) {
  Writer writer;
  writer.write(value);
  return writer.take();
}

}  // namespace oas
