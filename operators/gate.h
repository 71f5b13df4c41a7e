// The gate: every firing ends here, in recorded decisions. Guards are asked in a fixed order in the
// same step of the fold, so that no counter can lag: warming, once, cooldown, ladder for the firing
// as a whole; age, `expires`, `if`, then of a channel consent, ladder (of a later step), reachable,
// `while`, holdout, quiet hours, caps, arbitration, shadow for each step. The verdict is sent,
// suppressed with a reason, held out, or deferred.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur {

// Of one customer; what goes beyond one of these is counted.
inline constexpr std::size_t kPendingMax = 10'000;  // steps that wait; beyond: dropped
// Conclusions in their grace; then one leaves early.
inline constexpr std::size_t kHeldMax = 10'000;
// Of one trigger.
inline constexpr std::size_t kLastDataMax = 100;  // keys whose last data is kept
// Keys that are known to have fired, or been silenced.
inline constexpr std::size_t kKeyTimesMax = 10'000;

// Every guard's answer, in their order, if `trigger` fired for `key` now. Only for explaining: the
// turn is one of copies.
std::vector<GuardSaid> ask_each_guard(Turn& turn, std::uint32_t trigger, std::string_view key);

// Decides the turn's firings, in the order (priority, trigger, key, step).
void decide_all(Turn& turn);

// The data of a step as canonical JSON, in the order written. Needs the turn's instance to be set.
std::string step_data(Turn& turn, const catalog::Step& step);

// The same as an encoded map, for instance.last.data; errors are null.
std::string step_values(Turn& turn, const catalog::Step& step);

// This key's firing before; nullptr: none.
const LastData* last_data(const Customer& customer, std::uint32_t trigger, std::string_view key);

using KeyChosen = std::function<bool(const std::string& key)>;
// Ends what `trigger` has pending for the chosen keys: waiting steps go silently, deferred ones
// with a decision, and conclusions held for their grace are taken back if the event at `t` came in
// time for them. `silent_for` >= 0: only of firings of which `t` fell into the silence.
void drop_pending(Turn& turn, std::uint32_t trigger, Instant t, const KeyChosen& chosen,
                  std::string_view reason = "exit", Millis silent_for = Millis{-1});
// Ends the chosen steps: waiting ones silently, deferred ones with a decision.
void drop_steps(Turn& turn, std::string_view reason,
                const std::function<bool(const Pending&)>& chosen);
// Drops what is still to leave of firings of `trigger` for `key` that are later than the turn's
// late event, which says that they were none: waiting steps silently, deferred ones with a
// decision.
void drop_contradicted(Turn& turn, std::uint32_t trigger, std::string_view key);
// Takes back held conclusions that the turn's event resets, and opens their waits again.
void reopen_held(Turn& turn, std::uint32_t trigger, const KeyChosen& chosen);
// Lets go the held decisions whose grace is over: those with release < `limit`, or all that are due
// before it.
void release_held(Turn& turn, Instant limit, bool all);

}  // namespace spur
