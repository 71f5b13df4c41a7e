// The version of the build, from the project's CMakeLists. Link spur_version to include it.
#pragma once

#include <string_view>

namespace spur {

inline constexpr std::string_view kVersion = SPUR_VERSION;

}  // namespace spur
