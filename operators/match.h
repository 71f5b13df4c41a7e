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

// The same over all the patterns of `uses` from `first` on that belong to its owner, which stand together: an event
// that several of them match with one key matches once. Answers the place behind them.
template <typename Matched>
std::size_t for_each_match_of_owner(Turn& turn, const std::vector<catalog::Use>& uses, std::size_t first,
                                    Matched&& matched) {
  std::size_t end = first + 1;
  while (end < uses.size() && uses[end].owner == uses[first].owner) ++end;
  if (end == first + 1) {
    for_each_match(turn, *uses[first].pattern, matched);
    return end;
  }
  std::vector<std::string_view> keys;  // matched by an earlier pattern
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t earlier = keys.size();
    for_each_match(turn, *uses[i].pattern, [&](Value item, std::string_view key) {
      const auto last = keys.begin() + static_cast<std::ptrdiff_t>(earlier);
      if (std::find(keys.begin(), last, key) != last) return;
      keys.push_back(key);
      matched(item, key);
    });
  }
  return end;
}

}  // namespace spur
