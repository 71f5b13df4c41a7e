// As much of JSON Schema (draft 7) as the catalog's schema uses, for tests: a keyword that is not
// known stops the test, so that the schema cannot say what nobody checks.
#pragma once

#include <string>

#include "state/arena.h"
#include "state/value.h"

namespace spur::authoring {

// JSON as values; texts live in the arena, which must outlive them.
Value read_json(std::string_view json, Arena& arena);

// Empty if `document` is as `schema` says, else the first complaint: "spec.idle: is no `duration`".
std::string complaint(const Value& schema, const Value& document);

}  // namespace spur::authoring
