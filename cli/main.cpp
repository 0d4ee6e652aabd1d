// The command line: which verbs there are and what they take. What they do is in the file of their name.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <string_view>

#include <oas/tools.hpp>

#include "verbs.hpp"

namespace {

using namespace oas;
using namespace oas::cli;

constexpr std::string_view introduction =
    R"(oas keeps tables whose big values live in object stores: arrays, files and folders are attributes
like any other. A database holds the rows, stores hold the objects, and the two stay consistent.
Tables are named SCHEMA.TABLE. Settings come from datajoint.json, found from here upwards, and DJ_*;
without any there are oas.db and oas-store/ in this folder.)";

constexpr std::string_view examples = R"(Examples:
  oas declare lab.Scan scan.txt                    a table from a definition in a file
  oas put lab.scan scan=1 frames=@frames.npy       a row with an array from a file
  oas get lab.scan frames -w 'scan = 1' -o f.npy   the array, as a file again

oas VERB --help tells what a verb takes. Exit codes: 0 done, 1 found problems, 2 wrong use,
3 refused by data, 4 not available.)";

class CommandLine {
 public:
  explicit CommandLine(Program& program) : program_(program), app_(std::string(introduction), "oas") {
    app_.footer(std::string(examples));
    app_.set_version_flag("--version", "oas " OAS_VERSION, "Print the version");
    app_.add_option("--folder", program.folder, "Where settings are looked for, and upwards (here)")->type_name("DIR");
    app_.add_flag("--json", program.json, "One JSON object a line; errors as JSON too");
    app_.require_subcommand(1);
    app_.fallthrough();
    settings();
    tables();
    rows();
    care();
  }

  CLI::App& app() { return app_; }
  int run() { return chosen_(); }

 private:
  CLI::App* verb(CLI::App& under, const std::string& name, const std::string& what, const std::string& group,
                 std::function<int()> action) {
    CLI::App* added = under.add_subcommand(name, what);
    if (!group.empty()) added->group(group);
    added->fallthrough();
    added->footer("--json and --folder DIR go with every verb.");
    if (action)
      added->callback([this, action = std::move(action)] { chosen_ = action; });
    else
      added->require_subcommand(1);
    return added;
  }
  static void table(CLI::App* verb, std::string& into) {
    verb->add_option("TABLE", into, "The table, SCHEMA.TABLE")->required()->type_name("");
  }
  static void where(CLI::App* verb, std::string& into, const std::string& what) {
    verb->add_option("-w,--where", into, what)->type_name("COND");
  }
  void typed(CLI::App* verb, const std::string& what) { verb->add_flag("--typed", program_.typed, what); }

  void settings() {
    const std::string group = "Settings";
    CLI::App* config = verb(app_, "config", "Settings: where they come from, whether they work", group, {});
    CLI::App* init = verb(*config, "init", "Write a datajoint.json to begin with", "",
                          [this] { return config_init(program_, init_); });
    init->add_option("--backend", init_.backend, "sqlite, postgresql or mysql")
        ->check(CLI::IsMember({"sqlite", "postgresql", "mysql"}))
        ->capture_default_str();
    init->add_option("--name", init_.name, "The database; of sqlite its file (oas.db)")->type_name("NAME");
    init->add_option("--host", init_.host, "Of a database server (localhost)")->type_name("HOST");
    init->add_option("--user", init_.user, "Of a database server")->type_name("USER");
    init->add_option("--store", init_.store, "Name of the store")->type_name("NAME")->capture_default_str();
    init->add_option("--location", init_.location, "Folder of the store")->type_name("DIR")->capture_default_str();
    verb(*config, "show", "All settings and where each came from, without secrets", "",
         [this] { return config_show(program_); });
    verb(*config, "check", "Open the database and every store", "", [this] { return config_check(program_); });
  }

  void tables() {
    const std::string group = "Tables";
    CLI::App* init = verb(app_, "init", "Make a schema ready to be written to; print the GRANTs of each role", group,
                          [this] { return cli::init(program_, init_schema_); });
    init->add_option("SCHEMA", init_schema_.schema, "The schema")->required()->type_name("");
    init->add_option("--role", init_schema_.roles, "Only of reader, writer, declarer or collector")
        ->check(CLI::IsMember({"reader", "writer", "declarer", "collector"}));
    init->add_option("--to", init_schema_.to, "To whom (SCHEMA_ROLE)")->type_name("USER");
    verb(app_, "ls", "Schemas, tables, numbers of rows", group, [this] { return ls(program_, name_); })
        ->add_option("NAME", name_, "A schema, or SCHEMA.TABLE")
        ->type_name("");
    table(verb(app_, "describe", "The definition of a table, as one would write it", group,
               [this] { return cli::describe(program_, name_); }),
          name_);
    CLI::App* declare = verb(app_, "declare", "Declare a table from a definition", group,
                             [this] { return cli::declare(program_, declare_); });
    declare->add_option("TABLE", declare_.table, "SCHEMA.Scan; of a part SCHEMA.Scan.Frame")->required()->type_name("");
    declare->add_option("FILE", declare_.file, "The definition; - is standard input")->type_name("");
    declare->add_option("--tier", declare_.tier, "manual, lookup, imported, computed or part")->capture_default_str();
    CLI::App* define = verb(app_, "define", "The statements a definition gives; nothing is executed", group,
                            [this] { return cli::define(program_, define_); });
    define->add_option("FILE", define_.file, "The definition; - is standard input")->type_name("");
    define->add_option("--dialect", define_.dialect, "sqlite, postgresql or mysql")->required();
    define->add_option("--name", define_.name, "Scan, or SCHEMA.Scan (from the file's name)");
    define->add_option("--tier", define_.tier, "manual, lookup, imported, computed or part")->capture_default_str();
    define->add_option("--with", define_.with, "A table that the definition refers to")->type_name("[TIER:]Name=FILE");
  }

  void rows() {
    const std::string group = "Rows";
    CLI::App* show = verb(app_, "show", "Rows as a table, arrays and objects as summaries", group,
                          [this] { return cli::show(program_, show_); });
    table(show, show_.table);
    where(show, show_.where, "Only rows for which this holds: 'scan > 3 and note is null'");
    show->add_option("--limit", show_.limit, "No more rows than this")->type_name("N");
    show->add_option("--order", show_.order, "By attributes, the first counts most: a,'b desc'")
        ->delimiter(',')
        ->type_name("ATTR");
    show->add_flag("--load", show_.load, "Fetch what references refer to");
    typed(show, "The lossless notation, one row a line: for oas put --typed");

    CLI::App* get =
        verb(app_, "get", "One value or object, decoded", group, [this] { return cli::get(program_, get_); });
    table(get, get_.table);
    get->add_option("ATTR", get_.attribute, "The attribute")->required()->type_name("");
    where(get, get_.where, "The row: 'scan = 3'");
    get->add_option("-o,--output", get_.file, "Write to this file; folder objects become this folder")
        ->type_name("FILE");
    get->add_flag("--force", get_.force, "Overwrite the file");
    CLI::Option* npy = get->add_flag("--npy", get_.npy, "An array as a .npy file");
    CLI::Option* raw = get->add_flag("--raw", get_.raw, "The bytes as they are")->excludes(npy);
    typed(get, "The lossless notation");
    npy->excludes(raw);

    CLI::App* put = verb(app_, "put", "Insert rows: attribute=value, JSON lines, or CSV", group,
                         [this] { return cli::put(program_, put_); });
    table(put, put_.table);
    put->add_option("ITEM", put_.items, "attribute=value (@file for arrays and files), or files; - is standard input")
        ->type_name("");
    put->add_option("--format", put_.format, "Of files: json (lines) or csv (by the file's name)")
        ->check(CLI::IsMember({"json", "csv"}));
    typed(put, "Lines are in the lossless notation, as oas show --typed --load prints them");
    CLI::Option* skip =
        put->add_flag("--skip-duplicates", put_.skip_duplicates, "Leave rows whose key exists as they are");
    put->add_flag("--replace", put_.replace, "Rows whose key exists take the new values")->excludes(skip);
    put->add_flag("--ignore-extra", put_.ignore_extra, "Pass over names that the table has not");

    CLI::App* rm = verb(app_, "rm", "Remove rows with all that depends on them, after asking", group,
                        [this] { return cli::rm(program_, rm_); });
    table(rm, rm_.table);
    where(rm, rm_.where, "The rows");
    rm->add_flag("--all", rm_.all, "All rows");
    rm->add_flag("--yes", rm_.yes, "Do not ask");
  }

  void care() {
    const std::string group = "Objects";
    CLI::App* inspect = verb(app_, "inspect", "What is in a .npy, a blob, a manifest, a Zarr", group,
                             [this] { return cli::inspect(program_, name_); });
    inspect->add_option("FILE", name_, "The file, or the folder of a Zarr")->required()->type_name("");
    typed(inspect, "The value in the lossless notation");
    verb(app_, "gc", "Remove now what nothing needs any more", group, [this] { return cli::gc(program_); });
    CLI::App* fsck =
        verb(app_, "fsck", "Compare rows with stores, both ways", group, [this] { return cli::fsck(program_, fsck_); });
    fsck->add_flag("--deep", fsck_.deep, "Read every object and compare its content");
    fsck->add_flag("--repair", fsck_.repair, "Remove what leaks");
    fsck->add_option("--grace", fsck_.grace, "Seconds for which a new object is not called a leak")
        ->type_name("N")
        ->capture_default_str();
    CLI::App* store = verb(app_, "store", "Look after the stores themselves", group, {});
    verb(*store, "check", "Try out what the store can do", "", [this] { return store_check(program_, name_); })
        ->add_option("NAME", name_, "The store (the default one)")
        ->type_name("");
    CLI::App* list = verb(*store, "ls", "Keys in the store", "", [this] { return store_ls(program_, store_ls_); });
    list->add_option("NAME", store_ls_.name, "The store")->required()->type_name("");
    list->add_option("PREFIX", store_ls_.prefix, "Only keys that begin so")->type_name("");
    list->add_option("--limit", store_ls_.limit, "No more keys than this")->type_name("N");
    CLI::App* copy = verb(*store, "cp", "Copy an object from or to a local file", "",
                          [this] { return store_cp(program_, store_cp_); });
    copy->add_option("FROM", store_cp_.from, "STORE:KEY, or a local file")->required()->type_name("");
    copy->add_option("TO", store_cp_.to, "A local file, or STORE:KEY")->required()->type_name("");
    copy->add_flag("--force", store_cp_.force, "Replace what is there");
  }

  Program& program_;
  CLI::App app_;
  std::function<int()> chosen_;
  std::string name_;
  ConfigInit init_;
  Init init_schema_;
  Declare declare_;
  Define define_;
  Show show_;
  Get get_;
  Put put_;
  Rm rm_;
  Fsck fsck_;
  StoreLs store_ls_;
  StoreCp store_cp_;
};

int run(Program& program, int argc, char** argv) {
  CommandLine line(program);
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return line.app().exit(e);  // --help, --version
    // What was said before the mistake may not have been taken in.
    program.json = std::any_of(argv, argv + argc, [](std::string_view word) { return word == "--json"; });
    if (line.app().get_subcommands().empty()) {
      const auto rest = line.app().remaining();
      std::string verbs;
      for (const CLI::App* verb : line.app().get_subcommands([](const CLI::App*) { return true; }))
        verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
      throw Error(Errc::usage, fmt::format("{}. verbs are {}. oas --help tells more",
                                           rest.empty() ? "a verb is missing" : "there is no verb " + rest[0], verbs));
    }
    throw Error(Errc::usage, fmt::format("{}. oas VERB --help tells what there is", e.what()));
  }
  const int result = line.run();
  flush_out();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Program program;
  try {
    return run(program, argc, argv);
  } catch (const Error& e) {
    program.report(e);
    return exit_code(e.code());
  } catch (const std::filesystem::filesystem_error& e) {
    program.report(Error(Errc::access, e.code().message() + ": " + e.path1().string(), e.path1().string()));
    return no_answer;
  } catch (const std::exception& e) {
    program.report(Error(Errc::internal, fmt::format("{}. this is a defect of oas", e.what())));
    return exit_code(Errc::internal);
  }
}
