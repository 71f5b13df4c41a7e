// The operator `absence`: something opens a wait, something else closes it, and if the wait runs out it fires.
//
// One open wait per key. At an event the order is: exits and closes of all triggers, then resets, then openings. An
// event at exactly the deadline is in time, since timers of an instant come after its events.
#pragma once

#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "operators/turn.h"

namespace spur::triggers {

inline constexpr std::size_t kWaitsMax =
    10'000;  // open at once, of one trigger and customer; beyond: not opened, counted

// Ends the instances of `trigger` that had begun by `t`.
void drop_instances(Turn& turn, std::uint32_t trigger, Instant t);

// The deadline of a wait for `key` that is opened or restarted by an event at `t`; nothing if its
// expression is an error. `view_of_wait()` is asked for where that reads the wait.
std::optional<Instant> absence_deadline(Turn& turn, std::uint32_t trigger, Instant t,
                                        std::string_view key,
                                        absl::FunctionRef<InstanceView()> view_of_wait);

// Ends what the event exits or closes: open waits, pending steps, conclusions still held.
void absence_exits(Turn& turn);
void absence_resets(Turn& turn);
void absence_opens(Turn& turn);
// `wait` of the customer's has run out: it ends and fires. Answers the one behind it.
Instances::Iterator absence_concludes(Turn& turn, Instances::Iterator wait, Instant hold_until);

}  // namespace spur::triggers
