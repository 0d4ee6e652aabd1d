// The library on a database and a file store beside the raw operations underneath, in one run: how much of what the
// machine gives arrives. The workloads, their names and their data are those of docs/benchmarks.md; any program may run
// them.
//
//   oas_bench_peers [--database sqlite|postgres|mariadb|mysql] [--store file|s3] [--concurrency N] [--json] [--durable]
//                   [--quick] [--repeats N] [--only WORKLOAD…]
//
// BENCH_POSTGRES, BENCH_MARIADB, BENCH_MYSQL: where the servers are, postgresql://user:password@host:port/database,
// mysql://…. BENCH_S3: http://key:secret@host:port/bucket; beside it libcurl alone, with as many requests at once (64).
// Stores do not wait for the disk here (sync = false), and neither does the raw side; --durable: both do. The database
// keeps its own durability in either case. BENCH_DIR: the folder for scratch files, whose file system is measured.
#include <iostream>
#include <map>
#include <regex>
#include <set>

#include "data.hpp"
#include "latency.hpp"
#include "raw.hpp"
#include "report.hpp"
#ifdef OAS_WITH_POSTGRES
#include "raw_postgres.hpp"
#endif
#ifdef OAS_WITH_S3
#include "raw_s3.hpp"
#endif

namespace fs = std::filesystem;
using bench::Timed;

namespace {

struct Options {
  bool json = false, durable = false, quick = false;
  int repeats = 7;
  std::set<std::string> only;
  std::string database = "sqlite", store = "file";
  int concurrency = 64;  // of requests to S3
};

/// What a variable says of a server.
struct Server {
  std::string url, user, password, host, port, name;
};
Server server(const char* variable) {
  const char* set = std::getenv(variable);
  static const std::regex form("[a-z]+://([^:@]+):([^@]*)@([^:/]+):([0-9]+)/?(.*)");
  std::cmatch found;
  if (!set || !std::regex_match(set, found, form))
    throw std::runtime_error(std::string(variable) + " must be like postgresql://user:password@host:port/database");
  return {set, found[1], found[2], found[3], found[4], found[5]};
}

/// A folder of its own, removed at the end.
struct Scratch {
  Scratch() {
    const char* base = std::getenv("BENCH_DIR");
    std::string name = ((base ? fs::path(base) : fs::temp_directory_path()) / "oas-bench-XXXXXX").string();
    bench::check(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path path;
};

/// `port`: another way to the server of S3.
oas::Session open_session(const fs::path& work, const Options& options, int port = 0,
                          std::function<std::shared_ptr<oas::Store>(std::shared_ptr<oas::Store>)> wrap = {}) {
  fs::create_directories(work / "store");
  const bool distant = options.store == "s3";
  const Server to = distant ? server("BENCH_S3") : Server{};
  const std::string store =
      distant ? fmt::format(R"("protocol": "s3", "endpoint": "http://{}:{}", "bucket": "{}", "location": "{}",
                               "access_key": "{}", "secret_key": "{}", "concurrency": "{}")",
                            to.host, port ? std::to_string(port) : to.port, to.name, work.filename().string(), to.user,
                            to.password, options.concurrency)
              : fmt::format(R"("protocol": "file", "location": "{}", "sync": "{}")", (work / "store").string(),
                            options.durable ? "true" : "false");
  oas::Settings settings =
      oas::Settings::parse(fmt::format(R"({{"stores": {{"default": "store", "store": {{{}}}}}}})", store));
  if (options.database == "sqlite") {
    settings.set("database", oas::map({{"backend", "sqlite"}, {"name", (work / "bench.db").string()}}));
  } else {
    const bool postgres = options.database == "postgres";
    const Server at = server(postgres                      ? "BENCH_POSTGRES"
                             : options.database == "mysql" ? "BENCH_MYSQL"
                                                           : "BENCH_MARIADB");
    oas::Map database = oas::map({{"host", at.host}, {"port", at.port}, {"user", at.user}, {"password", at.password}});
    database.set("backend", postgres ? "postgresql" : "mysql");
    if (postgres) database.set("name", at.name);
    settings.set("database", database);
  }
  return oas::Session(settings, oas::SessionOptions{.log = [](oas::LogLevel, std::string_view) {}, .wrap_store = wrap});
}

/// Reads of a store, which are single requests up to two parts (32 MiB).
struct Counting : oas::StoreDecorator {
  using StoreDecorator::StoreDecorator;
  std::optional<oas::Object> do_read(const std::string& key, oas::ByteRange range,
                                     const oas::Version* only) const override {
    auto object = StoreDecorator::do_read(key, range, only);
    ++reads;
    bytes += object ? object->data.size() : 0;
    return object;
  }
  mutable std::atomic<int> reads = 0;
  mutable std::atomic<std::uint64_t> bytes = 0;
};

void must(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

class Workloads {
 public:
  Workloads(const Options& options, bench::Report& out)
      : options_(options),
        out_(out),
        work_(scratch_.path),
        session_(open_session(work_, options)),
        lab_(session_.schema("bench")),
        sync_(options.durable ? bench::Sync::each : bench::Sync::none) {
    fs::create_directories(raw_);
    clean();
  }

  /// Servers keep what others left.
  void clean() { lab_.drop(); }

  void startup() {
    const std::string definition = "id : int32\n---\nlabel : varchar(32)\nx : float64\ntrace : <blob>";
    std::vector<oas::Session> kept;
    out_.compare("startup", "connect", "ms", 1, {[&](int) { kept.push_back(open_session(work_, options_)); }});
    kept.clear();
    out_.compare("startup", "activate_new", "ms", 1,
                 {[&](int n) { session_.schema("bench_new" + std::to_string(n)); }});
    out_.compare("startup", "activate_existing", "ms", 1, {[&](int) { session_.schema("bench_new0"); }});
    const auto declare = [&](int n) { lab_.declare("Declared" + std::to_string(n), oas::Tier::manual, definition); };
    out_.compare("startup", "declare", "ms", 1, {declare});
    out_.compare("startup", "redeclare", "ms", 1, {declare});
  }

  void intable(const std::string& workload, bool blob) {
    const int count = few(2000, 200), single = few(300, 30);
    auto t = blob ? table("IntableBlob", "<blob>") : table("IntableBytes", "bytes");
    std::vector<oas::Row> rows;
    std::vector<std::string> raw;
    for (int i = 0; i < count; ++i) {
      raw.push_back(bench::octets(static_cast<std::uint64_t>(i), 1024));
      rows.push_back({{"id", i}, {"data", blob ? bench::record(i) : oas::Value(oas::Bytes::copy(raw.back()))}});
    }
    const auto db = raw_database();
    const auto empty = [&](int) { t.remove(); };
    const auto with_raw = [&](Timed timed) { return db ? timed : Timed{}; };
    const std::string by = db ? db->name() : "";
    const Timed raw_batch = with_raw({[&](int) { db->insert_all(raw); }, [&](int) { db->clear(); }});
    out_.compare(workload, "insert_batch", "rows/s", count, {[&](int) { t.insert(rows); }, empty}, raw_batch,
                 db ? by + ", " + db->batch_insert() : "");
    const auto got = t.order_by("id").fetch();
    for (int i = 0; i < count; ++i) must(got[i]["data"] == rows[i]["data"], "fetched differs from inserted");
    out_.compare(workload, "fetch_batch", "rows/s", count, bench::again([&](int) { t.fetch(); }),
                 with_raw(bench::again([&](int) { db->fetch(); })), by + ", SELECT");
    out_.compare(workload, "fetch_single", "rows/s", single, bench::again([&](int) {
                   for (int i = 0; i < single; ++i) (t & oas::key({{"id", i * 7 % count}})).fetch1("data");
                 }),
                 with_raw(bench::again([&](int) {
                   for (int i = 0; i < single; ++i) db->fetch(i * 7 % count);
                 })),
                 by + ", SELECT");
    out_.compare(workload, "insert_single", "rows/s", single,
                 {[&](int) {
                    for (int i = 0; i < single; ++i) t.insert1(rows[i]);
                  },
                  empty},
                 with_raw({[&](int) {
                             for (int i = 0; i < single; ++i) db->insert(i, raw[i]);
                           },
                           [&](int) { db->clear(); }}),
                 by + ", one commit a row");
    t.remove();
  }

  void stored_blob_small() {
    const int count = few(500, 50);
    auto t = table("BlobSmall", "<blob@store>");
    std::vector<oas::Row> rows;
    const auto raw = small_files(count);
    out_.compare("stored_blob_small", "insert", "rows/s", count,
                 {[&](int) { t.insert(rows); }, [&](int k) { rows = arrays(k * count, count, {1280}); }}, raw.put,
                 raw.put_by);
    const auto first = t & oas::where("id < {}", count);
    rows = arrays(0, count, {1280});
    const auto got = first.order_by("id").fetch();
    for (int i = 0; i < count; ++i) must(got[i]["data"] == rows[i]["data"], "fetched differs from inserted");
    out_.compare("stored_blob_small", "fetch", "rows/s", count, bench::again([&](int) { first.fetch(); }), raw.get,
                 by("open, read, close", "libcurl, GET"));
    out_.compare("stored_blob_small", "insert_duplicate", "rows/s", count,
                 {[&](int) { t.insert(rows); },
                  [&](int k) {
                    for (int i = 0; i < count; ++i) rows[i].set("id", 1000000 + k * count + i);
                  }});
    t.remove();
    nothing_left("stored_blob_small");
  }

  void stored_blob(const std::string& workload,
                   const std::function<std::vector<double>(std::uint64_t, std::size_t)>& make) {
    const std::size_t elements = few(1 << 20, 1 << 16), size = elements * 8;
    auto t = table(workload == "stored_blob_random" ? "BlobRandom" : "BlobCompressible", "<blob@store>");
    std::vector<double> data;
    const auto raw = one_file(size);
    out_.compare(workload, "insert", "MB/s", megabytes(size),
                 {[&](int k) {
                    t.insert1({{"id", k}, {"data", data}});
                  },
                  [&](int k) { data = make(static_cast<std::uint64_t>(k), elements); }},
                 raw.put, raw.put_by);
    const auto one = t & oas::key({{"id", 0}});
    must(one.fetch1("data") == oas::Value(make(0, elements)), "fetched differs from inserted");
    out_.compare(workload, "fetch", "MB/s", megabytes(size), {[&](int) { one.fetch1("data"); }}, raw.get,
                 by("read(2)", "libcurl, GET"));
    t.remove();
    nothing_left(workload);
  }

  void npy_small() {
    const int count = few(1000, 50);
    auto t = table("NpySmall", "<npy@store>");
    std::vector<oas::Row> rows;
    const auto raw = small_files(count, true);
    out_.compare("npy_small", "insert", "rows/s", count,
                 {[&](int) { t.insert(rows); },
                  [&](int k) {
                    rows = arrays(k * count, count, {10, 128});
                  }},
                 raw.put, raw.put_by);
    (t & oas::where("id >= {}", count)).remove();
    rows = arrays(0, count, {10, 128});
    const auto got = t.order_by("id").fetch();
    for (int i = 0; i < std::min(50, count); ++i)
      must(got[i].at<oas::NpyRef>("data").load() == rows[i].at<oas::Array>("data"), "fetched differs from inserted");
    out_.compare("npy_small", "fetch_lazy", "rows/s", count, bench::again([&](int) {
                   std::int64_t sum = 0;
                   for (const oas::Row& row : t) {
                     const auto ref = row.at<oas::NpyRef>("data");
                     sum += ref.shape()[0] + static_cast<int>(ref.dtype());
                   }
                   must(sum > 0, "no shapes");
                 }));
    const bool distant = options_.store == "s3";
    const auto one_by_one = [&](int) {
      for (const oas::Row& row : t) row.at<oas::NpyRef>("data").load();
    };
    const Timed together = bench::again([&](int) { load_all(t); });
    out_.compare("npy_small", "fetch_load", "rows/s", count, distant ? together : bench::again(one_by_one), raw.get,
                 by("open, read, close", "libcurl, GET"));
    out_.compare("npy_small", "fetch_load_together", "rows/s", count, together, bench::again([&](int) {
                   std::vector<oas::Array> kept;
                   for (const oas::Row& row : t) kept.push_back(row.at<oas::NpyRef>("data").load());
                 }),
                 "one after the other, kept as well");
    out_.compare("npy_small", "delete_one", "ms", 1, {[&](int k) { (t & oas::key({{"id", k}})).remove(); }});
    out_.compare("npy_small", "delete", "rows/s", count,
                 {[&](int) { t.remove(); },
                  [&](int) {
                    t.remove();
                    t.insert(rows);
                  }},
                 raw.unlink, by("unlink(2), rmdir(2) of each, one SQLite row", "libcurl, DELETE"));
    t.remove();
    nothing_left("npy_small");
  }

  void npy_big(const std::string& workload, std::int64_t lines) {
    const std::size_t elements = static_cast<std::size_t>(lines) * 1024, size = elements * 8;
    auto t = table(workload == "npy_medium"  ? "NpyMedium"
                   : workload == "npy_large" ? "NpyLarge"
                                             : "NpyHuge",
                   "<npy@store>");
    const auto data = oas::Array::own(bench::uniform(1, elements), {lines, 1024});
    const auto raw = one_file(size);
    out_.compare(workload, "insert", "MB/s", megabytes(size),
                 {[&](int k) {
                    t.insert1({{"id", k}, {"data", data}});
                  },
                  [&](int k) {
                    (t & oas::key({{"id", k - 1}})).remove();
                  }},
                 raw.put, raw.put_by);
    t.remove();
    t.insert1({{"id", 0}, {"data", data}});
    const auto one = t & oas::key({{"id", 0}});
    const auto ref = [&] { return one.fetch1("data").as<oas::NpyRef>(); };
    must(ref().load() == data, "fetched differs from inserted");
    out_.compare(workload, "fetch_load", "MB/s", megabytes(size), {[&](int) { ref().load(); }}, raw.get,
                 by("read(2)", "libcurl, GET"));
    const std::int64_t part = std::max<std::int64_t>(1, lines / 100);
    const auto wanted = static_cast<std::size_t>(part) * 8192;
    std::shared_ptr<Counting> counting;
    {
      oas::Session counted = open_session(work_, options_, 0, [&](std::shared_ptr<oas::Store> store) {
        return counting = std::make_shared<Counting>(std::move(store));
      });
      const auto found = counted.schema("bench")[t.name()] & oas::key({{"id", 0}});
      must(found.fetch1("data").as<oas::NpyRef>().load(oas::rows(0, part)).nbytes() == wanted,
           "the slice has another size");
    }
    out_.compare(workload, "slice", "ms", 1, {[&](int) { ref().load(oas::rows(0, part)); }},
                 {[&](int) { raw.slice(wanted); }}, by("pread(2)", "libcurl, GET"),
                 fmt::format(", \"slice_bytes\": {}, \"read_bytes\": {}", wanted, counting->bytes.load()));
    out_.value(workload, "slice_reads", "reads", counting->reads);
    out_.value(workload, "slice_bytes_read", "of slice",
               static_cast<double>(counting->bytes) / static_cast<double>(wanted));
    t.remove();
    nothing_left(workload);
  }

  /// Rows of 10 KB over a way that takes `milliseconds` longer for each answer, beside the same without.
  void latency(int milliseconds) {
    if (options_.store != "s3") {
      out_.skipped("latency", "", "it is for --store s3");
      return;
    }
    const int count = few(2000, 200);
    const bench::Latency slow(std::stoi(server("BENCH_S3").port), std::chrono::milliseconds(milliseconds));
    oas::Session distant = open_session(work_, options_, slow.port());
    std::vector<oas::Table<>> tables;
    for (oas::Session* session : {&distant, &session_})
      tables.push_back(session->schema("bench").declare(session == &distant ? "Distant" : "Near", oas::Tier::manual,
                                                        "id : int32\n---\ndata : <npy@store>"));
    std::vector<oas::Row> rows;
    const auto insert = [&](int n) {
      return Timed{[&, n](int) { tables[n].insert(rows); },
                   [&, n](int k) {
                     rows = arrays((2 * k + n) * count, count, {10, 128});
                   }};
    };
    const auto fetch = [&](int n) {
      return bench::again([&, n](int) { load_all(tables[n] & oas::where("id < {}", 2 * count)); });
    };
    const std::string by = fmt::format("without {} ms for each answer", milliseconds);
    out_.compare("latency", "insert", "rows/s", count, insert(0), insert(1), by);
    out_.compare("latency", "fetch_load", "rows/s", count, fetch(0), fetch(1), by);
    for (oas::Table<>& table : tables) table.remove();
    nothing_left("latency");
  }

  void attach() {
    const std::size_t size = few(64 << 20, 1 << 20);
    auto t = table("Attach", "<attach@store>");
    const fs::path source = work_ / "recording.bin", target = work_ / "download";
    const auto raw = one_file(size);
    out_.compare(
        "attach", "insert", "MB/s", megabytes(size),
        {[&](int k) {
           t.insert1({{"id", k}, {"data", oas::Attachment(source)}});
         },
         [&](int k) { bench::write_file(source.string(), bench::octets(static_cast<std::uint64_t>(k), size)); }},
        raw.put, raw.put_by);
    const auto one = t & oas::key({{"id", 0}});
    out_.compare(
        "attach", "fetch", "MB/s", megabytes(size),
        {[&](int) { one.fetch1("data").as<oas::Attachment>().save_to(target); }, [&](int) { fs::remove_all(target); }},
        raw.get, "read(2), without writing it anywhere");
    must(bench::read_file((target / "recording.bin").string(), size).text() == bench::octets(0, size),
         "fetched differs from inserted");
    fs::remove_all(target);
    t.remove();
    nothing_left("attach");
  }

  void folder(const std::string& workload, int files, std::size_t size) {
    auto t = table(workload == "folder_many" ? "FolderMany" : "FolderLarge", "<object@store>");
    const fs::path source = work_ / "folder", target = work_ / "downloaded", copied = raw_ / "copied";
    bench::make_folder(source, files, size);
    const bool many = workload == "folder_many";
    const std::string unit = many ? "files/s" : "MB/s";
    const double amount = many ? files : megabytes(static_cast<std::size_t>(files) * size);
    const bool distant = options_.store == "s3";
    const Files objects = distant ? small_objects(files, size) : Files{};
    const Timed to_folder{[&](int) {
                            bench::copy_folder(source, copied);
                            if (options_.durable) bench::sync_all(copied.string());
                          },
                          [&](int) { fs::remove_all(copied); }};
    out_.compare(workload, "insert", unit, amount,
                 {[&](int k) {
                    t.insert1({{"id", k}, {"data", source}});
                  },
                  [&](int k) {
                    (t & oas::key({{"id", k - 1}})).remove();
                  }},
                 distant ? objects.put : to_folder,
                 distant            ? objects.put_by
                 : options_.durable ? "cp -r, syncfs"
                                    : "cp -r");
    t.remove();
    t.insert1({{"id", 0}, {"data", source}});
    const auto one = t & oas::key({{"id", 0}});
    const Timed copy{[&](int) { bench::copy_folder(source, copied); }, [&](int) { fs::remove_all(copied); }};
    out_.compare(
        workload, "download", unit, amount,
        {[&](int) { one.fetch1("data").as<oas::ObjectRef>().download(target); }, [&](int) { fs::remove_all(target); }},
        distant ? objects.get : copy, distant ? "libcurl, GET, without writing it anywhere" : "cp -r");
    must(std::system(("diff -r '" + source.string() + "' '" + target.string() + "'").c_str()) == 0,
         "downloaded differs from inserted");
    for (const auto& path : {source, target, copied}) fs::remove_all(path);
    t.remove();
    nothing_left(workload);
  }

  void probe() {
    const auto data = bench::uniform(1, 10);
    const auto works = [&](const std::string& op, const std::function<void()>& body) {
      try {
        body();
        out_.value("probe", op, "works", 1);
      } catch (const std::exception& e) {
        out_.failed("probe", op, e.what());
      }
    };
    const auto round_trip = [&](const std::string& name, const std::string& type) {
      auto t = table(name, type);
      t.insert1({{"id", 1}, {"data", data}});
      must(t.fetch1("data") == oas::Value(data), "fetched differs from inserted");
      t.remove();
    };
    works("default_store", [&] { round_trip("ProbeDefault", "<blob@>"); });
    works("stored_blob", [&] { round_trip("ProbeStored", "<blob@store>"); });
    works("uuid_key", [&] {
      auto t = lab_.declare("ProbeUuid", oas::Tier::manual, "id : uuid\n---\ndata : <blob>");
      const auto id = oas::Uuid::random();
      t.insert1({{"id", id}, {"data", data}});
      must(t.fetch1("id").as<oas::Uuid>() == id, "fetched differs from inserted");
    });
    works("intable_attach", [&] {
      auto t = table("ProbeAttach", "<attach>");
      t.insert1({{"id", 1}, {"data", oas::Attachment("note.txt", oas::Bytes::copy("note"))}});
      must(t.fetch1("data").as<oas::Attachment>().bytes().text() == "note", "fetched differs from inserted");
    });
    works("replace", [&] { table("ProbeReplace", "int32").insert1({{"id", 1}, {"data", 1}}, {.replace = true}); });
    auto t = table("ProbeNpy", "<npy@store>");
    t.insert1({{"id", 1}, {"data", data}});
    const auto left = [&](const std::string& op, const std::function<void()>& body) {
      const auto before = objects();
      try {
        body();
      } catch (const std::exception&) {
      }
      out_.value("probe", op, "objects", static_cast<double>(objects()) - static_cast<double>(before));
    };
    left("left_by_refused_insert", [&] { t.insert1({{"id", 1}, {"data", data}}); });
    left("left_by_update", [&] { t.update1({{"id", 1}, {"data", bench::uniform(2, 10)}}); });
    left("left_by_rollback", [&] {
      session_.transaction([&] {
        t.insert1({{"id", 2}, {"data", data}});
        throw std::runtime_error("rolled back on purpose");
      });
    });
    t.remove();
  }

  /// In a process of its own each, because a peak cannot be taken back.
  void memory(const std::string& name) {
    const std::string command =
        fmt::format("exec '{}' --child {} '{}' {} {} {}", fs::read_symlink("/proc/self/exe").string(), name,
                    (work_ / "memory").string(), options_.quick ? "quick" : "full", options_.database, options_.store);
    FILE* child = ::popen(command.c_str(), "r");
    bench::check(child != nullptr, "popen");
    double before = 0, above = 0, seconds = 0, amount = 0;
    char unit[32] = "";
    const int got = std::fscanf(child, "%lf %lf %lf %lf %31s", &before, &above, &seconds, &amount, unit);
    if (::pclose(child) != 0 || got != 5) throw std::runtime_error("the child process failed");
    fs::remove_all(work_ / "memory");
    const std::string more = fmt::format(", \"before_mb\": {:.1f}", before);
    if (name == "memory_stream") {
      out_.value(name, "stream", "rows/s", amount / seconds);
      out_.value(name, "stream_memory", "MB above", above, more);
    } else {
      out_.value(name, "insert", "MB above", above, more);
    }
    out_.value(name, "speed", unit, amount / seconds);
  }

 private:
  struct Files {
    std::string path;
    Timed put, get, unlink;
    std::string put_by;
    std::function<void(std::size_t)> slice = {};
  };

  static std::vector<oas::Array> load_all(const oas::Query& query) {
    std::vector<oas::NpyRef> refs;
    for (const oas::Row& row : query) refs.push_back(row.at<oas::NpyRef>("data"));
    return oas::load(refs);
  }

  template <class T>
  T few(T full, T quick) const {
    return options_.quick ? quick : full;
  }
  const char* by(const char* here, const char* in_s3) const { return options_.store == "s3" ? in_s3 : here; }
  static double megabytes(std::size_t bytes) { return static_cast<double>(bytes) / 1e6; }

  oas::Table<> table(const std::string& name, const std::string& type) {
    return lab_.declare(name, oas::Tier::manual, "id : int32\n---\ndata : " + type);
  }
  static std::vector<oas::Row> arrays(int first, int count, const oas::Shape& shape) {
    std::size_t elements = 1;
    for (const auto n : shape) elements *= static_cast<std::size_t>(n);
    std::vector<oas::Row> rows;
    for (int i = first; i < first + count; ++i)
      rows.push_back(
          {{"id", i}, {"data", oas::Array::own(bench::uniform(static_cast<std::uint64_t>(i), elements), shape)}});
    return rows;
  }

  /// Many files of 10 KB, in one folder or, as the keys of rows make them, each in a folder of its own; new ones each
  /// turn, because some file systems are slow to make a file where one was removed a moment ago.
  Files small_files(int count, bool own_folders = false) {
    if (options_.store == "s3") return small_objects(count, 10240, own_folders);
    Files f;
    const std::string folder = (raw_ / ("small-" + std::to_string(++raws_))).string();
    fs::create_directories(folder);
    const auto data = std::make_shared<std::vector<std::string>>();
    for (int i = 0; i < count; ++i) data->push_back(bench::octets(static_cast<std::uint64_t>(i), 10240));
    const auto place = [=](int turn, int i) {
      return own_folders ? fmt::format("{}/id={}-{}", folder, turn, i) : folder;
    };
    const auto name = [=](int turn, int i) { return fmt::format("{}/{}-{}.bin", place(turn, i), turn, i); };
    const auto db = std::make_shared<bench::RawSqlite>((raw_ / (std::to_string(++raws_) + ".db")).string());
    const auto put = [=, durable = options_.durable](int turn) {
      for (int i = 0; i < count; ++i) {
        if (own_folders) bench::check(::mkdir(place(turn, i).c_str(), 0777) == 0, "mkdir");
        bench::write_file(name(turn, i), (*data)[i]);
      }
      if (durable) bench::sync_all(folder);
      db->insert(turn, folder);
    };
    f.put = {put};
    f.put_by = fmt::format("{}open, write, close of each{}, one SQLite row", own_folders ? "mkdir, " : "",
                           options_.durable ? ", syncfs" : "");
    f.get = bench::again([=](int) {
      for (int i = 0; i < count; ++i) bench::read_file(name(0, i), 10240);
    });
    f.unlink = {[=](int turn) {
                  for (int i = 0; i < count; ++i) {
                    ::unlink(name(100 + turn, i).c_str());
                    if (own_folders) ::rmdir(place(100 + turn, i).c_str());
                  }
                  db->insert(200 + turn, folder);
                },
                [=](int turn) { put(100 + turn); }};
    return f;
  }

  /// One large file. The database keeps its durability on both sides: with the file a row is committed.
  Files one_file(std::size_t size) {
    if (options_.store == "s3") return one_object(size);
    Files f;
    f.path = (raw_ / ("one-" + std::to_string(size))).string();
    const auto data = std::make_shared<std::string>(bench::octets(1, size));
    const auto db = std::make_shared<bench::RawSqlite>((raw_ / (std::to_string(++raws_) + ".db")).string());
    const std::string folder = raw_.string();
    f.put = {[=, path = f.path, sync = sync_](int turn) {
               bench::write_file(path, *data, sync);
               if (sync == bench::Sync::each) bench::sync_folder(folder);
               db->insert(turn, path);
             },
             [path = f.path](int) { ::unlink(path.c_str()); }};
    f.put_by = options_.durable ? "write(2), fdatasync, fsync of the folder, SQLite row" : "write(2), SQLite row";
    f.get = {[path = f.path, size](int) { bench::read_file(path, size); }};
    f.slice = [path = f.path](std::size_t wanted) { bench::read_file(path, wanted, 128); };
    return f;
  }

#ifdef OAS_WITH_S3
  std::shared_ptr<bench::RawS3> raw_s3() const {
    const Server to = server("BENCH_S3");
    return std::make_shared<bench::RawS3>(
        fmt::format("http://{}:{}/{}/{}-raw/", to.host, to.port, to.name, work_.filename().string()), to.user,
        to.password, options_.concurrency);
  }
  Files small_objects(int count, std::size_t size = 10240, bool own_folders = false) {
    const auto s3 = raw_s3();
    const auto data = std::make_shared<std::vector<std::string>>();
    for (int i = 0; i < count; ++i) data->push_back(bench::octets(static_cast<std::uint64_t>(i), size));
    const auto keys = [=, folder = ++raws_](int turn) {
      std::vector<std::string> all;
      for (int i = 0; i < count; ++i)
        all.push_back(fmt::format("{}/{}/{}{}.bin", folder, turn, own_folders ? fmt::format("id-{}/", i) : "", i));
      return all;
    };
    const auto put = [=](int turn) { s3->put(keys(turn), {data->begin(), data->end()}); };
    Files f;
    f.put = {put};
    f.get = {[=](int) { s3->get(keys(0), size); }};
    f.unlink = {[=](int turn) { s3->remove(keys(100 + turn)); }, [=](int turn) { put(100 + turn); }};
    f.put_by = "libcurl, PUT";
    return f;
  }
  Files one_object(std::size_t size) {
    const auto s3 = raw_s3();
    const auto data = std::make_shared<std::string>(bench::octets(1, size));
    const std::string key = fmt::format("one-{}", size);
    Files f;
    f.path = key;
    f.put = {[=](int) { s3->put({key}, {*data}); }};
    f.get = {[=](int) { s3->get_parts(key, size, std::size_t{8} << 20); }};
    f.slice = [=](std::size_t wanted) { s3->get_parts(key, wanted, wanted); };
    f.put_by = "libcurl, PUT";
    return f;
  }
#else
  Files small_objects(int, std::size_t = 0, bool = false) { throw std::runtime_error("this build has no S3"); }
  Files one_object(std::size_t) { throw std::runtime_error("this build has no S3"); }
#endif

  /// None for MariaDB.
  std::unique_ptr<bench::RawDatabase> raw_database() const {
    if (options_.database == "sqlite") return std::make_unique<bench::RawSqlite>((raw_ / "raw.db").string());
#ifdef OAS_WITH_POSTGRES
    if (options_.database == "postgres") return std::make_unique<bench::RawPostgres>(server("BENCH_POSTGRES").url);
#endif
    return nullptr;
  }
  /// Without copies that servers keep for a while (docs/ledger.md, quarantine).
  std::size_t objects() const {
    if (options_.store == "s3") {
      oas::Session other = open_session(work_, options_);
      const auto entries = other.store("store")->list("_", {}, 100'000).entries;
      return static_cast<std::size_t>(std::ranges::count_if(entries, [](const oas::ObjectInfo& entry) {
        return entry.key.find("_oas_quarantine") == std::string::npos;
      }));
    }
    std::size_t count = 0;
    for (auto entry = fs::recursive_directory_iterator(work_ / "store"); entry != fs::end(entry); ++entry) {
      if (entry->path().filename() == "_oas_quarantine") entry.disable_recursion_pending();
      count += entry->is_regular_file();
    }
    return count;
  }
  void nothing_left(const std::string& workload) {
    out_.value(workload, "left_after_delete", "objects", static_cast<double>(objects()));
  }

  const Options& options_;
  bench::Report& out_;
  Scratch scratch_;
  fs::path work_;
  fs::path raw_ = work_ / "raw";
  oas::Session session_;
  oas::Schema lab_;
  bench::Sync sync_;
  int raws_ = 0;
};

double resident(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size())) * 1024 / 1e6;
  return 0;
}

/// One memory workload; prints "before above seconds amount unit", memory in MB.
int child(const std::string& name, const fs::path& work, bool quick, const std::string& database,
          const std::string& store) {
  fs::create_directories(work);
  Options options;
  options.database = database;
  options.store = store;
  oas::Session session = open_session(work, options);
  oas::Schema lab = session.schema("bench");
  lab.drop();
  const auto table = [&](const std::string& type) {
    return lab.declare("Memory", oas::Tier::manual, "id : int32\n---\ndata : " + type);
  };
  std::string unit = "MB/s";
  double amount = 0;
  std::function<void()> body;
  std::vector<double> kept;
  std::optional<oas::Array> array;
  double callers = 0;  // MB that it asked for
  constexpr std::size_t mega = 1 << 20;
  if (name == "memory_npy" || name == "memory_npy_out") {  // 1 GiB
    auto t = table("<npy@store>");
    t.insert1({{"id", 0}, {"data", bench::uniform(0, 8)}});
    const std::size_t elements = quick ? mega : 128 * mega;
    amount = static_cast<double>(elements) * 8 / 1e6;
    kept = bench::uniform(1, elements);
    auto insert = [&kept, t]() mutable { t.insert1({{"id", 1}, {"data", kept}}); };
    if (name == "memory_npy") {
      body = insert;
    } else {
      insert();
      kept = {};
      callers = amount;
      body = [t, &array] { array = (t & oas::key({{"id", 1}})).fetch1("data").as<oas::NpyRef>().load(); };
    }
  } else if (name == "memory_pieces" || name == "memory_pieces_out") {  // 1 GiB, written as it is made, read as needed
    auto t = table("<object@store>");
    t.insert1({{"id", 0}, {"data", oas::Bytes::copy("small")}});
    const std::size_t pieces = quick ? 16 : 256;
    kept = bench::uniform(1, mega / 2);
    amount = static_cast<double>(pieces * kept.size()) * 8 / 1e6;
    auto insert = [&kept, t, pieces]() mutable {
      auto staged = t.staged_insert1({{"id", 1}});
      const auto upload = staged.open("data", ".bin");
      for (std::size_t i = 0; i < pieces; ++i) upload->append(std::as_bytes(std::span(kept)));
      upload->commit();
      staged.commit();
    };
    body = insert;
    if (name == "memory_pieces_out") {
      insert();
      body = [&kept, t] {
        const auto reader = (t & oas::key({{"id", 1}})).fetch1("data").as<oas::ObjectRef>().open();
        while (reader->read(std::as_writable_bytes(std::span(kept))) > 0) {
        }
      };
    }
  } else if (name == "memory_folder" || name == "memory_folder_out") {  // 4 files of 1 GiB
    auto t = table("<object@store>");
    t.insert1({{"id", 0}, {"data", oas::Bytes::copy("small")}});
    const std::size_t size = quick ? mega : 1024 * mega;
    fs::create_directories(work / "folder");
    for (int i = 0; i < 4; ++i) {
      const fs::path file = work / "folder" / fmt::format("f{}.bin", i);
      std::ofstream(file) << "x";
      fs::resize_file(file, size);  // a hole: what is read and written is the same
    }
    amount = 4 * static_cast<double>(size) / 1e6;
    if (name == "memory_folder") {
      body = [=]() mutable { t.insert1({{"id", 1}, {"data", work / "folder"}}); };
    } else {
      t.insert1({{"id", 1}, {"data", work / "folder"}});
      body = [=] { (t & oas::key({{"id", 1}})).fetch1("data").as<oas::ObjectRef>().download(work / "out"); };
    }
  } else if (name == "memory_stream" || name == "memory_stream_in") {  // a million rows
    auto t = lab.declare("Stream", oas::Tier::manual, "id : int32\n---\nx : float64\ntrace : <blob>");
    const int rows = quick ? 5000 : 1000000;
    amount = rows;
    unit = "rows/s";
    auto insert = [t, rows](int from) mutable {
      std::vector<std::vector<double>> traces;
      for (std::uint64_t i = 0; i < 1000; ++i) traces.push_back(bench::uniform(i, 48));
      int i = from;
      t.insert(oas::RowSource([&](oas::Row& row) {
        if (i == rows) return false;
        row = {{"id", i}, {"x", i * 1.0}, {"trace", traces[static_cast<std::size_t>(i % 1000)]}};
        ++i;
        return true;
      }));
    };
    if (name == "memory_stream") {
      insert(0);
      body = [t, rows] {
        int n = 0;
        for (const oas::Row& row : t) n += row.size() == 3;
        must(n == rows, "rows are missing");
      };
    } else {
      t.insert1({{"id", 0}, {"x", 0.0}, {"trace", bench::uniform(0, 48)}});
      body = [insert]() mutable { insert(1); };
    }
  } else {
    throw std::runtime_error("no workload " + name);
  }
  std::ofstream("/proc/self/clear_refs") << 5;
  const double before = resident("VmRSS:");
  const double seconds = Timed{[&](int) { body(); }}.seconds(0);
  fmt::print("{} {} {} {} {}\n", before, resident("VmHWM:") - before - callers, seconds, amount, unit);
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 6 && arguments[0] == "--child")
    return child(arguments[1], arguments[2], arguments[3] == "quick", arguments[4], arguments[5]);
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& a = arguments[i];
    if (a == "--json")
      options.json = true;
    else if (a == "--durable")
      options.durable = true;
    else if (a == "--quick")
      options.quick = true;
    else if (a == "--database" && i + 1 < arguments.size())
      options.database = arguments[++i];
    else if (a == "--store" && i + 1 < arguments.size())
      options.store = arguments[++i];
    else if (a == "--concurrency" && i + 1 < arguments.size())
      options.concurrency = std::stoi(arguments[++i]);
    else if (a == "--repeats" && i + 1 < arguments.size())
      options.repeats = std::stoi(arguments[++i]);
    else if (a == "--only")
      options.only.insert(arguments.begin() + static_cast<std::ptrdiff_t>(++i), arguments.end()), i = arguments.size();
    else
      throw std::runtime_error(
          "unknown argument " + a +
          ". known: --database --store --concurrency --json --durable --quick --repeats N --only WORKLOAD…");
  }
  if (const char* quick = std::getenv("BENCH_QUICK"); quick && *quick) options.quick = true;
  bench::Report out(options.json, options.repeats, OAS_VERSION);
  Workloads w(options, out);
  const bool quick = options.quick;
  const std::vector<std::pair<std::string, std::function<void()>>> all{
      {"startup", [&] { w.startup(); }},
      {"intable_blob", [&] { w.intable("intable_blob", true); }},
      {"intable_bytes", [&] { w.intable("intable_bytes", false); }},
      {"stored_blob_small", [&] { w.stored_blob_small(); }},
      {"stored_blob_random", [&] { w.stored_blob("stored_blob_random", bench::uniform); }},
      {"stored_blob_compressible", [&] { w.stored_blob("stored_blob_compressible", bench::steps); }},
      {"npy_small", [&] { w.npy_small(); }},
      {"npy_medium", [&] { w.npy_big("npy_medium", quick ? 128 : 1024); }},
      {"npy_large", [&] { w.npy_big("npy_large", quick ? 1024 : 32768); }},
      {"npy_huge", [&] { w.npy_big("npy_huge", quick ? 2048 : 131072); }},
      {"latency", [&] { w.latency(50); }},
      {"attach", [&] { w.attach(); }},
      {"folder_many", [&] { w.folder("folder_many", quick ? 200 : 2000, 4096); }},
      {"folder_large", [&] { w.folder("folder_large", 4, quick ? 1 << 20 : 64 << 20); }},
      {"probe", [&] { w.probe(); }},
      {"memory_npy", [&] { w.memory("memory_npy"); }},
      {"memory_npy_out", [&] { w.memory("memory_npy_out"); }},
      {"memory_pieces", [&] { w.memory("memory_pieces"); }},
      {"memory_pieces_out", [&] { w.memory("memory_pieces_out"); }},
      {"memory_folder", [&] { w.memory("memory_folder"); }},
      {"memory_folder_out", [&] { w.memory("memory_folder_out"); }},
      {"memory_stream_in", [&] { w.memory("memory_stream_in"); }},
      {"memory_stream", [&] { w.memory("memory_stream"); }}};
  for (const auto& [name, body] : all) {
    if (!options.only.empty() && !options.only.contains(name)) continue;
    try {
      body();
    } catch (const std::exception& e) {
      out.failed(name, "", e.what());
    }
  }
  w.clean();
  return out.failures() > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << "oas_bench_peers: " << e.what() << '\n';
    return 1;
  }
}
