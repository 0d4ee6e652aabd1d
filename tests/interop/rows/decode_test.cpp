// Rows of DataJoint for Python, read: the raw cells of its tables and the files of its stores give the values that its
// own fetch gave. Every attribute of a codec is read, in every row that the golden data have.
#include <fmt/format.h>
#include <algorithm>
#include <iostream>

#include "codec/codec.hpp"
#include "codec/metadata.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"
#include "core/typed.hpp"
#include "engine/sink.hpp"
#include "engine/state.hpp"
#include "interop/rows/dump.hpp"
#include "interop/rows/golden_rows.hpp"

namespace oas::interop {
namespace {

using testing::GoldenCase;

class ReadRows : public ::testing::TestWithParam<const char*> {
 protected:
  ReadRows() : golden_(GetParam()), session_(golden_.settings(folder_.path() / "lab.db", golden_.folder / "store")) {
    golden_.declare(session_);
  }

  const TableEntry& table(const std::string& name) {
    const auto entry = session_.state()->find_table(golden_.schema, name);
    if (!entry) throw Error(Errc::unknown_table, "the meta file does not tell of " + name);
    return *kept_.emplace(name, entry).first->second;
  }
  /// The value of an attribute; NULL passes.
  Value decode(const TableEntry& entry, std::size_t i, const std::string& raw) {
    const Attribute& attribute = entry.info->heading.attributes()[i];
    const codec::Chain& chain = *entry.chains[i];
    const Site site{golden_.schema, entry.info->def.name, attribute.name, chain.store, nullptr};
    return codec::decode(chain, stored_value(chain.column, raw), site, Source(*session_.state()));
  }
  /// The bytes of an attachment, from the column or from the store.
  std::string payload(const TableEntry& entry, std::size_t i, const std::string& raw) {
    const Value stored = stored_value(entry.chains[i]->column, raw);
    if (const Bytes* bytes = stored.get_if<Bytes>()) return std::string(bytes->text());
    const codec::Metadata known = codec::read_metadata(stored);
    return std::string(golden_.content(golden_.object(known.store, known.path).at(0)).text());
  }
  static const Value* inserted(const GoldenCase& one, const std::string& attribute) {
    for (const Value& item : one.find("row")->get_if<Seq>()->items)
      if (item.get_if<Seq>()->items[0] == Value(attribute)) return &item.get_if<Seq>()->items[1];
    return nullptr;
  }
  static const Value* fetched(const Seq& rows, std::size_t row, const std::string& attribute) {
    for (const Value& item : rows.items[row].get_if<Seq>()->items)
      if (item.get_if<Seq>()->items[0] == Value(attribute)) return &item.get_if<Seq>()->items[1];
    return nullptr;
  }

  test::TempFolder folder_;
  GoldenRows golden_;
  Session session_;
  std::map<std::string, std::shared_ptr<const TableEntry>> kept_;
  std::map<std::string, std::size_t> counted_;  // attributes read, by codec
};

TEST_P(ReadRows, RawCellsAndFilesGiveWhatFetchGave) {
  for (const GoldenCase& one : golden_.cases) {
    const Value* raw = one.find("raw");
    if (!raw) continue;
    SCOPED_TRACE(one.name);
    const TableEntry& entry = table(one.text("table"));
    const auto attributes = entry.info->heading.attributes();
    const Value* rows = one.find("fetched");
    if (rows) {
      ASSERT_EQ(rows->get_if<Seq>()->items.size(), raw->get_if<Seq>()->items.size());
    }
    for (std::size_t row = 0; row < raw->get_if<Seq>()->items.size(); ++row) {
      const Map& cells = *raw->get_if<Seq>()->items[row].get_if<Map>();
      for (std::size_t i = 0; i < attributes.size(); ++i) {
        if (!entry.chains[i]) continue;
        SCOPED_TRACE(attributes[i].name);
        const Value& cell = cells.at(attributes[i].name);
        if (cell.is_null()) continue;
        const Value ours = decode(entry, i, cell.as<std::string>());
        ++counted_[attributes[i].codec];
        if (const Value* theirs = rows ? fetched(*rows->get_if<Seq>(), row, attributes[i].name) : nullptr) {
          expect_fetched(ours, *theirs, golden_);
        } else {  // it cannot fetch what it inserted itself [D 6, D 31]: the value is the one that was inserted
          EXPECT_NE(one.text("fetch_error"), "");
          const Value* given = inserted(one, attributes[i].name);
          ASSERT_NE(given, nullptr);
          if (const Attachment* file = ours.get_if<Attachment>()) {
            EXPECT_EQ(Value(file->name()), given->get_if<Map>()->at("name"));
            EXPECT_EQ(file->name() + '\0' + std::string(file->bytes().text()),
                      payload(entry, i, cell.as<std::string>()));
          } else if (const NpyRef* ref = ours.get_if<NpyRef>()) {
            expect_array(ref->load(), *given);
          } else if (!ours.is<ObjectRef>()) {
            EXPECT_EQ(ours, untyped(*given));
          }
        }
      }
    }
  }
  for (const auto& [codec, count] : counted_)
    testing::tell_cases(fmt::format("rows, {}, <{}> read", GetParam(), codec), count);
  testing::tell_cases(fmt::format("rows, {}, codecs read", GetParam()), counted_.size());
}

TEST_P(ReadRows, EveryCellOfTheDumpIsRead) {
  // The last that a case tells of each row; a dump holds the state at the end.
  std::map<std::string, std::vector<Map>> told;
  for (const GoldenCase& one : golden_.cases)
    if (const Value* raw = one.find("raw"))
      for (const Value& row : raw->get_if<Seq>()->items) told[one.text("table")].push_back(*row.get_if<Map>());
  std::size_t cells = 0;
  for (const DumpedTable& dumped : read_dump(golden_.folder / (std::string(GetParam()) + "_dump.sql"))) {
    if (dumped.name.starts_with('~')) continue;  // hidden tables have no codecs
    SCOPED_TRACE(dumped.name);
    const TableEntry& entry = table(dumped.name);
    const auto attributes = entry.info->heading.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const auto column = std::ranges::find(dumped.columns, attributes[i].name);
      ASSERT_NE(column, dumped.columns.end()) << attributes[i].name;
      if (!entry.chains[i]) continue;
      for (const auto& row : dumped.rows) {
        const DumpedCell& cell = row.at(static_cast<std::size_t>(column - dumped.columns.begin()));
        if (!cell.text) continue;
        SCOPED_TRACE(attributes[i].name);
        ++cells;
        const std::string raw = entry.chains[i]->column == "json" ? *cell.text : cell.hex();
        EXPECT_FALSE(decode(entry, i, raw).is_null());
        // The same text is among what the cases tell of this column; PostgreSQL orders the members of JSON in both.
        EXPECT_TRUE(std::ranges::any_of(told[dumped.name], [&](const Map& known) {
          const Value& text = known.at(attributes[i].name);
          return !text.is_null() && text.as<std::string>() == raw;
        })) << raw;
      }
    }
  }
  testing::tell_cases(fmt::format("rows, {}, cells of the dump read", GetParam()), cells);
}

INSTANTIATE_TEST_SUITE_P(Golden, ReadRows, ::testing::Values("postgresql", "mysql"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace oas::interop
