// Guard `arbitration`: of marketing steps that one event, or the timers of one instant, make due
// together only the first by (priority, name) goes: on each channel, or of a customer at all, as
// the Policy says. It is asked last, so that only what would have gone takes the place.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer arbitration(const Turn& turn, catalog::Class trigger_class, std::uint32_t channel);
// A step of this class goes now.
void arbitrated(Turn& turn, catalog::Class trigger_class, std::uint32_t channel);

}  // namespace spur::guards
