// The verbs: what each takes, and the function that does it, one file a verb. They return an Exit, or throw oas::Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "program.hpp"

namespace oas::cli {

struct ConfigInit {
  std::string backend = "sqlite", name, host, user, store = "main", location = "oas-store";
};
int config_init(Program& program, const ConfigInit& options);
int config_show(Program& program);
int config_check(Program& program);

struct Init {
  std::string schema, to;
  std::vector<std::string> roles;
};
int init(Program& program, const Init& options);

int ls(Program& program, const std::string& name);
int describe(Program& program, const std::string& table);

struct Declare {
  std::string table, file = "-", tier = "manual";
};
int declare(Program& program, const Declare& options);

struct Define {
  std::string file = "-", dialect, name, tier = "manual";
  std::vector<std::string> with;  ///< Name=FILE
};
int define(Program& program, const Define& options);

struct Show {
  std::string table, where;
  std::vector<std::string> order;
  std::optional<std::uint64_t> limit;
  bool load = false;
};
int show(Program& program, const Show& options);

struct Get {
  std::string table, attribute, where, file;
  bool npy = false, raw = false, force = false;
};
int get(Program& program, const Get& options);

struct Put {
  std::string table, format;
  std::vector<std::string> items;
  bool skip_duplicates = false, replace = false, ignore_extra = false;
};
int put(Program& program, const Put& options);

struct Rm {
  std::string table, where;
  bool all = false, yes = false;
};
int rm(Program& program, const Rm& options);

int inspect(Program& program, const std::string& path);
int gc(Program& program);

struct Fsck {
  bool deep = false, repair = false;
  std::uint64_t grace = 0;  ///< seconds
};
int fsck(Program& program, const Fsck& options);

int store_check(Program& program, const std::string& name);
struct StoreLs {
  std::string name, prefix;
  std::optional<std::uint64_t> limit;
};
int store_ls(Program& program, const StoreLs& options);
struct StoreCp {
  std::string from, to;
  bool force = false;
};
int store_cp(Program& program, const StoreCp& options);

/// "manual" and so on. Errors: usage.
Tier tier_from(const std::string& name);
std::string tier_name(Tier tier);

}  // namespace oas::cli
