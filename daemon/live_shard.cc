#include "daemon/live_shard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/effect_records.h"
#include "daemon/log/journal_codec.h"
#include "daemon/plant.h"
#include "daemon/sources.h"
#include "operators/catalog/compiled.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::uint32_t kCatalogsPerRun = 256;
// Times as long as a run took that told customers of a change, before the next one: a shard spends
// a tenth of its time on it, while events come and while none do.
constexpr int kTellPause = 9;
// Customers that lie on disk take some thirty times as long: a slice becomes as small as it takes.
constexpr std::chrono::microseconds kTellLongest{500};

absl::Status not_live(ShardPhase phase) {
  return absl::UnavailableError(
      absl::StrCat("the shard is ", std::string(to_text(phase)), "; try again later"));
}

}  // namespace

std::string_view to_text(ShardPhase phase) {
  switch (phase) {
    case ShardPhase::kRecovering:
      return "recovering";
    case ShardPhase::kLive:
      return "live";
    case ShardPhase::kParked:
      return "parked";
    case ShardPhase::kFailed:
      return "failed";
    case ShardPhase::kStopped:
      return "stopped";
    case ShardPhase::kUnassigned:
      return "unassigned";
  }
  return "unknown";
}

bool EventClock::raise(Instant to) {
  std::int64_t before = now_.load(std::memory_order_relaxed);
  while (before < to.ms) {
    if (now_.compare_exchange_weak(before, to.ms, std::memory_order_acq_rel)) return true;
  }
  return false;
}

LiveShard::LiveShard(std::uint32_t index, ShardHost& host, std::unique_ptr<Store> store,
                     std::function<void(std::function<void()>)> post)
    : index_(index), host_(host), store_(std::move(store)), post_(std::move(post)) {
  stats_.shard = index;
}
LiveShard::~LiveShard() = default;

void LiveShard::set_phase(ShardPhase phase) {
  if (phase == ShardPhase::kUnassigned && leaving_) phase = ShardPhase::kStopped;
  phase_.store(phase, std::memory_order_release);
  publish_stats();
  host_.health_changed();
}

void LiveShard::fail(absl::Status why) {
  if (finished()) return;
  refuse_waiting();
  set_phase(ShardPhase::kFailed);
  host_.failed(std::move(why));
}

// --- the loop's turn ---

bool LiveShard::crowded_out() const {
  return owned_->customers.over_limit() &&
         owned_->customers.memory_bytes() >
             kCrowdedTimesMax * host_.options.state_memory_bytes_max / host_.log.shards() &&
         behind_->dirty();
}

// A slow disk, or a destination that is away: inputs wait where they are durable, not here.
bool LiveShard::held_up() const {
  // Once all is written there is no room to be made by waiting.
  const bool too_much = host_.log.waiting(index_) == Log::Waiting::kTooMuch && behind_->dirty();
  return outbox_full() || too_much || crowded_out();
}

bool LiveShard::may_run() const {
  if (doubt_ || sealed_) return false;
  // What is tried has to be past before anything is written.
  if (held_up() && !(suspect_ && suspect_->tried_now)) return false;
  // The topics of a new catalog are asked for, and may have a past that goes first.
  if (discovering_ && !sources_late_) return false;
  if (suspect_ && suspect_->tried_now && !in_flight_.empty()) return false;
  return in_flight_.empty() || (last_run_full_ && in_flight_.size() <= kRunsAheadMax);
}

bool LiveShard::step(const ClockReading& now) {
  watch(now);
  if (phase_ != ShardPhase::kLive) return false;
  bool more = false;
  if (may_run()) more = make_run(now);
  if (phase_ != ShardPhase::kLive) return false;
  more |= flush(now);
  if (draining_) finish_draining();
  return more;
}

bool LiveShard::make_run(const ClockReading& now) {
  if (sources_due_ && now.steady >= sources_at_) {
    add_sources();
    if (phase_ != ShardPhase::kLive || !may_run()) return false;
  }
  if (suspect_ && suspect_is_next(now)) {
    if (!in_flight_.empty()) return false;  // tried alone, so that what kills is known
    if (suspect_->tried_before) {
      quarantine_suspect(now);
    } else if (!suspect_->tried_now) {
      try_suspect();
    }
    if (phase_ != ShardPhase::kLive || !may_run()) return false;
  }
  const Instant clock = tick(now);
  const std::optional<Plan> next = plan(clock, now);
  if (!next || !next->any() || !run(*next, now, clock)) return false;
  told_last_ = next->tells_only();
  if (told_last_) pace_telling(now.steady);
  return may_run() && (last_run_full_ || told_last_);
}

void LiveShard::pace_telling(nanoseconds begun) {
  const nanoseconds ended = host_.clock.read().steady;
  tell_at_ = ended + (ended - begun) * kTellPause;
  if (ended - begun > kTellLongest) {
    tell_slice_ = std::max(tell_slice_ / 2, 1U);
  } else if (ended - begun < kTellLongest / 4) {
    tell_slice_ = std::min(tell_slice_ * 2, kToldPerRun);
  }
}

Instant LiveShard::tick(const ClockReading& now) {
  if (host_.options.clock_source == EngineClock::kWall) {
    const Instant ticked = shard_clock_->tick(now);
    if (!shard_clock_->held()) return ticked;
    const std::optional<ClockReading> heard = host_.log.witness(index_);
    if (!heard.has_value()) return ticked;
    shard_clock_->witness(*heard);
    return shard_clock_->tick(now);
  }
  // A shard with inputs of its own follows them; one without follows the others.
  return feeds_->at_end(owned_->stand) ? std::max(owned_->shard.clock(), host_.event_clock.now())
                                       : owned_->shard.clock();
}

std::optional<LiveShard::Plan> LiveShard::plan(Instant clock, const ClockReading& now) {
  Plan next;
  if (absl::Status filled = feeds_->fill(owned_->stand, host_.options.run_inputs_max);
      !filled.ok()) {
    if (absl::IsOutOfRange(filled)) {
      park({ParkReason::kTrimmed,
            absl::StrCat("inputs that were not folded are gone: ", filled.message())});
    } else {
      fail(std::move(filled));
    }
    return std::nullopt;
  }
  // Looked at after the inputs: none of those waits for a version that is not known here.
  next.catalogs = host_.log.catalog_end() > owned_->stand.catalog_next();
  // Without a catalog nothing can be decoded: inputs wait for the first one.
  const bool has_catalog = next.catalogs || owned_->shard.catalog() != nullptr;
  next.inputs = feeds_->next(owned_->stand, now.wall).has_value() && has_catalog;
  // While stopping, what is due now is due after the next start too; a storm of timers must not
  // hold the stop up. And no timer may overtake history that is on its way (H22).
  const bool on_time = !draining_ && !feeds_->waiting();
  next.timers = on_time && owned_->shard.next_timer() <= clock;
  if (!on_time || owned_->shard.next_telling() > clock) return next;
  if (host_.options.clock_source == EngineClock::kEvents || catching_up(next, now)) {
    next.told = kToldPerRun;
  } else if (!next.any() || (!next.catalogs && !told_last_)) {
    // Told in a run of its own, so that an event that comes meanwhile waits for that slice at most,
    // and no event for one in its own run.
    if (now.steady >= tell_at_) next = {.told = tell_slice_};
  }
  return next;
}

std::optional<nanoseconds> LiveShard::deadline(const ClockReading& now) const {
  if (phase_ == ShardPhase::kRecovering && assigned_ && !recovering_ && !dropping_)
    return retry_at_;
  if (phase_ != ShardPhase::kLive) return std::nullopt;
  std::optional<nanoseconds> at;
  const auto sooner = [&](nanoseconds candidate) {
    at = at ? std::min(*at, candidate) : candidate;
  };
  if (behind_->idle() && (behind_->dirty() || held_up())) sooner(flush_due(now));
  if (const auto slice = behind_->next_slice()) sooner(*slice);
  if (behind_->idle() && copy_wanted()) sooner(snapshot_due_);
  if (!host_.exclusive && !looking_) sooner(std::max(verified_at_ + kWatchEvery, retry_at_));
  if (sources_due_ && !discovering_ && may_run()) sooner(sources_at_);
  if (!in_flight_.empty()) return at;
  const Instant clock = std::max(now.wall, owned_->shard.clock());
  const auto sooner_by_wall = [&](Instant due) {
    if (host_.options.clock_source != EngineClock::kWall || due == Instant::never()) return;
    const std::int64_t wait_ms =
        std::clamp<std::int64_t>(due <= clock ? 1 : (due - clock).count, 1, 3'600'000);
    sooner(now.steady + nanoseconds(wait_ms * kNanosPerMilli));
  };
  sooner_by_wall(owned_->shard.next_timer());
  const Instant telling = owned_->shard.next_telling();
  if (telling <= owned_->shard.clock()) {
    sooner(std::max(tell_at_, now.steady + nanoseconds(kNanosPerMilli)));
  } else {
    sooner_by_wall(telling);
  }
  return at;
}

// --- a run ---

bool LiveShard::take_catalogs() {
  const auto records = host_.log.poll_catalogs(owned_->stand.catalog_next(), kCatalogsPerRun);
  if (!records.ok()) {
    fail(records.status());
    return false;
  }
  for (const CatalogRecord& record : *records) {
    auto compiled = host_.catalogs.compiled(record.catalog);
    if (!compiled.ok()) {
      fail(compiled.status());
      return false;
    }
    owned_->take(record, *std::move(compiled));
    sources_due_ = true;
    sources_late_ = false;
    sources_at_ = nanoseconds(0);
  }
  return true;
}

std::uint32_t LiveShard::take_inputs(const ClockReading& now, nanoseconds& arrived) {
  std::uint32_t count = 0;
  while (count < host_.options.run_inputs_max) {
    std::optional<Feeds::Record> next = feeds_->next(owned_->stand, now.wall);
    if (!next) break;
    if (next->arrived.count() > 0 && (arrived.count() == 0 || next->arrived < arrived))
      arrived = next->arrived;
    for (const InputRecord* record = next->record; record != nullptr;) {
      // A suspect is folded in a run of its own.
      const bool suspected =
          suspect_ && suspect_->source == next->source && suspect_->offset == record->offset;
      if (count == host_.options.run_inputs_max || (suspected && count > 0)) return count;
      owned_->intake.look_ahead({record, next->end}, record == next->record);
      owned_->intake.input(next->source, *record, effects_);
      ++count;
      next->record = record;
      taken(*next);
      record = feeds_->take(*next);
      if (suspected) return count;
    }
  }
  return count;
}

void LiveShard::taken(const Feeds::Record& record) {
  for (Feeds::Record& last : last_taken_) {
    if (last.source != record.source) continue;
    last.record = record.record;
    return;
  }
  last_taken_.push_back(record);
}

bool LiveShard::catching_up(const Plan& plan, const ClockReading& now) const {
  // A catalog may name topics with a past. Until that is known the clock stays where it is, or a
  // deployment's first catalog would make all of its history late.
  if (!plan.inputs) return !host_.exclusive && plan.catalogs;
  return feeds_->next(owned_->stand, now.wall)->record->received + IntakeOrder::kCatchUpAge <
         now.wall;
}

bool LiveShard::run(const Plan& plan, const ClockReading& now, Instant clock) {
  RunStart start;
  start.seq = owned_->stand.journal.seq + 1;
  start.clock = std::max(clock, owned_->shard.clock());
  start.wall = start.clock;
  if (host_.options.clock_source == EngineClock::kEvents) {
    start.mode = ClockMode::kRecords;
    start.wall = Instant::never();
  } else if (catching_up(plan, now)) {
    // The clock follows the records, so that timers fire between them as they would
    // have.
    start.mode = ClockMode::kRecords;
    start.clock = owned_->shard.clock();
    start.wall = std::max(clock, owned_->shard.clock());
  }
  tape_.clear();
  effects_.clear();
  last_taken_.clear();
  nanoseconds arrived{0};
  owned_->shard.begin_run(start, tape_);
  if (plan.catalogs && !take_catalogs()) return false;
  const std::uint32_t inputs = plan.inputs ? take_inputs(now, arrived) : 0;
  for (const Feeds::Record& last : last_taken_) {
    SourceStand& at = owned_->stand.of(last.source);
    at.next = last.record->offset + 1;
    if (!planted(Plant::kLastHashNotMoved)) at.last_hash = record_hash(*last.record);
  }
  Shard::Steps fired{0, 0};
  if (!draining_ && !feeds_->waiting()) {
    fired = owned_->shard.fire_due({host_.options.run_timers_max, plan.told}, effects_);
  }
  const std::uint64_t digest = owned_->shard.end_run();
  owned_->stand.journal.seq = start.seq;
  if (!owned_->customers.status().ok()) {
    fail(owned_->customers.status());
    return false;
  }
  last_run_full_ =
      inputs >= host_.options.run_inputs_max || fired.all == host_.options.run_timers_max;

  spur::v1::JournalEntry entry;
  entry.set_digest(digest);
  spur::v1::Run& run = *entry.mutable_run();
  for (spur::v1::Slice& slice : owned_->intake.take_slices()) *run.add_slices() = std::move(slice);
  run.set_clock_ms(start.clock.ms);
  run.set_wall_ms(start.wall.ms);
  run.set_clock_mode(static_cast<std::uint32_t>(start.mode));
  run.set_timers_fired(fired.all);
  run.set_told(fired.told);
  run.mutable_scores()->Add(tape_.values().begin(), tape_.values().end());
  append(std::move(entry), effects_, arrived, /*seal=*/false);
  if (phase_ != ShardPhase::kLive) return false;

  if (host_.options.on_run) host_.options.on_run(index_, inputs);
  if (host_.options.on_withheld) {
    for (const Decision& decision : effects_.decisions) {
      if (!decision.leaves()) host_.options.on_withheld(decision);
    }
  }

  for (const Feeds::Record& last : last_taken_)
    host_.log.folded(index_, last.source, owned_->stand.of(last.source).next);
  if (suspect_ && owned_->stand.of(suspect_->source).next > suspect_->offset) suspect_.reset();
  shard_clock_->raise(owned_->shard.clock());
  if (host_.options.clock_source == EngineClock::kEvents &&
      host_.event_clock.raise(owned_->shard.clock())) {
    host_.event_clock_moved();
  }
  owned_->customers.evict();
  // Only what is written can leave memory.
  if (owned_->customers.over_limit())
    flush_due_ = std::min(flush_due_, flush_begun_ + kCrowdedFlushEvery);
  return true;
}

void LiveShard::append(spur::v1::JournalEntry entry, const Effects& effects, nanoseconds taken,
                       bool seal) {
  const std::uint64_t seq = owned_->stand.journal.seq;
  if (host_.options.faults.crash_before_append &&
      host_.options.faults.crash_before_append(index_, seq)) {
    set_phase(ShardPhase::kStopped);
    return host_.crash();
  }
  entry.set_epoch(owned_->stand.journal.epoch);
  entry.set_seq(seq);
  entry.set_acked_through(planted(Plant::kAckedThroughTooFar)
                              ? seq - 1
                              : std::min(acked_.load(std::memory_order_acquire), seq - 1));
  JournalAppend record;
  record.shard = index_;
  record.epoch = entry.epoch();
  record.seq = seq;
  record.entry = encode_entry(entry);
  if (!effects.empty()) {
    const auto& hash = owned_->shard.catalog()->hash;
    record.effects = to_records(index_, effects, host_.log.deployment(),
                                {reinterpret_cast<const char*>(hash.data()), hash.size()});
  }
  const InFlight run{seq, taken, static_cast<std::uint32_t>(record.effects.actions.size()), seal};
  in_flight_.push_back(run);
  record.done = [this, run, incarnation = incarnation_](absl::StatusOr<Offset> offset) {
    const std::uint64_t seq = run.seq;
    if (offset.ok() && host_.options.faults.crash_after_commit &&
        host_.options.faults.crash_after_commit(index_, seq)) {
      return host_.crash();
    }
    // A subscriber waits for this; the worker hears of it afterwards.
    if (offset.ok()) release_early(incarnation, run, *offset);
    post_([this, seq, incarnation, offset = std::move(offset)] {
      if (incarnation == incarnation_) acknowledged(seq, offset);
    });
  };
  host_.log.append(std::move(record));
  if (planted(Plant::kReleaseBeforeAck)) host_.log.release(index_, seq);
}

void LiveShard::release_early(std::uint64_t incarnation, const InFlight& run, Offset offset) {
  const std::lock_guard lock(judged_mutex_);
  const bool next = run.seq == judged_.seq + 1 || planted(Plant::kReleaseOutOfTurn);
  if (incarnation != judged_.incarnation || !next || offset != judged_.last + 1) return;
  judged_.seq = run.seq;
  judged_.last = offset;
  release(run);
}

void LiveShard::release(const InFlight& run) {
  host_.log.release(index_, run.seq);
  if (run.actions == 0) return;
  host_.actions_released.fetch_add(run.actions, std::memory_order_relaxed);
  if (run.taken.count() > 0 && host_.options.on_action_latency) {
    host_.options.on_action_latency(index_, host_.clock.read().steady - run.taken, run.actions);
  }
}

// An entry that folds nothing.
void LiveShard::append_plain(spur::v1::JournalEntry entry) {
  ++owned_->stand.journal.seq;
  entry.set_digest(owned_->shard.standing().digest);
  const bool seal = entry.has_seal();
  append(std::move(entry), Effects(), nanoseconds(0), seal);
}

// --- questions ---

void LiveShard::ask(const std::function<void(const ShardView&)>& ask,
                    std::function<void(absl::Status)> answered) {
  if (phase_ != ShardPhase::kLive) return answered(not_live(phase_));
  // H21: another process may have taken over and folded more, for all that is known here.
  if (!host_.exclusive &&
      (doubt_ || host_.clock.read().steady > verified_at_ + 2 * nanoseconds(kWatchEvery))) {
    return answered(absl::UnavailableError(
        "the shard has not heard of its journal for a while; try again, or ask its owner"));
  }
  const std::uint64_t seq = owned_->stand.journal.seq;
  ask(ShardView{owned_->shard, owned_->customers, seq, owned_->shard.clock(),
                owned_->catalog_bytes});
  if (in_flight_.empty()) return answered(absl::OkStatus());
  waiting_.push_back({seq, std::move(answered)});
}

void LiveShard::refuse_waiting() {
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.answered(not_live(phase_));
}

// --- seen from outside ---

void LiveShard::publish_stats() {
  ShardStats fresh;
  fresh.shard = index_;
  if (owned_ != nullptr) {
    fresh.epoch = owned_->stand.journal.epoch;
    fresh.run_seq = owned_->stand.journal.seq;
    fresh.durable_seq = verified_seq_;
    for (const SourceStand& at : owned_->stand.sources) {
      if (at.source.source == kCatalogSource) continue;
      fresh.input_next += at.next;
      if (at.source.source == kInputSource) continue;  // stats() has its end as of then
      const std::optional<Offset> end = feeds_->end_of(at);
      fresh.input_end += end.value_or(at.next);
      if (!end) ++fresh.ends_unheard;
    }
    fresh.catalogs = owned_->stand.catalogs;
    fresh.journal_end = journal_last_ + 1;
    fresh.state_offset = behind_->stored().offset;
    fresh.state_seq = behind_->stored().seq;
    fresh.quarantined = quarantined_;
    fresh.outbox_bytes = behind_->outbox().bytes();
    fresh.held_up = held_up();
    fresh.flushes = behind_->count();
    fresh.clock = owned_->shard.clock();
    fresh.next_due = owned_->shard.next_due();
    fresh.clock_held = shard_clock_->held();
    fresh.customers_in_memory = owned_->customers.in_memory();
    fresh.customer_bytes = owned_->customers.memory_bytes();
    fresh.customers_dirty = owned_->customers.dirty_count();
    fresh.timers = owned_->customers.planned();
    fresh.counters = owned_->shard.counters();
    fresh.triggers = owned_->shard.trigger_counters();
    fresh.catalog = owned_->shard.catalog();
  }
  const std::lock_guard lock(stats_mutex_);
  stats_ = std::move(fresh);
}

ShardStats LiveShard::stats() const {
  ShardStats stats;
  {
    const std::lock_guard lock(stats_mutex_);
    stats = stats_;
  }
  stats.phase = phase_.load(std::memory_order_acquire);
  stats.input_end += host_.log.input_end_heard(index_, TopicSource()).value_or(0);  // as of now
  stats.replayed = progress_.replayed;
  stats.to_replay = progress_.to_replay;
  stats.divergences = progress_.divergences;
  stats.inputs_changed = progress_.inputs_changed;
  if (const auto* rocks = dynamic_cast<const RocksStore*>(store_.get()))
    stats.store_bytes = rocks->disk_bytes();
  return stats;
}

std::optional<Park> LiveShard::parked() const {
  const std::lock_guard lock(stats_mutex_);
  return parked_;
}

}  // namespace spur
