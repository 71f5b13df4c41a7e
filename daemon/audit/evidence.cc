#include "daemon/audit/evidence.h"

#include <set>

#include "spur/v1/catalog.pb.h"

namespace spur::audit {
namespace {

constexpr std::uint32_t kVersionsAtOnce = 64;

}  // namespace

absl::StatusOr<std::vector<Output>> action_topics(Log& log, Offset from) {
  std::set<std::string> topics;
  while (from < log.catalog_end()) {
    const auto versions = log.poll_catalogs(from, kVersionsAtOnce);
    if (!versions.ok()) return versions.status();
    if (versions->empty()) break;
    for (const CatalogRecord& version : *versions) {
      from = version.offset + 1;
      spur::v1::Catalog catalog;
      if (!catalog.ParseFromString(version.catalog)) continue;
      for (const spur::v1::Channel& channel : catalog.channels()) {
        if (!channel.topic().empty()) topics.insert(channel.topic());
      }
    }
  }
  std::vector<Output> outputs;
  for (const std::string& topic : topics) outputs.push_back({OutputKind::kActions, topic});
  return outputs;
}

}  // namespace spur::audit
