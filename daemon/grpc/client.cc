#include "daemon/grpc/client.h"

#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "daemon/config_options.h"
#include "daemon/grpc/status.h"

namespace spur::services {
namespace {

constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

absl::StatusOr<std::string> read_pem(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::InvalidArgumentError(fmt::format("{} cannot be read", path));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const ClientOptions& options) {
  if (!options.wants_tls()) return grpc::InsecureChannelCredentials();
  if (options.cert.empty() != options.key.empty()) {
    return absl::InvalidArgumentError("a client's certificate and its key go together; one is missing");
  }
  absl::StatusOr<std::string> ca = read_pem(options.ca), cert = read_pem(options.cert), key = read_pem(options.key);
  for (const auto* pem : {&ca, &cert, &key}) {
    if (!pem->ok()) return pem->status();
  }
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = *std::move(ca);
  ssl.pem_cert_chain = *std::move(cert);
  ssl.pem_private_key = *std::move(key);
  return grpc::SslCredentials(ssl);
}

std::string away_text(const ClientOptions& options) {
  return fmt::format("no daemon answers at {}; is spurd running, is the address right, does it want TLS?",
                     options.address);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> make_channel(const ClientOptions& options) {
  if (const auto address = parse_address(options.address); !address.ok()) return address.status();
  auto credentials = credentials_of(options);
  if (!credentials.ok()) return credentials.status();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  return grpc::CreateCustomChannel(options.address, *credentials, arguments);
}

absl::Status wait_connected(grpc::Channel& channel, const ClientOptions& options, std::chrono::milliseconds timeout) {
  const gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(timeout.count(), GPR_TIMESPAN));
  if (channel.WaitForConnected(deadline)) return absl::OkStatus();
  return absl::UnavailableError(away_text(options));
}

void set_deadline(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(timeout.count(), GPR_TIMESPAN)));
}

std::string error_text(const grpc::Status& status, const ClientOptions& options) {
  const ServiceError error = from_grpc(status);
  if (error.reason.empty() && status.error_code() == grpc::StatusCode::UNAVAILABLE) return away_text(options);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return fmt::format("the daemon at {} did not answer in time", options.address);
  }
  // gRPC's own limit, which comes without a reason.
  const bool too_large = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
                         error.message.find("larger than max") != std::string::npos;
  if (error.reason.empty() && too_large) {
    return fmt::format("{}; a daemon with a higher grpc.message_bytes_max takes it", error.message);
  }
  return fmt::format("{} ({})", error.message, error.reason.empty() ? code_text(status.error_code()) : error.reason);
}

int exit_code(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK: return 0;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::UNIMPLEMENTED: return 2;
    default: return 3;
  }
}

}  // namespace spur::services
