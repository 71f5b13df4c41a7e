// `backfill: once`: what would have fired before its trigger was active, and still stands when it
// becomes so, fires then.
//
// The activation of a trigger is when it came (live by the wall clock, so that a history that is
// still being read lies before it), or its `from` if that is later. Until then it concludes
// nothing:
//
// * the deadline of a wait, or of a sequence's silence, is no earlier than the activation, so that
//   whatever ends it meanwhile still does;
// * a threshold or a prediction is asked at the activation for the first time.
//
// A customer known before the trigger came has no waits of it. At the activation those are opened
// that Features tell of (catalog/compile_backfill.cc), as of the newest event that opened or reset
// them; an event that only a Feature remembers has a time and a name, and no more.
//
// All this is the customer's own: a timer of its own time line, taken when its turn comes, however
// many others there are and whatever slices they are gone through in.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

// The activation of a trigger with `backfill`; distant_past() of all others.
Instant activation(const ShardState& shard, std::uint32_t trigger);

// Plans the activation for the turn's customer, which is new, or was known when the catalog in
// force came.
void plan_backfill(Turn& turn, std::uint32_t trigger, bool is_new);
// The activation of `trigger`, an absence: opens what the customer waits for.
void take_up_waits(Turn& turn, std::uint32_t trigger);

}  // namespace spur::triggers
