// The operator `threshold`: fires when a condition becomes true, and again only after it was re-armed.
//
// An edge is used up even if `if` is false. A window that moves on can make the condition true or false with no event,
// so after each asking the trigger's timer is set to the next instant at which one of its windows changes.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

// Asks `trigger` now and sets its timer anew.
void ask_threshold(Turn& turn, std::uint32_t trigger);
// Of a new or newly planned customer: the level as it stands, without firing.
void settle_threshold(Turn& turn, std::uint32_t trigger);

}  // namespace spur::triggers
