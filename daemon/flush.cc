#include "daemon/flush.h"

#include <utility>

#include "state/check.h"
#include "state/codec/keys.h"

namespace spur {

Flusher::Flusher(Log& log) : log_(log), thread_([this] { loop(); }) {}
Flusher::~Flusher() {
  abandon();
  finish();
}

void Flusher::submit(Job job) {
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
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (dropping_ || jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    absl::Status status = job.store->write(job.batch);
    if (status.ok()) status = job.store->flush();
    // Only now is the position durable, and what lies behind it of no use to a recovery.
    if (status.ok()) status = log_.trim(job.shard, job.inputs_below, job.journal_below);
    job.done(status);
  }
}

WriteBehind::WriteBehind(std::uint32_t shard, OwnedShard& owned, Store& store, Flusher& flusher,
                         const DeploymentId& deployment, const Stored& stored)
    : shard_(shard),
      owned_(owned),
      store_(store),
      flusher_(flusher),
      deployment_(deployment),
      stored_(stored) {}

void WriteBehind::begin(std::optional<Offset> offset) {
  SPUR_CHECK(step_ == Step::kIdle);
  owned_.customers.begin_cut();
  // The offset is filled in when it is known; everything else is as of now.
  position_ = owned_.position(deployment_, 0);
  generation_ = owned_.stand.catalog_next;
  catalog_bytes_ = owned_.catalog_bytes;
  offset_ = offset;
  step_ = Step::kEncoding;
}

bool WriteBehind::encode(const Clock& clock) {
  if (step_ != Step::kEncoding) return false;
  const std::chrono::nanoseconds until = clock.read().steady + kSliceMax;
  do {
    if (owned_.customers.encode_cut(kCustomersAtOnce)) {
      step_ = Step::kEncoded;
      return false;
    }
  } while (clock.read().steady < until);
  return true;
}

void WriteBehind::verified(std::uint64_t seq, Offset offset) {
  if (step_ != Step::kIdle && step_ != Step::kWriting && !offset_ && seq == position_.seq())
    offset_ = offset;
}

void WriteBehind::submit_if_ready(std::function<void(absl::Status)> done) {
  if (step_ != Step::kEncoded || !offset_) return;
  position_.set_journal_offset(*offset_);
  Flusher::Job job;
  job.shard = shard_;
  job.store = &store_;
  job.batch = owned_.customers.take_cut();
  if (generation_ != stored_.generation) {
    job.batch.puts.emplace_back(catalog_key(generation_), catalog_bytes_);
    if (stored_.generation != 0) job.batch.deletes.push_back(catalog_key(stored_.generation));
  }
  job.batch.puts.emplace_back(position_key(), position_.SerializeAsString());
  for (const spur::v1::SourcePosition& source : position_.sources()) {
    if (source.source() == kInputSource) job.inputs_below = source.next_offset();
  }
  job.journal_below = *offset_ + 1;
  job.done = std::move(done);
  step_ = Step::kWriting;
  flusher_.submit(std::move(job));
}

void WriteBehind::written() {
  SPUR_CHECK(step_ == Step::kWriting);
  owned_.customers.cut_written();
  stored_ = {true, position_.seq(), *offset_, generation_};
  ++count_;
  step_ = Step::kIdle;
}

}  // namespace spur
