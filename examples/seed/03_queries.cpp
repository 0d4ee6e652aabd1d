// Queries are values: nothing runs before it is asked.
#include <oas/oas.hpp>

#include <iostream>

struct Subject : oas::Manual {
  static constexpr oas::Definition definition = R"(
    subject_id : int32
    ---
    species : varchar(30)
  )";
};
struct Session : oas::Manual {
  using references = oas::References<Subject>;
  static constexpr oas::Definition definition = R"(
    -> Subject
    session : int16
    ---
    session_date : date
    minutes : float64
  )";
};
struct Recording : oas::Manual {
  using references = oas::References<Session>;
  static constexpr oas::Definition definition = R"(
    -> Session
    ---
    raw_data : <blob@>
  )";
};

int main() {
  oas::Session database;
  oas::Schema lab = database.schema("lab");
  auto subjects = lab.table<Subject>();
  auto sessions = lab.table<Session>();
  auto recordings = lab.table<Recording>();
  subjects.insert(oas::columns({{"subject_id", oas::list({1, 2})}, {"species", oas::list({"mouse", "rat"})}}));
  for (int i = 0; i < 6; ++i) {
    sessions.insert1({{"subject_id", 1 + i % 2},
                      {"session", i},
                      {"session_date", oas::Date{2025, 10u + unsigned(i) % 3, 7}},
                      {"minutes", 30.0 * i}});
  }
  sessions.insert1({{"subject_id", 1}, {"session", 7}, {"session_date", oas::Date{2026, 2, 3}}, {"minutes", 90.0}});
  recordings.insert1({{"subject_id", 1}, {"session", 0}, {"raw_data", std::vector<double>{1, 2, 3}}});

  auto late =
      sessions & oas::where("session_date > {}", oas::Date{2026, 1, 1});  // number of {} checked by the compiler
  auto todo = sessions - recordings;                                      // without a recording
  auto both = subjects * sessions;                                        // natural join along the foreign keys
  auto brief = sessions.proj("subject_id", "day = session_date", "hours = minutes / 60.0");
  auto count = subjects.aggr(sessions, "n = count(*)");
  for (const oas::Row& row : late.order_by("session_date").limit(100)) {  // streamed
    std::cout << "session " << row.at<int>("session") << " on " << row.at<oas::Date>("session_date").iso() << '\n';
  }
  std::size_t n = late.size();
  std::cout << late.sql() << '\n';
  for (const oas::Row& row : count) {
    std::cout << "subject " << row.at<int>("subject_id") << ": " << row.at<int>("n") << " sessions\n";
  }
  for (const oas::Row& row : brief.limit(1)) std::cout << row.at<double>("hours") << " hours\n";
  return n == 1 && todo.size() == 6 && both.size() == 7 ? 0 : 1;
}
