// Why an address cannot be listened on. The libraries that listen only say that they could not.
#pragma once

#include <string>

#include "daemon/config.h"

namespace spur {

// Tries it once more, and gives the reason with what to do, e.g. "another process has the port;
// stop it, or …".
std::string why_not_listening(const Address& address);

}  // namespace spur
