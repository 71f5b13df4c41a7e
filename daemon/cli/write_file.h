// Files written whole or not at all.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace spur::cli {

// Puts `content` in the place of the file at `path` (of what it links to), whose permissions stay;
// if there is none, makes it. What is there is there until the new one is complete.
absl::Status replace_file(const std::string& path, const std::string& content);

// The same of a file that must not be there yet.
absl::Status create_file(const std::string& path, const std::string& content);

}  // namespace spur::cli
