#include "query/fragment.hpp"

#include <fmt/format.h>

namespace oas::query {

Fragment& Fragment::operator+=(const Fragment& other) {
  for (const auto& [place, value] : other.parameters_) parameters_.emplace_back(text_.size() + place, value);
  text_ += other.text_;
  return *this;
}

db::Sql Fragment::finish(const db::Dialect& dialect, std::size_t first) const {
  if (parameters_.size() > dialect.max_parameters()) {
    throw Error(Errc::usage,
                fmt::format("make a query: it has {} values and {} takes {} in one statement. use fewer keys "
                            "at once",
                            parameters_.size(), dialect.name(), dialect.max_parameters()));
  }
  db::Sql sql;
  std::size_t done = 0;
  for (const auto& [place, value] : parameters_) {
    sql.text.append(text_, done, place - done);
    sql.text += dialect.placeholder(first++);
    sql.params.push_back(value);
    done = place;
  }
  sql.text.append(text_, done);
  return sql;
}

Fragment join(const std::vector<Fragment>& pieces, std::string_view separator) {
  Fragment all;
  for (const Fragment& piece : pieces) {
    if (&piece != pieces.data()) all += separator;
    all += piece;
  }
  return all;
}

}  // namespace oas::query
