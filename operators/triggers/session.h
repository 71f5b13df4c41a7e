// The operator `session`: fires when a session opens, ends by silence or is closed. The key is the session's.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

// Asks the triggers on `session` for this moment. `session` is as just before its end.
void session_moment(Turn& turn, const SessionState& session, catalog::SessionMoment moment, Instant hold_until);

}  // namespace spur::triggers
