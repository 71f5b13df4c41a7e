// The operator `sequence`: events in an order, each within a time from the one before, without
// another in between, and then, if asked for, a silence.
//
// Progress is kept in the customer's instances, one a key, as an absence keeps its wait: `count`
// steps are done, the last of them at `opened_at`, and `due` is when the next is too late or, after
// the last step, when the silence has been long enough. `opened` is the event of the first step. At
// an event the step that is awaited goes before the first step, which starts over.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

void sequence_advances(Turn& turn);
// The deadline of the instance has come: what has only its silence left fires, all else ends.
// Answers the one behind it.
Instances::Iterator sequence_concludes(Turn& turn, Instances::Iterator instance, Instant hold_until);

// Whether all its steps are done; false for other operators.
bool only_silence_missing(const Turn& turn, const Instances::View& instance);
// When the instance began: of a sequence its first step.
Instant began(Turn& turn, const Instances::View& instance);

}  // namespace spur::triggers
