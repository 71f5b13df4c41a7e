// What all operators do when they fire: ask `if`, and hand the firing on to the gate.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

// Asks the trigger's `if`; a firing that passes joins the turn's, another is counted. Data that
// must be seen as of now (a session that is about to end) is computed here too.
void collect(Turn& turn, Firing firing);  // a view: cheap to copy

// The state that `trigger` has for the turn's customer; created if it has none.
TriggerState& state_of(Turn& turn, std::uint32_t trigger);
// The same, nullptr if it has none.
TriggerState* find_state(Customer& customer, std::uint32_t trigger);
// The state by key, for cooldown and once per key; nullptr if there is none.
KeyTime* find_key_state(TriggerState& state, std::string_view key);

}  // namespace spur::triggers
