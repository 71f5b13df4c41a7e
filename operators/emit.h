// How a decision begins, and how it leaves: what is the same of all of them, whoever decides.
#pragma once

#include <cstdint>
#include <string_view>

#include "operators/turn.h"

namespace spur {

// About a firing of `trigger`, at the turn's instant, with the next id of the input. Without a
// verdict, and without a step: see about_step().
Decision new_decision(Turn& turn, std::uint32_t trigger, std::string_view key, Instant fired_at);

// Says that it is about this step of its trigger, on this channel.
void about_step(const Turn& turn, std::uint32_t trigger, std::uint32_t step, std::uint32_t channel,
                Decision& decision);

// Lets a decision leave: gives a sent one its place in its topic. Beyond kEffectsPerInput it is
// dropped and counted.
void emit(Turn& turn, Decision&& decision);

}  // namespace spur
