#include "daemon/cli/read_file.h"

#include <memory>
#include <vector>

#include "daemon/inputs/byte_source.h"
#include "fmt/format.h"

namespace spur::cli {

absl::StatusOr<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  constexpr std::size_t kBlockBytes = 64 * 1024;
  absl::StatusOr<std::unique_ptr<ByteSource>> source = open_byte_source(path, kBlockBytes);
  if (!source.ok()) return source.status();
  std::string content;
  std::vector<char> block(kBlockBytes);
  for (;;) {
    const absl::StatusOr<std::size_t> read = (*source)->read(block);
    if (!read.ok()) return read.status();
    if (*read == 0) return content;
    content.append(block.data(), *read);
    if (content.size() > bytes_max) {
      return absl::InvalidArgumentError(
          fmt::format("{} has more than {} bytes; that is no single document", path, bytes_max));
    }
  }
}

}  // namespace spur::cli
