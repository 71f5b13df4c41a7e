// Values and types as CEL's own tools write them in JSON: the proto3 JSON of cel.expr.Value and
// cel.expr.Type.
//
//   {"int64Value": "7"}   {"doubleValue": "NaN"}   {"mapValue": {"entries": [{"key": …, "value":
//   …}]}}
//   {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "60s"}}
//   {"primitive": "INT64"}   {"listType": {"elemType": …}}   {"abstractType": {"name": …}}
//
// What is read is JSON read already (daemon/inputs/json_reader.h): maps, lists, text and numbers.
// An optional has no form in cel.expr.Value; here it is {"optionalValue": …}, null for none.
#pragma once

#include <string>
#include <string_view>

#include "operators/expression/type.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur::eval {

// The value of `key` in a JSON object; absent if there is none, or `object` is no object.
Value member(const Value& object, std::string_view key);

// The value that `json`, a cel.expr.Value, stands for: an error that says why if it stands for
// none, such as a message. Texts are copied into the arena where they are not views already.
Value read_cel_value(const Value& json, Arena& arena);

// The type that a cel.expr.Type stands for; dyn where it is none that Spur knows.
expression::Type read_cel_type(const Value& json);

// `value` as a cel.expr.Value. Not for errors and absent, which are no values.
void append_cel_value(std::string* out, const Value& value);
std::string to_cel_json(const Value& value);

}  // namespace spur::eval
