#include "daemon/inputs/envelope.h"

#define XXH_INLINE_ALL
#include <fmt/core.h>
#include <xxhash.h>

#include <array>
#include <string>

#include "daemon/inputs/timestamp.h"

namespace spur {

Malformed bad_timestamp(std::string_view text) {
  return Malformed{
      Reason::kBadTimestamp,
      fmt::format("`{:.40}` is not like 2026-03-01T08:30:00.250Z, or no such day or second", text)};
}

std::optional<Malformed> check_time(Instant time, std::string_view text) {
  if (time >= kInstantMin && time <= kInstantMax) return std::nullopt;
  return Malformed{Reason::kTimeOutOfRange,
                   fmt::format("`{:.40}` is not within 1970 to 2969", text)};
}

std::optional<Malformed> read_time(std::string_view text, Instant& time) {
  const std::optional<Instant> written = parse_timestamp(text);
  if (!written) return bad_timestamp(text);
  time = *written;
  return check_time(time, text);
}

std::string_view derived_id(std::initializer_list<std::string_view> parts, Arena& arena) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const std::string_view part : parts) {
    std::array<unsigned char, 8> size;
    for (std::size_t i = 0; i < size.size(); ++i)
      size[i] = static_cast<unsigned char>(part.size() >> (8 * i));
    XXH3_128bits_update(&state, size.data(), size.size());
    XXH3_128bits_update(&state, part.data(), part.size());
  }
  XXH128_canonical_t hash;  // bytes in an order that is the same on every machine
  XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(&state));
  std::string text = "derived-";
  for (const unsigned char byte : hash.digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return arena.copy(text);
}

Value traits_set_by(CallType type, const Value& own, const Value& in_context, Arena& arena) {
  if (type != CallType::kIdentify || own.is_absent()) return in_context;
  if (in_context.is_absent()) return own;
  const std::span<const MapEntry> first = own.entries();
  const std::span<const MapEntry> more = in_context.entries();
  const std::span<MapEntry> all = arena.array<MapEntry>(first.size() + more.size());
  std::size_t count = 0;
  for (const MapEntry& entry : first) all[count++] = entry;
  for (const MapEntry& entry : more) {
    if (field(own, entry.key.as_text()).is_absent()) all[count++] = entry;
  }
  return Value::map(all.first(count));
}

}  // namespace spur
