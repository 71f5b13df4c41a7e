// ServiceError as gRPC says it, and back: a code, a message, and google.rpc.Status in the trailing metadata.
#pragma once

#include <optional>
#include <string>

#include <grpcpp/support/status.h>

#include "daemon/grpc/service_error.h"

namespace spur::services {

grpc::Status to_grpc(const ServiceError& error);

// What a client can learn from a status that is not OK. Empty reason: it carries no ErrorInfo of domain "spur".
ServiceError from_grpc(const grpc::Status& status);

// "OK", "INVALID_ARGUMENT", …
std::string code_text(grpc::StatusCode code);

}  // namespace spur::services
