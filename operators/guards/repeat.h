// Guards `warming`, `once` and `cooldown`: they silence a firing as a whole. The first silenced one since the last that
// went through is recorded, its repeats are only counted.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

// Features (or the memory of a novelty) that this customer has not had for a whole window yet.
Answer warming(const Turn& turn, std::uint32_t trigger);
Answer once(Turn& turn, std::uint32_t trigger, std::string_view key);
// Most silenced firings are repeats that nobody is told of, so the detail is only written where it is asked for.
enum class Detail : std::uint8_t { kNo, kYes };
Answer cooldown(Turn& turn, std::uint32_t trigger, std::string_view key, Detail detail);

// Whether a firing silenced for `reason` has been recorded since the last that went through; remembers it if not.
bool recorded_before(Turn& turn, std::uint32_t trigger, std::string_view key, std::string_view reason);

// A firing at `at` went through (sent, held out or deferred).
void went_through(Turn& turn, std::uint32_t trigger, std::string_view key, Instant at);

// What went_through() changed, so that a conclusion taken back can undo it.
struct Undo {
  bool fired = false;
  Instant last_fired;
  bool key_known = false;
  Instant key_time;
  std::uint8_t silenced = 0, key_silenced = 0;
  bool on_ladder = false;
  Instant last_sent = Instant::distant_past();  // of a trigger on a ladder
};
Undo before_firing(Turn& turn, std::uint32_t trigger, std::string_view key);
// `fired_at`: when the conclusion fired; what has gone through since stays.
void undo(Turn& turn, std::uint32_t trigger, std::string_view key, Instant fired_at, const Undo& before);

}  // namespace spur::guards
