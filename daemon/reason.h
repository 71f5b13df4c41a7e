// A status that says by a stable word why: what a caller can branch on where the code alone leaves
// several things possible (grpc/service_error.h hands it on).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace spur {

inline constexpr std::string_view kReasonPayload = "spur/reason";

// `reason`: UPPER_SNAKE, one of services::all_reasons().
inline absl::Status with_reason(absl::Status status, std::string_view reason) {
  status.SetPayload({kReasonPayload.data(), kReasonPayload.size()},
                    absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

inline std::optional<std::string> reason_of(const absl::Status& status) {
  const auto payload = status.GetPayload({kReasonPayload.data(), kReasonPayload.size()});
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

}  // namespace spur
