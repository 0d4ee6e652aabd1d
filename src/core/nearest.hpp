// The known name that a mistyped one probably meant: for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oas {

/// Empty if none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string_view>& known);
/// "did you mean X?" or "known are A, B, C".
std::string suggest_name(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace oas
