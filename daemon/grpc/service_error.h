// ServiceError: how a call is refused, before gRPC sees it. Becomes a status code, a message that says what to do, and
// the details of google.rpc (error_details.proto): ErrorInfo always, RetryInfo and BadRequest where they help.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace spur::services {

struct ServiceError {
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::string reason;   // UPPER_SNAKE, stable: what programs branch on. The domain is "spur"
  std::string message;  // for people
  std::optional<std::chrono::milliseconds> retry_after;
  std::string field;    // of the request, for INVALID_ARGUMENT; may be empty
};

// A request that is wrong in itself: trying again will not help.
ServiceError bad_request(std::string_view reason, std::string_view field, std::string_view message);
// A status of the engine under the reason that it names (daemon/reason.h), else under its code's usual one: QUEUE_FULL
// (with a delay to try again after), NO_CATALOG, CURSOR_TOO_OLD, CURSOR_INVALID, SHARD_UNAVAILABLE, … Requires
// !status.ok().
ServiceError engine_error(const absl::Status& status);

// All reasons that this daemon gives, for the documentation and its test.
std::vector<std::string_view> all_reasons();

}  // namespace spur::services
