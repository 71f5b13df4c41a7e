// Retractions: an action has left, and then an event comes, late, that says that there was no
// reason for it. What its channel gets is a retraction that names the action; what has been sent
// counts all the same for caps and cooldowns.
//
// Remembered are actions that a late event can contradict: conclusions from silence, novelties, and
// steps that an exit would have dropped. For as long as `max_action_age`, or a week where that is
// never, by the shard's clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "operators/gate.h"
#include "operators/turn.h"

namespace spur {

inline constexpr std::size_t kRetractableMax = 32;   // actions of one customer; then the oldest go
inline constexpr Millis kRetractableForMax = kWeek;  // where `max_action_age` is never

// What a decision that leaves is about, beyond what it says itself.
struct SentAbout {
  std::uint32_t trigger = 0, channel = 0, count = 0;
  Instant opened_at;
  std::string_view key, opened;
};

// `decision` leaves now: remembers it if it can be contradicted.
void remember_sent(Turn& turn, const Decision& decision, const SentAbout& about);

// Retracts what is remembered and chosen, unless the turn's event is too old for any action.
void retract_if(Turn& turn, const std::function<bool(const Retractable&)>& chosen);

// An event at `t` ends what `trigger` had under way for the chosen keys, and was there before these
// actions were decided about. `silent_for` >= 0: only actions of firings of which it fell into the
// silence.
void retract_ended(Turn& turn, std::uint32_t trigger, Instant t, const KeyChosen& chosen,
                   Millis silent_for = Millis{-1});
// Firings of `trigger` for `key` later than the turn's event were none.
void retract_contradicted(Turn& turn, std::uint32_t trigger, std::string_view key);
// The turn's event would have reset these waits before they ran out: those that would still be open
// are opened again and what they sent is retracted.
void reopen_retracted(Turn& turn, std::uint32_t trigger, const KeyChosen& chosen);

}  // namespace spur
