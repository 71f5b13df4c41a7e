// Guard `quiet_hours`: a channel is not used at night, in the customer's zone or a named one. A step that meets them is
// deferred to their end, or dropped. They bind every class: a channel for what cannot wait has none.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer quiet_hours(Turn& turn, std::uint32_t channel);

}  // namespace spur::guards
