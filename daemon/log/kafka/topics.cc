#include "daemon/log/kafka/topics.h"

#include <numeric>
#include <utility>

#include "daemon/log/kafka/text.h"
#include "daemon/log/log.h"
#include "daemon/logging.h"

namespace spur::kafka {
namespace {

constexpr std::int32_t kReplicas = 3;
constexpr std::int32_t kInSyncMin = 2;

std::string joined(std::string_view prefix, std::string_view name) {
  return text(prefix, ".", name);
}

// Settings that a topic must have, and what goes wrong without.
struct Need {
  const char* name;
  const char* value;
  const char* why;
};

constexpr Need kDelete{"cleanup.policy", "delete", "compaction would take history out of it"};
constexpr Need kForEver{"retention.ms", "-1", "Spur trims it itself, behind its snapshots"};
constexpr Need kNoSize{"retention.bytes", "-1", "Spur trims it itself, behind its snapshots"};
constexpr Need kAppendTime{"message.timestamp.type", "LogAppendTime",
                           "the broker's clock is the witness of the shards' clocks"};
constexpr Need kCompact{"cleanup.policy", "compact", "of each key the newest record is enough"};
constexpr Need kSmallSegments{
    "segment.bytes", "4194304",
    "all of it may be read at a start, and what is written to is not compacted"};

absl::Status check_settings(const Admin& admin, const std::string& topic,
                            std::span<const Need> needs, bool dev) {
  absl::StatusOr<std::map<std::string, std::string>> found = admin.config(topic);
  if (!found.ok()) return found.status();
  for (const Need& need : needs) {
    const std::string& value = (*found)[need.name];
    if (value == need.value) continue;
    return absl::FailedPreconditionError(
        text("topic ", topic, " has ", need.name, "=", value, " and needs ", need.value, ": ",
             need.why, "; set it with kafka-configs --alter --entity-type topics --entity-name ",
             topic, " --add-config ", need.name, "=", need.value));
  }
  if (dev) return absl::OkStatus();
  if (const std::string& unclean = (*found)["unclean.leader.election.enable"]; unclean == "true")
    return absl::FailedPreconditionError(
        text("topic ", topic, " allows unclean leader election, by which acknowledged entries ",
             "vanish; set unclean.leader.election.enable=false on it, or run with --kafka-dev"));
  const std::string& in_sync = (*found)["min.insync.replicas"];
  if (in_sync.empty() || std::stoi(in_sync) < kInSyncMin)
    return absl::FailedPreconditionError(text(
        "topic ", topic, " has min.insync.replicas=", in_sync, ", so that one lost disk ",
        "loses acknowledged entries; set it to ", kInSyncMin, " or more, or run with --kafka-dev"));
  return absl::OkStatus();
}

absl::Status ensure(const Admin& admin, const std::string& topic, std::int32_t partitions,
                    std::span<const Need> needs, const KafkaOptions& options) {
  absl::StatusOr<std::int32_t> found = admin.partitions(topic);
  if (!found.ok()) return found.status();
  if (*found == 0) {
    TopicSpec spec{topic, partitions, options.dev ? 1 : kReplicas, {}};
    for (const Need& need : needs) spec.config[need.name] = need.value;
    if (!options.dev) {
      spec.config["min.insync.replicas"] = std::to_string(kInSyncMin);
      spec.config["unclean.leader.election.enable"] = "false";
    }
    if (absl::Status made = admin.create(spec); !made.ok()) {
      if (!absl::IsInvalidArgument(made)) return made;
      return absl::FailedPreconditionError(text(made.message(), "; Spur keeps ", kReplicas,
                                                " replicas of it: add brokers, create ",
                                                "it yourself, or run with --kafka-dev"));
    }
    logging::info("topic created", {{"topic", topic}, {"partitions", partitions}});
    found = admin.partitions(topic);
    if (!found.ok()) return found.status();
  }
  if (*found != partitions)
    return absl::FailedPreconditionError(
        text("topic ", topic, " has ", *found, " partitions and this deployment has ", partitions,
             " shards, for life; was it made by another deployment? Use another ",
             "kafka.topic_prefix, or delete it if nothing needs it"));
  return check_settings(admin, topic, needs, options.dev);
}

}  // namespace

TopicNames::TopicNames(std::string_view prefix)
    : journal(joined(prefix, "journal")),
      messages(joined(prefix, "messages")),
      catalog(joined(prefix, "catalog")),
      decisions(joined(prefix, "decisions")),
      dead_letters(joined(prefix, "dead-letters")),
      cursors(joined(prefix, "cursors")),
      delivered(joined(prefix, "delivered")) {}

absl::StatusOr<std::uint32_t> shards_for(const Admin& admin, std::span<const std::string> inputs) {
  if (inputs.empty())
    return absl::FailedPreconditionError(
        "how many shards? Name the input topics (a Source with a `topic`), or set `shards`");
  std::uint32_t divisor = 0;
  for (const std::string& topic : inputs) {
    absl::StatusOr<std::int32_t> partitions = admin.partitions(topic);
    if (!partitions.ok()) return partitions.status();
    if (*partitions == 0)
      return absl::FailedPreconditionError(
          text("there is no topic ", topic, ", which a Source names; create it, with as many ",
               "partitions as you may ever need shards, or correct the Source"));
    divisor = std::gcd(divisor, static_cast<std::uint32_t>(*partitions));
  }
  // The largest divisor that is not too many.
  std::uint32_t shards = std::min(divisor, kShardsMax);
  while (divisor % shards != 0) --shards;
  return shards;
}

absl::Status ensure_catalog_topic(const Admin& admin, const TopicNames& names,
                                  const KafkaOptions& options) {
  const Need needs[] = {kDelete, kForEver, kNoSize};
  return ensure(admin, names.catalog, 1, needs, options);
}

absl::Status ensure_own_topics(const Admin& admin, const TopicNames& names,
                               const KafkaOptions& options, std::uint32_t shards) {
  const Need journal[] = {kDelete, kForEver, kNoSize, kAppendTime};
  const Need messages[] = {kDelete, kForEver, kNoSize};
  const Need cursors[] = {kCompact};
  const Need delivered[] = {kCompact, kSmallSegments};
  const auto partitions = static_cast<std::int32_t>(shards);
  if (absl::Status s = ensure(admin, names.journal, partitions, journal, options); !s.ok())
    return s;
  if (absl::Status s = ensure(admin, names.messages, partitions, messages, options); !s.ok())
    return s;
  if (absl::Status s = ensure(admin, names.cursors, 1, cursors, options); !s.ok()) return s;
  if (absl::Status s = ensure(admin, names.delivered, partitions, delivered, options); !s.ok())
    return s;
  if (absl::Status s = ensure_output_topic(admin, names.decisions, options, shards); !s.ok())
    return s;
  return ensure_output_topic(admin, names.dead_letters, options, shards);
}

absl::Status check_kept_whole(const Admin& admin, const std::string& topic) {
  const absl::StatusOr<std::map<std::string, std::string>> settings = admin.config(topic);
  if (!settings.ok()) return settings.status();
  const auto policy = settings->find(kDelete.name);
  if (policy != settings->end() && policy->second == kDelete.value) return absl::OkStatus();
  return absl::FailedPreconditionError(
      text("topic ", topic, " of a Reference is compacted, so that what was folded could not be ",
           "folded again; set cleanup.policy=delete on it, with a retention that outlives the ",
           "oldest snapshot, or copy it into one that has"));
}

absl::Status ensure_output_topic(const Admin& admin, const std::string& topic,
                                 const KafkaOptions& options, std::uint32_t shards) {
  absl::StatusOr<std::int32_t> found = admin.partitions(topic);
  if (!found.ok()) return found.status();
  const auto needed = static_cast<std::int32_t>(shards);
  if (*found == 0) {
    if (absl::Status made = admin.create({topic, needed, options.dev ? 1 : kReplicas, {}});
        !made.ok())
      return made;
    logging::info("topic created", {{"topic", topic}, {"partitions", needed}});
    return absl::OkStatus();
  }
  if (*found < needed)
    return absl::FailedPreconditionError(
        text("topic ", topic, " has ", *found, " partitions and each of the ", shards,
             " shards writes one of its own; add partitions: kafka-topics --alter --topic ", topic,
             " --partitions ", shards));
  return absl::OkStatus();
}

}  // namespace spur::kafka
