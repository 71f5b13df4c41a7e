// What two texts differ in, by lines, as `diff -u` shows it.
#pragma once

#include <string>
#include <string_view>

namespace spur::authoring {

// Texts of which more pairs of lines would have to be compared differ in one piece.
inline constexpr std::size_t kDiffPairsMax = 25'000'000;

// Empty if they are equal. `name` stands in the head as a/name and b/name.
std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace spur::authoring
