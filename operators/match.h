// How a pattern is held against an event. Included by turn.h.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "state/aggregates/key_text.h"

namespace spur {

// The key of a match, as text: 7, 7.0 and "7" are one key. Nothing: the event has no such key and does not match.
inline std::optional<std::string_view> key_of(Turn& turn, const catalog::Pattern& pattern) {
  if (!pattern.key) return std::string_view();
  return key_text(turn.evaluate(*pattern.key), turn.arena());
}

template <typename Matched>
void for_each_match(Turn& turn, const catalog::Pattern& pattern, Matched&& matched) {
  if (!pattern.each) {
    if (pattern.where && !turn.evaluate(*pattern.where).is_true()) return;
    const std::optional<std::string_view> key = key_of(turn, pattern);
    if (key) matched(Value::absent(), *key);
    return;
  }
  const Value list = turn.evaluate(*pattern.each);
  if (!list.is(Kind::kList)) return;
  std::vector<std::string_view> keys;  // those already matched by this event
  for (const Value& item : list.elements()) {
    turn.slots.set_item(item);
    if (pattern.where && !turn.evaluate(*pattern.where).is_true()) continue;
    const std::optional<std::string_view> key = key_of(turn, pattern);
    if (!key) continue;
    if (pattern.key) {
      if (std::find(keys.begin(), keys.end(), *key) != keys.end()) continue;
      keys.push_back(*key);
    }
    matched(item, *key);
  }
  turn.slots.set_item(Value::absent());
}

}  // namespace spur
