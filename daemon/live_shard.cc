#include "daemon/live_shard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/effect_records.h"
#include "daemon/log/journal_codec.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::chrono::seconds kFlushIntervalMax{60};  // rule 12
constexpr std::uint32_t kCatalogsPerRun = 256;

absl::Status not_live(ShardPhase phase) {
  return absl::UnavailableError(
      absl::StrCat("the shard is ", std::string(to_text(phase)), "; try again later"));
}

}  // namespace

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
  phase_.store(phase, std::memory_order_release);
  publish_stats();
  host_.health_changed();
}

void LiveShard::fail(absl::Status why) {
  if (phase_ == ShardPhase::kFailed) return;
  refuse_waiting();
  set_phase(ShardPhase::kFailed);
  host_.failed(std::move(why));
}

// --- start ---

void LiveShard::recover() {
  RecoverySetup setup;
  setup.shard = {index_,       host_.log.shards(),
                 store_.get(), host_.options.state_memory_bytes_max / host_.log.shards(),
                 &host_.crumb, host_.options.faults.before_input};
  setup.log = &host_.log;
  setup.catalogs = &host_.catalogs;
  setup.node = host_.node;
  setup.libraries = host_.libraries;
  setup.cancelled = [this] { return host_.stopping.load(std::memory_order_relaxed); };
  setup.progress = &progress_;
  absl::StatusOr<RecoveryResult> result = spur::recover(setup);
  if (absl::IsCancelled(result.status())) return set_phase(ShardPhase::kStopped);
  if (!result.ok()) {
    return fail(
        absl::Status(result.status().code(),
                     absl::StrCat("recovery of shard ", index_, ": ", result.status().message())));
  }
  if (auto* park = std::get_if<Park>(&*result)) {
    {
      const std::lock_guard lock(stats_mutex_);
      parked_ = std::move(*park);
    }
    return set_phase(ShardPhase::kParked);
  }
  auto& recovered = std::get<Recovered>(*result);
  owned_ = std::move(recovered.owned);
  behind_ = std::make_unique<WriteBehind>(index_, *owned_, *store_, host_.flusher,
                                          host_.log.deployment(), recovered.stored);
  journal_last_ = released_last_ = recovered.journal_last;
  shard_clock_.emplace(owned_->shard.clock());
  host_.event_clock.raise(owned_->shard.clock());
  host_.log.folded(index_, owned_->stand.input_next);
  // The process before us died in this input, or it was killed while it happened to be there.
  if (const auto crumb = host_.crumb.found(index_);
      crumb && crumb->phase == Breadcrumb::Phase::kLive && crumb->source == kInputSource &&
      crumb->offset >= owned_->stand.input_next) {
    suspect_ = crumb->offset;
    suspect_tried_before_ = recovered.trying && recovered.trying->offset() == crumb->offset;
  }
  if (recovered.barrier_from != 0) {
    spur::v1::JournalEntry entry;
    entry.mutable_barrier()->set_from_fold_version(recovered.barrier_from);
    entry.mutable_barrier()->set_to_fold_version(kFoldVersion);
    append_plain(std::move(entry));
    flush_now_ = true;
  }
  flush_due_ = host_.clock.read().steady +
               std::min<nanoseconds>(host_.options.flush_interval, kFlushIntervalMax);
  set_phase(ShardPhase::kLive);
}

// --- the loop's turn ---

bool LiveShard::may_run() const {
  if (suspect_tried_now_ && !in_flight_.empty()) return false;
  return in_flight_.empty() || (last_run_full_ && in_flight_.size() <= kRunsAheadMax);
}

bool LiveShard::step(const ClockReading& now) {
  if (phase_ != ShardPhase::kLive) return false;
  bool more = false;
  if (may_run() && !sealed_) {
    if (suspect_ && in_flight_.empty() && owned_->stand.input_next == *suspect_) {
      if (suspect_tried_before_)
        quarantine_suspect();
      else if (!suspect_tried_now_)
        try_suspect();
    }
    if (may_run()) {
      const Instant clock = tick(now);
      const Plan next = plan(clock);
      if (next.any() && run(next, now, clock)) more = may_run() && last_run_full_;
    }
  }
  if (phase_ != ShardPhase::kLive) return false;
  more |= flush(now);
  if (draining_) finish_draining();
  return more;
}

Instant LiveShard::tick(const ClockReading& now) {
  if (host_.options.clock_source == EngineClock::kWall) return shard_clock_->tick(now);
  // A shard with inputs of its own follows them; one without follows the others.
  const bool idle = host_.log.input_end(index_) == owned_->stand.input_next;
  return idle ? std::max(owned_->shard.clock(), host_.event_clock.now()) : owned_->shard.clock();
}

LiveShard::Plan LiveShard::plan(Instant clock) const {
  Plan next;
  next.inputs_end = host_.log.input_end(index_);
  next.catalogs = host_.log.catalog_end() > owned_->stand.catalog_next;
  // Without a catalog nothing can be decoded: inputs wait for the first one.
  const bool has_catalog = next.catalogs || owned_->shard.catalog() != nullptr;
  next.inputs = has_catalog && next.inputs_end > owned_->stand.input_next;
  // While stopping, what is due now is due after the next start too; a storm of timers must not
  // hold the stop up.
  next.timers = !draining_ && owned_->shard.next_due() <= clock;
  return next;
}

std::optional<nanoseconds> LiveShard::deadline(const ClockReading& now) const {
  if (phase_ != ShardPhase::kLive) return std::nullopt;
  std::optional<nanoseconds> at;
  if (behind_->idle() && behind_->dirty()) at = flush_due_;
  const Instant due = owned_->shard.next_due();
  if (in_flight_.empty() && host_.options.clock_source == EngineClock::kWall &&
      due != Instant::never()) {
    const Instant clock = std::max(now.wall, owned_->shard.clock());
    const std::int64_t wait_ms =
        std::clamp<std::int64_t>(due <= clock ? 1 : (due - clock).count, 1, 3'600'000);
    const nanoseconds timer = now.steady + nanoseconds(wait_ms * kNanosPerMilli);
    at = at ? std::min(*at, timer) : timer;
  }
  return at;
}

// --- a run ---

bool LiveShard::poll(Offset end, InputBatch& batch) {
  PollLimits limits;
  const Offset next = owned_->stand.input_next;
  limits.records_max =
      static_cast<std::uint32_t>(std::min<Offset>(host_.options.run_inputs_max, end - next));
  // A suspect is folded in a run of its own, and so is nothing that stands before it.
  if (suspect_ && next < *suspect_) {
    limits.records_max =
        static_cast<std::uint32_t>(std::min<Offset>(limits.records_max, *suspect_ - next));
  } else if (suspect_ && next == *suspect_) {
    limits.records_max = 1;
  }
  const absl::Status polled = host_.log.poll_inputs(index_, next, limits, batch);
  if (!polled.ok()) {
    fail(polled);
    return false;
  }
  return true;
}

bool LiveShard::take_catalogs() {
  const auto records = host_.log.poll_catalogs(owned_->stand.catalog_next, kCatalogsPerRun);
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
    owned_->intake.catalog(record, *std::move(compiled));
    owned_->stand.catalog_next = record.offset + 1;
    owned_->stand.catalog_last_hash = record_hash(record);
    owned_->catalog_bytes = record.catalog;
  }
  return true;
}

bool LiveShard::run(const Plan& plan, const ClockReading& now, Instant clock) {
  batch_.clear();
  if (plan.inputs && !poll(plan.inputs_end, batch_)) return false;

  RunStart start;
  start.seq = owned_->stand.journal.seq + 1;
  start.clock = std::max(clock, owned_->shard.clock());
  start.wall = start.clock;
  if (host_.options.clock_source == EngineClock::kEvents) {
    start.mode = ClockMode::kRecords;
    start.wall = Instant::never();
  } else if (!batch_.records.empty() && batch_.records.front().received + kCatchUpAge < now.wall) {
    // Catching up: the clock follows the records, so that timers fire between them as they would
    // have.
    start.mode = ClockMode::kRecords;
    start.clock = owned_->shard.clock();
    start.wall = std::max(clock, owned_->shard.clock());
  }
  tape_.clear();
  effects_.clear();
  owned_->shard.begin_run(start, tape_);
  if (plan.catalogs && !take_catalogs()) return false;
  for (std::size_t i = 0; i < batch_.records.size(); ++i) {
    owned_->intake.look_ahead(batch_.records, i);
    owned_->intake.input(batch_.records[i], effects_);
  }
  if (!batch_.records.empty()) {
    owned_->stand.input_next = batch_.records.back().offset + 1;
    owned_->stand.input_last_hash = record_hash(batch_.records.back());
  }
  const std::uint32_t fired = draining_ ? 0 : owned_->shard.fire_due(kTimersPerRun, effects_);
  const std::uint64_t digest = owned_->shard.end_run();
  owned_->stand.journal.seq = start.seq;
  if (!owned_->customers.status().ok()) {
    fail(owned_->customers.status());
    return false;
  }
  last_run_full_ = batch_.records.size() >= host_.options.run_inputs_max || fired == kTimersPerRun;

  spur::v1::JournalEntry entry;
  entry.set_digest(digest);
  spur::v1::Run& run = *entry.mutable_run();
  for (spur::v1::Slice& slice : owned_->intake.take_slices()) *run.add_slices() = std::move(slice);
  run.set_clock_ms(start.clock.ms);
  run.set_wall_ms(start.wall.ms);
  run.set_clock_mode(static_cast<std::uint32_t>(start.mode));
  run.set_timers_fired(fired);
  run.mutable_scores()->Add(tape_.values().begin(), tape_.values().end());
  append(std::move(entry), effects_, batch_.taken, /*seal=*/false);
  if (phase_ != ShardPhase::kLive) return false;

  if (host_.options.on_run) host_.options.on_run(index_, batch_.records.size());
  if (host_.options.on_withheld) {
    for (const Decision& decision : effects_.decisions) {
      if (decision.verdict != Verdict::kSent) host_.options.on_withheld(decision);
    }
  }

  host_.log.folded(index_, owned_->stand.input_next);
  if (suspect_ && owned_->stand.input_next > *suspect_) {
    suspect_.reset();
    suspect_tried_now_ = false;
  }
  shard_clock_->raise(owned_->shard.clock());
  if (host_.options.clock_source == EngineClock::kEvents &&
      host_.event_clock.raise(owned_->shard.clock())) {
    host_.event_clock_moved();
  }
  owned_->customers.evict();
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
  entry.set_acked_through(in_flight_.empty() ? seq - 1 : in_flight_.front().seq - 1);
  JournalAppend record;
  record.shard = index_;
  record.seq = seq;
  record.entry = encode_entry(entry);
  if (!effects.empty()) {
    const auto& hash = owned_->shard.catalog()->hash;
    record.effects = to_records(effects, host_.log.deployment(),
                                {reinterpret_cast<const char*>(hash.data()), hash.size()});
  }
  in_flight_.push_back(
      {seq, taken, static_cast<std::uint32_t>(record.effects.actions.size()), seal});
  record.done = [this, seq](absl::StatusOr<Offset> offset) {
    if (offset.ok() && host_.options.faults.crash_after_commit &&
        host_.options.faults.crash_after_commit(index_, seq)) {
      return host_.crash();
    }
    // Rule 8, and at once: a subscriber waits for this. The worker hears of it afterwards.
    if (offset.ok() && *offset == released_last_ + 1) {
      released_last_ = *offset;
      host_.log.release(index_, seq);
    }
    post_([this, seq, offset = std::move(offset)] { acknowledged(seq, offset); });
  };
  host_.log.append(std::move(record));
}

// An entry that folds nothing.
void LiveShard::append_plain(spur::v1::JournalEntry entry) {
  ++owned_->stand.journal.seq;
  entry.set_digest(owned_->shard.standing().digest);
  const bool seal = entry.has_seal();
  append(std::move(entry), Effects(), nanoseconds(0), seal);
}

// --- an input that crashed the process (protocol.md §3, "Poison") ---

void LiveShard::try_suspect() {
  spur::v1::JournalEntry entry;
  entry.mutable_trying()->set_source(kInputSource);
  entry.mutable_trying()->set_offset(*suspect_);
  suspect_tried_now_ = true;  // and folded once this is durable, so that a second crash can be told
  append_plain(std::move(entry));
}

void LiveShard::quarantine_suspect() {
  InputBatch batch;
  if (!poll(*suspect_ + 1, batch)) return;
  SPUR_CHECK(!batch.records.empty() && batch.records.front().offset == *suspect_);
  const std::string reason = "the process died in this input, twice";
  spur::v1::JournalEntry entry;
  spur::v1::Quarantine& quarantine = *entry.mutable_quarantine();
  quarantine.set_source(kInputSource);
  quarantine.set_offset(*suspect_);
  quarantine.set_reason(reason);
  quarantine.set_attempts(2);
  tape_.clear();
  effects_.clear();
  const std::uint64_t seq = ++owned_->stand.journal.seq;
  owned_->shard.begin_run({seq, owned_->shard.clock(), Instant::never(), ClockMode::kWall}, tape_);
  owned_->intake.quarantine(batch.records.front(), reason, effects_);
  entry.set_digest(owned_->shard.end_run());
  owned_->stand.input_next = *suspect_ + 1;
  owned_->stand.input_last_hash = record_hash(batch.records.front());
  suspect_.reset();
  ++quarantined_;
  append(std::move(entry), effects_, batch.taken, /*seal=*/false);
  host_.log.folded(index_, owned_->stand.input_next);
}

// --- acknowledged ---

void LiveShard::acknowledged(std::uint64_t seq, absl::StatusOr<Offset> offset) {
  if (phase_ != ShardPhase::kLive) return;
  if (!offset.ok()) return fail(offset.status());
  SPUR_CHECK(!in_flight_.empty() && in_flight_.front().seq == seq);
  // Rule 8. Another offset than the next: somebody else wrote. Whether our entry still counts is
  // for a recovery to find out; nothing of it may leave before.
  if (*offset != journal_last_ + 1) {
    return fail(absl::AbortedError(
        absl::StrCat("shard ", index_, ": another owner writes to the journal")));
  }
  journal_last_ = *offset;
  const InFlight run = in_flight_.front();
  in_flight_.pop_front();
  host_.actions_released.fetch_add(run.actions, std::memory_order_relaxed);
  if (run.actions > 0 && run.taken.count() > 0 && host_.options.on_action_latency) {
    host_.options.on_action_latency(index_, host_.clock.read().steady - run.taken, run.actions);
  }
  while (!waiting_.empty() && waiting_.front().seq <= seq) {
    waiting_.front().answered(absl::OkStatus());
    waiting_.pop_front();
  }
  behind_->verified(seq, *offset);
  if (run.seal) set_phase(ShardPhase::kStopped);
}

void LiveShard::ask(const std::function<void(const ShardView&)>& ask,
                    std::function<void(absl::Status)> answered) {
  if (phase_ != ShardPhase::kLive) return answered(not_live(phase_));
  const std::uint64_t seq = owned_->stand.journal.seq;
  ask(ShardView{owned_->shard, owned_->customers, seq, owned_->shard.clock()});
  if (in_flight_.empty()) return answered(absl::OkStatus());
  waiting_.push_back({seq, std::move(answered)});
}

void LiveShard::refuse_waiting() {
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.answered(not_live(phase_));
}

// --- writing behind ---

bool LiveShard::flush(const ClockReading& now) {
  const bool due = flush_now_ || draining_ || now.steady >= flush_due_;
  // A suspect's Trying must stay in front of the position until the input is past, or its second
  // crash is not known as one.
  if (due && behind_->idle() && behind_->dirty() && !suspect_tried_now_ && !sealed_) {
    flush_now_ = false;
    flush_due_ =
        now.steady + std::min<nanoseconds>(host_.options.flush_interval, kFlushIntervalMax);
    behind_->begin(in_flight_.empty() ? std::optional<Offset>(journal_last_) : std::nullopt);
  }
  const bool more = behind_->encode(host_.clock);
  behind_->submit_if_ready([this](absl::Status status) {
    post_([this, status] {
      if (phase_ != ShardPhase::kLive) return;
      if (!status.ok()) return fail(status);
      behind_->written();
    });
  });
  return more;
}

void LiveShard::finish_draining() {
  if (sealed_ || !in_flight_.empty() || !behind_->idle() || behind_->dirty()) return;
  const bool inputs_left =
      owned_->shard.catalog() != nullptr && host_.log.input_end(index_) > owned_->stand.input_next;
  if (inputs_left) return;
  sealed_ = true;
  spur::v1::JournalEntry entry;
  entry.mutable_seal();
  append_plain(std::move(entry));
}

// --- seen from outside ---

void LiveShard::publish_stats() {
  ShardStats fresh;
  fresh.shard = index_;
  if (owned_ != nullptr) {
    fresh.epoch = owned_->stand.journal.epoch;
    fresh.run_seq = owned_->stand.journal.seq;
    fresh.durable_seq = in_flight_.empty() ? fresh.run_seq : in_flight_.front().seq - 1;
    fresh.input_next = owned_->stand.input_next;
    fresh.state_offset = behind_->stored().offset;
    fresh.state_seq = behind_->stored().seq;
    fresh.quarantined = quarantined_;
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
  stats.input_end = host_.log.input_end(index_);
  stats.journal_end = host_.log.journal_end(index_);
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
