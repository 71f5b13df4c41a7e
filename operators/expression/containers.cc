#include "operators/expression/containers.h"

#include "operators/expression/compare.h"

namespace spur::expression {

std::size_t map_size(const Value& map) {
  return map.is_computed_map() ? map.lookup().keys().size() : map.entries().size();
}

Value map_find(const Value& map, const Value& key, std::int64_t* steps) {
  if (map.is_computed_map()) {
    *steps -= 1;
    return map.lookup().find(key);
  }
  const std::span<const MapEntry> entries = map.entries();
  *steps -= static_cast<std::int64_t>(entries.size() / 4);
  if (*steps < 0) return Value::absent();
  if (key.is(Kind::kString)) return field(map, key.as_text());
  for (const MapEntry& entry : entries) {
    if (equal(entry.key, key)) return entry.value;
  }
  return Value::absent();
}

bool map_contains(const Value& map, const Value& key, std::int64_t* steps) {
  if (!map.is_computed_map()) return !map_find(map, key, steps).is_absent();
  *steps -= 1;
  return map.lookup().contains(key);
}

MapCursor::MapCursor(const Value& map) : map_(map) {
  if (map.is_computed_map()) {
    keys_ = map.lookup().keys();
  } else {
    entries_ = map.entries();
  }
}

bool MapCursor::next() {
  if (next_ >= entries_.size() + keys_.size()) return false;  // one of the two is empty
  ++next_;
  return true;
}

const Value& MapCursor::key() const {
  return keys_.empty() ? entries_[next_ - 1].key : keys_[next_ - 1];
}

Value MapCursor::value() const {
  return keys_.empty() ? entries_[next_ - 1].value : map_.lookup().find(keys_[next_ - 1]);
}

}  // namespace spur::expression
