// Is a folder on this machine, or does every access to it cross a network?
#pragma once

#include <string>

namespace oas {

/// False also for a folder that is not there: opening it says what is wrong.
bool on_network(const std::string& folder) noexcept;

}  // namespace oas
