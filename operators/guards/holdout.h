// Guard `holdout`: a share of customers is sent no marketing, so that what it brings can be
// measured. Who is in it follows from the salt and the customer's identity alone. What would have
// been sent is recorded, and counts for cooldowns and ladders as if it had been.
#pragma once

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

Answer holdout(const Turn& turn, catalog::Class trigger_class);

// The customer's place among a million, for a salt.
std::uint32_t holdout_place(std::string_view salt, std::string_view customer);

}  // namespace spur::guards
