// How far destinations have got, and what is sent again (docs/protocol.md rules 5 and 6).
#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/log/kafka/outputs_impl.h"
#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "state/check.h"

namespace spur::kafka {

using std::chrono::nanoseconds;

// The highest id that the end of a partition holds. Markers and aborted records take offsets too,
// so where nothing is found it goes further back.
absl::Status Outputs::read_tail(std::uint32_t shard, Tail& tail) const {
  const auto partition = static_cast<std::int32_t>(shard);
  const absl::StatusOr<Kept> kept = admin_.kept(tail.topic, partition, kTailAnswerMax);
  if (!kept.ok()) {
    tail.status = kept.status();
    return absl::OkStatus();
  }
  std::int64_t from = kept->end;
  for (std::int64_t records = kTailRecords; !tail.any && from > kept->begin; records *= 2) {
    const std::int64_t to = std::exchange(from, std::max(kept->begin, kept->end - records));
    auto reader = PartitionReader::open(options_.connection, tail.topic, partition, from);
    if (!reader.ok()) return reader.status();
    std::optional<std::string> foreign;
    tail.status = (*reader)->read(
        to,
        [&](const rd_kafka_message_t& message) {
          const std::optional<RecordId> id = record_id(message);
          if (!id.has_value() || id->deployment != deployment_ || id->shard != shard) {
            foreign = id.has_value() ? id->deployment : "something that is not Spur";
            return false;
          }
          tail.any = true;
          tail.last = std::max(tail.last, id->id);  // a late repeat may stand behind it
          return true;
        },
        kTailAnswerMax);
    if (foreign.has_value())
      return absl::FailedPreconditionError(
          text(tail.topic, "[", partition, "] is written by ", *foreign, " too, and partition ",
               partition, " belongs to shard ", shard, " of deployment ", deployment_,
               " alone; give this deployment another topic"));
    if (!tail.status.ok()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Outputs::Tail>> Outputs::read_tails(
    std::uint32_t shard, const std::vector<std::string>& topics) const {
  std::vector<Tail> tails;
  for (const std::string& topic : topics) {
    Tail& tail = tails.emplace_back();
    tail.topic = topic;
    if (absl::Status read = read_tail(shard, tail); !read.ok()) return read;
  }
  return tails;
}

absl::Status Outputs::apply_tail(Lane& lane, const Tail& tail) {
  // What this owner has sent itself, since a tail was asked for or by transactions, is released.
  const std::uint64_t released = lane.shard->released;
  if (tail.any && tail.last.run > released)
    return absl::AbortedError(text(tail.topic, "[", lane.partition, "] holds an effect of run ",
                                   tail.last.run, " and the journal was read to run ", released));
  if (tail.any) lane.begins = tail.last;
  // Those released since the tail was asked for are beyond it anyway. What stands behind rows of
  // the outbox may have arrived as well, by a commit that was not heard of before they were
  // written.
  for (std::deque<Item>* waiting : {&lane.items, &lane.later}) {
    while (tail.any && !waiting->empty()) {
      const Item item = waiting->front();
      if (id_of(lane.kind, bytes_of(lane.kind, item.run->second.effects, item.index)) > tail.last)
        break;
      wait(lane, false, item.bytes);
      forget(lane, item);
      waiting->pop_front();
    }
  }
  lane.tail_pending = false;
  return absl::OkStatus();
}

absl::Status Outputs::resume(std::uint32_t shard, std::uint64_t acked_through,
                             std::uint64_t seq_last, std::vector<UnsentRun> unsent,
                             const std::vector<Spilled>& spilled) {
  ShardOut& out = *shards_[shard];
  const auto own = static_cast<std::int32_t>(shard);
  std::vector<std::string> topics, fenced;
  {
    const std::lock_guard lock(out.mutex);
    SPUR_CHECK(out.runs.empty());
    for (UnsentRun& one : unsent) {
      if (one.seq > acked_through) enqueue(out, one.seq, std::move(one.effects));
    }
    for (const Spilled& one : spilled) {
      if (one.runs.last <= acked_through) continue;
      lane_of(out, one.outlet).spilled = {std::max(one.runs.first, acked_through + 1),
                                          one.runs.last};
      ++out.spilled_lanes;
    }
    out.released = seq_last;
    out.acked = out.told = acked_through;
    {
      const std::lock_guard all(mutex_);
      for (const auto& [topic, known] : destinations_) {
        if (topic != names_.messages && known->state == Destination::State::kOpen)
          (known->transactional ? fenced : topics).push_back(topic);
      }
    }
    for (const std::string& topic : topics) {
      const EffectKind kind = topic == names_.decisions      ? EffectKind::kDecision
                              : topic == names_.dead_letters ? EffectKind::kDeadLetter
                                                             : EffectKind::kAction;
      lane(out, topic, own, kind);
    }
    for (const auto& [to, lane] : out.lanes) {
      if (lane->kind == EffectKind::kMessage) continue;  // written by all: no tail of ours
      lane->tail_pending = true;
      lane->tail_asking = true;
    }
    // Their tails are read by the senders, once they have fenced whoever came before.
    for (const std::string& topic : fenced) {
      Lane& to = lane(out, topic, own, EffectKind::kAction);
      to.tail_asking = false;
      settle_delivery(to, /*transactional=*/true);
    }
  }
  absl::StatusOr<std::vector<Tail>> tails = read_tails(shard, topics);
  absl::Status result = tails.status();
  {
    const std::lock_guard lock(out.mutex);
    for (const auto& [to, lane] : out.lanes) lane->tail_asking = false;
    for (std::size_t i = 0; result.ok() && i < tails->size(); ++i) {
      const Tail& tail = (*tails)[i];
      if (!tail.status.ok()) {
        logging::warning("output tail", {{"topic", tail.topic}, {"status", tail.status}});
        continue;  // by itself, later
      }
      result = apply_tail(*out.lanes[{tail.topic, own}], tail);
    }
    out.dirty = true;
  }
  if (!result.ok()) {
    drop(shard);
    return result;
  }
  pump_.wake();
  return absl::OkStatus();
}

// Requires the shard's lock.
void Outputs::retry_tails(ShardOut& shard, nanoseconds now) {
  for (const auto& [to, pending] : shard.lanes) {
    Lane& lane = *pending;
    if (!lane.tail_pending || lane.tail_asking || now < lane.tail_retry_at) continue;
    {
      // A topic that is not there yet has no tail; who sends asks for it.
      const std::lock_guard lock(mutex_);
      if (lane.destination->state != Destination::State::kOpen) continue;
    }
    lane.tail_asking = true;
    errands_.run([this, &shard, &lane, generation = shard.generation, number = lane.sender_number] {
      if (stopping_) return;
      absl::StatusOr<std::vector<Tail>> tails = read_tails(shard.shard, {lane.destination->topic});
      absl::Status contradiction = tails.status();
      {
        const std::lock_guard lock(shard.mutex);
        if (shard.generation != generation || lane.sender_number != number) return;
        lane.tail_asking = false;
        if (tails.ok() && (*tails)[0].status.ok()) {
          contradiction = apply_tail(lane, (*tails)[0]);
          lane.tail_pause = nanoseconds(0);
        } else {
          lane.tail_pause = longer(lane.tail_pause);
          lane.tail_retry_at = clock_.read().steady + lane.tail_pause;
        }
        shard.dirty = true;
        // Under the lock, as in begin_transactions().
        if (!contradiction.ok() && events_.contradicted)
          events_.contradicted(shard.shard, contradiction);
      }
      pump_.wake();
    });
  }
}

std::vector<UnsentRun> Outputs::unsent(std::uint32_t shard, std::uint64_t seq) const {
  const ShardOut& out = *shards_[shard];
  std::map<std::uint64_t, RunEffects> found;
  const std::lock_guard lock(out.mutex);
  for (const auto& [to, lane] : out.lanes) {
    for (const std::deque<Item>* items : {&lane->items, &lane->later}) {
      for (const Item& item : *items) {
        if (item.run->first > seq) break;
        RunEffects& effects = found[item.run->first];
        if (item.run->first > out.stored)
          copy_effect(lane->kind, item.run->second.effects, item.index, effects);
      }
    }
  }
  std::vector<UnsentRun> runs;
  for (auto& [run, effects] : found) runs.push_back({run, std::move(effects)});
  return runs;
}

void Outputs::drop(std::uint32_t shard) {
  ShardOut& out = *shards_[shard];
  const std::lock_guard lock(out.mutex);
  ++out.generation;
  for (const auto& [to, lane] : out.lanes) {
    if (lane->sender != nullptr)
      retire_sender(*lane);
    else
      lane->orphans += lane->in_flight;
    lane->items.clear();
    lane->later.clear();
    lane->spilled.reset();
    lane->begins.reset();
    lane->wanted = false;
    lane->in_flight = lane->bytes_in_flight = lane->waiting_bytes = 0;
    lane->tail_pending = lane->tail_asking = false;
    lane->tail_retry_at = lane->tail_pause = nanoseconds(0);
    lane->due = nanoseconds(0);
  }
  out.held.clear();
  out.runs.clear();
  out.waiting_bytes = 0;
  out.spilled_lanes = 0;
  out.wants = false;
  out.released = out.acked = out.told = out.stored = 0;
  out.acked_actions.clear();
  out.acked_action_last = nullptr;
}

}  // namespace spur::kafka
