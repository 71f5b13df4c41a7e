#include "daemon/grpc/tls_files.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace spur::services {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

absl::Status refused(std::string_view option, const std::string& path, std::string_view what) {
  const char* const why = ERR_reason_error_string(ERR_peek_last_error());
  const std::string text = fmt::format("grpc.tls.{}: {} {}{}", option, path, what,
                                       why == nullptr ? "" : fmt::format(" ({})", why));
  ERR_clear_error();
  return absl::InvalidArgumentError(text);
}

// There is nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

absl::Status check_tls_files(const TlsFiles& tls) {
  if (!tls.enabled()) return absl::OkStatus();
  const std::pair<const char*, const std::string&> files[] = {
      {"cert", tls.cert}, {"key", tls.key}, {"client_ca", tls.client_ca}};
  for (const auto& [option, path] : files) {
    if (path.empty() || access(path.c_str(), R_OK) == 0) continue;
    return absl::InvalidArgumentError(
        fmt::format("grpc.tls.{}: {} cannot be read: {}", option, path, std::strerror(errno)));
  }
  const Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return absl::ResourceExhaustedError("grpc.tls: OpenSSL cannot start");
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), tls.cert.c_str()) != 1)
    return refused("cert", tls.cert, "holds no PEM certificate");
  if (SSL_CTX_use_PrivateKey_file(context.get(), tls.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return refused("key", tls.key, "is no PEM key of that certificate without a passphrase");
  }
  if (!tls.client_ca.empty() &&
      SSL_CTX_load_verify_locations(context.get(), tls.client_ca.c_str(), nullptr) != 1) {
    return refused("client_ca", tls.client_ca, "holds no PEM certificate");
  }
  return absl::OkStatus();
}

}  // namespace spur::services
