// Is what we read what the reference read? Both are in the lossless notation, as JSON. They are the same but where the
// reference is known to lose something while it reads (docs/compatibility.md); there ours is held against what is left.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <oas/tools.hpp>
#include <oas/value.hpp>

#include "core/text.hpp"

namespace oas::testing {

class SameValue {
 public:
  /// Notations of values: {"t": …}. What differs is told by why().
  bool operator()(const Value& ours, const Value& theirs) { return same(ours, theirs); }
  const std::string& why() const noexcept { return why_; }

 private:
  using List = std::vector<Value>;

  static const Map& note(const Value& value) { return *value.get_if<Map>(); }
  static std::string text(const Map& of, std::string_view name) {
    const Value* member = of.find(name);
    return member && member->is<std::string>() ? member->as<std::string>() : std::string();
  }
  static const List& list(const Map& of, std::string_view name) { return of.at(name).get_if<Seq>()->items; }
  static const List& list(const Value& value) { return value.get_if<Seq>()->items; }
  static Bytes data(const Map& of) { return from_base64(text(of, "b64")).value(); }

  bool differ(const std::string& what, const Value& ours, const Value& theirs) {
    why_ = what + ": ours " + to_json(ours).substr(0, 400) + ", theirs " + to_json(theirs).substr(0, 400);
    return false;
  }

  bool same(const Value& ours, const Value& theirs) {
    const Map &mine = note(ours), &yours = note(theirs);
    const std::string t = text(mine, "t");
    if (t != text(yours, "t")) return differ("types", ours, theirs);
    if (t == "recarray") return same_record(mine, yours);
    if (mine.find("shape") && mine.at("shape") != yours.at("shape")) return differ("shapes", ours, theirs);
    if (t == "array") return same_array(mine, yours);
    if (t == "set") return same_set(list(mine, "v"), list(yours, "v"));
    if (t == "list" || t == "tuple" || t == "matcell") return same_items(list(mine, "v"), list(yours, "v"));
    if (t == "dict" || t == "matstruct") {
      if (t == "matstruct" && mine.at("fields") != yours.at("fields")) return differ("fields", ours, theirs);
      if (list(mine, "v").size() != list(yours, "v").size()) return differ("sizes", ours, theirs);
      for (std::size_t i = 0; i < list(mine, "v").size(); ++i)
        if (!same_items(list(list(mine, "v")[i]), list(list(yours, "v")[i]))) return false;
      return true;
    }
    for (const auto& [name, member] : yours.items)
      if (const Value* found = mine.find(*name.get_if<std::string>()); !found || *found != member)
        return differ(*name.get_if<std::string>(), ours, theirs);
    return true;
  }
  bool same_items(const List& ours, const List& theirs) {
    if (ours.size() != theirs.size()) return differ("sizes", Seq{{}, ours}, Seq{{}, theirs});
    for (std::size_t i = 0; i < ours.size(); ++i)
      if (!same(ours[i], theirs[i])) return false;
    return true;
  }
  // Python's sets have an order of their own.
  bool same_set(const List& ours, const List& theirs) {
    if (ours.size() != theirs.size()) return differ("sizes", Seq{{}, ours}, Seq{{}, theirs});
    std::set<std::size_t> used;
    for (const Value& mine : ours) {
      std::size_t i = 0;
      while (i < theirs.size() && (used.contains(i) || !same(mine, theirs[i]))) ++i;
      if (i == theirs.size()) return differ("an element of a set", mine, Seq{{}, theirs});
      used.insert(i);
    }
    return true;
  }

  bool same_array(const Map& ours, const Map& theirs) {
    const std::string dtype = text(ours, "dtype");
    if (dtype != text(theirs, "dtype")) return differ("element types", ours, theirs);
    if (dtype == "unicode") return same_texts(ours, theirs);
    if (dtype == "object") {
      const List &mine = list(ours, "v"), &yours = list(theirs, "v");
      for (std::size_t i = 0; i < mine.size(); ++i)
        if (!same(mine[i], yours.at(i)) && !is_left_of(mine[i], yours.at(i))) return false;
      return true;
    }
    if ((ours.find("np_scalar") != nullptr) != (theirs.find("np_scalar") != nullptr))
      return differ("scalar or array", ours, theirs);
    const Bytes mine = data(ours), yours = data(theirs);
    const bool lossy = (dtype == "bool" && same_bools(mine, yours)) ||
                       (dtype == "complex64" && same_complex<float>(mine, yours)) ||
                       (dtype == "complex128" && same_complex<double>(mine, yours));
    return mine == yours || lossy || differ("elements", ours, theirs);
  }
  // numpy shows bytes that are neither 0 nor 1, and takes them for true.
  static bool same_bools(const Bytes& ours, const Bytes& theirs) {
    const auto both = [](std::byte a, std::byte b) { return (a != std::byte{0}) == (b != std::byte{0}); };
    return std::ranges::equal(ours.view(), theirs.view(), both);
  }
  // The reference computes re + 1j * im: signs of zeros and the payload of NaN get lost, and an imaginary part that is
  // not finite makes the real one NaN.
  template <class T>
  static bool same_complex(const Bytes& ours, const Bytes& theirs) {
    if (ours.size() != theirs.size()) return false;
    const auto part = [](const Bytes& bytes, std::size_t i) {
      T number;
      std::memcpy(&number, bytes.data() + i * sizeof number, sizeof number);
      return number;
    };
    const auto alike = [](T a, T b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    for (std::size_t i = 0; i < ours.size() / sizeof(T); i += 2) {
      const bool real_lost = !std::isfinite(part(ours, i + 1)) && std::isnan(part(theirs, i));
      if (!alike(part(ours, i + 1), part(theirs, i + 1)) || (!real_lost && !alike(part(ours, i), part(theirs, i))))
        return false;
    }
    return true;
  }
  // Of MATLAB's characters the reference keeps the lower byte, and none that is 0.
  bool same_texts(const Map& ours, const Map& theirs) {
    const List &mine = list(ours, "v"), &yours = list(theirs, "v");
    if (mine == yours && ours.at("itemchars") == theirs.at("itemchars")) return true;
    bool lossy = false;
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const std::string whole = mine[i].as<std::string>();
      std::string left;
      for (std::string_view rest = whole; !rest.empty();) {
        const auto c = take_code_point(rest).value();
        lossy |= c == 0 || c > 0xFF;
        if (c % 0x100 != 0) append_utf8(left, c % 0x100);
      }
      if (left != yours.at(i).as<std::string>()) return differ("texts", ours, theirs);
    }
    return lossy || differ("texts", ours, theirs);
  }
  // Of object arrays of lists, tuples or arrays of one element, the reference makes arrays of these elements.
  bool is_left_of(const Value& ours, const Value& theirs) {
    const Map& mine = note(ours);
    const std::string t = text(mine, "t");
    if (mine.find("shape")) return text(note(theirs), "t") != t || differ("elements", ours, theirs);
    if ((t != "list" && t != "tuple") || list(mine, "v").size() != 1) return false;
    return same(list(mine, "v")[0], theirs) || is_left_of(list(mine, "v")[0], theirs);
  }

  // The reference takes the shape of the first field for that of all, and repeats the others to fill it; of a field of
  // characters it makes one text.
  bool same_record(const Map& ours, const Map& theirs) {
    const List &mine = list(ours, "fields"), &yours = list(theirs, "fields");
    if (mine.size() != yours.size()) return differ("fields", ours, theirs);
    const bool reshaped = ours.at("shape") != theirs.at("shape");
    if (reshaped && note(list(mine.at(0))[1]).at("shape") != theirs.at("shape")) return differ("shapes", ours, theirs);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const Value &field = list(mine[i])[1], &other = list(yours[i])[1];
      if (list(mine[i])[0] != list(yours[i])[0]) return differ("names of fields", ours, theirs);
      const bool repeated = reshaped && note(field).at("shape") == ours.at("shape");
      if (!repeated && !is_joined(note(field), note(other)) && !same(field, other)) return false;
    }
    return true;
  }
  static bool is_joined(const Map& ours, const Map& theirs) {
    if (text(ours, "dtype") != "unicode" || text(theirs, "dtype") != "unicode") return false;
    std::string joined;
    for (const Value& character : list(ours, "v")) joined += character.as<std::string>();
    return std::ranges::all_of(list(theirs, "v"), [&](const Value& item) { return item == Value(joined); });
  }

  std::string why_;
};

}  // namespace oas::testing
