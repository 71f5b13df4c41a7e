// Appending: publishers, runs, catalogs and cursors into one queue, and the thread that commits it.
// Opening is in embedded_open.cc, reading and expiry in embedded_reads.cc and embedded_expiry.cc.
#include "daemon/log/embedded_log.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/embedded_rows.h"
#include "spur/v1/log.pb.h"
#include "state/check.h"

namespace spur {
namespace {

absl::Status stopped() { return absl::UnavailableError("the log has stopped"); }

}  // namespace

// --- appending ---

absl::StatusOr<std::vector<Offset>> EmbeddedLog::append_inputs(
    std::span<const InputAppend> inputs, std::function<void(absl::Status)> done) {
  // Rows are made before the lock is taken. One per shard that is touched; few shards, so found by
  // looking.
  struct Making {
    std::uint32_t shard = 0;
    embedded::InputRowWriter row;
    std::shared_ptr<Chunk> chunk;
  };
  std::vector<Making> makings;
  std::vector<std::pair<std::size_t, std::size_t>>
      places;  // of each input: which row, which record
  places.reserve(inputs.size());
  for (const InputAppend& input : inputs) {
    SPUR_CHECK(input.shard < shards_.size());
    auto making = std::find_if(makings.begin(), makings.end(),
                               [&](const Making& m) { return m.shard == input.shard; });
    if (making == makings.end()) {
      makings.emplace_back().shard = input.shard;
      making = makings.end() - 1;
    }
    places.emplace_back(making - makings.begin(), making->row.count());
    making->row.add(input.source, input.key, input.value);
  }
  const ClockReading now = clock_.read();
  std::size_t bytes = 0;
  for (Making& making : makings) {
    auto chunk = std::make_shared<Chunk>();
    chunk->row = making.row.finish(now.wall);
    chunk->taken = now.steady;
    SPUR_CHECK(embedded::parse_input_row(chunk->row, 0, chunk->records));
    bytes += chunk->row.size();
    making.chunk = std::move(chunk);
  }

  std::vector<Offset> offsets(inputs.size());
  {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) return status_;
    if (stopping_) return stopped();
    for (const Making& making : makings) {
      const ShardLog& shard = shards_[making.shard];
      const std::uint64_t events = shard.input_end - shard.folded + making.chunk->records.size();
      // An empty queue takes anything: a publication larger than the limit must not be refused for
      // ever.
      const bool empty = shard.input_end == shard.folded;
      if (!empty && (events > options_.queue_events_max ||
                     shard.queued_bytes + making.chunk->row.size() > options_.queue_bytes_max)) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "the queue of shard ", making.shard, " is full (", shard.input_end - shard.folded,
            " events, ", shard.queued_bytes, " bytes); try again shortly"));
      }
    }
    Inputs appended;
    appended.done = std::move(done);
    for (Making& making : makings) {
      ShardLog& shard = shards_[making.shard];
      making.chunk->first = shard.input_end;
      shard.input_end = making.chunk->end();
      shard.queued_bytes += making.chunk->row.size();
      shard.tail.push_back(making.chunk);
      if (shard.live && shard.runs_in_flight == 0) expect_run(shard, true);
      appended.chunks.emplace_back(making.shard, making.chunk);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      offsets[i] = makings[places[i].first].chunk->first + places[i].second;
    }
    enqueue(std::move(appended), bytes);
  }
  wake_.notify_one();
  if (watcher_.inputs) {
    for (const Making& making : makings) watcher_.inputs(making.shard);
  }
  return offsets;
}

void EmbeddedLog::append_catalog(std::string catalog, std::string comment,
                                 std::function<void(absl::StatusOr<Offset>)> done) {
  spur::v1::CatalogVersion version;
  version.set_catalog(std::move(catalog));
  version.set_comment(std::move(comment));
  version.set_received_ms(clock_.read().wall.ms);
  NewCatalog record{0, version.SerializeAsString(), gaps_of(version.catalog()), std::move(done)};
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    refused = !status_.ok() ? status_ : stopping_ ? stopped() : absl::OkStatus();
    if (refused.ok() && catalog_end_ >= kCatalogVersionsMax) refused = too_many_catalogs();
    if (refused.ok()) {
      record.offset = catalog_end_++;
      catalog_tail_.emplace_back(record.offset, record.row);
      const std::size_t bytes = record.row.size();
      enqueue(std::move(record), bytes);
    }
  }
  if (!refused.ok()) return record.done(refused);
  wake_.notify_one();
  if (watcher_.catalogs) watcher_.catalogs();
}

void EmbeddedLog::append(JournalAppend append) {
  // Whoever publishes asks the same decoder for the customer as the fold does.
  SPUR_CHECK(append.effects.messages.empty());
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    refused = !status_.ok() ? status_ : stopping_ ? stopped() : absl::OkStatus();
    if (refused.ok()) {
      ShardLog& shard = shards_[append.shard];
      expect_run(shard, false);
      ++shard.runs_in_flight;
      std::size_t bytes = append.entry.size();
      for (const RunEffects::Action& action : append.effects.actions) bytes += action.bytes.size();
      for (const RunEffects::Decision& decision : append.effects.decisions)
        bytes += decision.bytes.size();
      for (const std::string& letter : append.effects.dead_letters) bytes += letter.size();
      enqueue(std::move(append), bytes);
    }
  }
  if (!refused.ok()) return append.done(refused);
  wake_.notify_one();
}

absl::StatusOr<Offset> EmbeddedLog::append_and_wait(JournalAppend append) {
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<absl::StatusOr<Offset>> answer;
  append.done = [&](absl::StatusOr<Offset> offset) {
    const std::lock_guard lock(mutex);
    answer = std::move(offset);
    answered.notify_one();  // under the lock: the waiter's stack must not go before
  };
  this->append(std::move(append));
  std::unique_lock lock(mutex);
  answered.wait(lock, [&] { return answer.has_value(); });
  return *std::move(answer);
}

void EmbeddedLog::store_cursor(std::string_view subscriber, std::string_view channel,
                               std::string_view cursor, std::function<void(absl::Status)> done) {
  absl::Status refused;
  std::string key = embedded::cursor_key(subscriber, channel);
  {
    const std::lock_guard lock(mutex_);
    refused = !status_.ok() ? status_ : stopping_ ? stopped() : absl::OkStatus();
    if (refused.ok() && cursors_.size() >= kCursorsMax && !cursors_.contains(key))
      refused = too_many_cursors();
    if (refused.ok()) {
      cursors_.insert(key);
      enqueue(Cursor{std::move(key), std::string(cursor), done}, cursor.size());
    }
  }
  if (!refused.ok()) return done(refused);
  wake_.notify_one();
}

void EmbeddedLog::enqueue(Pending pending, std::size_t bytes) {
  pending_.push_back(std::move(pending));
  pending_bytes_.push_back(bytes);
}

void EmbeddedLog::expect_run(ShardLog& shard, bool expects) {
  if (shard.expects_run == expects) return;
  shard.expects_run = expects;
  runs_expected_ += expects ? 1 : -1;
}

void EmbeddedLog::watch(Watcher watcher) {
  {
    const std::lock_guard lock(mutex_);  // the pacer is there already
    watcher_ = std::move(watcher);
  }
  if (!watcher_.assigned) return;
  for (std::uint32_t shard = 0; shard < shards_.size(); ++shard) watcher_.assigned(shard);
}

void EmbeddedLog::folded(std::uint32_t shard_index, std::uint32_t source, Offset next) {
  if (source != kInputSource) return;
  const std::lock_guard lock(mutex_);
  ShardLog& shard = shards_[shard_index];
  SPUR_CHECK(next <= shard.input_end);
  for (const auto& chunk : shard.tail) {
    if (chunk->end() > shard.folded && chunk->end() <= next)
      shard.queued_bytes -= chunk->row.size();
    if (chunk->end() > next) break;
  }
  shard.folded = next;
  shard.live = true;
  drop_tail(shard);
}

// What was folded and is on disk need not stay in memory.
void EmbeddedLog::drop_tail(ShardLog& shard) {
  const Offset below = std::min(shard.folded, shard.input_durable);
  while (!shard.tail.empty() && shard.tail.front()->end() <= below) shard.tail.pop_front();
}

// --- committing ---

void EmbeddedLog::commit_loop() {
  for (;;) {
    std::vector<Pending> group;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
      if (runs_expected_ > 0 && !stopping_) {
        wake_.wait_for(lock, kGatherMax, [&] { return stopping_ || runs_expected_ == 0; });
        for (ShardLog& shard : shards_) expect_run(shard, false);
      }
      if (dropping_ || pending_.empty()) break;
      group = take_group(lock);
    }
    std::vector<Offset> offsets;
    const std::chrono::nanoseconds begun = clock_.read().steady;
    const absl::Status written = write_group(group, offsets);
    const std::chrono::nanoseconds took = clock_.read().steady - begun;
    bool dropping = false;
    {
      const std::lock_guard lock(mutex_);
      dropping = dropping_;
      // Whether a failed write has left something is not known: nothing more is written, the next
      // start finds out.
      if (!written.ok() && status_.ok()) status_ = written;
      if (written.ok() && !dropping) {
        note_durable(group, offsets);
        ++commits_;
      }
    }
    answer(group, offsets, dropping ? stopped() : written);
    if (options_.on_commit && written.ok()) options_.on_commit(group.size(), took);
    if (!written.ok() || dropping) break;
  }
  std::vector<Pending> rest;
  absl::Status why;
  {
    std::unique_lock lock(mutex_);
    why = status_.ok() ? stopped() : status_;
    std::move(pending_.begin(), pending_.end(), std::back_inserter(rest));
    pending_.clear();
    pending_bytes_.clear();
    stopping_ = true;
  }
  answer(rest, {}, why);
}

std::vector<EmbeddedLog::Pending> EmbeddedLog::take_group(std::unique_lock<std::mutex>&) {
  std::vector<Pending> group;
  std::size_t bytes = 0;
  while (!pending_.empty() && (group.empty() || bytes + pending_bytes_.front() <= kGroupBytesMax)) {
    bytes += pending_bytes_.front();
    group.push_back(std::move(pending_.front()));
    pending_.pop_front();
    pending_bytes_.pop_front();
  }
  return group;
}

absl::Status EmbeddedLog::write_group(std::vector<Pending>& group, std::vector<Offset>& offsets) {
  const Instant now = clock_.read().wall;
  rocksdb::WriteBatch batch;
  for (Pending& pending : group) {
    offsets.push_back(0);
    if (auto* inputs = std::get_if<Inputs>(&pending)) {
      for (const auto& [shard, chunk] : inputs->chunks) {
        batch.Put(embedded::input_key(shard, chunk->first), chunk->row);
      }
    } else if (auto* append = std::get_if<JournalAppend>(&pending)) {
      offsets.back() = journal_next_[append->shard]++;
      put_entry(*append, offsets.back(), now, batch);
    } else if (auto* catalog = std::get_if<NewCatalog>(&pending)) {
      offsets.back() = catalog->offset;
      batch.Put(embedded::catalog_key(catalog->offset), catalog->row);
    } else if (auto* cursor = std::get_if<Cursor>(&pending)) {
      batch.Put(cursor->key, cursor->value);
    }
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  return from_rocks(db_->Write(options, &batch),
                    absl::StrCat("writing the log in ", options_.path));
}

void EmbeddedLog::put_entry(const JournalAppend& append, Offset offset, Instant now,
                            rocksdb::WriteBatch& batch) {
  batch.Put(embedded::journal_key(append.shard, offset), append.entry);
  const RunEffects& effects = append.effects;
  if (effects.empty()) return;
  std::vector<std::string_view> messages;

  // One row a topic: actions come in the order decided, so those of a topic are picked out of it.
  std::vector<bool> done(effects.actions.size());
  for (std::size_t i = 0; i < effects.actions.size(); ++i) {
    if (done[i]) continue;
    messages.clear();
    for (std::size_t j = i; j < effects.actions.size(); ++j) {
      if (effects.actions[j].topic != effects.actions[i].topic) continue;
      SPUR_CHECK(effects.actions[j].spurseq == effects.actions[i].spurseq + messages.size());
      messages.push_back(effects.actions[j].bytes);
      done[j] = true;
    }
    batch.Put(
        embedded::action_key(effects.actions[i].topic, append.shard, effects.actions[i].spurseq),
        embedded::encode_stretch(now, messages));
  }
  if (!effects.decisions.empty()) {
    messages.clear();
    for (std::size_t i = 0; i < effects.decisions.size(); ++i) {
      const RunEffects::Decision& decision = effects.decisions[i];
      messages.push_back(decision.bytes);
      batch.Put(embedded::customer_decision_key(decision.customer, append.shard, append.seq,
                                                static_cast<std::uint32_t>(i)),
                rocksdb::Slice());
    }
    batch.Put(embedded::decision_key(append.shard, append.seq),
              embedded::encode_stretch(now, messages));
  }
  if (!effects.dead_letters.empty()) {
    messages.assign(effects.dead_letters.begin(), effects.dead_letters.end());
    batch.Put(embedded::dead_letter_key(append.shard, append.seq),
              embedded::encode_stretch(now, messages));
  }
}

void EmbeddedLog::note_durable(const std::vector<Pending>& group,
                               const std::vector<Offset>& offsets) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (const auto* inputs = std::get_if<Inputs>(&group[i])) {
      for (const auto& [index, chunk] : inputs->chunks) {
        ShardLog& shard = shards_[index];
        shard.input_durable = chunk->end();
        drop_tail(shard);
      }
    } else if (const auto* append = std::get_if<JournalAppend>(&group[i])) {
      ShardLog& shard = shards_[append->shard];
      shard.journal_durable = offsets[i] + 1;
      --shard.runs_in_flight;
      Unreleased& unreleased = shard.unreleased.emplace_back();
      unreleased.seq = append->seq;
      for (const RunEffects::Decision& decision : append->effects.decisions)
        shard.decision_bytes += decision.bytes.size();
      for (const std::string& letter : append->effects.dead_letters)
        shard.dead_letter_bytes += letter.size();
      for (const RunEffects::Action& action : append->effects.actions) {
        topics_[{action.topic, append->shard}].bytes += action.bytes.size();
        auto at = std::find_if(unreleased.topics.begin(), unreleased.topics.end(),
                               [&](const auto& topic) { return topic.first == action.topic; });
        if (at == unreleased.topics.end()) at = unreleased.topics.insert(at, {action.topic, 0});
        at->second = action.spurseq + 1;
      }
    } else if (const auto* catalog = std::get_if<NewCatalog>(&group[i])) {
      catalog_durable_ = catalog->offset + 1;
      for (auto& [place, entry] : topics_) {
        const std::string& topic = place.first;
        const auto gap_in = [&](const Gaps& gaps) {
          const auto found = gaps.find(topic);
          return found == gaps.end() ? std::chrono::nanoseconds(0) : found->second;
        };
        const bool same = gap_in(gaps_) == gap_in(catalog->gaps);
        if (!same) entry.pace = Pace();  // by another rate, what was scheduled says nothing
      }
      gaps_ = catalog->gaps;
      pace_wake_.notify_one();
      while (!catalog_tail_.empty() && catalog_tail_.front().first < catalog_durable_)
        catalog_tail_.pop_front();
    }
  }
}

void EmbeddedLog::answer(std::vector<Pending>& group, const std::vector<Offset>& offsets,
                         const absl::Status& status) {
  // Runs first: their actions are what somebody waits for. Publishers hear of it right after.
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto* append = std::get_if<JournalAppend>(&group[i]);
    if (append == nullptr || !append->done) continue;
    status.ok() ? append->done(offsets[i]) : append->done(status);
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (auto* inputs = std::get_if<Inputs>(&group[i])) {
      if (inputs->done) inputs->done(status);
    } else if (auto* cursor = std::get_if<Cursor>(&group[i])) {
      if (cursor->done) cursor->done(status);
    } else if (auto* catalog = std::get_if<NewCatalog>(&group[i])) {
      if (catalog->done) status.ok() ? catalog->done(offsets[i]) : catalog->done(status);
    }
  }
}

void EmbeddedLog::release(std::uint32_t shard_index, std::uint64_t seq) {
  std::vector<std::string> changed;
  bool held_back = false;
  {
    const std::lock_guard lock(mutex_);
    ShardLog& shard = shards_[shard_index];
    const std::chrono::nanoseconds now = clock_.read().steady;
    while (!shard.unreleased.empty() && shard.unreleased.front().seq <= seq) {
      for (auto& [topic, next] : shard.unreleased.front().topics) {
        TopicShard& entry = topics_[{topic, shard_index}];
        entry.released = next;
        const bool shown = show(topic, entry, now);
        held_back = held_back || entry.range.next < entry.released;
        if (shown && std::find(changed.begin(), changed.end(), topic) == changed.end())
          changed.push_back(std::move(topic));
      }
      shard.unreleased.pop_front();
    }
  }
  if (held_back) pace_wake_.notify_one();
  if (watcher_.acked) watcher_.acked(shard_index, seq);
  if (watcher_.actions) {
    for (const std::string& topic : changed) watcher_.actions(topic);
  }
}

absl::Status EmbeddedLog::resume(std::uint32_t shard, std::uint64_t, std::uint64_t seq_last,
                                 std::vector<UnsentRun>, std::vector<Spilled>) {
  if (watcher_.acked) watcher_.acked(shard, seq_last);
  return absl::OkStatus();
}

// --- stopping ---

void EmbeddedLog::stop(bool drop) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropping_ = dropping_ || drop;
  }
  wake_.notify_one();
  pace_wake_.notify_one();
  if (pacer_.joinable()) pacer_.join();
  if (committer_.joinable() && committer_.get_id() != std::this_thread::get_id()) committer_.join();
}

void EmbeddedLog::abandon() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = dropping_ = true;
  }
  wake_.notify_one();
  pace_wake_.notify_one();
}

absl::Status EmbeddedLog::close() {
  stop(/*drop=*/false);
  return status();
}

absl::Status EmbeddedLog::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::uint64_t EmbeddedLog::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

}  // namespace spur
