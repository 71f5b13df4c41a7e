#include "daemon/breadcrumb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace spur {

absl::StatusOr<std::unique_ptr<Breadcrumb>> Breadcrumb::open(const std::string& path,
                                                             std::uint32_t shards) {
  const std::size_t size = sizeof(Slot) * shards;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0)
    return absl::PermissionDeniedError(absl::StrCat("opening ", path, ": ", strerror(errno)));
  void* mapping = MAP_FAILED;
  // Allocated, not only sized: a hole on a full disk would be a SIGBUS at the first store.
  const int allocated = posix_fallocate(file, 0, static_cast<off_t>(size));
  if (allocated == 0) mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int error = allocated != 0 ? allocated : errno;
  close(file);
  if (mapping == MAP_FAILED) {
    const std::string what = absl::StrCat("making ", path, ": ", strerror(error));
    return error == ENOSPC ? absl::ResourceExhaustedError(what) : absl::UnavailableError(what);
  }
  std::unique_ptr<Breadcrumb> crumb(new Breadcrumb(mapping, size));
  crumb->slots_ = std::make_unique<Shard[]>(shards);
  for (std::uint32_t i = 0; i < shards; ++i) {
    Slot* slot = static_cast<Slot*>(mapping) + i;
    crumb->slots_[i].mapped = slot;
    if (slot->phase == 0) continue;
    const bool again = slot->crashes > 0 && slot->crashed_phase == slot->phase &&
                       slot->crashed_source == slot->source && slot->crashed_offset == slot->offset;
    slot->crashes = again ? slot->crashes + 1 : 1;
    slot->crashed_phase = slot->phase;
    slot->crashed_source = slot->source;
    slot->crashed_offset = slot->offset;
    crumb->slots_[i].found =
        Found{static_cast<Phase>(slot->phase), slot->source, slot->offset, slot->crashes};
    slot->phase = 0;
  }
  // Once a start, so that a power cut cannot bring a death back that has been counted: an input
  // that killed once would seem to have killed twice.
  if (msync(mapping, size, MS_SYNC) != 0)
    return absl::UnavailableError(absl::StrCat("syncing ", path, ": ", strerror(errno)));
  return crumb;
}

Breadcrumb::~Breadcrumb() { munmap(mapping_, size_); }

}  // namespace spur
