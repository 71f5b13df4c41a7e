#include "daemon/give_way.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "daemon/logging.h"

namespace spur {

void give_way() {
  constexpr int kNice = 10;
  // On Linux this is of the thread alone.
  if (setpriority(PRIO_PROCESS, 0, kNice) != 0)
    logging::warning("a thread keeps its priority", {{"status", std::strerror(errno)}});
}

}  // namespace spur
