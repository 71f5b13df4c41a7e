// Guard `while`: what must still be true when a step is about to leave.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer still_true(Turn& turn, std::uint32_t trigger);

}  // namespace spur::guards
