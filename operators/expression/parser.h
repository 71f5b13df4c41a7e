// The parser: CEL's grammar (langdef.md, "Syntax") by recursive descent, macros included.
//
// Stops at the first error. Recursion, the tree's depth, its size and the nesting of comprehensions
// are bounded by Limits, so that no source can exhaust the stack here or in what walks the tree
// later.
#pragma once

#include <optional>
#include <string_view>

#include "operators/expression/ast.h"
#include "operators/expression/diagnostic.h"
#include "operators/expression/program.h"

namespace spur::expression {

// Fills `tree` from `source`, which the tree then points into. An error if it does not parse.
std::optional<Diagnostic> parse(std::string_view source, const Limits& limits, Tree* tree);

}  // namespace spur::expression
