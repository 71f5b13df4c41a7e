// Whose the shard is: assignment, recovery, acknowledgements verified against the journal
// (docs/protocol.md rules 8 to 11), and the way out of any doubt, which is to forget and recover.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/live_shard.h"
#include "daemon/plant.h"
#include "daemon/sources.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"

namespace spur {

using std::chrono::nanoseconds;

// --- assignment ---

void LiveShard::assign() {
  if (assigned_ || finished() || leaving_) return;
  assigned_ = true;
  cancel_recovery_ = false;
  if (phase_ == ShardPhase::kLive) {
    // Rule 11: others may have had it meanwhile. With nothing foreign in the journal it goes on
    // without a new Owner.
    doubt_ = !host_.exclusive && !planted(Plant::kNoWatch);
    retry_at_ = nanoseconds(0);
    if (doubt_) look();
  } else {
    set_phase(ShardPhase::kRecovering);
    if (!dropping_) start_recovery();
  }
}

void LiveShard::revoke() {
  assigned_ = false;
  // Until a newer Owner is in the journal, this one counts, and goes on: whose turn it is has all
  // of a recovery before that.
  if (phase_ == ShardPhase::kRecovering) {
    cancel_recovery_ = true;
    if (!recovering_ && !dropping_) set_phase(ShardPhase::kUnassigned);
  } else if (phase_ == ShardPhase::kParked) {
    // Whoever has it now may have what is missing here; should it come back, it is tried anew.
    {
      const std::lock_guard lock(stats_mutex_);
      parked_.reset();
    }
    set_phase(ShardPhase::kUnassigned);
  }
}

void LiveShard::effects_acked(std::uint64_t seq) {
  std::uint64_t before = acked_.load(std::memory_order_relaxed);
  while (before < seq && !acked_.compare_exchange_weak(before, seq, std::memory_order_acq_rel)) {
  }
}

// --- recovery ---

void LiveShard::start_recovery() {
  if (recovering_) return;  // its result says how to go on
  recovering_ = true;
  auto setup = std::make_shared<RecoverySetup>();
  setup->shard = {index_,
                  host_.log.shards(),
                  store_.get(),
                  host_.options.state_memory_bytes_max / host_.log.shards(),
                  &host_.crumb,
                  host_.options.faults.before_input,
                  host_.fold_version};
  setup->log = &host_.log;
  setup->catalogs = &host_.catalogs;
  setup->snapshots = host_.snapshots;
  setup->node = host_.node;
  setup->libraries = host_.libraries;
  setup->nonce = host_.make_nonce();
  setup->cancelled = [this] {
    return host_.stopping.load(std::memory_order_relaxed) ||
           cancel_recovery_.load(std::memory_order_relaxed);
  };
  setup->progress = &progress_;
  host_.recoveries.run([this, setup] {
    auto result = std::make_shared<absl::StatusOr<RecoveryResult>>(recover(*setup));
    post_([this, result] { recovered(std::move(*result)); });
  });
}

void LiveShard::recovered(absl::StatusOr<RecoveryResult> result) {
  recovering_ = false;
  if (finished()) return;
  const auto later = [this] {
    retry_at_ = host_.clock.read().steady + kRetryAfter;
    if (!assigned_) set_phase(ShardPhase::kUnassigned);
  };
  if (host_.stopping.load(std::memory_order_relaxed)) return set_phase(ShardPhase::kStopped);
  if (absl::IsCancelled(result.status())) {
    retry_at_ = nanoseconds(0);
    return set_phase(assigned_ ? ShardPhase::kRecovering : ShardPhase::kUnassigned);
  }
  if (!result.ok()) {
    // A log of many processes may be out of reach for a while; one that is here may not.
    if (!host_.exclusive && absl::IsUnavailable(result.status()) && host_.log.status().ok())
      return later();
    return fail(
        absl::Status(result.status().code(),
                     absl::StrCat("recovery of shard ", index_, ": ", result.status().message())));
  }
  if (std::holds_alternative<Outrun>(*result)) return later();
  if (auto* why = std::get_if<Park>(&*result)) {
    // Not ours any more: whoever has it may have the state, or the snapshot, that is missing here.
    if (!assigned_) return later();
    return park(std::move(*why));
  }
  go_live(std::move(std::get<Recovered>(*result)));
}

void LiveShard::go_live(Recovered recovered) {
  owned_ = std::move(recovered.owned);
  behind_ =
      std::make_unique<WriteBehind>(index_, *owned_, *store_, host_.flushes, host_.log.deployment(),
                                    recovered.stored, std::move(recovered.outbox), host_.exclusive);
  journal_last_ = recovered.journal_last;
  verified_seq_ = owned_->stand.journal.seq;
  begin_incarnation();
  const ClockReading now = host_.clock.read();
  verified_at_ = now.steady;
  retry_at_ = nanoseconds(0);
  doubt_ = false;
  last_run_full_ = false;
  effects_acked(recovered.acked_through);
  shard_clock_.emplace(owned_->shard.clock());
  host_.event_clock.raise(owned_->shard.clock());
  feeds_ = std::make_unique<Feeds>(host_.log, index_);
  const auto& catalog = owned_->shard.catalog();
  feeds_->follow(owned_->stand, topics_of(catalog.get()));
  sources_due_ = catalog != nullptr;
  sources_late_ = false;
  sources_at_ = nanoseconds(0);
  discovered_.reset();
  for (const SourceStand& at : owned_->stand.sources) {
    if (at.source.source != kCatalogSource) host_.log.folded(index_, at.source.source, at.next);
  }
  // The process before us died in this input, or it was killed while it happened to be there.
  suspect_.reset();
  if (const auto crumb = host_.crumb.found(index_);
      crumb && crumb->phase == Breadcrumb::Phase::kLive) {
    const SourceStand* at = owned_->stand.find(crumb->source);
    if (at != nullptr && crumb->source != kCatalogSource && crumb->offset >= at->next) {
      const auto& trying = recovered.trying;
      // A Trying of our own says that it is being tried, not that it has killed again.
      const bool tried = trying && trying->source() == crumb->source &&
                         trying->offset() == crumb->offset &&
                         (!trying_is_ours_ || planted(Plant::kOwnTryingIsADeath));
      suspect_ = {crumb->source, crumb->offset, tried, false};
    }
  }
  if (recovered.barrier_from != 0) {
    spur::v1::JournalEntry entry;
    entry.mutable_barrier()->set_from_fold_version(recovered.barrier_from);
    entry.mutable_barrier()->set_to_fold_version(host_.fold_version);
    if (!planted(Plant::kNoBarrier)) append_plain(std::move(entry));
    flush_now_ = true;
  }
  flush_due_ = now.steady + std::min<nanoseconds>(host_.options.flush_interval, kFlushIntervalMax);
  snapshot_due_ = now.steady + host_.snapshot_interval;
  snapshot_seq_ = owned_->stand.journal.seq;  // what was there already is in somebody's
  if (phase_ == ShardPhase::kFailed) return;
  set_phase(ShardPhase::kLive);
  look_at_outbox();
  refill();  // what was wanted before there was anybody to ask
}

void LiveShard::begin_incarnation() {
  const std::lock_guard lock(judged_mutex_);
  judged_ = {++incarnation_, verified_seq_, journal_last_};
}

// --- acknowledged ---

void LiveShard::acknowledged(std::uint64_t seq, absl::StatusOr<Offset> offset) {
  if (phase_ != ShardPhase::kLive) return;
  acks_.push_back({seq, std::move(offset)});
  settle_acks();
}

void LiveShard::settle_acks() {
  while (!acks_.empty() && !looking_ && phase_ == ShardPhase::kLive) {
    const Ack ack = acks_.front();
    if (in_flight_.empty() || in_flight_.front().seq > ack.seq) {
      acks_.pop_front();  // found by reading already
      continue;
    }
    SPUR_CHECK(in_flight_.front().seq == ack.seq);
    if (!ack.offset.ok() && ack.offset.status().code() != absl::StatusCode::kUnknown) {
      if (host_.log.refusal(index_).ok()) return fail(ack.offset.status());
      return look();  // the journal says what to think of it
    }
    // Rule 8. Right behind everything that has been judged, the entry counts. Any other place, or
    // none: somebody else wrote, or the acknowledgement was lost; the journal says which.
    if (!ack.offset.ok() && planted(Plant::kNoOffsetIsSuccess)) {
      acks_.pop_front();
      verified(ack.seq, journal_last_ + 1);
      continue;
    }
    if (!ack.offset.ok() ||
        (*ack.offset != journal_last_ + 1 && !planted(Plant::kOffsetNotChecked)))
      return look();
    acks_.pop_front();
    verified(ack.seq, *ack.offset);
  }
}

void LiveShard::verified(std::uint64_t seq, Offset offset) {
  SPUR_CHECK(!in_flight_.empty() && in_flight_.front().seq == seq);
  journal_last_ = offset;
  verified_seq_ = seq;
  verified_at_ = host_.clock.read().steady;
  const InFlight run = in_flight_.front();
  in_flight_.pop_front();
  if (judge()) release(run);  // rule 9
  while (!waiting_.empty() && waiting_.front().seq <= seq) {
    waiting_.front().answered(absl::OkStatus());
    waiting_.pop_front();
  }
  behind_->verified(seq, offset);
  if (run.seal) set_phase(ShardPhase::kStopped);
}

bool LiveShard::judge() {
  const std::lock_guard lock(judged_mutex_);
  judged_.last = std::max(judged_.last, journal_last_);
  return std::exchange(judged_.seq, std::max(judged_.seq, verified_seq_)) < verified_seq_;
}

void LiveShard::look() {
  if (looking_) return;
  looking_ = true;
  const JournalStand stand{owned_->stand.journal.epoch, verified_seq_};
  host_.looks.run([this, stand, from = journal_last_ + 1] {
    // Asked first: a refusal that comes while the journal is read is for the next look.
    const absl::Status refused = host_.log.refusal(index_);
    auto found =
        std::make_shared<absl::StatusOr<ReadBack>>(read_back(host_.log, index_, stand, from));
    post_([this, refused, found] { looked(refused, *found); });  // a drop waits for it
  });
}

void LiveShard::looked(const absl::Status& refused, const absl::StatusOr<ReadBack>& found) {
  looking_ = false;
  if (dropping_) return settle_drop();
  if (phase_ != ShardPhase::kLive) return;
  const nanoseconds now = host_.clock.read().steady;
  if (!found.ok()) {
    if (absl::IsOutOfRange(found.status())) return drop();  // trimmed by a newer owner
    if (host_.exclusive || !host_.log.status().ok()) return fail(found.status());
    retry_at_ = now + kRetryAfter;
    return;
  }
  // Entries of ours that were appended since the look began may be among them: they are in flight
  // and count all the same.
  for (const auto& [seq, offset] : found->ours) {
    if (in_flight_.empty() || in_flight_.front().seq != seq) return drop();
    verified(seq, offset);
    if (phase_ != ShardPhase::kLive) return;
  }
  // Shorter than what we know of it: acknowledged entries are gone, which a recovery can tell.
  if ((found->fenced && !planted(Plant::kNewerOwnerNotSeen)) || found->shorter) return drop();
  // Rule 5, of a destination that could be asked only late: no other owner explains what it holds.
  if (absl::IsAborted(refused))
    return park({ParkReason::kLostRuns,
                 absl::StrCat("a destination has effects of runs behind ", verified_seq_,
                              ", where the journal ends: ", std::string(refused.message()))});
  if (!refused.ok()) return fail(refused);
  if (found->next > 0) journal_last_ = std::max(journal_last_, found->next - 1);
  judge();
  verified_at_ = now;
  doubt_ = false;
  // The acknowledgement that made us look, and its entry does not count or is not there: nothing
  // behind it will (rules 8 and 10).
  if (!acks_.empty() && !in_flight_.empty() && acks_.front().seq == in_flight_.front().seq &&
      (!acks_.front().offset.ok() || *acks_.front().offset < found->next)) {
    return drop();
  }
  settle_acks();
}

// --- in doubt: forget, and recover ---

void LiveShard::drop() {
  if (dropping_) return;
  dropping_ = true;
  if (planted(Plant::kReleaseWhenDropped) && owned_ != nullptr)
    host_.log.release(index_, owned_->stand.journal.seq);
  begin_incarnation();
  set_phase(ShardPhase::kRecovering);
  host_.log.unfollow(index_);
  refuse_waiting();
  settle_drop();
}

void LiveShard::settle_drop() {
  // Whoever still works on it has to come back first: the helper with the store, a look with this
  // incarnation.
  if (looking_ || (behind_ != nullptr && behind_->writing())) return;
  dropping_ = false;
  in_flight_.clear();
  acks_.clear();
  feeds_.reset();
  behind_.reset();
  owned_.reset();
  suspect_.reset();
  sealed_ = flush_now_ = sources_due_ = false;
  outbox_full_ = false;
  if (!assigned_) park_after_drop_.reset();
  if (park_after_drop_) {
    {
      const std::lock_guard lock(stats_mutex_);
      parked_ = std::exchange(park_after_drop_, std::nullopt);
    }
    return set_phase(ShardPhase::kParked);
  }
  if (!assigned_) return set_phase(ShardPhase::kUnassigned);
  start_recovery();
}

void LiveShard::park(Park why) {
  park_after_drop_ = std::move(why);
  drop();
}

// --- the watch ---

void LiveShard::watch(const ClockReading& now) {
  if (phase_ == ShardPhase::kRecovering && assigned_ && !recovering_ && !dropping_ &&
      now.steady >= retry_at_) {
    return start_recovery();
  }
  if (phase_ != ShardPhase::kLive || looking_ || now.steady < retry_at_) return;
  // A look that found the log out of reach, for an acknowledgement that still waits.
  if (!acks_.empty()) return settle_acks();
  if (host_.exclusive || planted(Plant::kNoWatch)) return;
  if (doubt_ || now.steady >= verified_at_ + kWatchEvery) look();
}

}  // namespace spur
