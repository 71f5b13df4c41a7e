// Making lists and maps, and the steps of a comprehension's loop. A loop's frame is described in
// code.h.
#pragma once

#include <cstdint>
#include <span>

#include "operators/expression/code.h"
#include "operators/expression/evaluation.h"

namespace spur::expression {

// `marks` is 0, or one more than the entry of Code::optional_entries that says which were written
// with `?`.
Value make_list(Evaluation& evaluation, const Code& code, std::span<const Value> values,
                std::uint32_t marks);
Value make_map(Evaluation& evaluation, const Code& code, std::span<const Value> pairs,
               std::uint32_t marks);

// Each of these is false when the loop ends here, with its result in the accumulator.

// Starts over the range in the frame; ends at once if that is no list or map.
bool loop_begin(Evaluation& evaluation, Value* frame, LoopResult result);
// Takes the next element; ends after the last.
bool loop_next(Evaluation& evaluation, Value* frame, bool two_variables, std::uint32_t cost);
bool loop_count(Value* frame, const Value& condition);
bool loop_append(Value* frame, const Value& value);
bool loop_put(Evaluation& evaluation, Value* frame, const Value& key, const Value& value);
bool loop_put_all(Evaluation& evaluation, Value* frame, const Value& map);

// all() with `decisive` false, exists() with true: true when the loop ends here. Errors wait for a
// decisive element.
bool loop_quantify(Value* frame, const Value& condition, bool decisive);

}  // namespace spur::expression
