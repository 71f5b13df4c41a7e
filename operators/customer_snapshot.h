// CustomerSnapshot: a customer as it is at one moment, with what the gate knows of it, copied.
// Questions that take long (explain) are answered from it on another thread while the shard goes
// on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/turn.h"
#include "state/customer.h"

namespace spur {

// What a guard says.
struct GuardSaid {
  std::string guard;    // the reason that a decision would have
  std::string channel;  // empty: the firing as a whole
  bool through = true;
  bool held_out = false;
  std::string detail;
  Instant until = Instant::never();  // of a deferring one
};

class CustomerSnapshot {
 public:
  // `state` has a catalog, and `customer` is laid out by it.
  CustomerSnapshot(const ShardState& state, const Customer& customer);

  const Customer& customer() const { return customer_; }
  const std::shared_ptr<const catalog::Compiled>& catalog() const { return state_.catalog; }

  // What the gate would say, guard by guard in their order, if the trigger of that index fired at
  // `now`; of the guards on a channel, for each channel of its first step.
  std::vector<GuardSaid> ask_guards(Instant now, std::uint32_t trigger, std::string_view key);

 private:
  ShardState state_;  // of it what guards read
  Customer customer_;
};

}  // namespace spur
