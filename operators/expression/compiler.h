// The compiler: a checked tree to a flat program.
//
// Parts that read no slot are computed here and now and become constants; literal patterns are
// compiled, `in` a list of literals becomes a search in a sorted one, and a jump to a jump goes
// straight to its end.
#pragma once

#include <memory>
#include <vector>

#include "operators/expression/checker.h"
#include "operators/expression/code.h"

namespace spur::expression {

// Requires a tree without errors (or Options::check off). Appends to `errors` what only shows here,
// such as a pattern that is none, and to `warnings` what will always fail.
std::shared_ptr<const Code> compile_tree(const Tree& tree, const Checked& checked,
                                         References& references, const Options& options,
                                         std::vector<Diagnostic>* errors,
                                         std::vector<Diagnostic>* warnings);

}  // namespace spur::expression
