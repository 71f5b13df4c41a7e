// The operator `schedule`: asked at each instant of a cron line, in a named zone or the customer's; fires when `when`
// holds, or, with `edge: rising`, when it holds and did not the last time.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

// Sets the timer to the first scheduled instant at or after `from`.
void plan_schedule(Turn& turn, std::uint32_t trigger, Instant from);
// The timer is due now: asks, and plans the next.
void ask_schedule(Turn& turn, std::uint32_t trigger);

// The zone of `traits.timezone`, else the Policy's.
Zone customer_zone(Turn& turn);

}  // namespace spur::triggers
