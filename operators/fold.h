// The fold: what an event changes before any trigger is asked. Traits, sessions, features, models, in the order of
// catalog.md, "Time, exactly" 2.
#pragma once

#include "operators/turn.h"

namespace spur {

// Limits of what one customer may hold; beyond them the oldest goes or the newest is not taken, counted.
inline constexpr std::size_t kTraitsMax = 128;
inline constexpr std::size_t kTraitBytesMax = 16 * 1024;  // of one value, encoded
inline constexpr std::size_t kSessionKeysMax = 1'000;     // of one Session

// Sets what the event says of its customer: the last write by event time wins.
void fold_traits(Turn& turn);
// Opens and keeps sessions.
void fold_session_starts(Turn& turn);
void fold_features(Turn& turn);
void fold_models(Turn& turn);
// Those that the event opened fire `on: opened`, and see what it has changed.
void fire_opened_sessions(Turn& turn);
// Ends the sessions that the event closes; they fire `on: closed`.
void fold_session_ends(Turn& turn);

// Ends `session` (an element of the customer's) at this instant: its triggers for `moment` fire and see it as just
// before; then it and what was counted within it fall to empty, and thresholds on them are asked.
void end_session(Turn& turn, std::size_t session, catalog::SessionMoment moment, Instant hold_until);

// The instant at which a session ends by silence; never() if it does not.
Instant idle_deadline(const catalog::Compiled& catalog, const SessionState& session);

}  // namespace spur
