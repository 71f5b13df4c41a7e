#include "state/value.h"

#include <limits>

namespace spur {
namespace {

// seconds × 1000 + nanos / 10⁶, clamped to int64; nanos rounded towards minus infinity.
std::int64_t to_millis(std::int64_t seconds, std::int32_t nanos) {
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 1000 - 1;
  if (seconds > kLimit) return std::numeric_limits<std::int64_t>::max() - 1;
  if (seconds < -kLimit) return std::numeric_limits<std::int64_t>::min() + 1;
  const std::int64_t ms = nanos >= 0 ? nanos / 1'000'000 : -((-nanos + 999'999) / 1'000'000);
  return seconds * 1000 + ms;
}

}  // namespace

Instant Value::as_instant() const {
  SPUR_CHECK(kind_ == Kind::kTimestamp);
  return {to_millis(seconds(), nanos())};
}

Millis Value::as_millis() const {
  SPUR_CHECK(kind_ == Kind::kDuration);
  return {to_millis(seconds(), nanos())};
}

Value field(const Value& map, std::string_view name) {
  if (!map.is(Kind::kMap)) return Value::absent();
  if (map.is_computed_map()) return map.lookup().find(Value::string(name));
  for (const MapEntry& entry : map.entries()) {
    if (entry.key.is(Kind::kString) && entry.key.as_text() == name) return entry.value;
  }
  return Value::absent();
}

}  // namespace spur
