// Guard `ladder`: of triggers that stand on one ladder the higher intent silences the lower, while
// something of it is open or still to come and for some time after it has sent; and what is open or
// pending below is dropped when it opens or sends.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer ladder(const Turn& turn, std::uint32_t trigger);

// Something of `trigger` has opened at `t`: drops what is open or pending below.
void ladder_opened(Turn& turn, std::uint32_t trigger, Instant t);
// A step of `trigger` has gone through now.
void ladder_sent(Turn& turn, std::uint32_t trigger);

}  // namespace spur::guards
