// Whether the files of grpc.tls can be served with. gRPC would start all the same, and refuse every
// client.
#pragma once

#include "absl/status/status.h"
#include "daemon/config.h"

namespace spur::services {

// OK too if there is to be no TLS. INVALID_ARGUMENT names the option, the file and what is wrong
// with it.
absl::Status check_tls_files(const TlsFiles& tls);

}  // namespace spur::services
