#include "daemon/audit/evidence.h"

#include <map>

#include "spur/v1/catalog.pb.h"

namespace spur::audit {
namespace {

constexpr std::uint32_t kVersionsAtOnce = 64;

}  // namespace

absl::StatusOr<std::vector<Output>> action_topics(Log& log, Offset from, bool by_transactions) {
  std::map<std::string, bool> topics;  // and whether by transactions alone
  while (from < log.catalog_end()) {
    const auto versions = log.poll_catalogs(from, kVersionsAtOnce);
    if (!versions.ok()) return versions.status();
    if (versions->empty()) break;
    for (const CatalogRecord& version : *versions) {
      from = version.offset + 1;
      spur::v1::Catalog catalog;
      if (!catalog.ParseFromString(version.catalog)) continue;
      for (const spur::v1::Channel& channel : catalog.channels()) {
        if (channel.topic().empty()) continue;
        topics.try_emplace(channel.topic(), by_transactions).first->second &=
            channel.delivery() == "transactional";
      }
    }
  }
  std::vector<Output> outputs;
  for (const auto& [topic, alone] : topics) outputs.push_back({OutputKind::kActions, topic, alone});
  return outputs;
}

}  // namespace spur::audit
