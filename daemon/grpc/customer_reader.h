// What GetCustomer says about one customer, and what Explain looks at: reads the state that a shard holds between two
// runs and changes nothing. Runs on the shard's thread, so it is a bounded walk over one customer and one catalog.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/engine.h"
#include "operators/catalog/customer_name.h"
#include "operators/customer_snapshot.h"
#include "spur/v1/service.pb.h"
#include "state/customer.h"

namespace spur::services {

using catalog::CustomerName;
using catalog::parse_customer;

// Everything about the customer as of the shard's clock. False: never seen. An error is the store's.
absl::StatusOr<bool> read_customer(const ShardView& view, const CustomerName& name, spur::v1::Customer& out);

// The customer copied, to be asked where no shard waits for it: nullptr if it was never seen. An error is the store's.
absl::StatusOr<std::unique_ptr<CustomerSnapshot>> copy_customer(const ShardView& view, const CustomerName& name);

}  // namespace spur::services
