#include "daemon/audit/kafka_evidence.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/deployment_id.h"
#include "daemon/log/kafka/history.h"
#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/reads.h"
#include "daemon/log/kafka/records.h"
#include "spur/v1/message.pb.h"
#include "state/digest.h"

namespace spur::audit {
namespace {

constexpr std::size_t kBatchRecords = 1024;  // read from a partition at once

std::int64_t as_kafka(Offset offset) { return static_cast<std::int64_t>(offset); }

// A partition, a batch of records at a time.
class Records {
 public:
  Records(std::unique_ptr<kafka::PartitionReader> reader, Offset to, OutputKind kind,
          std::string deployment, std::uint32_t shard)
      : reader_(std::move(reader)),
        to_(as_kafka(to)),
        kind_(kind),
        deployment_(std::move(deployment)),
        shard_(shard) {}

  absl::StatusOr<std::optional<OutputRecord>> next() {
    if (batch_.empty() && reader_->position() < to_) {
      const absl::Status read = reader_->read(to_, [&](const rd_kafka_message_t& message) {
        batch_.push_back(record_of(message));
        return batch_.size() < kBatchRecords;
      });
      if (!read.ok()) return read;
    }
    if (batch_.empty()) return std::optional<OutputRecord>();
    std::optional<OutputRecord> record(std::move(batch_.front()));
    batch_.pop_front();
    return record;
  }

 private:
  OutputRecord record_of(const rd_kafka_message_t& message) const {
    OutputRecord record;
    record.at = static_cast<Offset>(message.offset);
    const std::optional<kafka::RecordId> id = kafka::record_id(message);
    if (!id || id->deployment != deployment_ || id->shard != shard_) {
      record.ours = false;
      record.says = id ? absl::StrCat("an id of deployment ", id->deployment, ", shard ", id->shard)
                       : "a record without an id of Spur's";
      return record;
    }
    record.id = {id->shard, id->id.run, id->id.input, id->id.ordinal};
    if (kind_ != OutputKind::kActions) {
      record.content = hash64(kafka::value_of(message));
      return record;
    }
    record.number = kafka::spurseq_of(message);
    // What cannot be read is no content that replay could have given.
    const absl::StatusOr<std::string> bytes = kafka::stored_action(message);
    record.content = bytes.ok() ? hash64(*bytes) : 0;
    return record;
  }

  std::unique_ptr<kafka::PartitionReader> reader_;
  const std::int64_t to_;
  const OutputKind kind_;
  const std::string deployment_;
  const std::uint32_t shard_;
  std::deque<OutputRecord> batch_;
};

}  // namespace

// What replay reads.
class KafkaEvidence::ReadLog final : public ReadOnlyLog {
 public:
  explicit ReadLog(const KafkaEvidence& of) : of_(of) {}

  const DeploymentId& deployment() const override { return of_.identity_.deployment; }
  std::uint32_t shards() const override { return of_.identity_.shards; }
  std::unique_ptr<InputReader> open_reader(std::uint32_t shard,
                                           std::span<const TopicSource> sources) override {
    return std::make_unique<kafka::History>(of_.connection_, of_.names_, shard, sources);
  }
  absl::StatusOr<Offset> input_begin(std::uint32_t, const TopicSource& source) const override {
    return source.start;
  }
  absl::StatusOr<Offset> input_end(std::uint32_t shard, const TopicSource& source) const override {
    const auto kept = kafka::input_kept(*of_.admin_, of_.names_, shard, source);
    if (!kept.ok()) return kept.status();
    return static_cast<Offset>(kept->end);
  }
  std::optional<Offset> input_end_heard(std::uint32_t, const TopicSource&) const override {
    return std::nullopt;
  }
  absl::StatusOr<std::vector<CatalogRecord>> poll_catalogs(Offset from,
                                                           std::uint32_t records_max) override {
    std::vector<CatalogRecord> found;
    if (records_max == 0) return found;
    const absl::Status read = kafka::read_catalogs(of_.connection_, of_.names_, from,
                                                   of_.catalog_end_, [&](CatalogRecord version) {
                                                     found.push_back(std::move(version));
                                                     return found.size() < records_max;
                                                   });
    if (!read.ok()) return read;
    return found;
  }
  Offset catalog_end() const override { return of_.catalog_end_; }
  absl::Status read_journal(std::uint32_t shard, Offset from, Offset to,
                            const std::function<bool(Offset, std::string_view)>& entry) override {
    return kafka::read_journal(of_.connection_, of_.names_, shard, from, to, entry);
  }
  absl::StatusOr<Offset> journal_begin(std::uint32_t shard) const override {
    const auto kept = of_.admin_->kept(of_.names_.journal, static_cast<std::int32_t>(shard));
    if (!kept.ok()) return kept.status();
    return static_cast<Offset>(kept->begin);
  }
  absl::StatusOr<Offset> journal_end(std::uint32_t shard) const override {
    const auto kept = of_.admin_->kept(of_.names_.journal, static_cast<std::int32_t>(shard));
    if (!kept.ok()) return kept.status();
    return static_cast<Offset>(kept->end);
  }

 private:
  const KafkaEvidence& of_;
};

KafkaEvidence::KafkaEvidence(const kafka::Connection& connection, const std::string& topic_prefix,
                             std::unique_ptr<kafka::Admin> admin)
    : connection_(connection),
      names_(topic_prefix),
      admin_(std::move(admin)),
      log_(std::make_unique<ReadLog>(*this)) {}

KafkaEvidence::~KafkaEvidence() = default;

Log& KafkaEvidence::log() { return *log_; }

absl::StatusOr<std::unique_ptr<KafkaEvidence>> KafkaEvidence::open(
    const kafka::Connection& connection, const std::string& topic_prefix) {
  absl::StatusOr<std::unique_ptr<kafka::Admin>> admin = kafka::Admin::open(connection);
  if (!admin.ok()) return admin.status();
  if (const auto brokers = (*admin)->brokers(); !brokers.ok()) return brokers.status();
  std::unique_ptr<KafkaEvidence> evidence(
      new KafkaEvidence(connection, topic_prefix, *std::move(admin)));
  if (absl::Status loaded = evidence->load(topic_prefix); !loaded.ok()) return loaded;
  return evidence;
}

// The identity, and the topics of every version.
absl::Status KafkaEvidence::load(const std::string& topic_prefix) {
  const absl::Status none = absl::NotFoundError(
      absl::StrCat("there is no deployment with topics ", topic_prefix, ".*: no record of ",
                   names_.catalog, " says so; is the topic prefix right?"));
  const absl::StatusOr<std::int32_t> partitions = admin_->partitions(names_.catalog);
  if (!partitions.ok()) return partitions.status();
  if (*partitions == 0) return none;
  KafkaOptions options;
  options.connection = connection_;
  options.topic_prefix = topic_prefix;
  const absl::StatusOr<std::optional<kafka::Identity>> identity =
      kafka::read_identity(*admin_, names_, options);
  if (!identity.ok()) return identity.status();
  if (!identity->has_value()) return none;
  identity_ = **identity;
  const absl::StatusOr<kafka::Kept> kept = admin_->kept(names_.catalog, 0);
  if (!kept.ok()) return kept.status();
  catalog_end_ = static_cast<Offset>(kept->end);
  auto outputs = action_topics(*log_, static_cast<Offset>(kept->begin),
                               /*by_transactions=*/true);
  if (!outputs.ok()) return outputs.status();
  outputs_ = *std::move(outputs);
  outputs_.push_back({OutputKind::kDecisions, names_.decisions});
  outputs_.push_back({OutputKind::kDeadLetters, names_.dead_letters});
  return absl::OkStatus();
}

absl::StatusOr<Stretch> KafkaEvidence::kept(const Output& output, std::uint32_t shard) {
  const absl::StatusOr<std::int32_t> partitions = admin_->partitions(output.topic);
  if (!partitions.ok()) return partitions.status();
  const auto partition = static_cast<std::int32_t>(shard);
  if (partition >= *partitions)
    return absl::NotFoundError(absl::StrCat("topic ", output.topic, " has ", *partitions,
                                            " partitions, none for shard ", shard));
  const absl::StatusOr<kafka::Kept> kept = admin_->kept(output.topic, partition);
  if (!kept.ok()) return kept.status();
  return Stretch{static_cast<Offset>(kept->begin), static_cast<Offset>(kept->end),
                 kept->begin == 0};
}

absl::StatusOr<OutputCheck::Next> KafkaEvidence::read(const Output& output, std::uint32_t shard,
                                                      Offset from, Offset to) {
  auto reader = kafka::PartitionReader::open(connection_, output.topic,
                                             static_cast<std::int32_t>(shard), as_kafka(from));
  if (!reader.ok()) return reader.status();
  auto records = std::make_shared<Records>(*std::move(reader), to, output.kind,
                                           deployment_text(identity_.deployment), shard);
  return OutputCheck::Next([records] { return records->next(); });
}

absl::StatusOr<Offset> KafkaEvidence::find(const Output& output, std::uint32_t shard,
                                           const Stretch& kept, std::uint64_t run) {
  Offset low = kept.begin, high = kept.end;
  while (low < high) {
    const Offset middle = low + (high - low) / 2;
    absl::StatusOr<OutputCheck::Next> next = read(output, shard, middle, kept.end);
    if (!next.ok()) return next.status();
    const absl::StatusOr<std::optional<OutputRecord>> record = (*next)();
    if (!record.ok()) return record.status();
    if (record->has_value() && (*record)->ours && (*record)->id.run < run)
      low = middle + 1;
    else
      high = middle;
  }
  // Among repeats halving may land a little late.
  return low - std::min<Offset>(low - kept.begin, kFloorRecords);
}

absl::StatusOr<Stretch> KafkaEvidence::kept_messages(std::uint32_t shard) {
  const absl::StatusOr<kafka::Kept> kept =
      admin_->kept(names_.messages, static_cast<std::int32_t>(shard));
  if (!kept.ok()) return kept.status();
  return Stretch{static_cast<Offset>(kept->begin), static_cast<Offset>(kept->end),
                 kept->begin == 0};
}

absl::Status KafkaEvidence::read_messages(std::uint32_t shard, const Stretch& kept,
                                          const Message& message) {
  if (kept.begin == kept.end) return absl::OkStatus();
  auto reader = kafka::PartitionReader::open(
      connection_, names_.messages, static_cast<std::int32_t>(shard), as_kafka(kept.begin));
  if (!reader.ok()) return reader.status();
  return (*reader)->read(as_kafka(kept.end), [&](const rd_kafka_message_t& record) {
    spur::v1::ShardMessage parsed;
    const std::string_view value = kafka::value_of(record);
    if (parsed.ParseFromArray(value.data(), static_cast<int>(value.size())))
      message(static_cast<Offset>(record.offset), parsed.sender(), parsed.seq());
    return true;
  });
}

}  // namespace spur::audit
