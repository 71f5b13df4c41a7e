// An expression's faults and values as a person at a terminal reads them.
#pragma once

#include <string>
#include <string_view>

#include "operators/expression/diagnostic.h"
#include "state/value.h"

namespace spur::eval {

// "1:5: what is wrong; what would be right", the line of the source, and carets under the part that
// is meant:
//
//     1:5: `ordres` is not declared in `event`; did you mean `event.orders`?
//       1 + event.ordres
//           ^^^^^^^^^^^^
//
// Columns count characters; a tab stays a tab, so that the carets stand right below it. A part that
// goes over several lines is marked to the end of its first.
std::string marked(std::string_view source, const expression::Diagnostic& diagnostic);

// The value as CEL would write it where that differs from JSON: `optional.of(1)`,
// `optional.none()`, a type by its name; all else is JSON.
std::string shown(const Value& value);

}  // namespace spur::eval
