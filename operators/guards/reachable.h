// Guard `reachable`: the channel's `reach` must hold for this customer.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer reachable(Turn& turn, std::uint32_t trigger, std::uint32_t channel);

}  // namespace spur::guards
