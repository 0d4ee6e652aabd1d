// What every store promises (oas/store.hpp), as tests. A driver registers in one line of stores.cpp.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <oas/store.hpp>

namespace oas::test {

struct StoreCase {
  std::string name;
  std::function<std::shared_ptr<Store>()> open;  ///< an empty store, gone with what it holds
  StoreTraits traits;                            ///< what it must say of itself
  std::string refused = {};                      ///< characters that it takes in no key
  std::size_t longest_key = 1024;                ///< bytes
  std::string untaken = {};                      ///< characters of keys that it should take, and does not
  bool objects_in_objects = true;                ///< or it refuses them so that the driver can tell why
  bool replaces_at_once = true;                  ///< a reader never sees an object that is half replaced
  bool aborted_uploads = true;                   ///< it tells that an upload which was aborted cannot end
  friend std::ostream& operator<<(std::ostream& out, const StoreCase& c) { return out << c.name; }
};

std::vector<StoreCase> store_cases();

}  // namespace oas::test
