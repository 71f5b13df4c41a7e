#include "daemon/grpc/service_error.h"

#include "daemon/reason.h"
#include "state/check.h"

namespace spur::services {
namespace {

// A shard's full queue is worked off in a fraction of a second.
constexpr std::chrono::milliseconds kQueueRetry{50};
constexpr std::chrono::milliseconds kUnavailableRetry{500};
// A question about the past takes as long as folding it does.
constexpr std::chrono::milliseconds kHistoryRetry{5'000};

std::string_view usual_reason(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kResourceExhausted:
      return "QUEUE_FULL";
    case absl::StatusCode::kFailedPrecondition:
      return "NO_CATALOG";
    case absl::StatusCode::kOutOfRange:
      return "CURSOR_TOO_OLD";
    case absl::StatusCode::kInvalidArgument:
      return "CURSOR_INVALID";
    case absl::StatusCode::kNotFound:
      return "NOT_FOUND";
    case absl::StatusCode::kUnavailable:
      return "SHARD_UNAVAILABLE";
    case absl::StatusCode::kDataLoss:
      return "DATA_LOSS";
    default:
      return "INTERNAL";
  }
}

}  // namespace

ServiceError bad_request(std::string_view reason, std::string_view field,
                         std::string_view message) {
  ServiceError error;
  error.code = absl::StatusCode::kInvalidArgument;
  error.reason = std::string(reason);
  error.field = std::string(field);
  error.message = std::string(message);
  return error;
}

ServiceError engine_error(const absl::Status& status) {
  SPUR_CHECK(!status.ok());
  ServiceError error;
  error.code = status.code();
  const std::optional<std::string> named = reason_of(status);
  error.reason = named ? *named : std::string(usual_reason(status.code()));
  error.message = std::string(status.message());
  if (status.code() == absl::StatusCode::kResourceExhausted && !named)
    error.retry_after = kQueueRetry;
  if (error.reason == "QUESTIONS_TOO_MANY") error.retry_after = kHistoryRetry;
  if (status.code() == absl::StatusCode::kUnavailable) error.retry_after = kUnavailableRetry;
  return error;
}

std::vector<std::string_view> all_reasons() {
  return {"CATALOGS_TOO_MANY",  "CATALOG_MISSING",
          "CATALOG_TOO_LARGE",  "CHANNEL_MISSING",
          "CHANNEL_UNKNOWN",    "CREDITS_TOO_MANY",
          "CURSOR_INVALID",     "CURSOR_TOO_OLD",
          "CUSTOMER_MISSING",   "CUSTOMER_UNKNOWN",
          "DATA_LOSS",          "EVENTS_MISSING",
          "EVENTS_TOO_MANY",    "EVENT_TOO_LARGE",
          "FIRST_REQUEST_ONLY", "INTERNAL",
          "LIMIT_OUT_OF_RANGE", "NOT_FOUND",
          "NO_CATALOG",         "QUESTIONS_TOO_MANY",
          "QUEUE_FULL",         "REPLACED",
          "REQUEST_TOO_LARGE",  "SHARD_UNAVAILABLE",
          "SHUTTING_DOWN",      "SOURCE_WITHOUT_TOPIC",
          "START_AMBIGUOUS",    "SUBSCRIBERS_TOO_MANY",
          "SUBSCRIBER_MISSING", "TOPIC_MISSING",
          "TRIGGER_UNKNOWN"};
}

}  // namespace spur::services
