// A condition of the catalog with its values: what it answered, what it read, and which part of it
// decided.
#pragma once

#include <string>
#include <string_view>

#include "operators/catalog/compiled.h"
#include "operators/expression/parts.h"
#include "spur/v1/service.pb.h"
#include "state/arena.h"

namespace spur::explain {

// An error is {"error": …}; what is absent is "".
std::string json_of(const Value& value);

// Fills `out` for the condition `source`, compiled as `program` in `catalog`, with what `slots`
// say. `name` is what the catalog calls it.
void explain_condition(const catalog::Compiled& catalog, std::string_view name,
                       const std::string& source, const expression::Program& program,
                       expression::Slots& slots, Arena& arena, spur::v1::ConditionValue& out);

}  // namespace spur::explain
