// A small laboratory: subjects, their sessions, recordings of sessions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/tree.hpp"

namespace oas::test {

struct Col {
  std::string name, type;
  bool in_key = false, nullable = false;
  std::string lineage = {};
  std::string codec = {};
};

inline std::shared_ptr<const TableInfo> table(std::string name, const std::vector<Col>& columns,
                                              std::vector<db::ForeignKeyDef> references = {}) {
  auto info = std::make_shared<TableInfo>();
  info->def.schema = "lab";
  info->def.name = std::move(name);
  info->def.foreign_keys = std::move(references);
  std::vector<Attribute> attributes;
  for (const Col& c : columns) {
    db::ColumnDef column;
    column.name = c.name;
    column.type = c.type;
    column.nullable = c.nullable;
    if (c.nullable) column.fallback.kind = db::Default::Kind::null;
    info->def.columns.push_back(column);
    if (c.in_key) info->def.primary_key.push_back(c.name);
    Attribute attribute;
    attribute.name = c.name;
    attribute.type = c.codec.empty() ? c.type : "<" + c.codec + ">";
    attribute.column = c.type;
    attribute.codec = c.codec;
    attribute.in_key = c.in_key;
    attribute.nullable = c.nullable;
    attribute.hidden = c.name.starts_with('_');
    attribute.lineage = c.lineage;
    attributes.push_back(std::move(attribute));
  }
  info->heading = Heading(std::move(attributes));
  return info;
}

inline const std::string subject_id = "lab.subject.subject_id", session_id = "lab.session.session_id";

inline std::shared_ptr<const TableInfo> subject_table() {
  static const auto info = table("subject", {{"subject_id", "int32", true, false, subject_id},
                                             {"species", "varchar(20)"},
                                             {"weight", "float64", false, true}});
  return info;
}
inline std::shared_ptr<const TableInfo> session_table() {
  static const auto info = table("session",
                                 {{"subject_id", "int32", true, false, subject_id},
                                  {"session_id", "int32", true, false, session_id},
                                  {"session_date", "date"},
                                  {"started", "datetime(0)", false, true},
                                  {"minutes", "int32", false, true},
                                  {"note", "varchar(100)", false, true}},
                                 {{{"subject_id"}, "lab", "subject", {"subject_id"}, false}});
  return info;
}
inline std::shared_ptr<const TableInfo> recording_table() {
  static const auto info =
      table("__recording",
            {{"subject_id", "int32", true, false, subject_id},
             {"session_id", "int32", true, false, session_id},
             {"channel", "int16", true, false, "lab.__recording.channel"},
             {"trace", "bytes", false, true, {}, "blob"},
             {"note", "varchar(100)"}},
            {{{"subject_id", "session_id"}, "lab", "session", {"subject_id", "session_id"}, false}});
  return info;
}
/// Refers to a subject, or to none.
inline std::shared_ptr<const TableInfo> visit_table() {
  static const auto info = table(
      "visit",
      {{"visit_id", "int32", true, false, "lab.visit.visit_id"}, {"subject_id", "int32", false, true, subject_id}},
      {{{"subject_id"}, "lab", "subject", {"subject_id"}, false}});
  return info;
}

inline TreePtr subjects() { return query::base(subject_table()); }
inline TreePtr sessions() { return query::base(session_table()); }
inline TreePtr recordings() { return query::base(recording_table()); }
inline TreePtr visits() { return query::base(visit_table()); }

/// The error that a call throws: "syntax: message"; empty if it throws none.
template <class F>
std::string error_of(F&& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return {};
}

}  // namespace oas::test
