// Guard `cap`: at most so many sent actions in a rolling window (t − per, t]. A channel's caps count and bind marketing
// and service actions on it; the Policy's count and bind marketing on all channels; transactional knows none.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer caps(const Turn& turn, catalog::Class trigger_class, std::uint32_t channel);

// An action of this class leaves on `channel` now.
void count_sent(Turn& turn, catalog::Class trigger_class, std::uint32_t channel);
// It was taken back.
void uncount_sent(Turn& turn, catalog::Class trigger_class, std::uint32_t channel, Instant at);

}  // namespace spur::guards
