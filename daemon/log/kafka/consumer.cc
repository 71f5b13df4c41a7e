#include "daemon/log/kafka/consumer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

constexpr std::chrono::nanoseconds kCommitEvery = std::chrono::seconds(10);
// Fenced once more within this time, there is another process of our name.
constexpr std::chrono::nanoseconds kFencedAgain = std::chrono::minutes(1);
constexpr std::size_t kDrainRecords = 1024;
constexpr int kMetadataMs = 5000;
constexpr const char* kFetchWaitMs = "100";   // what a newly assigned partition may wait
constexpr const char* kAloneKbytes = "8192";  // that a handle of a shard's own fetches ahead

// Waits until the last assignment has been carried out. librdkafka 2.0.2 answers rd_kafka_assign()
// before the partitions that it stops have stopped, and aborts the process when they are let go
// once more in the meantime (an assertion in rd_kafka_assignment_partition_stopped). Its main
// thread takes its queue in order: behind the first answer every stop has been taken up, behind the
// second every reply to it, and the third sees the new ones started.
void settle_assignment(rd_kafka_t* handle) {
  for (int i = 0; i < 3; ++i) {
    rd_kafka_topic_partition_list_t* list = nullptr;
    if (rd_kafka_assignment(handle, &list) == RD_KAFKA_RESP_ERR_NO_ERROR)
      rd_kafka_topic_partition_list_destroy(list);
  }
}

}  // namespace

struct Consumer::Source {
  SharedHandle handle;  // before the queue: destroyed after it
  std::uint32_t shard = 0, number = 0;
  std::string topic;
  std::int32_t partition = 0;
  bool alone = false;  // another shard's partition: not on the common handle
  Queue queue;
  std::function<void()> wake;
  const Clock* clock = nullptr;
  // When the first came that no poll has looked for; 0: none did.
  std::atomic<std::int64_t> arrived_ns{0};

  std::mutex mutex;
  std::int64_t next = 0;  // the record to give next
  // Taken from the queue and not given: [left_at, left_end) of kDrainRecords, made by the first.
  std::vector<rd_kafka_message_t*> left;
  std::size_t left_at = 0, left_end = 0;
  // The queue may hold some. Set with `ready` too: what it holds from before does not ring, nor
  // does what comes behind that.
  bool more = false;
  // False until it has been assigned with `next`: what its queue held from before is then outdated
  // for librdkafka, and would otherwise pass for records behind a hole.
  bool ready = false;
  absl::Status failed;
  std::int64_t eof = -1;                    // everything below it has been given or is hidden
  std::atomic<std::int64_t> heard_end{-1};  // what end() says; -1: nothing yet
  std::atomic<std::int64_t> folded{-1};

  ~Source() {
    silence();
    drop_left();
  }
  // Waits for a wake-up that is under way. A partition's ring is whoever's listened to it last: one
  // source of it ends before the next is listened to, or the next is never heard of.
  void silence() {
    if (queue != nullptr) rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
  }
  void drop_left() {
    while (left_at < left_end) rd_kafka_message_destroy(left[left_at++]);
  }
  // At most so many from the queue; false: there is none. Requires the lock, and none that is left.
  bool drain(std::size_t records) {
    if (!more) return false;
    if (left.empty()) left.resize(kDrainRecords);
    records = std::min(records, left.size());
    const ssize_t count = rd_kafka_consume_batch_queue(queue.get(), 0, left.data(), records);
    left_at = 0;
    left_end = count > 0 ? static_cast<std::size_t>(count) : 0;
    more = left_end == records;  // fewer, and it was empty: what comes now rings
    return left_end > 0;
  }
  // Requires the lock.
  void hear_end() {
    std::int64_t low = 0, high = 0;
    const bool told = rd_kafka_get_watermark_offsets(handle.get(), topic.c_str(), partition, &low,
                                                     &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                      high >= 0;
    if (!told && eof < next) return;
    const bool at_end = left_at == left_end && (!told || eof >= high);
    heard_end.store(at_end ? next : std::max(high, next), std::memory_order_relaxed);
  }
  // Where fetching goes on after a new assignment.
  std::int64_t position() {
    const std::lock_guard lock(mutex);
    // The last that was taken from the queue. Of an end that was reached the offset is that of the
    // next record already, and an error has none.
    for (std::size_t i = left_end; i > left_at; --i) {
      const rd_kafka_message_t& message = *left[i - 1];
      if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return std::max(next, message.offset + 1);
    }
    return next;
  }
};

struct Consumer::Taken {
  std::shared_ptr<Source> source;
  std::vector<rd_kafka_message_t*> messages;
  ~Taken() {
    for (rd_kafka_message_t* message : messages) rd_kafka_message_destroy(message);
  }
};

Consumer::Consumer(const KafkaOptions& options, const TopicNames& names, std::uint32_t shards,
                   const Clock& clock)
    : options_(options), names_(names), clock_(clock), shards_(shards), control_(clock) {}

absl::StatusOr<std::unique_ptr<Consumer>> Consumer::open(const KafkaOptions& options,
                                                         const TopicNames& names,
                                                         std::uint32_t shards, const Clock& clock) {
  std::unique_ptr<Consumer> consumer(new Consumer(options, names, shards, clock));
  if (absl::Status opened = consumer->open_group(); !opened.ok()) return opened;
  if (absl::Status opened =
          consumer->open_reader(consumer->common_, std::to_string(options.queued_kbytes_max));
      !opened.ok())
    return opened;
  return consumer;
}

absl::Status Consumer::open_group() {
  Settings settings = consumer_settings();
  settings.insert(settings.end(),
                  {{"group.id", options_.group_name()},
                   {"partition.assignment.strategy", "range"},
                   {"session.timeout.ms", std::to_string(options_.session_timeout.count())},
                   {"heartbeat.interval.ms", std::to_string(options_.heartbeat.count())}});
  if (!options_.instance.empty()) settings.emplace_back("group.instance.id", options_.instance);
  absl::StatusOr<Config> config = make_config(options_.connection, settings);
  if (!config.ok()) return config.status();
  rd_kafka_conf_set_opaque(config->get(), this);
  rd_kafka_conf_set_rebalance_cb(
      config->get(),
      [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
         void* self) { static_cast<Consumer*>(self)->on_rebalance(code, partitions); });
  absl::StatusOr<Handle> handle = open_consumer(*std::move(config));
  if (!handle.ok()) return handle.status();
  group_ = *std::move(handle);
  return absl::OkStatus();
}

absl::Status Consumer::join() {
  const Queue queue(rd_kafka_queue_get_consumer(group_.get()));
  control_.listen(queue.get());
  const Partitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), names_.messages.c_str(), RD_KAFKA_PARTITION_UA);
  return to_status(rd_kafka_subscribe(group_.get(), topics.get()),
                   text("joining the group ", options_.group_name()));
}

Consumer::~Consumer() { close(); }

absl::Status Consumer::start(Events events, Offset catalog_next) {
  events_ = std::move(events);
  catalog_ = std::make_shared<Source>();
  catalog_->number = kCatalogSource;
  catalog_->topic = names_.catalog;
  catalog_->next = static_cast<std::int64_t>(catalog_next);
  catalog_->wake = [this] { control_.wake(); };
  know(common_, names_.catalog);
  listen(*catalog_, common_.handle);
  changed_ = true;  // the catalog is followed from the start
  if (absl::Status joined = join(); !joined.ok()) return joined;
  commit_due_ = clock_.read().steady + kCommitEvery;
  control_.start({[this] { return serve(); }});
  return absl::OkStatus();
}

bool Consumer::leave() {
  if (!options_.instance.empty()) return false;
  const std::string& group = options_.group_name();
  const rd_kafka_group_list* raw = nullptr;
  if (rd_kafka_list_groups(group_.get(), group.c_str(), &raw, kMetadataMs) !=
      RD_KAFKA_RESP_ERR_NO_ERROR)
    return false;
  const std::unique_ptr<const rd_kafka_group_list, Free<rd_kafka_group_list_destroy>> groups(raw);
  const std::unique_ptr<char, Free<std::free>> self(rd_kafka_memberid(group_.get()));
  const std::string_view own = self == nullptr ? "" : self.get();
  bool others = false;
  for (int i = 0; i < groups->group_cnt; ++i) {
    const rd_kafka_group_info& found = groups->groups[i];
    for (int k = 0; k < found.member_cnt; ++k) others |= found.members[k].member_id != own;
  }
  if (others && !left_.exchange(true)) rd_kafka_unsubscribe(group_.get());
  return others;
}

void Consumer::close() {
  if (closed_.exchange(true)) return;
  control_.stop();
  const Queue queue(rd_kafka_queue_get_consumer(group_.get()));
  rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
  {
    // No wake-up is under way or comes any more, which librdkafka's threads would give, though a
    // batch may keep its source alive.
    const std::lock_guard lock(mutex_);
    for (const ShardSources& shard : shards_) {
      for (const auto& [number, source] : shard.sources) source->silence();
    }
    if (catalog_ != nullptr) catalog_->silence();
  }
  events_ = {};
  for (auto& [shard, reader] : alone_) drop_alone(reader);
  alone_.clear();
  rd_kafka_consumer_close(group_.get());
  rd_kafka_consumer_close(common_.handle.get());
  const std::lock_guard lock(mutex_);
  for (ShardSources& shard : shards_) shard.sources.clear();
  catalog_.reset();
}

// --- the control thread ---

std::chrono::nanoseconds Consumer::serve() {
  serve_group();
  serve_errors(common_, "reading");
  for (auto& [shard, reader] : alone_) serve_errors(reader, "business data");
  std::erase_if(leaving_, [](const SharedHandle& handle) { return handle.use_count() == 1; });
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = std::exchange(changed_, false);
  }
  if (changed) assign();
  drain_catalog();
  const std::chrono::nanoseconds now = clock_.read().steady;
  if (now >= commit_due_) {
    commit();
    commit_due_ = now + kCommitEvery;
  }
  return commit_due_;
}

void Consumer::serve_group() {
  const std::string group = text("the consumer group ", options_.group_name());
  absl::Status fenced;
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(group_.get(), 0)) {
    const Message owned(message);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    absl::Status status = to_status(message->err, group, rd_kafka_message_errstr(message));
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
      std::array<char, 512> reason{};
      const auto code = rd_kafka_fatal_error(group_.get(), reason.data(), reason.size());
      status = to_status(code, group, reason.data());
    }
    if (absl::IsAborted(status)) {
      fenced = std::move(status);
    } else if (message->err == RD_KAFKA_RESP_ERR__FATAL || absl::IsPermissionDenied(status)) {
      note(std::move(status));
    } else {
      logging::warning("kafka consumer", {{"status", status}});
    }
  }
  if (!fenced.ok()) rejoin(std::move(fenced));
}

// The group has given our name to another member: to a second process of this name, or, where a
// broker died between a join and its answer, to ourselves as we asked again. In both cases the
// handle is of no use any more. What is read goes on meanwhile, and the journal says who owns.
void Consumer::rejoin(absl::Status fenced) {
  const std::chrono::nanoseconds now = clock_.read().steady;
  if (fenced_at_.has_value() && now < *fenced_at_ + kFencedAgain) return note(std::move(fenced));
  fenced_at_ = now;
  logging::warning("kafka consumer: joining the group once more", {{"status", fenced}});
  rebalancing_ = true;
  Handle outdone = std::move(group_);
  if (absl::Status opened = open_group(); !opened.ok()) {
    group_ = std::move(outdone);
    return note(std::move(opened));
  }
  {
    const Queue queue(rd_kafka_queue_get_consumer(outdone.get()));
    rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
  }
  // It is not in the group, so there is nothing to take leave of.
  rd_kafka_destroy_flags(outdone.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  if (absl::Status joined = join(); !joined.ok()) note(std::move(joined));
}

void Consumer::serve_errors(Reader& reader, std::string_view what) {
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(reader.handle.get(), 0)) {
    const Message owned(message);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;  // of a partition just let go
    const absl::Status status = to_status(message->err, what, rd_kafka_message_errstr(message));
    absl::IsPermissionDenied(status) ? note(status)
                                     : logging::warning("kafka consumer", {{"status", status}});
  }
}

void Consumer::drain_catalog() {
  while (rd_kafka_message_t* message = rd_kafka_consume_queue(catalog_->queue.get(), 0)) {
    const Message owned(message);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const absl::Status status = to_status(message->err, text("reading ", names_.catalog),
                                            rd_kafka_message_errstr(message));
      // The catalog is never trimmed: without it no shard can go on.
      absl::IsUnavailable(status) ? logging::warning("kafka catalog", {{"status", status}})
                                  : note(status);
      continue;
    }
    const std::lock_guard lock(catalog_->mutex);
    if (message->offset < catalog_->next) continue;
    catalog_->next = message->offset + 1;
    if (events_.catalog) events_.catalog(*message);
  }
}

void Consumer::on_rebalance(rd_kafka_resp_err_t code,
                            const rd_kafka_topic_partition_list_t* partitions) {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    take_assignment(partitions);
    return;
  }
  rebalancing_ = true;
  const bool lost = rd_kafka_assignment_lost(group_.get()) != 0;
  rd_kafka_assign(group_.get(), nullptr);
  if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
    logging::warning(
        "kafka rebalance",
        {{"status", to_status(code, text("the consumer group ", options_.group_name()))}});
  if (!lost) return;
  // Somebody else may own them by now; the next assignment says which are ours.
  for (const std::uint32_t shard : std::exchange(assigned_, {})) {
    told_revoked_.insert(shard);
    if (events_.revoked) events_.revoked(shard);
  }
}

void Consumer::take_assignment(const rd_kafka_topic_partition_list_t* partitions) {
  std::set<std::uint32_t> now;
  for (int i = 0; i < partitions->cnt; ++i) {
    const std::int32_t partition = partitions->elems[i].partition;
    if (partition >= 0 && static_cast<std::size_t>(partition) < shards_.size())
      now.insert(static_cast<std::uint32_t>(partition));
  }
  const std::set<std::uint32_t> before = std::exchange(assigned_, now);
  rebalancing_ = false;
  // Nothing is read by this handle; it has to be told that the list was taken.
  const Partitions none(rd_kafka_topic_partition_list_new(0));
  rd_kafka_assign(group_.get(), none.get());
  logging::info("shards assigned", {{"shards", now.size()}, {"before", before.size()}});
  for (std::uint32_t shard = 0; shard < shards_.size(); ++shard) {
    if (now.contains(shard)) {
      told_revoked_.erase(shard);
      if (events_.assigned) events_.assigned(shard);
    } else if (told_revoked_.insert(shard).second && events_.revoked) {
      events_.revoked(shard);
    }
  }
}

void Consumer::assign() {
  std::vector<std::shared_ptr<Source>> common = {catalog_};
  std::map<std::uint32_t, std::vector<std::shared_ptr<Source>>> alone;
  {
    const std::lock_guard lock(mutex_);
    for (std::uint32_t shard = 0; shard < shards_.size(); ++shard) {
      for (const auto& [number, source] : shards_[shard].sources)
        (source->alone ? alone[shard] : common).push_back(source);
    }
  }
  assign(common_, common);
  for (auto known = alone_.begin(); known != alone_.end();) {
    if (alone.contains(known->first)) {
      ++known;
      continue;
    }
    drop_alone(known->second);
    known = alone_.erase(known);
  }
  for (const auto& [shard, sources] : alone) {
    Reader& reader = alone_[shard];
    if (reader.handle == nullptr) {
      if (absl::Status opened = open_reader(reader, kAloneKbytes); !opened.ok()) {
        alone_.erase(shard);
        note(std::move(opened));
        return;
      }
    }
    assign(reader, sources);
  }
}

absl::Status Consumer::open_reader(Reader& reader, const std::string& kbytes) const {
  Settings settings = consumer_settings();
  settings.insert(settings.end(),
                  {{"enable.partition.eof", "true"},  // what is hidden at an end has no record
                   {"fetch.wait.max.ms", kFetchWaitMs},
                   {"queued.max.messages.kbytes", kbytes}});
  absl::StatusOr<Handle> handle = open_consumer(options_.connection, settings);
  if (!handle.ok()) return handle.status();
  reader.handle = SharedHandle(*std::move(handle));
  return absl::OkStatus();
}

// A batch may keep the handle for a while, and whoever destroys it waits for its threads.
void Consumer::drop_alone(Reader& reader) {
  rd_kafka_assign(reader.handle.get(), nullptr);
  settle_assignment(reader.handle.get());
  reader.assigned.clear();
  leaving_.push_back(std::move(reader.handle));
}

void Consumer::assign(Reader& reader, const std::vector<std::shared_ptr<Source>>& sources) {
  // One whose list is in force goes on: another would drop what was fetched ahead.
  std::vector<const Source*> asked;
  for (const std::shared_ptr<Source>& source : sources) asked.push_back(source.get());
  if (reader.assigned == asked &&
      std::all_of(sources.begin(), sources.end(), [](const std::shared_ptr<Source>& source) {
        const std::lock_guard lock(source->mutex);
        return source->ready;
      }))
    return;
  // A topic that is not in the metadata cache would start 1.5 s late.
  for (const std::shared_ptr<Source>& source : sources) know(reader, source->topic);
  Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(sources.size())));
  std::vector<std::int64_t> positions;
  for (const std::shared_ptr<Source>& source : sources) {
    positions.push_back(source->position());
    // Listed twice, a partition would leave the assignment empty.
    if (rd_kafka_topic_partition_list_find(list.get(), source->topic.c_str(), source->partition) !=
        nullptr) {
      note(absl::InternalError(text(source->topic, "[", source->partition, "] followed twice")));
      continue;
    }
    rd_kafka_topic_partition_list_add(list.get(), source->topic.c_str(), source->partition)
        ->offset = positions.back();
    if (source->queue == nullptr) listen(*source, reader.handle);
  }
  const auto code = rd_kafka_assign(reader.handle.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    note(to_status(code, "assigning partitions"));
    return;
  }
  settle_assignment(reader.handle.get());
  reader.assigned = std::move(asked);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    {
      const std::lock_guard lock(sources[i]->mutex);
      // A poll may have gone back meanwhile; then there is another assignment to come.
      if (sources[i]->ready || sources[i]->next != positions[i]) continue;
      sources[i]->ready = sources[i]->more = true;
    }
    sources[i]->wake();  // what came before it was ready has rung in vain
  }
}

void Consumer::know(Reader& reader, const std::string& topic) {
  if (reader.known_topics.contains(topic)) return;
  const Topic named(rd_kafka_topic_new(reader.handle.get(), topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(reader.handle.get(), 0, named.get(), &metadata, kMetadataMs) !=
      RD_KAFKA_RESP_ERR_NO_ERROR)
    return;  // late, then
  rd_kafka_metadata_destroy(metadata);
  reader.known_topics.insert(topic);
}

void Consumer::listen(Source& source, const SharedHandle& handle) {
  source.handle = handle;
  source.clock = &clock_;
  source.queue.reset(
      rd_kafka_queue_get_partition(handle.get(), source.topic.c_str(), source.partition));
  SPUR_CHECK(source.queue != nullptr);
  rd_kafka_queue_forward(source.queue.get(), nullptr);
  // Called when the queue was empty; under its lock, so nothing but a flag and a wake-up.
  rd_kafka_queue_cb_event_enable(
      source.queue.get(),
      [](rd_kafka_t*, void* opaque) {
        auto* self = static_cast<Source*>(opaque);
        std::int64_t none = 0;
        const std::int64_t now = self->clock->read().steady.count();
        self->arrived_ns.compare_exchange_strong(none, std::max<std::int64_t>(now, 1));
        self->wake();
      },
      &source);
}

void Consumer::commit() {
  if (rebalancing_) return;
  Partitions list(rd_kafka_topic_partition_list_new(16));
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint32_t shard : assigned_) {
      for (const auto& [number, source] : shards_[shard].sources) {
        if (source->alone) continue;
        const std::int64_t folded = source->folded.exchange(-1);
        if (folded < 0) continue;
        rd_kafka_topic_partition_list_add(list.get(), source->topic.c_str(), source->partition)
            ->offset = folded;
      }
    }
  }
  // Its failure is nobody's loss.
  if (list->cnt > 0) rd_kafka_commit(group_.get(), list.get(), 1);
}

void Consumer::note(absl::Status status) {
  logging::error("kafka consumer", {{"status", status}});
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = std::move(status);
}

absl::Status Consumer::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

// --- the workers' threads ---

void Consumer::follow(std::uint32_t shard, std::span<const Log::Following> sources) {
  std::vector<std::shared_ptr<Source>> dropped;  // outside the lock
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(shards_[shard].sources, [&](const auto& known) {
      const bool stays = std::any_of(sources.begin(), sources.end(), [&](const auto& following) {
        return following.source.source == known.first;
      });
      if (!stays) dropped.push_back(known.second);
      changed_ |= !stays;
      return !stays;
    });
    for (const Log::Following& following : sources) {
      const std::uint32_t number = following.source.source;
      // The catalog is everybody's, and there is no input but by topics.
      if (number == kCatalogSource || number == kInputSource) continue;
      if (shards_[shard].sources.contains(number)) continue;  // poll() says where it is
      auto source = std::make_shared<Source>();
      source->shard = shard;
      source->number = number;
      const bool messages = number == kMessageSource;
      source->topic = messages ? names_.messages : following.source.topic;
      source->partition = messages ? static_cast<std::int32_t>(shard) : following.source.partition;
      source->alone = static_cast<std::uint32_t>(source->partition) % shards_.size() != shard;
      source->next = static_cast<std::int64_t>(following.next);
      source->wake = [this, shard] {
        if (events_.inputs) events_.inputs(shard);
      };
      shards_[shard].sources.emplace(number, std::move(source));
      changed_ = true;
    }
  }
  control_.wake();
}

void Consumer::unfollow(std::uint32_t shard) {
  std::map<std::uint32_t, std::shared_ptr<Source>> dropped;  // outside the lock
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(shards_[shard].sources);
    changed_ = changed_ || !dropped.empty();
  }
  control_.wake();
}

std::shared_ptr<Consumer::Source> Consumer::find(std::uint32_t shard, std::uint32_t source) const {
  const std::lock_guard lock(mutex_);
  const auto& sources = shards_[shard].sources;
  const auto found = sources.find(source);
  return found == sources.end() ? nullptr : found->second;
}

absl::Status Consumer::poll(std::uint32_t shard, std::uint32_t number, Offset from,
                            const PollLimits& limits, InputBatch& batch) {
  batch.clear();
  const std::shared_ptr<Source> source = find(shard, number);
  if (source == nullptr) return absl::OkStatus();  // not followed: nothing is here
  const std::lock_guard lock(source->mutex);
  if (!source->failed.ok()) return source->failed;
  const auto wanted = static_cast<std::int64_t>(from);
  if (wanted < source->next) {
    // Back: what was given is wanted once more, so it is fetched again.
    source->drop_left();
    source->next = wanted;
    source->ready = false;
    const std::lock_guard all(mutex_);
    changed_ = true;
    control_.wake();
    return absl::OkStatus();
  }
  if (!source->ready) {
    if (source->next == wanted) return absl::OkStatus();
    source->next = wanted;  // forward, before it was assigned: with the new position
    const std::lock_guard all(mutex_);
    changed_ = true;
    control_.wake();
    return absl::OkStatus();
  }
  source->next = wanted;

  const std::int64_t arrived = source->arrived_ns.exchange(0);
  if (arrived != 0) source->more = true;
  if (!source->more && source->left_at == source->left_end) return absl::OkStatus();
  auto taken = std::make_shared<Taken>();
  std::size_t bytes = 0;
  bool ended = false;
  while (taken->messages.size() < limits.records_max && bytes < limits.bytes_max) {
    if (source->left_at == source->left_end &&
        !source->drain(limits.records_max - taken->messages.size()))
      break;
    rd_kafka_message_t* message = source->left[source->left_at++];
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      const Message owned(message);
      source->eof = message->offset;
      ended = true;
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Message owned(message);
      absl::Status status =
          to_status(message->err, text("reading ", source->topic, "[", source->partition, "]"),
                    rd_kafka_message_errstr(message));
      if (absl::IsUnavailable(status)) continue;  // librdkafka tries again
      source->failed = std::move(status);
      if (taken->messages.empty()) return source->failed;
      break;  // first what came before
    }
    if (message->offset < source->next) {
      rd_kafka_message_destroy(message);
      continue;
    }
    if (taken->messages.empty()) taken->messages.reserve(source->left_end);
    taken->messages.push_back(message);
    source->next = message->offset + 1;
    InputRecord& record = batch.records.emplace_back();
    record.offset = static_cast<Offset>(message->offset);
    record.received = Instant{rd_kafka_message_timestamp(message, nullptr)};
    record.topic = source->topic;
    record.key = key_of(*message);
    record.value = value_of(*message);
    record.read_headers = pack_headers_of;
    record.message = message;
    bytes += message->len + message->key_len;
  }
  if (ended || !taken->messages.empty()) source->hear_end();
  if (taken->messages.empty()) return absl::OkStatus();
  if (batch.taken.count() == 0 && arrived != 0) batch.taken = std::chrono::nanoseconds(arrived);
  taken->source = source;
  batch.keep.push_back(std::move(taken));
  return absl::OkStatus();
}

void Consumer::folded(std::uint32_t shard, std::uint32_t number, Offset next) {
  if (const std::shared_ptr<Source> source = find(shard, number))
    source->folded.store(static_cast<std::int64_t>(next), std::memory_order_relaxed);
}

std::optional<Offset> Consumer::end(std::uint32_t shard, std::uint32_t number) const {
  const std::shared_ptr<Source> source = find(shard, number);
  if (source == nullptr) return std::nullopt;
  const std::int64_t heard = source->heard_end.load(std::memory_order_relaxed);
  if (heard < 0) return std::nullopt;
  return static_cast<Offset>(heard);
}

}  // namespace spur::kafka
