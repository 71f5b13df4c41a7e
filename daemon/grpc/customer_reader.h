// What GetCustomer and Explain say about one customer: reads the state that a shard holds between two runs and changes
// nothing. Runs on the shard's thread, so it is a bounded walk over one customer and one catalog.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/engine.h"
#include "operators/catalog/compiled.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/service.pb.h"
#include "state/customer.h"

namespace spur::services {

// An identity that owns its text.
struct CustomerName {
  IdentityKind kind = IdentityKind::kUserId;
  std::string value;

  Identity identity() const { return {kind, value}; }
};

// "user_id:123", "anonymous_id:x", or a bare user id (also one with a colon in it). nullopt if empty.
std::optional<CustomerName> parse_customer(std::string_view text);

// Everything about the customer as of the shard's clock. False: never seen. An error is the store's.
absl::StatusOr<bool> read_customer(const ShardView& view, const CustomerName& name, spur::v1::Customer& out);

// Where each trigger stands for the customer (`trigger` empty: all), with the conditions as they would be answered now.
// Conditions on `event` have none to look at, and say so. `definitions` is the source of the shard's catalog. False:
// never seen. An error is the store's.
absl::StatusOr<bool> read_standings(const ShardView& view, const CustomerName& name,
                                    const spur::v1::Catalog& definitions, std::string_view trigger,
                                    spur::v1::ExplainResponse& out);

}  // namespace spur::services
