// Runs the program as people and scripts do: in a folder of its own, looking at what it prints and its exit code.
#include "integration/cli/cli_fixture.hpp"

namespace {

using namespace oas;
using namespace oas::cli_test;

TEST_F(CliTest, HelpTeaches) {
  const Answer help = run_bare({"oas", "--help"});
  EXPECT_EQ(help.exit, 0);
  for (const char* word : {"config", "init", "ls", "describe", "declare", "define", "show", "get", "put", "rm",
                           "inspect", "gc", "fsck", "store", "Examples:", "Exit codes"})
    EXPECT_NE(help.out.find(word), std::string::npos) << word;
  const Answer version = run_bare({"oas", "--version"});
  EXPECT_EQ(version.exit, 0);
  EXPECT_TRUE(version.out.starts_with("oas ")) << version.out;
}

TEST_F(CliTest, WrongUseIsTwoAndNeverATrace) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"nonsense"}, {"show"}, {"show", "lab.scan", "--nonsense"}, {"store"}}) {
    const Answer answer = run(words);
    EXPECT_EQ(answer.exit, 2) << answer.err;
    EXPECT_TRUE(answer.err.starts_with("oas: ")) << answer.err;
    EXPECT_EQ(answer.out, "");
  }
  const Answer json = run({"--json", "nonsense"});
  EXPECT_EQ(json.exit, 2);
  EXPECT_EQ(lines(json.err).at(0).at("error"), Value("usage"));
}

TEST_F(CliTest, LookingMakesNothing) {
  EXPECT_EQ(run({"ls"}).exit, 4);
  EXPECT_EQ(run({"fsck"}).exit, 4);
  EXPECT_TRUE(fs::is_empty(work_));
}

TEST_F(CliTest, WithoutSettingsItDeclaresInTheFolderAndSaysSo) {
  const Answer answer = run({"declare", "lab.Scan", "-"}, "scan : int32\n---\nwaves : <npy@>\n");
  EXPECT_EQ(answer.exit, 0) << answer.err;
  EXPECT_NE(answer.err.find("oas.db"), std::string::npos) << answer.err;
  EXPECT_TRUE(fs::exists(work_ / "oas.db"));
}

TEST_F(ConfiguredCli, DeclareDescribeLs) {
  good({"declare", "lab.Subject", "-", "--tier", "lookup"}, "subject : varchar(8)\n---\nweight : float32 # in g\n");
  good({"declare", "lab.Scan", file("scan.txt", "-> Subject\nscan : int32\n---\nwaves : <npy@>\n")});
  good({"declare", "lab.Scan.Frame", "-", "--tier", "part"}, "-> master\nframe : int32\n---\nimage : <blob@>\n");
  const auto tables = lines(good({"ls", "--json"}));
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0].at("name"), Value("lab.#subject"));
  EXPECT_EQ(tables[0].at("tier"), Value("lookup"));
  EXPECT_EQ(tables[2].at("name"), Value("lab.scan__frame"));
  EXPECT_EQ(tables[2].at("rows"), Value(0));
  EXPECT_EQ(lines(good({"ls", "lab.Scan", "--json"})).size(), 1u);
  EXPECT_EQ(run({"ls", "nowhere"}).exit, 2);

  // What describe prints declares the same table again.
  const std::string definition = good({"describe", "lab.Scan"});
  good({"declare", "lab.Scan", "-"}, definition);
  const Answer another = run({"declare", "lab.Scan", "-"}, "scan : int32\n");
  EXPECT_EQ(another.exit, 2);
  EXPECT_EQ(run({"declare", "lab.Other", "-"}, "scan : int33\n").exit, 2);
  EXPECT_EQ(run({"declare", "lab.Frame", "-", "--tier", "part"}, "frame : int32\n").exit, 2);
}

TEST_F(ConfiguredCli, ASchemaThatIsNotThereIsNotMade) {
  const Answer answer = run({"show", "lab.scan"});
  EXPECT_EQ(answer.exit, 2);
  EXPECT_EQ(good({"ls", "--json"}), "");
  const Answer json = run({"show", "lab.scan", "--json"});
  EXPECT_EQ(lines(json.err).at(0).at("error"), Value("unknown_table"));
  EXPECT_EQ(json.out, "");
}

TEST_F(CliTest, DefinePrintsStatements) {
  const std::string sql =
      good({"define", "-", "--dialect", "sqlite", "--name", "lab.Scan"}, "scan : int32\n---\nx : <npy@>\n");
  EXPECT_NE(sql.find("CREATE TABLE"), std::string::npos) << sql;
  EXPECT_NE(sql.find("lab.scan"), std::string::npos) << sql;
  EXPECT_TRUE(fs::is_empty(work_));
  const Answer wrong = run({"define", "-", "--dialect", "sqlite"}, "scan : int32\n---\nx : int33\n");
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_NE(wrong.err.find("line 3, column 5"), std::string::npos) << wrong.err;
  const Answer alone = run({"define", "-", "--dialect", "sqlite"}, "-> Subject\nscan : int32\n");
  EXPECT_EQ(alone.exit, 2);
  const std::string with = "Subject=" + file("subject.txt", "subject : int32\n").string();
  EXPECT_NE(
      good({"define", "-", "--dialect", "sqlite", "--with", with}, "-> Subject\nscan : int32\n").find("FOREIGN KEY"),
      std::string::npos);
  EXPECT_EQ(run({"define", "-", "--dialect", "oracle"}, "scan : int32\n").exit, 2);
}

TEST_F(CliTest, DefineForServersNeedsNone) {
  const std::string rig = "lookup:Rig=" + file("rig.txt", "rig : varchar(8)\n").string();
  const std::string subject = "vivarium.Subject=" + file("subject.txt", "id : int32 # who\n").string();
  const std::vector<std::string> with{"--with", rig, "--with", subject};
  const auto defined = [&](std::vector<std::string> how, const std::string& text) {
    how.insert(how.begin(), {"define", "-"});
    how.insert(how.end(), with.begin(), with.end());
    return run(how, text);
  };
  const std::string text = "-> Subject\n---\n-> [nullable] Rig\nn : int unsigned\n";
  const Answer mysql = defined({"--dialect", "mysql", "--name", "lab.Scan", "--tier", "imported"}, text);
  EXPECT_EQ(mysql.exit, 0) << mysql.err;
  EXPECT_TRUE(
      mysql.out.starts_with("CREATE TABLE IF NOT EXISTS `lab`.`_scan` (\n`id` int NOT NULL COMMENT \"who\",\n"
                            "`rig` varchar(8),\n`n` int unsigned NOT NULL,\nPRIMARY KEY (`id`),\nFOREIGN KEY "
                            "(`id`) REFERENCES `vivarium`.`subject` (`id`)"))
      << mysql.out;
  EXPECT_NE(mysql.out.find("REFERENCES `lab`.`#rig` (`rig`)"), std::string::npos) << mysql.out;
  EXPECT_NE(mysql.out.find("('_scan', 'id', 'vivarium.subject.id'), ('_scan', 'rig', 'lab.#rig.rig')"),
            std::string::npos)
      << mysql.out;
  EXPECT_NE(mysql.err.find("line 4, column 1 of the definition: int unsigned"), std::string::npos) << mysql.err;
  // What a server has not is told where it is written.
  const Answer postgres = defined({"--dialect", "postgresql", "--name", "lab.Scan"}, text);
  EXPECT_EQ(postgres.exit, 2);
  EXPECT_NE(postgres.err.find("line 4, column 1 of the definition: attribute n"), std::string::npos) << postgres.err;
  // Parts come after their master.
  const std::string master = "lab.Scan=" + file("scan.txt", "-> Subject\nscan : int8\n").string();
  const std::string part =
      good({"define", "-", "--dialect", "postgresql", "--name", "lab.Scan.Frame", "--with", subject, "--with", master},
           "-> master\nframe : int16\n");
  EXPECT_NE(part.find("CREATE TABLE IF NOT EXISTS \"lab\".\"scan__frame\""), std::string::npos) << part;
  EXPECT_NE(part.find("COMMENT ON COLUMN \"lab\".\"scan__frame\".\"frame\" IS ':int16:';"), std::string::npos) << part;
  // A mistake is shown in its line.
  const Answer wrong = run({"define", "-", "--dialect", "mysql"}, "scan : int32\n---\nx : int33\n");
  EXPECT_NE(wrong.err.find("\n  x : int33\n      ^\n"), std::string::npos) << wrong.err;
}

TEST_F(ConfiguredCli, PutAssignmentsConvertByType) {
  declare_everything("lab.Thing");
  const std::vector<double> numbers{1.5, -2, 3};
  const std::string array = npy("a.npy", Array(numbers)).string();
  const std::string pdf = file("report.pdf", "%PDF").string();
  fs::create_directories(files_ / "tree/deep");
  file("tree/one", "1");
  file("tree/deep/two", "22");
  good({"put", "lab.Thing", "id=-7", "name=a = b", "when=2026-01-31 01:02:03", "cost=12.50", "ok=true",
        "mark=12345678-1234-5678-1234-567812345678", "raw=00ff", R"(note={"a": [1, null]})", "small=@" + array,
        "big=[1, 2.5]", "waves=@" + array, "report=@" + pdf, "tree=@" + (files_ / "tree").string(), "film=@" + pdf});
  const auto rows = lines(good({"show", "lab.Thing", "--json"}));
  ASSERT_EQ(rows.size(), 1u);
  const Map& row = rows[0];
  EXPECT_EQ(row.at("id"), Value(-7));
  EXPECT_EQ(row.at("name"), Value("a = b"));
  EXPECT_EQ(row.at("when"), Value("2026-01-31 01:02:03"));
  EXPECT_EQ(row.at("cost"), Value("12.50"));
  EXPECT_EQ(row.at("ok"), Value(true));
  EXPECT_EQ(row.at("mark"), Value("12345678-1234-5678-1234-567812345678"));
  EXPECT_EQ(row.at("raw"), Value("00ff"));
  EXPECT_EQ(row.at("note"), from_json(R"({"a": [1, null]})", "note"));
  EXPECT_EQ(row.at("small"), from_json(R"({"kind": "array", "dtype": "float64", "shape": [3]})", "small"));
  EXPECT_EQ(row.at("waves").as<Map>().at("kind"), Value("npy"));
  EXPECT_EQ(row.at("tree").as<Map>().at("kind"), Value("folder"));
  EXPECT_EQ(row.at("tree").as<Map>().at("size"), Value(3));
  EXPECT_EQ(row.at("big").as<Map>().at("kind"), Value("file"));  // a reference: nothing was read

  const auto loaded = lines(good({"show", "lab.Thing", "--json", "--load"}));
  EXPECT_EQ(loaded.at(0).at("big"), from_json("[1, 2.5]", "big"));
  EXPECT_EQ(loaded.at(0).at("waves").as<Map>().at("data"), from_json("[1.5, -2.0, 3.0]", "waves"));
  EXPECT_EQ(loaded.at(0).at("report"),
            from_json(R"({"kind": "attachment", "name": "report.pdf", "size": 4})", "report"));

  const std::string table = good({"show", "lab.Thing"});
  EXPECT_NE(table.find("float64 (3,)"), std::string::npos) << table;
  EXPECT_TRUE(table.ends_with("(1 row)\n")) << table;
}

TEST_F(ConfiguredCli, PutRefusesWhatDoesNotFit) {
  declare_everything("lab.Thing");
  const auto refused = [&](std::vector<std::string> words, int exit, const std::string& input = {}) {
    words.insert(words.begin(), {"put", "lab.Thing"});
    const Answer answer = run(words, input);
    EXPECT_EQ(answer.exit, exit) << answer.err;
    EXPECT_TRUE(answer.err.starts_with("oas: ")) << answer.err;
  };
  refused({"id=x"}, 2);
  refused({"id=1", "id=2"}, 2);
  refused({"id=1", "nonsense=2"}, 2);
  refused({"id=1", "mark=123"}, 3);  // decode
  refused({"id=1", "raw=xyz"}, 2);
  refused({"id=1", "waves=[1, 2]"}, 2);
  refused({"id=1", "report=/etc/hostname"}, 2);  // files only behind @
  refused({"id=1", "small=bare words"}, 2);
  refused({"id=1", "rows.jsonl"}, 2);
  refused({"nowhere.csv"}, 2);
  refused({"name=x"}, 3);  // the key is missing
  refused({}, 2, "[1]\n");
  refused({}, 2, "{\"id\": 1}\n{\"id\": \"x\"}\n");
  refused({"--format", "csv"}, 2, "id,name\n1,\"a\n");
  refused({"--format", "csv"}, 2, "id,name\n1\n");
  EXPECT_EQ(good({"show", "lab.Thing", "--json"}), "");  // all rows or none
  EXPECT_EQ(good({"fsck"}), "0 references, 0 objects: 0 dangling, 0 damaged, 0 leaked\n");

  good({"put", "lab.Thing", "id=1"});
  refused({"id=1"}, 3);
  good({"put", "lab.Thing", "id=1", "--skip-duplicates"});
  good({"put", "lab.Thing", "id=1", "name=new", "--replace"});
  EXPECT_EQ(lines(good({"show", "lab.Thing", "--json"})).at(0).at("name"), Value("new"));
}

TEST_F(ConfiguredCli, PutJsonLinesAndCsv) {
  declare_everything("lab.Thing");
  EXPECT_EQ(good({"put", "lab.Thing"},
                 "{\"id\": 1, \"cost\": 0.1, \"small\": [1, \"@@x\"]}\n\n{\"id\": 2, \"name\": \"@x\"}\n"),
            "2 rows into lab.thing\n");
  const fs::path csv =
      file("rows.csv", "\xef\xbb\xbfid,name,cost,when\r\n3,\"a \"\"b\"\",\nc\",1.25,\n4,\"\",,2026-02-03\n");
  const auto put = lines(good({"put", "lab.Thing", csv.string(), "--json"}));
  EXPECT_EQ(put.at(0).at("inserted"), Value(2));
  const auto rows = lines(good({"show", "lab.Thing", "--json", "--order", "id desc", "--limit", "3"}));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].at("name"), Value(""));
  EXPECT_EQ(rows[0].at("when"), Value("2026-02-03 00:00:00"));
  EXPECT_EQ(rows[1].at("name"), Value("a \"b\",\nc"));
  EXPECT_EQ(rows[1].at("cost"), Value("1.25"));
  EXPECT_TRUE(rows[1].at("when").is_null());
  EXPECT_EQ(rows[2].at("name"), Value("@x"));
  const auto where = lines(good({"show", "lab.Thing", "-w", "cost < 1 and name = '?'", "--json"}));
  ASSERT_EQ(where.size(), 1u);
  EXPECT_EQ(where[0].at("id"), Value(1));
  EXPECT_EQ(run({"show", "lab.Thing", "-w", "1; drop table x"}).exit, 2);
  EXPECT_EQ(run({"show", "lab.Thing", "-w", "nonsense = 1"}).exit, 2);
}

TEST_F(ConfiguredCli, TypedCopiesATableExactly) {
  declare_everything("lab.Thing");
  declare_everything("copy.Thing");
  const std::vector<std::int16_t> numbers{1, -2, 3, 4, 5, 6};
  const std::string array = npy("a.npy", Array(std::span(numbers), {2, 3}, Array::Order::column)).string();
  fs::create_directories(files_ / "tree/deep");
  file("tree/one", "1");
  file("tree/deep/two", std::string("\0\n\xff", 3));
  const std::string film = file("film.avi", std::string(5000, 'f')).string();
  good({"put", "lab.Thing", "id=1", "cost=3", "raw=00", "note=[\"\u00e9\"]", "small=@" + array, "big=@" + array,
        "waves=@" + array, "report=@" + film, "tree=@" + (files_ / "tree").string(), "film=@" + film});
  good({"put", "lab.Thing", "id=2"});
  const std::string before = good({"show", "lab.Thing", "--typed", "--load"});
  good({"put", "copy.Thing", "--typed"}, before);
  EXPECT_EQ(good({"show", "copy.Thing", "--typed", "--load"}), before);
  EXPECT_NE(before.find("film.avi"), std::string::npos);

  // Without --load references are copied from store to store.
  good({"rm", "copy.Thing", "--all", "--yes"});
  const std::string references = good({"show", "lab.Thing", "--typed"});
  const Answer blobs = run({"put", "copy.Thing", "--typed"}, references);
  EXPECT_EQ(blobs.exit, 2) << "a <blob@> that was not loaded must not be packed as a reference";
  EXPECT_TRUE(good({"fsck"}).ends_with(" 0 dangling, 0 damaged, 0 leaked\n"));
}

TEST_F(ConfiguredCli, TypedFoldersStayInside) {
  declare_everything("lab.Thing");
  for (const char* path : {"../x", "/x", "a/../../x", ""}) {
    const std::string row = std::string(R"({"id": {"t": "int", "v": "1"}, "tree": {"t": "folder", "files": [[")") +
                            path + "\", \"00\"]]}}\n";
    const Answer answer = run({"put", "lab.Thing", "--typed"}, row);
    EXPECT_EQ(answer.exit, 4) << path << answer.err;
  }
}

TEST_F(ConfiguredCli, GetGivesOneValue) {
  declare_everything("lab.Thing");
  const std::vector<float> numbers{0.1f, 2, 3, 4};
  const Array array(std::span<const float>(numbers), {2, 2});
  const std::string input = npy("a.npy", array).string();
  fs::create_directories(files_ / "tree");
  file("tree/one", "1");
  const std::string pdf = file("report.pdf", "%PDF").string();
  good({"put", "lab.Thing", "id=1", "name=x\ny", "big=@" + input, "waves=@" + input, "report=@" + pdf,
        "tree=@" + (files_ / "tree").string(), "film=@" + pdf});
  EXPECT_EQ(good({"get", "lab.Thing", "name", "-w", "id = 1"}), "x\ny\n");
  EXPECT_EQ(good({"get", "lab.Thing", "name", "--raw"}), "x\ny");
  EXPECT_EQ(lines(good({"get", "lab.Thing", "waves", "--json"})).at(0).at("value").as<Map>().at("data"),
            from_json("[[0.1, 2.0], [3.0, 4.0]]", "data"));
  EXPECT_EQ(parse_npy(Bytes::copy(good({"get", "lab.Thing", "big", "--npy"}))), array);
  EXPECT_EQ(good({"get", "lab.Thing", "waves", "--raw"}), content(input));
  EXPECT_EQ(from_typed(good({"get", "lab.Thing", "waves", "--typed"})), Value(array));
  EXPECT_EQ(good({"get", "lab.Thing", "report"}), "%PDF");
  EXPECT_EQ(good({"get", "lab.Thing", "film"}), "%PDF");

  const std::string out = (files_ / "out.npy").string();
  good({"get", "lab.Thing", "waves", "-o", out});
  EXPECT_EQ(content(out), content(input));
  EXPECT_EQ(run({"get", "lab.Thing", "waves", "-o", out}).exit, 2);
  good({"get", "lab.Thing", "name", "-o", out, "--force"});
  EXPECT_EQ(content(out), "x\ny\n");
  good({"get", "lab.Thing", "tree", "-o", (files_ / "tree2").string()});
  EXPECT_EQ(content(files_ / "tree2/one"), "1");
  fs::create_directory(files_ / "in");
  good({"get", "lab.Thing", "report", "-o", (files_ / "in").string()});
  EXPECT_EQ(content(files_ / "in/report.pdf"), "%PDF");

  EXPECT_EQ(run({"get", "lab.Thing", "tree"}).exit, 2);
  EXPECT_EQ(run({"get", "lab.Thing", "name", "--npy"}).exit, 2);
  EXPECT_EQ(run({"get", "lab.Thing", "nonsense"}).exit, 2);
  EXPECT_EQ(run({"get", "lab.Thing", "name", "-w", "id = 9"}).exit, 2);
}

TEST_F(ConfiguredCli, RmShowsAndAsks) {
  good({"declare", "lab.Subject", "-"}, "subject : int32\n");
  good({"declare", "lab.Scan", "-"}, "-> Subject\nscan : int32\n---\nfilm : <object@>\n");
  const std::string film = file("film.avi", "film").string();
  for (const char* subject : {"1", "2"}) {
    good({"put", "lab.Subject", std::string("subject=") + subject});
    good({"put", "lab.Scan", std::string("subject=") + subject, "scan=1", "film=@" + film});
  }
  EXPECT_EQ(run({"rm", "lab.Subject"}).exit, 2);
  const Answer unasked = run({"rm", "lab.Subject", "-w", "subject = 1"}, "y\n");  // not from a terminal
  EXPECT_EQ(unasked.exit, 2);
  EXPECT_NE(unasked.out.find("lab.scan: 1 row"), std::string::npos) << unasked.out;
  const auto gone = lines(good({"rm", "lab.Subject", "-w", "subject = 1", "--yes", "--json"}));
  EXPECT_EQ(gone.at(0).at("removed"), Value(2));
  EXPECT_EQ(good({"fsck"}), "1 references, 1 objects: 0 dangling, 0 damaged, 0 leaked\n");
  EXPECT_EQ(good({"rm", "lab.Subject", "-w", "subject = 9"}), "removed 0 rows\n");
}

TEST_F(ConfiguredCli, FsckFindsWhatIsWrong) {
  good({"declare", "lab.Scan", "-"}, "scan : int32\n---\nfilm : <object@>\n");
  const std::string film = file("film.avi", "film").string();
  good({"put", "lab.Scan", "scan=1", "film=@" + film});
  const std::string path =
      lines(good({"show", "lab.Scan", "--json"})).at(0).at("film").as<Map>().at("path").as<std::string>();
  fs::rename(work_ / "oas-store" / path, work_ / "oas-store" / (path + ".moved"));
  const Answer found = run({"fsck", "--json", "--deep"});
  EXPECT_EQ(found.exit, 1) << found.err;
  const auto report = lines(found.out);
  ASSERT_EQ(report.size(), 3u) << found.out;
  EXPECT_EQ(report.back().at("dangling"), Value(1));
  EXPECT_EQ(report.back().at("leaked"), Value(1));
  run({"fsck", "--repair"});
  EXPECT_FALSE(fs::exists(work_ / "oas-store" / (path + ".moved")));
  EXPECT_EQ(run({"get", "lab.Scan", "film"}).exit, 3);
  EXPECT_NE(good({"gc"}).find(" waiting"), std::string::npos);
}

TEST_F(CliTest, InspectLooksIntoFiles) {
  const std::vector<std::int32_t> numbers{1, 2, 3};
  const Array array(numbers);
  const std::string input = npy("a.npy", array).string();
  const Map facts = lines(good({"inspect", input, "--json"})).at(0);
  EXPECT_EQ(facts.at("kind"), Value("npy"));
  EXPECT_EQ(facts.at("dtype"), Value("int32"));
  EXPECT_EQ(facts.at("shape"), from_json("[3]", "shape"));
  EXPECT_EQ(from_typed(good({"inspect", input, "--typed"})), Value(array));
  EXPECT_NE(good({"inspect", input}).find("shape: [3]"), std::string::npos);

  const std::string blob = std::string(OAS_SOURCE_DIR) + "/tests/golden/blobs/arr_1d_int32.bin";
  EXPECT_EQ(lines(good({"inspect", blob, "--json"})).at(0).at("kind"), Value("blob"));
  fs::create_directories(files_ / "z.zarr/group");
  file("z.zarr/zarr.json", R"({"zarr_format": 3, "node_type": "group"})");
  file("z.zarr/group/zarr.json",
       R"({"zarr_format": 3, "node_type": "array", "shape": [4, 5], "data_type": "uint8",
           "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 5]}}})");
  const Map zarr = lines(good({"inspect", (files_ / "z.zarr").string(), "--json"})).at(0);
  EXPECT_EQ(zarr.at("node_type"), Value("group"));
  EXPECT_EQ(zarr.at("members").as<Seq>().items.at(0).as<Map>().at("chunks"), from_json("[2, 5]", "chunks"));

  EXPECT_EQ(run({"inspect", file("junk", "junk").string()}).exit, 3);
  EXPECT_EQ(run({"inspect", file("cut.npy", content(input).substr(0, 130)).string()}).exit, 3);
  EXPECT_EQ(run({"inspect", (files_ / "nowhere").string()}).exit, 2);
}

TEST_F(ConfiguredCli, StoreCheckLsCp) {
  for (const Map& line : lines(good({"store", "check", "main", "--json"})))
    if (const Value* ok = line.find("ok")) {
      EXPECT_EQ(*ok, Value(true)) << to_json(line);
    }
  EXPECT_EQ(good({"store", "ls", "main", "--json"}), "");  // the probe leaves nothing
  const std::string big = file("big", std::string((9 << 20) + 5, 'b')).string();
  good({"store", "cp", big, "main:films/"});
  EXPECT_EQ(run({"store", "cp", big, "main:films/big"}).exit, 3);
  good({"store", "cp", big, "main:films/big", "--force"});
  const auto listed = lines(good({"store", "ls", "main", "films/", "--json"}));
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].at("key"), Value("films/big"));
  EXPECT_EQ(listed[0].at("size"), Value((9 << 20) + 5));
  good({"store", "cp", "main:films/big", (files_ / "back").string()});
  EXPECT_EQ(content(files_ / "back"), content(big));
  EXPECT_EQ(run({"store", "cp", "main:films/big", (files_ / "back").string()}).exit, 3);
  EXPECT_EQ(run({"store", "cp", "main:films/none", (files_ / "none").string()}).exit, 3);
  EXPECT_EQ(run({"store", "cp", big, "main:_hash/lab/x"}).exit, 4);
  EXPECT_EQ(run({"store", "cp", big, "nowhere:x"}).exit, 2);
  EXPECT_EQ(run({"store", "check", "nowhere"}).exit, 2);
}

TEST_F(ConfiguredCli, TerminalsAreNotSteered) {
  good({"declare", "lab.Scan", "-"}, "scan : int32\n---\nnote : varchar(40)\n");
  good({"put", "lab.Scan", "scan=1", "note=\x1b[2J\xc2\x9bx\n"});
  const std::string shown = good({"show", "lab.Scan"});
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find("\xc2\x9b"), std::string::npos);
  const Answer error = run({"show", "lab.\x1b[2J"});
  EXPECT_EQ(error.err.find('\x1b'), std::string::npos);
}

TEST_F(CliTest, InitMakesASchemaReady) {
  good({"config", "init"});
  const Answer ready = run({"init", "lab"});
  EXPECT_EQ(ready.exit, 0) << ready.err;
  EXPECT_NE(ready.err.find("nothing to grant"), std::string::npos) << ready.err;
  EXPECT_EQ(good({"ls", "lab"}).find("lab."), std::string::npos);
  EXPECT_EQ(run({"init", "lab", "--role", "reader", "--to", "guest"}).exit, 0);
  EXPECT_EQ(run({"init", "Lab"}).exit, 2);
  EXPECT_EQ(run({"init", "lab", "--role", "king"}).exit, 2);
}

TEST(Completions, KnowEveryVerb) {
  for (const char* name : {"oas.bash", "_oas", "oas.fish"}) {
    const std::string text = content(fs::path(OAS_SOURCE_DIR) / "cli/completions" / name);
    for (const char* verb : {"config", "ls", "describe", "declare", "define", "show", "get", "put", "rm", "inspect",
                             "gc", "fsck", "store", "--json", "--typed", "--folder", "--skip-duplicates", "--repair"}) {
      std::string word = verb;
      if (std::string_view(name) == "oas.fish" && word.starts_with("--")) word = "-l " + word.substr(2);
      EXPECT_NE(text.find(word), std::string::npos) << name << ": " << word;
    }
  }
}

}  // namespace
