// Bytes that come from a file or the standard input, unpacked if they are packed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace spur {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills the front of `to` (not empty) with the next bytes and returns how many; 0 only at the
  // end. An error is final.
  virtual absl::StatusOr<std::size_t> read(std::span<char> to) = 0;

  // Bytes taken from the file, as they lie there.
  virtual std::uint64_t consumed_bytes() const = 0;
  // The size of the file; 0: unknown.
  virtual std::uint64_t total_bytes() const = 0;
};

// Opens `path`, or the standard input for "-". gzip and zstd (also several one behind the other)
// are known by their first bytes. `block_bytes` is how much is read at once.
absl::StatusOr<std::unique_ptr<ByteSource>> open_byte_source(const std::string& path,
                                                             std::size_t block_bytes);

}  // namespace spur
