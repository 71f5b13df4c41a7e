// Where the triggers stand for a customer: what is open, what each condition says, what the gate
// would say, and the first thing that would have to change.
#pragma once

#include <string_view>

#include "operators/customer_snapshot.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/service.pb.h"

namespace spur::explain {

// Adds a standing for each trigger of the catalog (`trigger` empty) or for one of that name.
// `definitions` is the source of the customer's catalog. Conditions on `event` have none to look
// at, and say so. `now`: never before what was decided for the customer. Answers the instant that
// they are about.
Instant add_standings(CustomerSnapshot& of, Instant now, const spur::v1::Catalog& definitions,
                      std::string_view trigger,
                      google::protobuf::RepeatedPtrField<spur::v1::TriggerStanding>& out);

}  // namespace spur::explain
