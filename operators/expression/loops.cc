#include "operators/expression/loops.h"

#include "operators/expression/arithmetic.h"
#include "operators/expression/compare.h"
#include "operators/expression/containers.h"

namespace spur::expression {
namespace {

// What an entry written with `?` adds: the value, nothing for none, an error if it is no optional.
Value opened(const Value& value) {
  if (!value.is(Kind::kOptional)) return first_error(value, value);
  return value.optional_value() == nullptr ? Value::absent() : *value.optional_value();
}

bool is_marked(const Code& code, std::uint32_t marks, std::size_t entry) {
  if (marks == 0) return false;
  const std::vector<bool>& optional = code.optional_entries[marks - 1];
  return entry < optional.size() && optional[entry];
}

// Adds an entry to the first `count` of `entries`; an error for a bad or repeated key.
Value put(Evaluation& e, std::span<MapEntry> entries, std::size_t* count, const Value& key,
          const Value& value) {
  if (is_bad(key) || is_bad(value)) return first_error(key, value);
  if (!can_be_key(key.kind()))
    return Value::error("a map's key must be a bool, int, uint or string");
  if (*count >= entries.size()) return Value::error(kTooManyElements);
  const Value present = map_find(Value::map(entries.first(*count)), key, &e.steps);
  if (e.steps < 0) return Value::error(kTooManySteps);
  if (!present.is_absent()) return Value::error("a map with a repeated key");
  entries[(*count)++] = {key, value};
  return Value::absent();
}

bool end_with(Value* frame, const Value& result) {
  frame[kLoopAccumulator] = result;
  return false;
}

// The accumulators of list and map are arrays as long as the range, of which a part is filled.
Value* filled_end(const Value& list) {
  return const_cast<Value*>(list.elements().data()) + list.elements().size();
}

}  // namespace

Value make_list(Evaluation& e, const Code& code, std::span<const Value> values,
                std::uint32_t marks) {
  const std::span<Value> list = e.arena.array<Value>(values.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value value = is_marked(code, marks, i) ? opened(values[i]) : values[i];
    if (value.is_error()) return value;
    if (!value.is_absent()) list[count++] = value;
  }
  return Value::list(list.first(count));
}

Value make_map(Evaluation& e, const Code& code, std::span<const Value> pairs, std::uint32_t marks) {
  const std::span<MapEntry> entries = e.arena.array<MapEntry>(pairs.size() / 2);
  std::size_t count = 0;
  for (std::size_t i = 0; i < pairs.size() / 2; ++i) {
    const bool marked = is_marked(code, marks, i);
    const Value value = marked ? opened(pairs[2 * i + 1]) : pairs[2 * i + 1];
    if (marked && value.is_absent()) continue;
    const Value problem = put(e, entries, &count, pairs[2 * i], value);
    if (problem.is_error()) return problem;
  }
  return Value::map(entries.first(count));
}

bool loop_begin(Evaluation& e, Value* frame, LoopResult result) {
  const Value& range = frame[kLoopRange];
  if (!range.is(Kind::kList) && !range.is(Kind::kMap)) {
    return end_with(frame, first_error(range, range));
  }
  const bool computed = range.is_computed_map();
  if (computed) frame[kLoopKeys] = Value::list(range.lookup().keys());
  const std::size_t size = range.is(Kind::kList) ? range.elements().size() : map_size(range);
  frame[kLoopIndex] = Value::integer(0);
  switch (result) {
    case LoopResult::kTrue:
      frame[kLoopAccumulator] = Value::boolean(true);
      return true;
    case LoopResult::kFalse:
      frame[kLoopAccumulator] = Value::boolean(false);
      return true;
    case LoopResult::kCount:
      frame[kLoopAccumulator] = Value::integer(0);
      return true;
    default:
      break;
  }
  if (size > e.limits.elements_max) return end_with(frame, Value::error(kTooManyElements));
  if (!e.spend(size)) return end_with(frame, Value::error(kTooManySteps));
  if (result == LoopResult::kList) {
    frame[kLoopAccumulator] = Value::list(e.arena.array<Value>(size).first(0));
  } else {
    // transformMapEntry may add several entries an element, so the array is made anew when it
    // grows.
    frame[kLoopAccumulator] =
        Value::map(std::span<const MapEntry>(e.arena.array<MapEntry>(size).first(0)));
  }
  return true;
}

bool loop_next(Evaluation& e, Value* frame, bool two_variables, std::uint32_t cost) {
  if (!e.spend(cost)) return end_with(frame, Value::error(kTooManySteps));
  const Value& range = frame[kLoopRange];
  const auto at = static_cast<std::size_t>(frame[kLoopIndex].as_int());
  frame[kLoopIndex] = Value::integer(static_cast<std::int64_t>(at) + 1);
  if (range.is(Kind::kList)) {
    if (at >= range.elements().size()) return false;
    const Value& element = range.elements()[at];
    frame[kLoopFirst] = two_variables ? Value::integer(static_cast<std::int64_t>(at)) : element;
    if (two_variables) frame[kLoopSecond] = element;
    return true;
  }
  if (range.is_computed_map()) {
    const std::span<const Value> keys = frame[kLoopKeys].elements();
    if (at >= keys.size()) return false;
    frame[kLoopFirst] = keys[at];
    if (two_variables) frame[kLoopSecond] = range.lookup().find(keys[at]);
    return true;
  }
  if (at >= range.entries().size()) return false;
  frame[kLoopFirst] = range.entries()[at].key;
  if (two_variables) frame[kLoopSecond] = range.entries()[at].value;
  return true;
}

bool loop_quantify(Value* frame, const Value& condition, bool decisive) {
  Value& result = frame[kLoopAccumulator];
  if (condition.is(Kind::kBool)) {
    if (condition.as_bool() != decisive) return false;
    result = condition;
    return true;
  }
  if (!result.is_error()) result = first_error(condition, condition);
  return false;
}

bool loop_count(Value* frame, const Value& condition) {
  if (!condition.is(Kind::kBool)) return end_with(frame, first_error(condition, condition));
  Value& count = frame[kLoopAccumulator];
  if (condition.as_bool()) count = Value::integer(count.as_int() + 1);
  return true;
}

bool loop_append(Value* frame, const Value& value) {
  if (is_bad(value)) return end_with(frame, first_error(value, value));
  Value& list = frame[kLoopAccumulator];
  *filled_end(list) = value;
  list = Value::list({list.elements().data(), list.elements().size() + 1});
  return true;
}

bool loop_put(Evaluation& e, Value* frame, const Value& key, const Value& value) {
  const std::span<const MapEntry> filled = frame[kLoopAccumulator].entries();
  std::size_t count = filled.size();
  const std::span<MapEntry> room(const_cast<MapEntry*>(filled.data()), count + 1);
  const Value problem = put(e, room, &count, key, value);
  if (problem.is_error()) return end_with(frame, problem);
  frame[kLoopAccumulator] = Value::map(std::span<const MapEntry>(room.first(count)));
  return true;
}

bool loop_put_all(Evaluation& e, Value* frame, const Value& map) {
  if (!map.is(Kind::kMap)) return end_with(frame, first_error(map, map));
  const std::span<const MapEntry> filled = frame[kLoopAccumulator].entries();
  const std::size_t size = filled.size() + map_size(map);
  if (size > e.limits.elements_max) return end_with(frame, Value::error(kTooManyElements));
  if (!e.spend(size)) return end_with(frame, Value::error(kTooManySteps));
  const std::span<MapEntry> entries = e.arena.array<MapEntry>(size);
  std::copy(filled.begin(), filled.end(), entries.begin());
  std::size_t count = filled.size();
  MapCursor cursor(map);
  while (cursor.next()) {
    const Value problem = put(e, entries, &count, cursor.key(), cursor.value());
    if (problem.is_error()) return end_with(frame, problem);
  }
  frame[kLoopAccumulator] = Value::map(std::span<const MapEntry>(entries.first(count)));
  return true;
}

}  // namespace spur::expression
