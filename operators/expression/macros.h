// Macros: calls that bind a variable or ask for a field, which are therefore no functions.
//
//   has(e.f)
//   e.all(x, p)  e.exists(x, p)  e.exists_one(x, p)  e.existsOne(x, p)  e.filter(x, p)  e.map(x, t)
//   e.map(x, p, t) e.all(i, v, p)  e.exists(i, v, p)  e.existsOne(i, v, p) e.transformList(i, v,
//   [p,] t)  e.transformMap(k, v, [p,] t)  e.transformMapEntry(k, v, [p,] t) e.optMap(x, t)
//   e.optFlatMap(x, t)  cel.bind(x, e, t) math.greatest(a, b, c, …)  math.least(a, b, c, …)   as
//   math.greatest([a, b, c, …])
#pragma once

#include <optional>
#include <string>

#include "operators/expression/ast.h"

namespace spur::expression {

// If the call `node` has the name and number of arguments of a macro, turns it into the macro's
// node. What is wrong, if it is a macro used wrongly.
std::optional<std::string> expand_macro(Tree& tree, Node* node);

}  // namespace spur::expression
