// Between rows as users write them and cells as a table takes them: names, defaults, core types and codecs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <oas/table.hpp>

#include "db/cells.hpp"
#include "engine/sink.hpp"
#include "engine/state.hpp"

namespace oas {

/// How the rows of one statement become cells. For one table; used by one thread, but for encode().
class RowEncoder {
 public:
  RowEncoder(SessionState& state, std::shared_ptr<const TableEntry> table, bool ignore_extra_fields);

  /// Names of the columns, in the order of the cells. Of hidden ones those that tell where a row came from, last.
  const std::vector<std::string>& columns() const noexcept { return of_statement_; }
  /// Checks names, types, ranges and codecs; writes nothing. Errors name table, attribute and row (from 1).
  /// `written`: attributes whose objects are in the store already, with their metadata as JSON.
  using Written = std::map<std::string, std::string>;
  void validate(const Row& row, std::size_t number, const Written* written = nullptr);
  /// The cells of a validated row; its objects go to the sink. May be called by several threads.
  std::vector<Value> encode(const Row& row, std::size_t number, ObjectSink& sink,
                            const Written* written = nullptr) const;
  /// One attribute alone, for updates.
  Value encode_one(const Attribute& attribute, const Value& value, const Row& key, ObjectSink& sink) const;
  /// The primary key of a row, in the order of the heading. Errors: missing_attribute.
  Row key_of(const Row& row) const;
  bool has_objects() const noexcept { return has_objects_; }
  /// True if codecs are at work, so that encoding several rows at a time pays.
  bool has_codecs() const noexcept { return has_codecs_; }
  const TableEntry& table() const noexcept { return *table_; }

  /// "insert into lab.scan, row 3" for messages.
  std::string where(std::size_t number) const;

 private:
  struct Column {
    const Attribute* attribute;
    const codec::Chain* chain;
    std::optional<db::CellType> type;  ///< of what is not JSON; see known_type()
    std::string store;                 ///< the concrete one
    Value fallback;                    ///< the cell of a row that does not say; Null if there is none
    bool required;
    bool now;
  };
  const Value* find(const Row& row, std::size_t column) const;
  Value cell(const Column& column, const Value& value) const;
  void add_hidden(const Attribute& attribute);

  SessionState& state_;
  std::shared_ptr<const TableEntry> table_;
  std::vector<Column> layout_;
  std::vector<std::string> columns_, of_statement_;
  std::vector<Value> hidden_;  ///< cells; those of durations come with the row
  std::vector<std::pair<std::size_t, const Attribute*>> durations_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool ignore_extra_;
  bool has_objects_ = false;
  bool has_codecs_ = false;
  std::string full_name_;
};

/// How cells become the values of a heading. May be used by several threads.
class RowDecoder {
 public:
  /// `attributes` of the heading, in the order of the cells.
  RowDecoder(SessionState& state, const Heading& heading, std::span<const std::string> attributes);
  /// Of cells that look_ahead() has seen, if this one reads objects.
  Row decode(std::vector<Value>&& cells) const;
  /// True if decoding reads objects, so that several rows at a time pay.
  bool reads_objects() const noexcept { return reads_objects_; }
  /// True if there are attributes in stores, also such as decode() makes mere references of.
  bool has_objects() const noexcept;
  /// Reads the metadata of the objects that decode() will read from stores. Returns how many bytes they have.
  std::uint64_t look_ahead(std::vector<Value>& cells) const;

 private:
  struct Column {
    std::string name, spelling;
    std::optional<db::CellType> type;  ///< see known_type()
    const codec::Chain* chain;
    bool json = false, reads = false, typed = false;
  };
  Source source_;
  const db::Dialect& dialect_;
  std::vector<Column> columns_;
  bool reads_objects_ = false;
};

}  // namespace oas
