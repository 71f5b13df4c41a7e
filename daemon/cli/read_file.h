// A whole file, or the standard input, for commands that take one document.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace spur::cli {

// The content of `path`, or of the standard input for "-", unpacked if it is gzip or zstd. An error
// says what to do about it; more than `bytes_max` is one.
absl::StatusOr<std::string> read_file(const std::string& path, std::size_t bytes_max);

}  // namespace spur::cli
