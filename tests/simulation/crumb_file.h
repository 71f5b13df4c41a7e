// CrumbFile: the file of a process's breadcrumb, which outlives the process: what it says of where
// the process died is all that the next one knows of that.
#pragma once

#include <memory>
#include <string>

#include "daemon/breadcrumb.h"

namespace spur::simulation {

class CrumbFile {
 public:
  explicit CrumbFile(std::uint32_t shards);
  ~CrumbFile();
  CrumbFile(const CrumbFile&) = delete;
  CrumbFile& operator=(const CrumbFile&) = delete;

  // As a process does that starts.
  std::unique_ptr<Breadcrumb> open() const;
  // The bytes as they are, and as they shall be again: what a dead process goes on to write while
  // its fibers end is not to be seen.
  std::string bytes() const;
  void put(const std::string& bytes) const;
  void clear() const;

 private:
  const std::uint32_t shards_;
  int file_ = -1;
};

}  // namespace spur::simulation
