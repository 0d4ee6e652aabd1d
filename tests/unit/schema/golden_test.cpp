// What DataJoint for Python accepts and refuses, and what it makes of a line, against ours. Where we differ on purpose
// the case stands in a table below with its reason.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include <nlohmann/json.hpp>

#include "schema/column.hpp"
#include "schema/declare.hpp"

namespace {

using Json = nlohmann::json;
using namespace oas::schema;

std::string golden() {
  const char* folder = std::getenv("OAS_GOLDEN");
  return folder ? folder : std::string(OAS_SOURCE_DIR) + "/tests/golden";
}

std::vector<Json> cases(const std::string& kind) {
  std::ifstream file(golden() + "/" + kind + "/index.jsonl");
  std::vector<Json> out;
  for (std::string line; std::getline(file, line);) out.push_back(Json::parse(line));
  return out;
}

/// nullopt: accepted.
template <class F>
std::optional<std::string> refused(F&& f) {
  try {
    f();
    return std::nullopt;
  } catch (const oas::Error& e) {
    EXPECT_EQ(e.code(), oas::Errc::definition) << e.what();
    return e.what();
  }
}

Context built_in(std::function<Parent(std::string_view)> parent) {
  return {std::move(parent), [](std::string_view codec, bool in_store) -> CodecColumn {
            for (const std::string_view known : {"blob", "attach", "hash", "npy", "object", "filepath"})
              if (codec == known) return {in_store ? "json" : "bytes", in_store};
            throw oas::Error(oas::Errc::definition, "there is no such codec");
          }};
}

// Lines that it compiles and we refuse.
const std::map<std::string, std::string> stricter_lines = {
    {"a_native_decimal_5_2_1_p", "no database has a decimal of three numbers"},
    {"a_hidden_prov", "names with _ are the library's own"},
    {"a_hidden_only", "names with _ are the library's own"},
    {"a_managed_singleton", "names with _ are the library's own"},
    {"a_managed_prov", "names with _ are the library's own"},
    {"a_managed_job_start_time", "names with _ are the library's own"},
    {"a_managed_job_duration", "names with _ are the library's own"},
    {"a_name_underscore", "names with _ are the library's own"},
    {"a_null_parens", "NOT NULL DEFAULT NULL() is refused by the servers"},
    {"a_blob_default", "MySQL refuses defaults of blobs"},
    {"a_bytes_default", "MySQL refuses defaults of blobs"},
    {"a_blob_store_default", "metadata of an object cannot be made up"},
    {"a_key_blob", "its heading then fails"},
    {"a_key_json", "its heading then fails"},
    {"a_type_quote_unbalanced", "a quote is not closed"},
};

TEST(Golden, AttributeLines) {
  int ran = 0;
  const Context context = built_in({});
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "attribute") continue;
    ++ran;
    const std::string name = c["name"], line = c["line"];
    const Json &pg = c["postgresql"], &my = c["mysql"];
    // Without the key section's own line the first attribute would make the table.
    const std::string text = c["in_key"].get<bool>() ? line : "---\n" + line;
    oas::db::ColumnDef column;
    ParsedAttribute parsed;
    const auto why = refused([&] {
      const ParsedDefinition d = parse_definition(text);
      parsed = d.attributes.at(0);
      column = declare(d, "lab", "t", context).table.columns.at(0);
    });
    const bool theirs = !pg.contains("error") && !my.contains("error");
    if (stricter_lines.contains(name)) {
      EXPECT_TRUE(why) << name << ": `" << line << "` is accepted after all";
      continue;
    }
    EXPECT_EQ(!why, theirs) << name << ": `" << line << "` " << why.value_or("accepted");
    if (why || !theirs) continue;
    EXPECT_EQ(column.name, pg["name"]) << name;
    EXPECT_EQ(column.comment, pg["comment"].is_null() ? "" : pg["comment"].get<std::string>()) << name;
    EXPECT_EQ(parsed.in_store ? Json(parsed.store) : Json(nullptr), pg["store"]) << name;
    const std::string sql = my["sql"];
    const bool nullable = sql.find(" NOT NULL") == std::string::npos;
    EXPECT_EQ(column.nullable, nullable) << name;
    const std::size_t at = sql.find(" NOT NULL DEFAULT ");
    if (at == std::string::npos) {
      EXPECT_NE(column.fallback.kind, oas::db::Default::Kind::literal) << name;
      continue;
    }
    std::string written = sql.substr(at + 18);
    if (const std::size_t comment = written.find(" COMMENT \""); comment != std::string::npos) written.resize(comment);
    std::string doubled;
    for (const char x : column.fallback.literal) doubled.append(x == '\'' ? 2 : 1, x);
    if (column.fallback.kind == oas::db::Default::Kind::now)
      EXPECT_TRUE(oas::detail::same_letters(written.substr(0, 17), "CURRENT_TIMESTAMP")) << name;
    else
      EXPECT_EQ("'" + doubled + "'", written) << name;
  }
  std::cout << ran << " attribute lines\n";
  EXPECT_GT(ran, 150);
}

// Index lines that it compiles and we refuse, or the reverse.
const std::map<std::string, std::string> other_indexes = {
    {"i_json", "expressions fail on PostgreSQL and MariaDB"},
    {"i_json_plain", "as i_json"},
    {"i_json_deep", "as i_json"},
    {"i_empty", "a syntax error on MySQL"},
    {"i_quoted", "names are not quoted"},
};

TEST(Golden, IndexLines) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "index") continue;
    ++ran;
    const std::string line = c["line"];
    oas::detail::IndexLine index;
    EXPECT_EQ(oas::detail::read_index(line, index), c["is_index"].get<bool>()) << line;
    if (!c["is_index"].get<bool>()) continue;
    const auto why = refused([&] { parse_definition("a : int32\nb : int32\n" + line); });
    EXPECT_EQ(bool(why), other_indexes.contains(c["name"])) << line << " " << why.value_or("accepted");
  }
  std::cout << ran << " index lines\n";
  EXPECT_GT(ran, 10);
}

TEST(Golden, ReferenceLines) {
  int ran = 0;
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "is_foreign_key") continue;
    ++ran;
    const std::string line = c["line"];
    bool reference = false;
    const auto why = refused([&] { reference = !parse_definition("---\n" + line).references.empty(); });
    reference = reference || (why && why->find("arrow_not_first") != std::string::npos);
    EXPECT_EQ(reference, c["result"].get<bool>()) << line;
  }
  std::cout << ran << " reference lines\n";
  EXPECT_GT(ran, 5);
}

TEST(Golden, Tiers) {
  int ran = 0;
  const std::map<std::string, oas::Tier> tiers = {{"Manual", oas::Tier::manual},
                                                  {"Lookup", oas::Tier::lookup},
                                                  {"Imported", oas::Tier::imported},
                                                  {"Computed", oas::Tier::computed},
                                                  {"Part", oas::Tier::part}};
  for (const Json& c : cases("lines")) {
    if (c["kind"] != "tier") continue;
    ++ran;
    const std::string table = c["table"];
    std::optional<oas::Tier> wanted;
    if (!c["tiers"].empty()) wanted = tiers.at(c["tiers"][0]);
    EXPECT_EQ(oas::tier_of(table), wanted) << table;
  }
  std::cout << ran << " table names\n";
  EXPECT_GT(ran, 10);
}

// Tables that a server or its program refuses and we declare.
const std::map<std::string, std::string> more_lenient_tables = {
    {"Defaults", "MySQL refuses 'true' for a tinyint: we write 1"},
    {"EnumOddValues", "MySQL's table comment breaks on quotes: ours is a parameter of the dialect"},
    {"CommentPercent", "a % is an ordinary character"},
    {"CommentPercentD", "a % is an ordinary character"},
    {"NativeMysql", "types of MySQL: the dialect says whether it has them"},
    {"NativeAuto", "types of MySQL: the dialect says whether it has them"},
    {"NativeBlob", "types of MySQL: the dialect says whether it has them"},
};
// Tables that both servers take and we refuse.
const std::map<std::string, std::string> stricter_tables = {
    {"NativePkAllowed", "a setting that we do not have allows the key"},
    {"NativePkComputed", "it declares it without the setting too, against its own rule"},
};

TEST(Golden, Tables) {
  int ran = 0;
  std::map<std::string, Parent, std::less<>> known;
  for (const Json& entry : cases("schema")) {
    ++ran;
    const std::string name = entry["name"];
    std::ifstream file(golden() + "/schema/" + entry["file"].get<std::string>());
    const Json c = Json::parse(file);
    const std::string tier_name = c["tier"];
    const oas::Tier tier = tier_name == "Lookup"     ? oas::Tier::lookup
                           : tier_name == "Imported" ? oas::Tier::imported
                           : tier_name == "Computed" ? oas::Tier::computed
                                                     : oas::Tier::manual;
    std::string master;
    const Context context = built_in([&](std::string_view reference) -> Parent {
      const std::string full =
          reference.starts_with("master") ? master + std::string(reference.substr(6)) : std::string(reference);
      const auto at = known.find(full);
      if (at == known.end()) throw oas::Error(oas::Errc::definition, "there is no such table");
      return at->second;
    });
    const auto make = [&](const std::string& class_name, const std::string& table, const std::string& text) {
      Declaration d = declare(parse_definition(text), "ios_gold", table, context);
      known[class_name] = {d.table, {d.lineage.begin(), d.lineage.end()}};
      // The columns, the key, and where the attributes come from, as PostgreSQL has them.
      const Json& pg = c["postgresql"];
      if (!pg.contains("tables") || !pg["tables"].contains(table)) return;
      const Json& live = pg["tables"][table]["live"];
      std::vector<std::string> ours, theirs;
      for (const auto& column : d.table.columns) ours.push_back(column.name);
      for (const Json& column : live["columns"])
        if (const std::string n = column["name"]; !n.starts_with("_job") && n != "_prov") theirs.push_back(n);
      EXPECT_EQ(ours, theirs) << name;
      std::map<std::string, std::string> lineage(d.lineage.begin(), d.lineage.end()), expected;
      for (const Json& row : live["lineage"]) expected[row[0]] = row[1];
      EXPECT_EQ(lineage, expected) << name;
      std::size_t references = 0;
      for (const Json& constraint : live["constraints"]) references += constraint["type"] == "f";
      EXPECT_EQ(d.table.foreign_keys.size(), references) << name;
      // What we describe we can declare again.
      const Declaration again = declare(parse_definition(describe(d.table)), "ios_gold", table, context);
      EXPECT_EQ(again.table.columns.size(), d.table.columns.size()) << describe(d.table);
      EXPECT_TRUE(differences(d.table, again.table).empty()) << describe(d.table);
    };
    const auto why = refused([&] {
      master = c["class"];
      const std::string table = oas::table_name(tier, master);
      make(master, table, c["definition"]);
      for (const Json& part : c["parts"])
        make(master + "." + part["class"].get<std::string>(),
             oas::table_name(oas::Tier::part, part["class"].get<std::string>(), table), part["definition"]);
    });
    bool theirs = entry["postgresql"] == "ok" && entry["mysql"] == "ok";
    if (more_lenient_tables.contains(name)) theirs = true;
    if (stricter_tables.contains(name)) theirs = false;
    EXPECT_EQ(!why, theirs) << name << ": " << why.value_or("accepted") << "\n" << c["definition"].get<std::string>();
  }
  std::cout << ran << " tables\n";
  EXPECT_GT(ran, 90);
}

}  // namespace
