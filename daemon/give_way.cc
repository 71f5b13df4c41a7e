#include "daemon/give_way.h"

#include <rocksdb/env.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "daemon/logging.h"

namespace spur {

void give_way() {
  constexpr int kNice = 10;
  // On Linux, of this thread alone. It is for speed only: all goes on without.
  if (setpriority(PRIO_PROCESS, 0, kNice) != 0)
    logging::warning("a thread keeps its priority", {{"status", std::strerror(errno)}});
}

void give_way(rocksdb::Env& env) {
  const rocksdb::Status lowered =
      env.LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW, rocksdb::CpuPriority::kLow);
  if (!lowered.ok() && !lowered.IsNotSupported())
    logging::warning("compactions keep their priority", {{"status", lowered.ToString()}});
}

}  // namespace spur
