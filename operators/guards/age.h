// Guard `age`: what was decided about an instant longer ago than `max_action_age` is recorded and not sent.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

// `at` is the instant decided; measured against the run's wall clock, of which a backtest has none.
Answer age(const Turn& turn, Instant at);

}  // namespace spur::guards
