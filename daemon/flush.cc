#include "daemon/flush.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/give_way.h"
#include "daemon/logging.h"
#include "daemon/plant.h"
#include "daemon/snapshot.h"
#include "state/check.h"
#include "state/codec/keys.h"

namespace spur {

void FlushJob::run(Log& log) {
  // In their order a memtable finds each place right behind the one before: half of the time of
  // this thread.
  std::stable_sort(batch.puts.begin(), std::prev(batch.puts.end()),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  absl::Status status;
  if (planted(Plant::kPositionApart)) {
    StoreBatch rows = batch, position;
    position.puts.push_back(std::move(rows.puts.back()));
    rows.puts.pop_back();
    status = store->write(rows);
    if (status.ok()) status = store->write(position);
  } else {
    status = store->write(batch);
  }
  if (status.ok()) status = store->flush();
  // Only now is the position durable, and what lies behind it of no use to a recovery.
  if (status.ok() && below) status = log.trim(shard, *below);
  if (status.ok() && snapshots != nullptr) {
    const auto kept = snapshots->take(shard, *store);
    if (!kept.ok()) {
      snapshots->count_failure();
      logging::warning("snapshot not taken", {{"shard", shard}, {"status", kept.status()}});
    }
    if (kept.ok() && kept->has_value()) {
      status = log.trim(shard, **kept);
      // A log that is away is trimmed at the next snapshot; what it holds too much of is harmless.
      if (absl::IsUnavailable(status)) {
        logging::warning("log not trimmed", {{"shard", shard}, {"status", status}});
        status = absl::OkStatus();
      }
    }
  }
  done(status);
}

Flusher::Flusher(Log& log) : log_(log), thread_([this] { loop(); }) {}
Flusher::~Flusher() {
  abandon();
  finish();
}

void Flusher::submit(FlushJob job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // crash-only: what is not written is replayed
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Flusher::finish() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Flusher::abandon() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = dropping_ = true;
  }
  wake_.notify_one();
}

void Flusher::loop() {
  give_way();
  for (;;) {
    FlushJob job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (dropping_ || jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job.run(log_);
  }
}

WriteBehind::WriteBehind(std::uint32_t shard, OwnedShard& owned, Store& store, FlushQueue& flushes,
                         const DeploymentId& deployment, const Stored& stored, Outbox outbox,
                         bool trims)
    : shard_(shard),
      owned_(owned),
      store_(store),
      flushes_(flushes),
      trims_(trims),
      outbox_(std::move(outbox)),
      deployment_(deployment),
      stored_(stored) {}

void WriteBehind::begin(std::optional<Offset> offset) {
  SPUR_CHECK(step_ == Step::kIdle);
  owned_.customers.begin_cut();
  // The offset is filled in when it is known; everything else is as of now.
  position_ = owned_.position(deployment_);
  catalog_ = owned_.stand.catalog_next();
  catalog_bytes_ = owned_.catalog_bytes;
  offset_ = offset;
  slice_at_ = {};
  step_ = Step::kEncoding;
}

bool WriteBehind::work(const Clock& clock, bool hurried) {
  if (step_ != Step::kEncoding && step_ != Step::kSettling) return false;
  const std::chrono::nanoseconds begun = clock.read().steady;
  if (!hurried && begun < slice_at_) return false;
  std::chrono::nanoseconds now = begun;
  do {
    if (step_ == Step::kEncoding && owned_.customers.encode_cut(kRowsAtOnce)) {
      step_ = Step::kEncoded;
      return false;
    }
    if (step_ == Step::kSettling && owned_.customers.settle_cut(kRowsAtOnce)) {
      step_ = Step::kIdle;
      return false;
    }
    now = clock.read().steady;
  } while (now < begun + kSliceMax);
  slice_at_ = now + (now - begun);
  return hurried;
}

std::optional<std::chrono::nanoseconds> WriteBehind::next_slice() const {
  if (step_ != Step::kEncoding && step_ != Step::kSettling) return std::nullopt;
  return slice_at_;
}

void WriteBehind::verified(std::uint64_t seq, Offset offset) {
  if (step_ != Step::kIdle && step_ != Step::kWriting && !offset_ && seq == position_.seq())
    offset_ = offset;
}

void WriteBehind::submit(std::uint64_t acked_through, Log& log, Snapshots* snapshots,
                         std::function<void(absl::Status)> done) {
  SPUR_CHECK(ready());
  position_.set_journal_offset(*offset_);
  position_.set_acked_through(std::min<std::uint64_t>(acked_through, position_.seq()));
  FlushJob job;
  job.shard = shard_;
  job.store = &store_;
  job.batch = owned_.customers.take_cut();
  if (catalog_ != stored_.catalog) {
    job.batch.puts.emplace_back(catalog_key(catalog_), catalog_bytes_);
    if (stored_.catalog != 0) job.batch.deletes.push_back(catalog_key(stored_.catalog));
  }
  if (planted(Plant::kChangesNotStored))
    std::erase_if(job.batch.puts, [](const auto& row) { return row.first == references_key(); });
  // Asked after `acked_through` was read: what arrives in between is in neither, and has arrived.
  if (planted(Plant::kNoOutbox))
    position_.set_acked_through(position_.seq());
  else
    outbox_.update(log.unsent(shard_, position_.seq()), log.spilled(shard_), job.batch);
  job.batch.puts.emplace_back(position_key(), position_.SerializeAsString());
  if (trims_ || planted(Plant::kTrimBehindOwnDisk)) job.below = trim_below(position_);
  job.snapshots = snapshots;
  job.done = std::move(done);
  step_ = Step::kWriting;
  flushes_.submit(std::move(job));
}

void WriteBehind::written() {
  SPUR_CHECK(step_ == Step::kWriting);
  stored_ = {true, position_.seq(), *offset_, catalog_};
  ++count_;
  slice_at_ = {};
  step_ = Step::kSettling;
}

}  // namespace spur
