#include <fmt/format.h>

#include <oas/db.hpp>

namespace oas::db {

std::vector<std::int64_t> Connection::do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) {
  std::vector<std::int64_t> affected;
  affected.reserve(rows.size());
  for (const auto& row : rows) affected.push_back(do_execute(sql, row)->affected());
  return affected;
}

// A decorator keeps the depth of its inner connection true: drivers read it to tell a savepoint from a transaction.
std::unique_ptr<Cursor> ConnectionDecorator::do_execute(std::string_view sql, std::span<const Value> params) {
  return inner_->do_execute(sql, params);
}
std::vector<std::int64_t> ConnectionDecorator::do_execute_many(std::string_view sql,
                                                               std::span<const std::vector<Value>> rows) {
  return inner_->do_execute_many(sql, rows);
}
void ConnectionDecorator::do_begin(bool write) {
  inner_->do_begin(write);
  if (inner_->depth_++ == 0) inner_->writing_ = write;
}
void ConnectionDecorator::do_rollback() noexcept {
  if (inner_->depth_ == 0) return;  // a commit whose answer was lost below
  inner_->do_rollback();
  --inner_->depth_;
}
void ConnectionDecorator::do_commit() {
  try {
    inner_->do_commit();
  } catch (const Error& e) {
    if (e.code() == Errc::in_doubt) --inner_->depth_;
    throw;
  }
  --inner_->depth_;
}

Transaction::Transaction(Connection& connection, Mode mode) : connection_(connection), level_(connection.depth_ + 1) {
  const bool write = mode == Mode::write;
  if (level_ > 1 && write && !connection.writing_) {
    throw Error(Errc::usage,
                fmt::format("begin a writing transaction on {}: it is inside one that only reads. make the outer one "
                            "a writing one",
                            connection.location()),
                connection.location());
  }
  connection.do_begin(write);
  if (connection.depth_++ == 0) connection.writing_ = write;
}

Transaction::~Transaction() { rollback(); }

void Transaction::require_innermost(std::string_view tried) const {
  if (open_ && connection_.depth_ == level_) return;
  const bool over = !open_ || connection_.depth_ < level_;
  throw Error(Errc::usage,
              fmt::format("{} on {}: {}", tried, connection_.location(),
                          over ? "this transaction is over. begin another one"
                               : "a transaction inside this one is open. end that one first"),
              connection_.location());
}

std::unique_ptr<Cursor> Transaction::execute(std::string_view sql, std::span<const Value> params) {
  require_innermost("execute a statement");
  return connection_.do_execute(sql, params);
}

std::vector<std::int64_t> Transaction::execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) {
  require_innermost("execute a statement");
  return connection_.do_execute_many(sql, rows);
}

void Transaction::commit() {
  require_innermost("commit");
  try {
    connection_.do_commit();
  } catch (const Error& e) {
    if (e.code() == Errc::in_doubt) {
      open_ = false;
      --connection_.depth_;
    }
    throw;
  }
  open_ = false;
  --connection_.depth_;
}

void Transaction::rollback() noexcept {
  if (!open_) return;
  open_ = false;
  for (; connection_.depth_ >= level_; --connection_.depth_) connection_.do_rollback();
}

}  // namespace oas::db
