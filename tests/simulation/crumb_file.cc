#include "tests/simulation/crumb_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "state/check.h"

namespace spur::simulation {
namespace {

constexpr std::size_t kBytesMax = 4096;

}  // namespace

CrumbFile::CrumbFile(std::uint32_t shards)
    : shards_(shards), file_(memfd_create("spur-simulation", MFD_CLOEXEC)) {
  SPUR_CHECK(file_ >= 0);
}

CrumbFile::~CrumbFile() { close(file_); }

std::unique_ptr<Breadcrumb> CrumbFile::open() const {
  auto crumb = Breadcrumb::open(absl::StrCat("/proc/self/fd/", file_), shards_);
  SPUR_CHECK(crumb.ok());
  return *std::move(crumb);
}

std::string CrumbFile::bytes() const {
  std::string bytes(kBytesMax, '\0');
  const ssize_t read = pread(file_, bytes.data(), bytes.size(), 0);
  SPUR_CHECK(read >= 0 && read < static_cast<ssize_t>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(read));
  return bytes;
}

void CrumbFile::put(const std::string& bytes) const {
  SPUR_CHECK(pwrite(file_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

void CrumbFile::clear() const { SPUR_CHECK(ftruncate(file_, 0) == 0); }

}  // namespace spur::simulation
