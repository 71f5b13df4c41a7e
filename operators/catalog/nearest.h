// Did you mean …? The name that was probably meant.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace spur::catalog {

// The candidate nearest to `name`, if it is near enough to be a slip of the fingers: letters left
// out, added, changed or swapped, at most one in three and never half of the word; upper and lower
// case are the same. Ties go to the first.
std::optional<std::string> nearest(std::string_view name, const std::set<std::string>& candidates);

// "did you mean `email`?", or nothing.
std::string did_you_mean(std::string_view name, const std::set<std::string>& candidates);

}  // namespace spur::catalog
