// Whose topics these are. The first record of the catalog's topic that says so (header ce_type
// `spur.deployment.v1`) is the deployment's identity: its UUID and number of shards, for life. It
// stands there because that topic has one partition, is never trimmed and is read by everybody
// before anything else; two processes that found the same deployment at the same moment both
// write, and the first record in the log wins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/log/deployment_id.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/settings.h"
#include "daemon/log/kafka/topics.h"
#include "operators/shard.h"
#include "state/time.h"

namespace spur::kafka {

inline constexpr const char* kDeploymentType = "spur.deployment.v1";
inline constexpr const char* kCatalogType = "spur.catalog.v1";

struct Identity {
  DeploymentId deployment{};
  std::uint32_t shards = 0;
};

// The identity that is recorded; nullopt: the catalog's topic, which has to exist, has none.
// FAILED_PRECONDITION: by a newer Spur. DATA_LOSS: it is damaged.
absl::StatusOr<std::optional<Identity>> read_identity(const Admin& admin, const TopicNames& names,
                                                      const KafkaOptions& options);

// Reads the identity, or founds the deployment: creates and checks all topics of Spur's own on the
// way. FAILED_PRECONDITION with what to do (H14): another number of shards is asked for; journal or
// outputs hold something although nothing says whose it is; outputs hold something and a shard's
// journal never did.
absl::StatusOr<Identity> open_identity(const Admin& admin, const TopicNames& names,
                                       const KafkaOptions& options, Instant now);

}  // namespace spur::kafka
