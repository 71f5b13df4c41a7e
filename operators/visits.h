// Visits: how a shard looks in on a customer: what a new catalog asks of it first, and the plan for
// the next look last.
#pragma once

#include <algorithm>

#include "operators/timeline.h"
#include "state/customers.h"

namespace spur {

class Visits {
 public:
  // All outlive it.
  Visits(ShardState& shard, Customers& customers, Timeline& timeline)
      : shard_(shard), customers_(customers), timeline_(timeline) {}

  // Gives a known customer what a new catalog asks of it. True: that may be due sooner than
  // anything it had, so replan() has to follow.
  bool plan(Customer& customer, Effects& effects) {
    if (customer.planned == 0 || customer.planned == shard_.generation) return false;
    timeline_.plan(customer, shard_.run.clock, effects);
    // What it asks may be due before the event that has brought us here.
    customer.next_due = std::min(customer.next_due, timeline_.next(customer).due);
    return true;
  }

  // After the customer was touched: plans the next look at it.
  void replan(Customer& customer) {
    const auto [wake, due] = timeline_.next(customer);
    customer.next_due = due;
    // An earlier plan may stand: looking too early costs one look, moving the plan costs one at
    // every event.
    if (wake < customer.wake || (wake == Instant::never() && customer.wake == Instant::never())) {
      customers_.schedule(customer, wake);
    }
  }

 private:
  ShardState& shard_;
  Customers& customers_;
  Timeline& timeline_;
};

}  // namespace spur
