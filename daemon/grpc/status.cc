#include "daemon/grpc/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "state/text_prefix.h"

namespace spur::services {
namespace {
constexpr const char* kDomain = "spur";

// A message may repeat what the client sent. It goes twice into the call's trailers, of which a
// client takes 8 KiB: with more it would see a broken stream instead of the error.
constexpr std::size_t kMessageBytesMax = 1024;

std::string shortened(const std::string& message) {
  if (message.size() <= kMessageBytesMax) return message;
  return std::string(text_prefix(message, kMessageBytesMax)) + "…";
}

}  // namespace

grpc::Status to_grpc(const ServiceError& error) {
  const std::string message = shortened(error.message);
  google::rpc::Status details;
  details.set_code(static_cast<int>(error.code));
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain(kDomain);
  details.add_details()->PackFrom(info);
  if (error.retry_after) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(error.retry_after->count() / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(error.retry_after->count() % 1000 * 1'000'000));
    details.add_details()->PackFrom(retry);
  }
  if (!error.field.empty()) {
    google::rpc::BadRequest bad;
    auto& violation = *bad.add_field_violations();
    violation.set_field(error.field);
    violation.set_description(message);
    details.add_details()->PackFrom(bad);
  }
  // absl's codes are gRPC's.
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), message,
                      details.SerializeAsString());
}

ServiceError from_grpc(const grpc::Status& status) {
  ServiceError error;
  error.code = static_cast<absl::StatusCode>(status.error_code());
  error.message = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return error;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    google::rpc::BadRequest bad;
    if (detail.UnpackTo(&info) && info.domain() == kDomain) {
      error.reason = info.reason();
    } else if (detail.UnpackTo(&retry)) {
      error.retry_after = std::chrono::milliseconds(retry.retry_delay().seconds() * 1000 +
                                                    retry.retry_delay().nanos() / 1'000'000);
    } else if (detail.UnpackTo(&bad) && bad.field_violations_size() > 0) {
      error.field = bad.field_violations(0).field();
    }
  }
  return error;
}

std::string code_text(grpc::StatusCode code) {
  if (code == grpc::StatusCode::OK) return "OK";
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

}  // namespace spur::services
