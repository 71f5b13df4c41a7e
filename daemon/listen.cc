#include "daemon/listen.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace spur {
namespace {

// 0, or the errno of what failed.
int try_to_listen(const addrinfo& where) {
  const int fd = socket(where.ai_family, where.ai_socktype | SOCK_CLOEXEC, where.ai_protocol);
  if (fd < 0) return errno;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool listens = bind(fd, where.ai_addr, where.ai_addrlen) == 0 && listen(fd, 1) == 0;
  const int error = listens ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

std::string why_not_listening(const Address& address) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* raw = nullptr;
  if (const int error =
          getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &raw);
      error != 0) {
    return fmt::format("{}: {}; write an address of this machine, or 0.0.0.0 for all", address.host,
                       gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
  switch (const int error = try_to_listen(*found)) {
    case EADDRINUSE:
      return "another process has the port; stop it, or give another one";
    case EADDRNOTAVAIL:
      return "no address of this machine; write one that is, or 0.0.0.0 for all";
    case EACCES:
      return "this user may not; give a port above 1023";
    case 0:
      return "the library refused it, and a second look found it free; try again";
    default:
      return std::strerror(error);
  }
}

}  // namespace spur
