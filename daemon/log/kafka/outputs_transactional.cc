// Lanes whose channel says `delivery: transactional` (docs/protocol.md rules 5 and 10, H9): what is
// in flight is one transaction, and arrives as a whole.
#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "daemon/log/kafka/outputs_impl.h"
#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "state/check.h"

namespace spur::kafka {

using std::chrono::nanoseconds;

namespace {

constexpr std::chrono::milliseconds kStablePause{2};  // before it is asked again

}  // namespace

bool Outputs::settle_delivery(Lane& lane, bool transactional) {
  if (transactional == (lane.sender != nullptr)) return true;
  if (lane.in_flight > 0 || lane.orphans > 0) return false;
  if (transactional) {
    lane.handle.reset();
    lane.box.reset();
    start_sender(lane);
  } else {
    retire_sender(lane);
    lane.tail_pending = true;  // it may not have come so far as to look
    lane.shard->dirty = true;
  }
  return true;
}

void Outputs::start_sender(Lane& lane) {
  // What is asked of the tail already is of the time before, and comes to nothing.
  lane.tail_pending = lane.tail_asking = false;
  const std::uint64_t number = ++lane.sender_number;
  TransactionalSender::Work work;
  work.begin = [this, &lane, number] { return begin_transactions(lane, number); };
  work.fill = [this, &lane, number](TransactionalProducer& producer) {
    return fill_transaction(lane, number, producer);
  };
  work.committed = [this, &lane, number] { transaction_ended(lane, number, absl::OkStatus()); };
  work.failed = [this, &lane, number](const absl::Status& why) {
    transaction_ended(lane, number, why);
  };
  lane.sender = std::make_unique<TransactionalSender>(
      options_, clock_, text(deployment_, "/", lane.shard->shard, "/", lane.destination->topic),
      TransactionalSender::Marks{names_.delivered, lane.partition, lane.destination->topic},
      std::move(work));
}

// It may be in the middle of a call: it ends by itself, and what it still does is nobody's.
void Outputs::retire_sender(Lane& lane) {
  ++lane.sender_number;
  lane.sender->stop();
  const std::lock_guard lock(mutex_);
  retired_.push_back(std::move(lane.sender));
}

absl::Status Outputs::await_stable(const std::string& topic, std::int32_t partition) {
  const Admin* ends = nullptr;
  {
    const std::lock_guard lock(ends_mutex_);
    if (ends_ == nullptr) {
      auto opened = Admin::open(options_.connection, Admin::Ends::kEverything);
      if (!opened.ok()) return opened.status();
      ends_ = *std::move(opened);
    }
    ends = ends_.get();
  }
  const absl::StatusOr<Kept> all = ends->kept(topic, partition, kTailAnswerMax);
  if (!all.ok()) return all.status();
  const nanoseconds until = clock_.read().steady + kTailAnswerMax;
  for (;;) {
    const absl::StatusOr<Kept> stable = admin_.kept(topic, partition, kTailAnswerMax);
    if (!stable.ok() || stable->end >= all->end) return stable.status();
    if (stopping_ || clock_.read().steady >= until)
      return absl::UnavailableError(text(topic, "[", partition, "] is stable up to ", stable->end,
                                         " of ", all->end, ": a transaction is open there"));
    std::this_thread::sleep_for(kStablePause);
  }
}

absl::Status Outputs::begin_transactions(Lane& lane, std::uint64_t number) {
  ShardOut& shard = *lane.shard;
  Tail tail;
  tail.topic = lane.destination->topic;
  if (absl::Status stable = await_stable(tail.topic, lane.partition); !stable.ok()) return stable;
  absl::Status refused = read_tail(shard.shard, tail);
  if (refused.ok() && !tail.status.ok()) return tail.status;
  if (refused.ok() && !tail.any) {  // nothing was sent yet, or retention has taken it
    const auto mark = read_mark(shard.shard, tail.topic);
    if (!mark.ok()) return mark.status();
    tail.any = mark->has_value();
    if (tail.any) tail.last = **mark;
  }
  {
    const std::lock_guard lock(shard.mutex);
    if (lane.sender_number != number) return absl::CancelledError("the shard was dropped");
    if (refused.ok()) refused = apply_tail(lane, tail);
    shard.dirty = true;
    // Under the lock: what is said of one owner comes before the next one's claim, which clears it.
    if (!refused.ok() && events_.contradicted) events_.contradicted(shard.shard, refused);
  }
  pump_.wake();
  return refused;
}

absl::StatusOr<std::optional<EffectId>> Outputs::read_mark(std::uint32_t shard,
                                                           const std::string& topic) {
  const auto partition = static_cast<std::int32_t>(shard);
  // The shard's senders to other topics write there too.
  if (absl::Status stable = await_stable(names_.delivered, partition); !stable.ok()) return stable;
  const absl::StatusOr<Kept> kept = admin_.kept(names_.delivered, partition, kTailAnswerMax);
  if (!kept.ok()) return kept.status();
  auto reader =
      PartitionReader::open(options_.connection, names_.delivered, partition, kept->begin);
  if (!reader.ok()) return reader.status();
  std::optional<EffectId> last;
  const absl::Status read = (*reader)->read(
      kept->end,
      [&](const rd_kafka_message_t& message) {
        if (key_of(message) != topic) return true;
        const std::optional<RecordId> id = parse_record_id(value_of(message));
        // Of another deployment: it had the same prefix once.
        if (id.has_value() && id->deployment == deployment_ && id->shard == shard) last = id->id;
        return true;
      },
      kTailAnswerMax);
  if (!read.ok()) return read;
  return last;
}

absl::StatusOr<std::string> Outputs::fill_transaction(Lane& lane, std::uint64_t number,
                                                      TransactionalProducer& producer) {
  ShardOut& shard = *lane.shard;
  const std::lock_guard lock(shard.mutex);
  if (stopping_ || lane.sender_number != number || lane.items.empty()) return std::string();
  nanoseconds gap{0};
  {
    const std::lock_guard all(mutex_);
    if (lane.destination->state != Destination::State::kOpen) return std::string();
    gap = lane.destination->gap;
  }
  SPUR_CHECK(lane.in_flight == 0);
  const std::size_t room = may_leave(lane, gap, clock_.read().steady);
  if (room == 0) return std::string();  // woken again when it is due
  while (lane.in_flight < std::min(room, lane.items.size()) &&
         lane.in_flight < kInFlightRecordsMax && lane.bytes_in_flight < kInFlightBytesMax) {
    const absl::Status said =
        producer.send(lane.destination->topic, lane.partition, next_record(lane));
    if (absl::IsResourceExhausted(said) && lane.in_flight > 0) break;
    if (!said.ok()) return said;
    sent(lane);
  }
  const Item& last = lane.items[lane.in_flight - 1];
  std::string mark;
  append_record_id(deployment_, shard.shard,
                   id_of(lane.kind, bytes_of(lane.kind, last.run->second.effects, last.index)),
                   mark);
  return mark;
}

void Outputs::transaction_ended(Lane& lane, std::uint64_t number, const absl::Status& how) {
  ShardOut& shard = *lane.shard;
  {
    const std::lock_guard lock(shard.mutex);
    if (lane.sender_number != number) return;
    if (how.ok()) {
      while (lane.in_flight > 0) arrived(lane);
    } else {
      unsend(lane);
      make_room(shard);
    }
    shard.dirty = true;
    // Fenced: the topic is well. Otherwise it may be gone: looked for, and made again.
    const std::lock_guard all(mutex_);
    if (!how.ok() && !absl::IsAborted(how)) {
      lane.destination->state = Destination::State::kAway;
      lane.destination->retry_at = clock_.read().steady;
    }
  }
  if (!how.ok()) {
    // The topic is away for all, and whoever has something for it looks for it: this shard may have
    // nothing, and another's sender may have found it away just now, and sleep.
    for (const std::unique_ptr<ShardOut>& each : shards_) {
      const std::lock_guard lock(each->mutex);
      each->dirty = true;
    }
  }
  pump_.wake();
  if (!how.ok()) return;
  // A commit is answered before readers are shown what it was of, and whoever reads here is told
  // once.
  const absl::Status shown = await_stable(lane.destination->topic, lane.partition);
  if (!shown.ok()) logging::warning("transaction not shown yet", {{"status", shown}});
  const std::lock_guard lock(shard.mutex);
  if (lane.sender_number != number) return;
  shard.acked_actions.insert(lane.destination);
  shard.acked_action_last = nullptr;
  shard.dirty = true;
  pump_.wake();
}

}  // namespace spur::kafka
