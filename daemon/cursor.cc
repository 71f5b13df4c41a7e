#include "daemon/cursor.h"

#include "state/codec/byte_io.h"

namespace spur {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kDeploymentBytes = 4;  // of the random UUID: enough to tell two apart

std::string_view mark(const DeploymentId& deployment) {
  return {reinterpret_cast<const char*>(deployment.data()), kDeploymentBytes};
}

}  // namespace

std::string encode_cursor(const DeploymentId& deployment, const std::vector<std::uint64_t>& next) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(kVersion);
  writer.raw(mark(deployment));
  for (const std::uint64_t seq : next) writer.varint(seq);
  return bytes;
}

std::optional<std::vector<std::uint64_t>> decode_cursor(const DeploymentId& deployment,
                                                        std::uint32_t shards,
                                                        std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kVersion || reader.raw(kDeploymentBytes) != mark(deployment))
    return std::nullopt;
  std::vector<std::uint64_t> next(shards);
  for (std::uint64_t& seq : next) seq = reader.varint();
  if (!reader.done()) return std::nullopt;
  return next;
}

}  // namespace spur
