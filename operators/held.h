// Conclusions from silence that wait for their grace to pass, and steps that are dropped before they left.
//
// A graced conclusion is decided in full at its deadline, as of then, and its decisions are held. What contradicts it
// within the grace takes them back together with what they changed (cooldown, caps, later steps).
#pragma once

#include <vector>

#include "operators/guards/repeat.h"
#include "operators/turn.h"

namespace spur {

struct HeldDecisions {
  std::vector<Decision> decisions;
  guards::Undo undo;
};

// Keeps `held` with the customer until the firing's hold_until.
void hold(Turn& turn, const Firing& firing, HeldDecisions held);

// The conclusion that `pending` is a later step of, while it is held; nullptr: it has left.
Held* held_conclusion(Customer& customer, const Pending& pending);

// A later step was decided while its conclusion is held: its decisions leave with it.
void hold_step(Held& conclusion, std::vector<Decision> decisions);

// An event at `t` starts over what concluded for `key` and is held: the conclusion is taken back if it came in time.
void take_back_held(Turn& turn, std::uint32_t trigger, Instant t, std::string_view key);

// Records that a deferred step will not be released.
void drop_deferred(Turn& turn, const Pending& pending, std::string_view reason);

}  // namespace spur
