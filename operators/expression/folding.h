// Which parts of a tree are constant: they read no slot, and no variable of a macro around them.
#pragma once

#include <vector>

#include "operators/expression/checker.h"

namespace spur::expression {

// By NodeId.
std::vector<bool> constant_nodes(const Tree& tree, const Checked& checked);

// A deep copy of `value` whose texts and elements live in `arena`.
Value copy_value(const Value& value, Arena* arena);

}  // namespace spur::expression
