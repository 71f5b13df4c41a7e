// What the embedded log lets go of: inputs and entries that no recovery needs (docs/protocol.md rule
// 15), effects past their retention or beyond their bytes. Called after each flush of a shard.
#include <rocksdb/db.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/embedded_log.h"
#include "daemon/log/embedded_rows.h"
#include "spur/v1/decision.pb.h"
#include "state/check.h"

namespace spur {
namespace {

constexpr std::size_t kExpiryBatchBytes = 1u << 20;

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

absl::Status EmbeddedLog::trim(std::uint32_t index, const Trim& below) {
  const Instant now = clock_.read().wall;
  Offset inputs_from = 0, journal_from = 0;
  {
    const std::lock_guard lock(mutex_);
    const ShardLog& shard = shards_[index];
    const Offset keep = options_.history_inputs;
    inputs_from = std::min(below.inputs_below, shard.input_durable);
    inputs_from = inputs_from > keep ? inputs_from - keep : 0;
    journal_from = std::min(below.journal_below, shard.journal_durable);
    journal_from = journal_from > keep ? journal_from - keep : 0;
    // A range tombstone is cheap, but not free: a tenth of what is kept at a time.
    if (inputs_from < shard.input_begin + keep / 10 + 1) inputs_from = shard.input_begin;
    if (journal_from < shard.journal_begin + keep / 10 + 1) journal_from = shard.journal_begin;
  }
  rocksdb::WriteBatch batch;
  Offset input_begin = 0, journal_begin = 0;
  {
    // Rows hold stretches: what is dropped ends where a row begins. The last row always stays, for
    // it says where the log ends; an entry is never dropped when it is the last.
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    it->SeekForPrev(embedded::input_key(index, inputs_from));
    if (it->Valid() &&
        it->key().starts_with(embedded::shard_prefix(embedded::RowKind::kInput, index))) {
      input_begin = embedded::last_number(view(it->key()));
    }
    it->SeekForPrev(embedded::journal_key(index, journal_from));
    if (it->Valid() &&
        it->key().starts_with(embedded::shard_prefix(embedded::RowKind::kJournal, index))) {
      journal_begin = embedded::last_number(view(it->key()));
    }
  }
  {
    // Readers are told first, so that nobody meets half of what is gone.
    const std::lock_guard lock(mutex_);
    ShardLog& shard = shards_[index];
    if (input_begin > shard.input_begin) {
      batch.DeleteRange(embedded::input_key(index, 0), embedded::input_key(index, input_begin));
      shard.input_begin = input_begin;
    }
    if (journal_begin > shard.journal_begin) {
      batch.DeleteRange(embedded::journal_key(index, 0),
                        embedded::journal_key(index, journal_begin));
      shard.journal_begin = journal_begin;
    }
  }
  if (batch.Count() > 0) {
    const rocksdb::Status written = db_->Write(rocksdb::WriteOptions(), &batch);
    if (!written.ok())
      return from_rocks(written, absl::StrCat("trimming the log in ", options_.path));
  }
  if (absl::Status status = expire_actions(index, now); !status.ok()) return status;
  if (absl::Status status = expire_decisions(index, now); !status.ok()) return status;
  return expire_dead_letters(index, now);
}

// Oldest first, per topic of this shard: what is past its time, and this shard's share of what is
// too much in all. The last row of each stays: it says where the sequence stands.
absl::Status EmbeddedLog::expire_actions(std::uint32_t index, Instant now) {
  const Instant cutoff = now - Millis{options_.actions_retention.count()};
  std::vector<std::pair<std::string, TopicShard>> mine;
  std::uint64_t total = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, topic] : topics_) {
      total += topic.bytes;
      if (key.second == index) mine.emplace_back(key.first, topic);
    }
  }
  std::uint64_t excess =
      total > options_.actions_bytes_max ? (total - options_.actions_bytes_max) / shards() + 1 : 0;
  for (const auto& [topic, standing] : mine) {
    const std::string prefix = embedded::action_prefix(topic, index);
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    std::uint64_t first = standing.range.first, bytes = 0;
    for (it->Seek(embedded::action_key(topic, index, first));
         it->Valid() && it->key().starts_with(prefix); it->Next()) {
      Instant appended;
      std::uint32_t count = 0;
      if (!embedded::peek_stretch(view(it->value()), appended, count))
        return absl::DataLossError("actions are damaged");
      first = embedded::last_number(view(it->key()));
      if (first + count >= standing.range.next) break;
      if (appended >= cutoff && excess == 0) break;
      bytes += it->value().size();
      excess -= std::min<std::uint64_t>(excess, it->value().size());
      first += count;
    }
    if (first <= standing.range.first) continue;
    {
      const std::lock_guard lock(mutex_);
      TopicShard& entry = topics_[{topic, index}];
      entry.range.first = first;
      entry.bytes -= std::min(entry.bytes, bytes);
    }
    const rocksdb::Status written = db_->DeleteRange(
        rocksdb::WriteOptions(), db_->DefaultColumnFamily(), embedded::action_key(topic, index, 0),
        embedded::action_key(topic, index, first));
    if (!written.ok())
      return from_rocks(written, absl::StrCat("trimming the log in ", options_.path));
  }
  return absl::OkStatus();
}

// Decisions and dead letters live as long as actions may, and each of the two within as many bytes.
absl::Status EmbeddedLog::expire_decisions(std::uint32_t index, Instant now) {
  embedded::Stretch stretch;
  return expire_rows(
      embedded::RowKind::kDecision, index, now, &ShardLog::decision_bytes,
      [&](std::uint64_t run, std::string_view row, rocksdb::WriteBatch& batch) {
        // Their index by customer goes with them.
        if (!embedded::parse_stretch(row, stretch)) return false;
        for (std::size_t i = 0; i < stretch.messages.size(); ++i) {
          spur::v1::Decision decision;
          if (!decision.ParseFromArray(stretch.messages[i].data(),
                                       static_cast<int>(stretch.messages[i].size())))
            continue;
          batch.Delete(embedded::customer_decision_key(decision.customer(), index, run,
                                                       static_cast<std::uint32_t>(i)));
        }
        return true;
      });
}

absl::Status EmbeddedLog::expire_dead_letters(std::uint32_t index, Instant now) {
  return expire_rows(
      embedded::RowKind::kDeadLetter, index, now, &ShardLog::dead_letter_bytes,
      [](std::uint64_t, std::string_view, rocksdb::WriteBatch&) { return true; });
}

// Everything of a shard that is past its time, and this shard's share of what is too much in all:
// to the end, or more would be added between two flushes than is taken away.
absl::Status EmbeddedLog::expire_rows(embedded::RowKind kind, std::uint32_t index, Instant now,
                                      std::uint64_t ShardLog::* bytes, const WithRow& with) {
  const Instant cutoff = now - Millis{options_.actions_retention.count()};
  std::uint64_t total = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const ShardLog& shard : shards_) total += shard.*bytes;
  }
  std::uint64_t excess =
      total > options_.actions_bytes_max ? (total - options_.actions_bytes_max) / shards() + 1 : 0;
  rocksdb::WriteBatch batch;
  std::uint64_t freed = 0;
  const auto write = [&] {
    if (batch.Count() == 0) return absl::OkStatus();
    const rocksdb::Status written = db_->Write(rocksdb::WriteOptions(), &batch);
    batch.Clear();
    const std::lock_guard lock(mutex_);
    shards_[index].*bytes -= std::min(shards_[index].*bytes, std::exchange(freed, 0));
    return from_rocks(written, absl::StrCat("trimming the log in ", options_.path));
  };
  const std::string prefix = embedded::shard_prefix(kind, index);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  Instant appended;
  std::uint32_t count = 0;
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const std::string_view row = view(it->value());
    if (!embedded::peek_stretch(row, appended, count))
      return absl::DataLossError("decisions or dead letters of the log are damaged");
    if (appended >= cutoff && excess == 0) break;
    if (!with(embedded::last_number(view(it->key())), row, batch))
      return absl::DataLossError("decisions of the log are damaged");
    batch.Delete(it->key());
    freed += row.size();
    excess -= std::min<std::uint64_t>(excess, row.size());
    if (batch.GetDataSize() < kExpiryBatchBytes) continue;
    if (absl::Status written = write(); !written.ok()) return written;
  }
  if (absl::Status written = write(); !written.ok()) return written;
  return from_rocks(it->status(), absl::StrCat("trimming the log in ", options_.path));
}

}  // namespace spur
