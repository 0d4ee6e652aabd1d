// Staged inserts: used well, used wrongly, given up.
#include <thread>

#include "lab.hpp"

namespace oas::test {
namespace {

class Staged : public Lab {
 protected:
  Table<> movies = declare("Movie", R"(
    id : int32
    ---
    title="none" : varchar(10)
    film=null : <object@>
    frames=null : <object@cold>
    image=null : <npy@>
  )");
  /// The call fails, and once the staged insert is gone nothing is left of it.
  void refused_and_discarded(Errc code, std::initializer_list<std::string_view> words,
                             const std::function<void(StagedInsert&)>& call) {
    const auto before = everything();
    {
      auto staged = movies.staged_insert1({{"id", 1}});
      fails(code, words, [&] { call(staged); });
    }
    EXPECT_EQ(before, everything());
  }
};
OAS_EVERYWHERE(Staged);

TEST_P(Staged, RowsBecomeRealTogether) {
  auto staged = movies.staged_insert();
  for (int id = 0; id < 3; ++id) {
    staged.row({{"id", id}});
    const Folder frames = staged.store("frames", ".zarr");
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&frames, i] { frames.write("c/" + std::to_string(i), std::string(100, 'x')); });
      }
    }
    const auto upload = frames.open("big");
    for (int i = 0; i < 10; ++i) upload->append(as_bytes("0123456789"));
    upload->commit();
    EXPECT_EQ(frames.list("c/").size(), 4U);
    EXPECT_EQ(frames.read("c/1")->size(), 100U);
    EXPECT_FALSE(frames.read("none"));
    EXPECT_TRUE(frames.remove("c/3"));
    EXPECT_FALSE(frames.remove("c/3"));
    staged.set("title", "t" + std::to_string(id));
    staged.set("image", counting(3, id));
  }
  EXPECT_TRUE(movies.empty());
  EXPECT_EQ(staged.commit(), 3U);
  for (const Row& row : movies) {
    const ObjectRef frames = row.at<ObjectRef>("frames");
    EXPECT_EQ(frames.files().size(), 4U);
    EXPECT_EQ(frames.size(), 400U);
    EXPECT_TRUE(frames.path().ends_with(".zarr"));
    EXPECT_EQ(frames.read("c/2").size(), 100U);
    frames.verify();
    EXPECT_EQ(row.at<NpyRef>("image").load(), counting(3, row.at<int>("id")));
    EXPECT_TRUE(row["film"].is_null());
  }
  expect_tidy(3 * (4 + 1) + 3);  // files and manifests, arrays
  EXPECT_EQ(movies.remove(), 3U);
  expect_tidy(0);
}

TEST_P(Staged, DiscardedLeavesNothing) {
  const auto before = everything();
  {
    auto staged = movies.staged_insert1({{"id", 1}});
    staged.store("frames").write("a/b", "bytes");
    auto upload = staged.open("film", "avi");
    upload->append(as_bytes("film"));
    upload->commit();
    EXPECT_EQ(objects("main").size() + objects("cold").size(), 2U);
  }
  EXPECT_EQ(before, everything());
  {
    auto staged = movies.staged_insert1({{"id", 1}});
    auto other = movies.staged_insert1({{"id", 2}});
    staged.store("frames").write("a", "1");
    other.store("frames").write("a", "2");
    other = std::move(staged);  // discards the second
    EXPECT_EQ(other.commit(), 1U);
  }
  EXPECT_EQ(movies.fetch1("id").as<int>(), 1);
  expect_tidy(2);  // the file and its manifest
}

TEST_P(Staged, UploadsDestroyedUncommittedLeaveNothing) {
  const auto before = everything();
  {
    auto staged = movies.staged_insert1({{"id", 1}});
    auto upload = staged.open("film");
    upload->append(as_bytes("half"));
  }
  EXPECT_EQ(before, everything());
}

TEST_P(Staged, InsideATransactionShareItsFate) {
  const auto before = everything();
  EXPECT_THROW(session().transaction([&] {
    auto staged = movies.staged_insert1({{"id", 1}});
    staged.store("frames").write("a", "1");
    staged.commit();
    EXPECT_EQ(movies.size(), 1U);
    throw 1;
  }),
               int);
  EXPECT_EQ(before, everything());
}

TEST_P(Staged, WrongUseIsRefused) {
  refused_and_discarded(Errc::usage, {"lab.movie", "nothing was written to attribute frames"},
                        [](StagedInsert& staged) {
                          staged.store("frames");
                          staged.commit();
                        });
  refused_and_discarded(Errc::usage, {"upload of attribute film is not committed"}, [](StagedInsert& staged) {
    auto upload = staged.open("film");
    upload->append(as_bytes("x"));
    staged.commit();
  });
  refused_and_discarded(Errc::usage, {"upload of attribute frames is not committed"}, [](StagedInsert& staged) {
    const Folder frames = staged.store("frames");
    frames.write("a", "1");
    const auto upload = frames.open("b");
    staged.commit();
  });
  refused_and_discarded(Errc::usage, {"frames was opened before"}, [](StagedInsert& staged) {
    staged.store("frames").write("a", "1");
    staged.store("frames");
  });
  refused_and_discarded(Errc::usage, {"film was opened before"}, [](StagedInsert& staged) {
    auto upload = staged.open("film");
    upload->append(as_bytes("x"));
    upload->commit();
    staged.open("film");
  });
  refused_and_discarded(Errc::usage, {"attribute image", "<npy@>", "set its value"},
                        [](StagedInsert& staged) { staged.store("image"); });
  refused_and_discarded(Errc::usage, {"attribute title", "varchar(10)"},
                        [](StagedInsert& staged) { staged.open("title"); });
  refused_and_discarded(Errc::unknown_attribute, {"fram", "film"}, [](StagedInsert& staged) { staged.store("fram"); });
  refused_and_discarded(Errc::unknown_attribute, {"titel", "title"},
                        [](StagedInsert& staged) { staged.set("titel", 1); });
  refused_and_discarded(Errc::usage, {"attribute id is part of the key"},
                        [](StagedInsert& staged) { staged.set("id", 2); });
  refused_and_discarded(Errc::usage, {"takes one row", "staged_insert()"}, [](StagedInsert& staged) {
    staged.row({{"id", 2}});
  });
  refused_and_discarded(Errc::usage, {"written in place and set"}, [](StagedInsert& staged) {
    staged.store("frames").write("a", "1");
    staged.set("frames", Bytes::copy("2"));
    staged.commit();
  });
  refused_and_discarded(Errc::usage, {"attribute title"}, [](StagedInsert& staged) {
    staged.store("frames").write("a", "1");
    staged.set("title", "much too long for it");
    staged.commit();
  });
  for (const char* bad : {"../out", "/abs", "a//b", ".", ""}) {
    refused_and_discarded(Errc::usage, {}, [bad](StagedInsert& staged) { staged.store("frames").write(bad, "1"); });
  }
  refused(Errc::missing_attribute, {"id", "whole key"}, [&] { movies.staged_insert1({{"title", "x"}}); });
  refused(Errc::usage, {"no row was begun"}, [&] { movies.staged_insert().store("frames"); });
  refused(Errc::unknown_attribute, {"idd"}, [&] {
    auto staged = movies.staged_insert1({{"id", 1}, {"idd", 1}});
    staged.store("frames").write("a", "1");
    staged.commit();
  });
}

TEST_P(Staged, HandlesAreOverWithTheInsert) {
  auto staged = movies.staged_insert1({{"id", 1}});
  const Folder frames = staged.store("frames");
  frames.write("a", "1");
  staged.commit();
  const auto after = [&](const std::function<void()>& call) { refused(Errc::usage, {"already"}, call); };
  after([&] { frames.write("b", "2"); });
  after([&] { frames.remove("a"); });
  after([&] { frames.open("b"); });
  after([&] { staged.commit(); });
  after([&] { staged.set("title", "x"); });
  after([&] { staged.store("film"); });
  std::optional<Folder> orphan;
  std::unique_ptr<Upload> upload;
  {
    auto given_up = movies.staged_insert1({{"id", 2}});
    orphan = given_up.store("frames");
    orphan->write("a", "1");
    upload = given_up.open("film");
  }
  refused(Errc::usage, {"discarded already"}, [&] { orphan->write("b", "2"); });
  refused(Errc::usage, {"discarded already"}, [&] { upload->append(as_bytes("x")); });
  refused(Errc::usage, {"discarded already"}, [&] { upload->commit(); });
  upload.reset();
  expect_tidy(2);  // the file and its manifest
}

TEST_P(Staged, DuplicatesAreRefusedAndMayBeMended) {
  movies.insert1({{"id", 1}});
  const auto before = everything();
  {
    auto staged = movies.staged_insert1({{"id", 1}});
    staged.store("frames").write("a", "1");
    fails(Errc::duplicate, {"insert into lab.movie"}, [&] { staged.commit(); });
  }
  EXPECT_EQ(before, everything());
  {
    auto staged = movies.staged_insert1({{"id", 2}});
    staged.store("frames").write("a", "1");
    staged.store("film");
    fails(Errc::usage, {"nothing was written to attribute film"}, [&] { staged.commit(); });
    staged.set("title", "again");
    fails(Errc::usage, {"film"}, [&] { staged.commit(); });
  }
  EXPECT_EQ(before, everything());
}

}  // namespace
}  // namespace oas::test
