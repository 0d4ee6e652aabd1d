// Queries that run. Outside a transaction a stream has a connection of its own, so that the program may insert and
// delete while it reads; inside one, the cells are read first, because a savepoint may end under the stream.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include <oas/query.hpp>

#include "core/thread_pool.hpp"
#include "engine/rows.hpp"
#include "query/render.hpp"

namespace oas {
namespace {

constexpr std::size_t most_rows_ahead = 256;
constexpr std::uint64_t most_bytes_ahead = 32 << 20;
// Decoded beside the program, in addition: from this many rows on, which no program asks for that wants a few.
constexpr std::size_t many = 32;
constexpr std::uint64_t few_bytes = 8 << 20;

}  // namespace

struct Rows::State {
  State(std::shared_ptr<SessionState> owner, const Tree& tree, std::vector<std::string> attributes)
      : session(std::move(owner)), decoder(*session, tree.heading(), attributes) {
    const db::Sql sql = query::render_columns(tree, session->dialect(), attributes);
    if (session->main->depth() > 0) {
      db::Transaction inside(*session->main, db::Transaction::Mode::read);
      const auto found = inside.execute(sql);
      std::vector<Value> cells;
      while (found->next(cells)) take(std::move(cells));
      inside.commit();
      ended = true;
    } else {
      reader = session->take_reader();
      transaction.emplace(*reader, db::Transaction::Mode::read);
      cursor = transaction->execute(sql);
    }
  }
  ~State() {
    cursor.reset();
    transaction.reset();
    if (reader) session->give_reader(std::move(reader));
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  struct Batch {
    std::vector<std::vector<Value>> cells;
    std::vector<Row> rows;
    std::optional<Ahead> work;
  };

  bool next() {
    if (at == ready.size()) decode_some();
    if (at == ready.size()) return false;
    current = std::move(ready[at++]);
    return true;
  }

  // Rows are decoded several at a time: one first, since many programs want no more, then more and more. While they
  // are decoded, as many are read that will be next; and once a program has shown that it wants many, those are
  // decoded by helpers while it looks at what it has.
  void decode_some() {
    std::unique_ptr<Batch> batch = std::move(coming);
    if (!batch) {
      if (read.empty()) read_one();
      // `read` is bounded, but for a single row of any size.
      batch = next_batch(UINT64_MAX, decoder.reads_objects() && ahead > 1 ? session->in_flight() : 1);
    }
    ready.clear();
    at = 0;
    if (!batch) return;
    ahead = std::min(ahead * 2, most_rows_ahead);
    batch->work->finish([this](std::size_t) {
      for (std::size_t i = 0; i < 2 * rows_at_once() && read.size() < ahead && bytes_ahead < most_bytes_ahead; ++i)
        read_one();
    });
    ready = std::move(batch->rows);
    if (ahead >= many && decoder.has_objects()) coming = next_batch(few_bytes, session->in_flight());
  }

  /// What helpers take in one go: small things together, those that wait for a store alone.
  std::size_t rows_at_once() const { return decoder.reads_objects() ? 1 : 16; }

  /// Takes rows that were read, while they take at most `most_bytes`, and begins to decode them. Null if there are
  /// none.
  std::unique_ptr<Batch> next_batch(std::uint64_t most_bytes, std::size_t in_flight) {
    auto batch = std::make_unique<Batch>();
    std::uint64_t bytes = 0;
    while (batch->cells.size() < ahead && !read.empty() && (bytes += read.front().second) <= most_bytes) {
      bytes_ahead -= read.front().second;
      batch->cells.push_back(std::move(read.front().first));
      read.pop_front();
    }
    if (batch->cells.empty()) return nullptr;
    const std::size_t together = rows_at_once(), rows = batch->cells.size();
    batch->rows.resize(rows);
    batch->work.emplace(session->pool, (rows + together - 1) / together, in_flight,
                        [this, together, rows, batch = batch.get()](std::size_t n) {
                          for (std::size_t i = n * together; i < std::min(rows, (n + 1) * together); ++i)
                            batch->rows[i] = decoder.decode(std::move(batch->cells[i]));
                        });
    return batch;
  }

  void read_one() {
    std::vector<Value> cells;
    if (ended || !cursor->next(cells)) {
      ended = true;
      return;
    }
    take(std::move(cells));
  }

  void take(std::vector<Value>&& cells) {
    std::uint64_t bytes = decoder.reads_objects() ? decoder.look_ahead(cells) : 0;
    for (const Value& cell : cells) {
      if (const auto* in_table = cell.get_if<Bytes>()) bytes += in_table->size();
    }
    bytes_ahead += bytes;
    read.emplace_back(std::move(cells), bytes);
  }

  std::shared_ptr<SessionState> session;
  RowDecoder decoder;
  std::unique_ptr<db::Connection> reader;
  std::optional<db::Transaction> transaction;
  std::unique_ptr<db::Cursor> cursor;
  std::deque<std::pair<std::vector<Value>, std::uint64_t>> read;  ///< and the bytes that decoding them takes
  std::uint64_t bytes_ahead = 0;
  std::vector<Row> ready;
  std::size_t at = 0;  ///< the next of `ready`
  Row current;
  std::size_t ahead = 1;
  bool ended = false;
  std::unique_ptr<Batch> coming;  ///< being decoded; last here, since it needs the others until it is gone
};

const Row& Rows::iterator::operator*() const { return state_->current; }
Rows::iterator& Rows::iterator::operator++() {
  if (state_ && !state_->next()) state_.reset();
  return *this;
}

Query::Query(std::shared_ptr<SessionState> session, std::shared_ptr<const Tree> tree)
    : session_(std::move(session)), tree_(std::move(tree)) {}

Query Query::operator&(const Condition& condition) const { return {session_, query::restrict(tree_, condition)}; }
Query Query::operator&(const Query& other) const { return {session_, query::restrict(tree_, other.tree_)}; }
Query Query::operator-(const Condition& condition) const { return {session_, query::restrict(tree_, condition, true)}; }
Query Query::operator-(const Query& other) const { return {session_, query::restrict(tree_, other.tree_, true)}; }
Query Query::operator*(const Query& other) const { return {session_, query::join(tree_, other.tree_)}; }
Query Query::proj(const std::vector<std::string>& items) const { return {session_, query::project(tree_, items)}; }
Query Query::aggr(const Query& other, const std::vector<std::string>& items) const {
  return {session_, query::aggregate(tree_, other.tree_, items)};
}
Query Query::order_by(const std::vector<std::string>& items) const { return {session_, query::order_by(tree_, items)}; }
Query Query::limit(std::uint64_t rows) const { return {session_, query::limit(tree_, rows)}; }
Query Query::offset(std::uint64_t rows) const { return {session_, query::offset(tree_, rows)}; }
const Heading& Query::heading() const& { return tree_->heading(); }
std::string Query::sql() const {
  return query::render_columns(*tree_, session_->dialect(), tree_->heading().names()).text;
}

std::size_t Query::size() const {
  const db::Sql sql = query::render_count(*tree_, session_->dialect());
  const auto count = [&](db::Connection& connection) {
    db::Transaction look(connection, db::Transaction::Mode::read);
    const auto cursor = look.execute(sql);
    std::vector<Value> cells;
    cursor->next(cells);
    return cells.at(0).as<std::size_t>();
  };
  return count(*session_->main);
}

bool Query::empty() const { return limit(1).size() == 0; }

Rows Query::rows() const { return Rows(std::make_shared<Rows::State>(session_, *tree_, tree_->heading().names())); }

std::vector<Row> Query::fetch() const {
  std::vector<Row> out;
  Rows::State state(session_, *tree_, tree_->heading().names());
  while (state.next()) out.push_back(std::move(state.current));
  return out;
}

std::vector<Row> Query::keys() const {
  std::vector<Row> out;
  const auto names = tree_->heading().primary_key();
  if (names.empty()) return std::vector<Row>(size());
  Rows rows(std::make_shared<Rows::State>(session_, *tree_, names));
  for (const Row& row : rows) out.push_back(row);
  return out;
}

Row Query::fetch1(std::vector<std::string> attributes) const {
  for (const auto& name : attributes) static_cast<void>(heading().at(name));
  Rows::State state(session_, *limit(2).tree_, std::move(attributes));
  if (!state.next()) {
    throw Error(Errc::usage,
                "fetch1: there is no such row, and exactly one is asked for. restrict the query otherwise");
  }
  Row row = std::move(state.current);
  if (state.next()) {
    throw Error(Errc::usage,
                "fetch1: there is more than one such row, and exactly one is asked for. restrict the query further");
  }
  return row;
}

Row Query::fetch1() const { return fetch1(heading().names()); }
Value Query::fetch1(std::string_view attribute) const {
  return fetch1(std::vector<std::string>{std::string(attribute)}).begin()->second;
}

}  // namespace oas
