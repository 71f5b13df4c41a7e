// Guard `shadow`: a trigger that is tried out. It is asked last, so that everything is decided as
// it would be, and what would have been sent is suppressed. It counts for the trigger's own
// cooldown and `once`, so that it goes as often as it would, and for nothing of another trigger's:
// no cap, no arbitration, no ladder.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer shadow(const Turn& turn, std::uint32_t trigger);

}  // namespace spur::guards
