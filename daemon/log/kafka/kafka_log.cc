#include "daemon/log/kafka/kafka_log.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <optional>
#include <utility>

#include "daemon/log/kafka/history.h"
#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/reads.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "daemon/reason.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/log.pb.h"
#include "state/check.h"
#include "state/identity.h"

namespace spur {
namespace {

std::string cursor_key(std::string_view subscriber, std::string_view channel) {
  std::string key(subscriber);
  key += '\0';
  key += channel;
  return key;
}

}  // namespace

// --- opening ---

absl::StatusOr<std::unique_ptr<KafkaLog>> KafkaLog::open(const KafkaOptions& options,
                                                         const Clock& clock) {
  if (options.dev)
    logging::warning("dev: nothing is replicated, a lost disk loses acknowledged entries");
  absl::StatusOr<std::unique_ptr<kafka::Admin>> admin = kafka::Admin::open(options.connection);
  if (!admin.ok()) return admin.status();
  if (const auto brokers = (*admin)->brokers(); !brokers.ok()) return brokers.status();
  absl::StatusOr<kafka::Identity> identity = kafka::open_identity(
      **admin, kafka::TopicNames(options.topic_prefix), options, clock.read().wall);
  if (!identity.ok()) return identity.status();
  std::unique_ptr<KafkaLog> log(new KafkaLog(options, clock, *identity, *std::move(admin)));
  absl::StatusOr<std::unique_ptr<kafka::Consumer>> consumer =
      kafka::Consumer::open(options, log->names_, identity->shards, clock);
  if (!consumer.ok()) return consumer.status();
  log->consumer_ = *std::move(consumer);
  if (absl::Status loaded = log->load_catalogs(); !loaded.ok()) return loaded;
  return log;
}

KafkaLog::KafkaLog(const KafkaOptions& options, const Clock& clock, kafka::Identity identity,
                   std::unique_ptr<kafka::Admin> admin)
    : options_(options),
      names_(options.topic_prefix),
      clock_(clock),
      identity_(identity),
      admin_(std::move(admin)),
      pump_(clock),
      journal_(options.connection, names_.journal, identity.shards, pump_, errands_, clock_),
      outputs_(options, names_, deployment_text(identity.deployment), identity.shards, *admin_,
               clock, pump_, errands_),
      publisher_(options.connection, pump_, errands_),
      readback_(options.connection, names_, *admin_) {}

KafkaLog::~KafkaLog() { stop(); }

void KafkaLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  if (consumer_ != nullptr) consumer_->close();
  // The last callbacks, then nobody is called any more.
  outputs_.stop();
  journal_.abandon();
  publisher_.abandon();
  pump_.stop();
  journal_.serve();
  publisher_.serve();
  errands_.stop();
  outputs_.close();
}

void KafkaLog::watch(Watcher watcher) {
  watcher_ = std::move(watcher);
  outputs_.set_events({watcher_.acked, watcher_.actions, watcher_.wanted,
                       [this](std::uint32_t shard, absl::Status status) {
                         journal_.refuse(shard, std::move(status));
                       }});
  // Not before it is known whom to tell.
  pump_.start({[this] { return journal_.serve(); }, [this] { return outputs_.serve(); },
               [this] { return publisher_.serve(); }});
  const absl::Status started =
      consumer_->start({watcher_.assigned, watcher_.revoked, watcher_.inputs,
                        [this](const rd_kafka_message_t& message) {
                          take_catalog(message);
                          if (watcher_.catalogs) watcher_.catalogs();
                        }},
                       catalog_read_);
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = started;
}

absl::Status KafkaLog::status() const {
  if (absl::Status consumer = consumer_->status(); !consumer.ok()) return consumer;
  if (absl::Status journal = journal_.status(); !journal.ok()) return journal;
  const std::lock_guard lock(mutex_);
  return status_;
}

std::uint64_t KafkaLog::commits() const { return journal_.acknowledged(); }

void KafkaLog::abandon() {
  outputs_.stop();
  journal_.abandon();
  publisher_.abandon();
}

absl::Status KafkaLog::close() {
  // What was appended is sent already; its acknowledgements are waited for.
  const bool settled =
      pump_.await([this] { return journal_.idle() && publisher_.idle(); }, kCloseMax);
  stop();
  if (!settled)
    return absl::UnavailableError("Kafka did not acknowledge everything before the end");
  return absl::OkStatus();
}

// --- sources ---

absl::StatusOr<std::int32_t> KafkaLog::partitions_of(const std::string& topic) const {
  {
    const std::lock_guard lock(mutex_);
    const auto known = partitions_.find(topic);
    if (known != partitions_.end()) return known->second;
  }
  const absl::StatusOr<std::int32_t> found = admin_->partitions(topic);
  if (!found.ok()) return found.status();
  if (*found == 0)
    return with_reason(
        absl::FailedPreconditionError(kafka::text(
            "there is no topic ", topic, ", which a Source names; create it, with as many ",
            "partitions as there are shards (", identity_.shards,
            ") or a multiple, or correct the Source")),
        "TOPIC_MISSING");
  const std::lock_guard lock(mutex_);
  partitions_[topic] = *found;
  return *found;
}

Log::Discovery KafkaLog::discover(std::uint32_t shard, std::span<const InputTopic> topics) {
  Discovery found;
  for (const InputTopic& topic : topics) {
    absl::StatusOr<std::vector<TopicSource>> sources = sources_of(shard, topic);
    if (sources.ok())
      std::move(sources->begin(), sources->end(), std::back_inserter(found.sources));
    else if (found.missed.ok())
      found.missed = sources.status();
  }
  return found;
}

absl::StatusOr<std::vector<TopicSource>> KafkaLog::sources_of(std::uint32_t shard,
                                                              const InputTopic& topic) {
  {
    // Asked anew: partitions may have been added (H24).
    const std::lock_guard lock(mutex_);
    partitions_.erase(topic.name);
  }
  const absl::StatusOr<std::int32_t> partitions = partitions_of(topic.name);
  if (!partitions.ok()) return partitions.status();
  const absl::StatusOr<std::vector<std::int64_t>> begins = admin_->begins(topic.name, *partitions);
  if (!begins.ok()) return begins.status();
  std::vector<TopicSource> sources;
  for (auto i = static_cast<std::int32_t>(topic.for_all ? 0 : shard); i < *partitions;
       i += static_cast<std::int32_t>(topic.for_all ? 1 : identity_.shards)) {
    TopicSource& source = sources.emplace_back();
    source.topic = topic.name;
    source.partition = i;
    source.start = static_cast<Offset>((*begins)[static_cast<std::size_t>(i)]);
  }
  return sources;
}

absl::Status KafkaLog::check_topics(std::span<const InputTopic> topics) const {
  for (const InputTopic& topic : topics) {
    {
      const std::lock_guard lock(mutex_);
      const auto known = for_all_.find(topic.name);
      if (known != for_all_.end() && known->second != topic.for_all)
        return absl::FailedPreconditionError(kafka::text(
            "topic ", topic.name,
            " was that of a Source or of a Reference, in this version of the ",
            "catalog or an earlier one, and cannot become the other: copy it into another topic"));
    }
    if (!topic.for_all) continue;
    const absl::StatusOr<std::int32_t> partitions = admin_->partitions(topic.name);
    if (!partitions.ok()) return partitions.status();
    if (*partitions == 0) continue;  // to be created yet, and looked for until it is
    if (absl::Status kept = kafka::check_kept_whole(*admin_, topic.name); !kept.ok()) return kept;
  }
  return absl::OkStatus();
}

void KafkaLog::follow(std::uint32_t shard, std::span<const Following> sources) {
  consumer_->follow(shard, sources);
}

void KafkaLog::unfollow(std::uint32_t shard) {
  journal_.admit(shard);  // the next owner begins anew
  consumer_->unfollow(shard);
  outputs_.drop(shard);
}

// --- inputs ---

absl::Status KafkaLog::poll(std::uint32_t shard, std::uint32_t source, Offset from,
                            const PollLimits& limits, InputBatch& batch) {
  return consumer_->poll(shard, source, from, limits, batch);
}

std::unique_ptr<InputReader> KafkaLog::open_reader(std::uint32_t shard,
                                                   std::span<const TopicSource> sources) {
  return std::make_unique<kafka::History>(options_.connection, names_, shard, sources);
}

absl::StatusOr<Offset> KafkaLog::input_begin(std::uint32_t shard, const TopicSource& source) const {
  const absl::StatusOr<kafka::Kept> kept = kafka::input_kept(*admin_, names_, shard, source);
  if (!kept.ok()) return kept.status();
  return static_cast<Offset>(kept->begin);
}

absl::StatusOr<Offset> KafkaLog::input_end(std::uint32_t shard, const TopicSource& source) const {
  const absl::StatusOr<kafka::Kept> kept = kafka::input_kept(*admin_, names_, shard, source);
  if (!kept.ok()) return kept.status();
  return static_cast<Offset>(kept->end);
}

std::optional<Offset> KafkaLog::input_end_heard(std::uint32_t shard,
                                                const TopicSource& source) const {
  if (source.source == kInputSource) return 0;
  return consumer_->end(shard, source.source);
}

void KafkaLog::folded(std::uint32_t shard, std::uint32_t source, Offset next) {
  consumer_->folded(shard, source, next);
}

absl::StatusOr<std::string> KafkaLog::topic_of(std::string_view source) const {
  const std::lock_guard lock(mutex_);
  const auto found = source_topics_.find(source.empty() ? first_source_ : std::string(source));
  if (found != source_topics_.end()) return found->second;
  return with_reason(
      absl::FailedPreconditionError(kafka::text(
          "no Source or Reference ", source, " with a topic is in the catalog; apply one first")),
      "SOURCE_WITHOUT_TOPIC");
}

absl::StatusOr<std::vector<Offset>> KafkaLog::append_inputs(
    std::span<const InputAppend> inputs, std::function<void(absl::Status)> done) {
  std::vector<kafka::Publisher::Record> records;
  for (const InputAppend& input : inputs) {
    absl::StatusOr<std::string> topic = topic_of(input.source);
    if (!topic.ok()) return topic.status();
    const absl::StatusOr<std::int32_t> partitions = partitions_of(*topic);
    if (!partitions.ok()) return partitions.status();
    kafka::Publisher::Record& record = records.emplace_back();
    record.topic = *std::move(topic);
    // As the Java client would: whoever else writes the topic finds the same partition.
    record.partition =
        static_cast<std::int32_t>(shard_of(input.key, static_cast<std::uint32_t>(*partitions)));
    record.key = input.key;
    record.value = input.value;
  }
  if (records.empty()) {
    if (done) done(absl::OkStatus());
    return std::vector<Offset>();
  }
  absl::Status sent =
      publisher_.publish(records, [done = std::move(done)](const absl::StatusOr<Offset>& offset) {
        if (done) done(offset.status());
      });
  if (absl::IsInvalidArgument(sent)) return with_reason(std::move(sent), "EVENT_TOO_LARGE");
  if (!sent.ok()) return sent;
  return std::vector<Offset>(inputs.size(), 0);
}

// --- the catalog ---

absl::Status KafkaLog::load_catalogs() {
  const absl::StatusOr<kafka::Kept> kept = admin_->kept(names_.catalog, 0);
  if (!kept.ok()) return kept.status();
  if (kept->begin == kept->end) return absl::OkStatus();
  auto reader = kafka::PartitionReader::open(options_.connection, names_.catalog, 0, kept->begin);
  if (!reader.ok()) return reader.status();
  return (*reader)->read(kept->end, [&](const rd_kafka_message_t& message) {
    take_catalog(message);
    return true;
  });
}

void KafkaLog::take_catalog(const rd_kafka_message_t& message) {
  std::map<std::string, std::string> sources;
  std::map<std::string, kafka::Outputs::Form> outputs;
  {
    const std::lock_guard lock(mutex_);
    catalog_read_ = static_cast<Offset>(message.offset) + 1;
  }
  if (kafka::header_of(message, "ce_type") != kafka::kCatalogType) return;  // the identity
  std::optional<CatalogRecord> version = kafka::catalog_version(message);
  spur::v1::Catalog catalog;
  if (!version || !catalog.ParseFromString(version->catalog)) {
    logging::error("catalog version cannot be read", {{"offset", message.offset}});
    return;
  }
  std::string first = catalog.sources().empty() ? "" : catalog.sources(0).name();
  for (const spur::v1::Source& source : catalog.sources()) {
    if (!source.topic().empty()) sources[source.name()] = source.topic();
  }
  for (const spur::v1::Reference& reference : catalog.references()) {
    if (!reference.topic().empty()) sources[reference.name()] = reference.topic();
  }
  for (const spur::v1::Channel& channel : catalog.channels()) {
    if (!channel.topic().empty())
      outputs[channel.topic()] = {
          channel.format() == "json",
          channel.delivery() == "transactional",
          {channel.rate().max(), std::chrono::milliseconds(channel.rate().per_ms())}};
  }
  {
    const std::lock_guard lock(mutex_);
    for (const spur::v1::Source& source : catalog.sources()) for_all_[source.topic()] = false;
    for (const spur::v1::Reference& reference : catalog.references())
      for_all_[reference.topic()] = true;
    source_topics_ = std::move(sources);
    first_source_ = std::move(first);
    // Behind the newest version, not behind the deployment's identity: a shard waits for nothing
    // that it will never be given.
    catalog_end_ = static_cast<Offset>(message.offset) + 1;
    ++catalog_count_;
    catalogs_.push_back(*std::move(version));
    if (catalogs_.size() > kCatalogsInMemory) catalogs_.pop_front();
  }
  for (const auto& [topic, form] : outputs) outputs_.know_topic(topic, form);
}

absl::StatusOr<std::vector<CatalogRecord>> KafkaLog::poll_catalogs(Offset from,
                                                                   std::uint32_t records_max) {
  std::vector<CatalogRecord> found;
  for (;;) {
    Offset memory = 0;
    {
      const std::lock_guard lock(mutex_);
      // What left memory is older than all that is in it.
      memory = catalogs_.size() < kCatalogsInMemory ? 0 : catalogs_.front().offset;
      if (from >= memory) {
        for (const CatalogRecord& record : catalogs_) {
          if (record.offset >= from && found.size() < records_max) found.push_back(record);
        }
        return found;
      }
    }
    const absl::Status read =
        kafka::read_catalogs(options_.connection, names_, from, memory, [&](CatalogRecord version) {
          found.push_back(std::move(version));
          return found.size() < records_max;
        });
    if (!read.ok()) return read;
    if (found.size() >= records_max) return found;
    from = memory;
  }
}

Offset KafkaLog::catalog_end() const {
  const std::lock_guard lock(mutex_);
  return catalog_end_;
}

void KafkaLog::append_catalog(std::string catalog, std::string comment,
                              std::function<void(absl::StatusOr<Offset>)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (catalog_count_ >= kCatalogVersionsMax) return done(too_many_catalogs());
  }
  spur::v1::CatalogVersion version;
  version.set_catalog(std::move(catalog));
  version.set_comment(std::move(comment));
  version.set_received_ms(clock_.read().wall.ms);
  const std::string value = version.SerializeAsString();
  kafka::Publisher::Record record;
  record.topic = names_.catalog;
  record.value = value;
  record.ce_type = kafka::kCatalogType;
  absl::Status sent = publisher_.publish({record}, done);
  if (absl::IsInvalidArgument(sent)) sent = with_reason(std::move(sent), "CATALOG_TOO_LARGE");
  if (!sent.ok()) done(sent);
}

// --- the journal ---

void KafkaLog::append(JournalAppend append) {
  outputs_.hold(append.shard, append.seq, std::move(append.effects));
  journal_.append(append.shard, append.entry, std::move(append.done));
}

absl::StatusOr<Offset> KafkaLog::append_and_wait(JournalAppend append) {
  // A claim: what stood against the owner before it is over.
  journal_.admit(append.shard);
  std::promise<absl::StatusOr<Offset>> answered;
  append.done = [&](absl::StatusOr<Offset> offset) { answered.set_value(std::move(offset)); };
  this->append(std::move(append));
  return answered.get_future().get();
}

absl::Status KafkaLog::read_journal(std::uint32_t shard, Offset from, Offset to,
                                    const std::function<bool(Offset, std::string_view)>& entry) {
  return kafka::read_journal(options_.connection, names_, shard, from, to, entry);
}

absl::StatusOr<Offset> KafkaLog::journal_begin(std::uint32_t shard) const {
  const auto kept = admin_->kept(names_.journal, static_cast<std::int32_t>(shard));
  if (!kept.ok()) return kept.status();
  return static_cast<Offset>(kept->begin);
}

absl::StatusOr<Offset> KafkaLog::journal_end(std::uint32_t shard) const {
  const auto kept = admin_->kept(names_.journal, static_cast<std::int32_t>(shard));
  if (!kept.ok()) return kept.status();
  return static_cast<Offset>(kept->end);
}

absl::Status KafkaLog::refusal(std::uint32_t shard) const { return journal_.refusal(shard); }

std::optional<ClockReading> KafkaLog::witness(std::uint32_t shard) const {
  return journal_.witness(shard);
}

void KafkaLog::release(std::uint32_t shard, std::uint64_t seq) { outputs_.release(shard, seq); }

absl::Status KafkaLog::resume(std::uint32_t shard, std::uint64_t acked_through,
                              std::uint64_t seq_last, std::vector<UnsentRun> unsent,
                              std::vector<Spilled> spilled) {
  return outputs_.resume(shard, acked_through, seq_last, std::move(unsent), spilled);
}

std::vector<UnsentRun> KafkaLog::unsent(std::uint32_t shard, std::uint64_t seq) const {
  return outputs_.unsent(shard, seq);
}

Log::Waiting KafkaLog::waiting(std::uint32_t shard) const { return outputs_.waiting(shard); }

void KafkaLog::stored(std::uint32_t shard, std::uint64_t seq) { outputs_.stored(shard, seq); }

std::vector<RunRange> KafkaLog::spilled(std::uint32_t shard) const {
  return outputs_.spilled(shard);
}

std::optional<Spilled> KafkaLog::wanted(std::uint32_t shard) { return outputs_.wanted(shard); }

void KafkaLog::refill(std::uint32_t shard, const Outlet& outlet, std::vector<UnsentRun> rows,
                      std::uint64_t through) {
  outputs_.refill(shard, outlet, std::move(rows), through);
}

absl::Status KafkaLog::trim(std::uint32_t shard, const Trim& below) {
  const auto partition = static_cast<std::int32_t>(shard);
  if (below.journal_below > 0) {
    absl::Status trimmed = admin_->delete_below(names_.journal, partition,
                                                static_cast<std::int64_t>(below.journal_below));
    if (!trimmed.ok()) return trimmed;
  }
  if (below.messages_below == 0) return absl::OkStatus();
  return admin_->delete_below(names_.messages, partition,
                              static_cast<std::int64_t>(below.messages_below));
}

// --- effects, read back ---

absl::StatusOr<std::vector<StoredAction>> KafkaLog::read_actions(std::string_view topic,
                                                                 std::uint32_t shard,
                                                                 std::uint64_t from,
                                                                 std::uint32_t max) {
  return readback_.actions(std::string(topic), shard, from, max);
}

absl::StatusOr<ActionRange> KafkaLog::action_range(std::string_view topic,
                                                   std::uint32_t shard) const {
  const absl::StatusOr<ActionRange> range = readback_.range(std::string(topic), shard);
  if (absl::IsNotFound(range.status())) return ActionRange();  // nothing has ever left by it
  return range;
}

absl::StatusOr<std::vector<std::string>> KafkaLog::decisions_of(std::string_view customer,
                                                                std::uint32_t limit) {
  return readback_.decisions_of(shard_of(key_of(customer), identity_.shards), customer, limit);
}

absl::StatusOr<std::vector<std::string>> KafkaLog::decisions(std::uint32_t shard,
                                                             std::uint64_t from_run,
                                                             std::uint32_t max) {
  return readback_.decisions(shard, from_run, max);
}

absl::StatusOr<std::vector<std::string>> KafkaLog::dead_letters(std::uint32_t shard,
                                                                std::uint32_t max) {
  return readback_.dead_letters(shard, max);
}

void KafkaLog::store_cursor(std::string_view subscriber, std::string_view channel,
                            std::string_view cursor, std::function<void(absl::Status)> done) {
  const std::string key = cursor_key(subscriber, channel);
  const absl::StatusOr<bool> room = readback_.has_room_for_cursor(key);
  if (!room.ok() || !*room) {
    if (done) done(room.ok() ? too_many_cursors() : room.status());
    return;
  }
  kafka::Publisher::Record record;
  record.topic = names_.cursors;
  record.key = key;
  record.value = cursor;
  const absl::Status sent =
      publisher_.publish({record}, [done](const absl::StatusOr<Offset>& offset) {
        if (done) done(offset.status());
      });
  if (!sent.ok() && done) done(sent);
}

absl::StatusOr<std::string> KafkaLog::stored_cursor(std::string_view subscriber,
                                                    std::string_view channel) const {
  return readback_.cursor(cursor_key(subscriber, channel));
}

}  // namespace spur
