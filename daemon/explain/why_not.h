// The first thing that would have to change for a trigger to fire for a customer, and what it does
// to go out. In the order in which the fold asks: whether the trigger is in force, its operator,
// its `if`, the guards.
#pragma once

#include <string>

#include "daemon/explain/customer_reading.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/service.pb.h"

namespace spur::explain {

// One sentence; empty: nothing that can be seen between two events. `standing` has the trigger's
// conditions, instances and guards.
std::string why_not(CustomerReading& reading, std::uint32_t trigger,
                    const spur::v1::Trigger& definition, const spur::v1::TriggerStanding& standing);

}  // namespace spur::explain
