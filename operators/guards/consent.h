// Guard `consent`: marketing leaves on a channel with a purpose only if the customer has given
// consent for it and not withdrawn it since. Who has said nothing has not. Service and
// transactional actions rest on the contract.
#pragma once

#include <string_view>

#include "operators/guards/guard.h"
#include "operators/turn.h"

namespace spur::guards {

// The purpose that a withdrawal of all names.
inline constexpr std::string_view kAllPurposes = "*";

Answer consent(const Turn& turn, std::uint32_t trigger, std::uint32_t channel);

}  // namespace spur::guards
