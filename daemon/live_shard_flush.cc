// How a shard is written behind, copied, and brought to rest when it leaves.
#include <algorithm>
#include <utility>

#include "daemon/live_shard.h"
#include "daemon/logging.h"
#include "daemon/plant.h"

namespace spur {

using std::chrono::nanoseconds;

nanoseconds LiveShard::flush_due(const ClockReading& now) const {
  if (crowded_out()) return now.steady;
  const bool pressed = outbox_full() || host_.log.waiting(index_) != Log::Waiting::kLittle;
  return pressed ? std::min(flush_due_, flush_begun_ + kCrowdedFlushEvery) : flush_due_;
}

// More than the outbox may hold: nothing is taken until destinations have taken something.
void LiveShard::look_at_outbox() {
  const std::uint64_t bytes = behind_->outbox().bytes();
  const std::uint64_t max = host_.options.outbox_bytes_max / host_.log.shards();
  const bool full = bytes > max;
  if (outbox_full_.exchange(full, std::memory_order_acq_rel) == full) return;
  if (full)
    logging::error(
        "outbox full: the shard takes nothing until a destination takes what waits for it",
        {{"shard", index_}, {"bytes", bytes}, {"state.outbox_bytes_max", max}});
  host_.health_changed();
}

void LiveShard::refill() {
  while (phase_ == ShardPhase::kLive) {
    const std::optional<Spilled> wanted = host_.log.wanted(index_);
    if (!wanted) return;
    std::uint64_t through = 0;
    auto rows = behind_->outbox().read(*store_, wanted->runs, kRefillBytesMax, through);
    if (!rows.ok()) return fail(rows.status());
    host_.log.refill(index_, wanted->outlet, *std::move(rows), through);
  }
}

bool LiveShard::copy_wanted() const {
  return host_.snapshots != nullptr && snapshot_seq_ != owned_->stand.journal.seq;
}

bool LiveShard::archived() const {
  return host_.snapshots == nullptr || archived_seq_ == behind_->stored().seq;
}

bool LiveShard::flush(const ClockReading& now) {
  // After a busy time that nothing follows there is little to write, and much to replay for
  // whoever has only the last copy.
  const bool copy_due = copy_wanted() && now.steady >= snapshot_due_;
  const bool due = flush_now_ || draining_ || copy_due || now.steady >= flush_due(now);
  // A suspect's Trying must stay in front of the position until the input is past, or its second
  // crash is not known as one.
  // Held up, it is written to make room, though nothing was folded since.
  const bool wanted = behind_->dirty() || held_up() || copy_due || (draining_ && !archived());
  if (due && behind_->idle() && wanted && !trying() && !sealed_) {
    flush_now_ = false;
    flush_begun_ = now.steady;
    flush_due_ =
        now.steady + std::min<nanoseconds>(host_.options.flush_interval, kFlushIntervalMax);
    if (planted(Plant::kFlushUnverified))
      behind_->begin(journal_last_ + in_flight_.size());
    else
      behind_->begin(in_flight_.empty() ? std::optional<Offset>(journal_last_) : std::nullopt);
  }
  const bool settling = behind_->settling();
  const bool more = behind_->work(host_.clock, /*hurried=*/draining_ || held_up());
  if (settling && behind_->idle()) owned_->customers.evict();
  if (!behind_->ready()) return more;
  Snapshots* snapshots = nullptr;
  if (host_.snapshots != nullptr && (draining_ || now.steady >= snapshot_due_)) {
    snapshots = host_.snapshots;
    snapshot_due_ = now.steady + host_.snapshot_interval;
    snapshot_seq_ = behind_->cut_seq();
  }
  behind_->submit(acked_.load(std::memory_order_acquire), host_.log, snapshots,
                  [this, archived = snapshots != nullptr](absl::Status status) {
                    post_([this, archived, status] {
                      if (finished() || behind_ == nullptr) return;
                      if (!status.ok()) return fail(status);
                      behind_->written();
                      if (archived) archived_seq_ = behind_->stored().seq;
                      if (phase_ == ShardPhase::kLive) {
                        host_.log.stored(index_, behind_->stored().seq);
                        look_at_outbox();
                      }
                      if (dropping_) settle_drop();
                    });
                  });
  return more;
}

void LiveShard::hand_over() {
  assigned_ = false;
  leave();
}

void LiveShard::drain() {
  draining_ = true;
  leave();
}

void LiveShard::leave() {
  leaving_ = true;
  const bool idle = phase_ == ShardPhase::kRecovering && !recovering_ && !dropping_;
  if (phase_ == ShardPhase::kUnassigned || idle) set_phase(ShardPhase::kStopped);
}

void LiveShard::finish_draining() {
  if (sealed_ || !in_flight_.empty() || looking_) return;
  if (!behind_->idle() || behind_->dirty()) return;
  // A later version may begin on another disk, and cannot replay runs of this one.
  if (!archived() && !trying()) return;
  // They wait where they are, if there is no room for what would come of them.
  const bool inputs_left = !outbox_full() && owned_->shard.catalog() != nullptr &&
                           !feeds_->at_end(owned_->stand, /*unheard=*/true);
  if (inputs_left) return;
  sealed_ = true;
  spur::v1::JournalEntry entry;
  entry.mutable_seal();
  append_plain(std::move(entry));
}

}  // namespace spur
