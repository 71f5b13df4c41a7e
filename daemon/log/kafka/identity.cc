#include "daemon/log/kafka/identity.h"

#include <algorithm>
#include <optional>

#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/session.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "spur/v1/log.pb.h"

namespace spur::kafka {
namespace {

constexpr std::uint32_t kFormat = 1;  // of what Spur keeps in Kafka; a newer one is refused

// Whether any of the first `partitions` of a topic has ever held a record.
absl::StatusOr<bool> ever_used(const Admin& admin, const std::string& topic) {
  const absl::StatusOr<std::int32_t> partitions = admin.partitions(topic);
  if (!partitions.ok()) return partitions.status();
  for (std::int32_t i = 0; i < *partitions; ++i) {
    const absl::StatusOr<Kept> kept = admin.kept(topic, i);
    if (!kept.ok()) return kept.status();
    if (kept->end > 0) return true;
  }
  return false;
}

absl::Status found_deployment(const Admin& admin, const TopicNames& names,
                              const KafkaOptions& options, Instant now) {
  for (const std::string& topic : {names.journal, names.decisions, names.dead_letters}) {
    const absl::StatusOr<bool> used = ever_used(admin, topic);
    if (!used.ok()) return used.status();
    if (*used)
      return absl::FailedPreconditionError(text(
          "topic ", topic, " holds records, but ", names.catalog, " does not say whose: was ",
          names.catalog, " deleted? A new deployment would give ids that its channels drop as ",
          "repeats. Use another kafka.topic_prefix, or delete ", options.topic_prefix,
          ".* if nothing needs them"));
  }
  std::uint32_t shards = options.shards;
  if (shards == 0) {
    const absl::StatusOr<std::uint32_t> fitting = shards_for(admin, options.input_topics);
    if (!fitting.ok()) return fitting.status();
    shards = *fitting;
  }
  if (absl::Status made = ensure_own_topics(admin, names, options, shards); !made.ok()) return made;
  spur::v1::Deployment deployment;
  const DeploymentId id = make_deployment_id();
  deployment.set_id(id.data(), id.size());
  deployment.set_shards(shards);
  deployment.set_format(kFormat);
  deployment.set_fold_version(kFoldVersion);
  deployment.set_created_ms(now.ms);
  const std::string value = deployment.SerializeAsString();
  Session::Record record;
  record.value = value;
  record.key = "deployment";
  record.headers.reset(rd_kafka_headers_new(1));
  rd_kafka_header_add(record.headers.get(), "ce_type", -1, kDeploymentType, -1);
  return write_one(options.connection, names.catalog, 0, std::move(record)).status();
}

}  // namespace

absl::StatusOr<std::optional<Identity>> read_identity(const Admin& admin, const TopicNames& names,
                                                      const KafkaOptions& options) {
  const absl::StatusOr<Kept> kept = admin.kept(names.catalog, 0);
  if (!kept.ok()) return kept.status();
  if (kept->begin == kept->end) return std::nullopt;
  auto reader = PartitionReader::open(options.connection, names.catalog, 0, kept->begin);
  if (!reader.ok()) return reader.status();
  std::optional<spur::v1::Deployment> found;
  bool damaged = false;
  const absl::Status read = (*reader)->read(kept->end, [&](const rd_kafka_message_t& message) {
    if (header_of(message, "ce_type") != kDeploymentType) return true;
    found.emplace();
    const std::string_view value = value_of(message);
    damaged = !found->ParseFromArray(value.data(), static_cast<int>(value.size())) ||
              found->id().size() != DeploymentId{}.size() || found->shards() == 0;
    return false;
  });
  if (!read.ok()) return read;
  if (!found.has_value()) return std::nullopt;
  if (damaged)
    return absl::DataLossError(text("the first record of ", names.catalog,
                                    " should name this deployment and cannot be read"));
  if (found->format() > kFormat || found->fold_version() > kFoldVersion)
    return absl::FailedPreconditionError(
        text("the topics ", options.topic_prefix, ".* were made by a newer Spur (format ",
             found->format(), ", fold version ", found->fold_version(), "; this one knows ",
             kFormat, " and ", kFoldVersion, "); run that version"));
  Identity identity;
  std::copy(found->id().begin(), found->id().end(), identity.deployment.begin());
  identity.shards = found->shards();
  return identity;
}

absl::StatusOr<Identity> open_identity(const Admin& admin, const TopicNames& names,
                                       const KafkaOptions& options, Instant now) {
  if (absl::Status s = ensure_catalog_topic(admin, names, options); !s.ok()) return s;
  absl::StatusOr<std::optional<Identity>> identity = read_identity(admin, names, options);
  if (!identity.ok()) return identity.status();
  if (!identity->has_value()) {
    const absl::Status founded = found_deployment(admin, names, options, now);
    identity = read_identity(admin, names, options);  // not ours if another was first
    if (!identity.ok()) return identity.status();
    // Another may have founded it, and be at work, since we asked whose it is: no matter then what
    // we found.
    if (!founded.ok() && !identity->has_value()) return founded;
    if (!identity->has_value())
      return absl::UnavailableError(
          text("the identity just written to ", names.catalog, " is not there yet; start again"));
    logging::info("deployment founded", {{"deployment", deployment_text((*identity)->deployment)},
                                         {"shards", (*identity)->shards}});
  }
  const std::uint32_t shards = (*identity)->shards;
  if (options.shards != 0 && options.shards != shards)
    return absl::FailedPreconditionError(
        text("this deployment has ", shards, " shards, for life, and the configuration says ",
             options.shards, "; take `shards` out of it, or use another kafka.topic_prefix"));
  if (absl::Status s = ensure_own_topics(admin, names, options, shards); !s.ok()) return s;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    const auto partition = static_cast<std::int32_t>(shard);
    const absl::StatusOr<Kept> journal = admin.kept(names.journal, partition);
    if (!journal.ok()) return journal.status();
    if (journal->end > 0) continue;
    for (const std::string& topic : {names.decisions, names.dead_letters}) {
      const absl::StatusOr<Kept> output = admin.kept(topic, partition);
      if (!output.ok()) return output.status();
      if (output->end == 0) continue;
      // Asked again: between the two questions another daemon may have begun.
      const absl::StatusOr<Kept> since = admin.kept(names.journal, partition);
      if (!since.ok()) return since.status();
      if (since->end == 0)
        return absl::FailedPreconditionError(
            text(topic, "[", partition, "] holds records and ", names.journal, "[", partition,
                 "] never did: the journal was re-created, and its ids would begin at 1 again, ",
                 "which channels drop as repeats. Use another kafka.topic_prefix"));
    }
  }
  return **identity;
}

}  // namespace spur::kafka
