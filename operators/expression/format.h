// format() and strings.quote() of CEL's string extension.
#pragma once

#include <span>
#include <string_view>

#include "operators/expression/evaluation.h"

namespace spur::expression {

// "%s: %.2f".format(['a', 1.5]). Clauses: %s any value, %d number, %f %e double with an optional
// precision, %x %X int, uint, string or bytes, %o int or uint, %b int, uint or bool, %% a percent
// sign. An error if a clause is unknown or its argument is missing or of another kind.
Value format(Evaluation& evaluation, std::string_view text, std::span<const Value> arguments);

// `text` as a CEL string literal in double quotes.
Value quote(Evaluation& evaluation, std::string_view text);

}  // namespace spur::expression
