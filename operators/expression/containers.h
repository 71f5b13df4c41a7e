// Reading maps, whether they hold their entries or compute them (LookupMap).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "state/value.h"

namespace spur::expression {

// How many entries a map has. A computed map is asked for all its keys.
std::size_t map_size(const Value& map);

// The value under `key`, absent if there is none. Numbers are one key whatever their kind: {1u:
// 'a'}[1.0] is 'a'. Takes one from *steps for each entry looked at; with none left, absent.
Value map_find(const Value& map, const Value& key, std::int64_t* steps);

// Whether the key is in the map; what `in` and has() ask. Takes steps as map_find does.
bool map_contains(const Value& map, const Value& key, std::int64_t* steps);

// Whether a value of this kind can be a key: bool, int, uint, string. (A double can ask for a key,
// not be one.)
constexpr bool can_be_key(Kind kind) {
  return kind == Kind::kBool || kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kString;
}

// Walks a map's entries in its own order:  MapCursor at(map); while (at.next()) use(at.key(),
// at.value());
class MapCursor {
 public:
  explicit MapCursor(const Value& map);
  bool next();
  const Value& key() const;
  Value value() const;

 private:
  const Value& map_;
  std::span<const MapEntry> entries_;
  std::span<const Value> keys_;
  std::size_t next_ = 0;
};

}  // namespace spur::expression
