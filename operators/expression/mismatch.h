// What the checker says when no overload of a function fits, or there is no such function.
#pragma once

#include <string>
#include <vector>

#include "operators/expression/ast.h"
#include "operators/expression/diagnostic.h"
#include "operators/expression/functions.h"

namespace spur::expression {

std::string mismatch_message(const Function& function, const std::vector<Type>& arguments,
                             bool receiver);
std::string mismatch_hint(const Function& function, const std::vector<Type>& arguments,
                          bool receiver, bool strict);
Diagnostic unknown_function(const Node& call);

}  // namespace spur::expression
