// Names of tables as DataJoint for Python 2.3.5 makes them (golden/paths), both ways.
#include <gtest/gtest.h>

#include <algorithm>

#include <oas/definition.hpp>

#include "support/golden_kinds.hpp"

namespace oas {
namespace {

using testing::golden_kind;
using testing::GoldenCase;

TEST(GoldenNames, FromClasses) {
  for (const GoldenCase& one : golden_kind("paths", "from_camel_case")) {
    SCOPED_TRACE(one.name);
    const std::string name = one.text("in");
    // Names that no database takes, and a class that begins with '_': to us that is no CamelCase.
    if (!one.find("out") || one.text("out").size() > 64 || name.starts_with('_')) {
      EXPECT_THROW(table_name(Tier::manual, name), Error);
      continue;
    }
    EXPECT_EQ(table_name(Tier::manual, name), one.text("out"));
  }
}

TEST(GoldenNames, BackToClasses) {
  for (const GoldenCase& one : golden_kind("paths", "to_camel_case")) {
    SCOPED_TRACE(one.name);
    if (!tier_of(one.text("in"))) {  // it makes a name of any text
      EXPECT_THROW(class_name_of(one.text("in")), Error);
      continue;
    }
    std::string name = class_name_of(one.text("in"));
    std::erase(name, '.');  // ours tells a part from its master
    EXPECT_EQ(name, one.text("out"));
  }
}

}  // namespace
}  // namespace oas
