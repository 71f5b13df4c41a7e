// Reading the embedded log: inputs (from memory as far as it goes, else from disk), journal,
// catalogs, effects.
#include <rocksdb/db.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/embedded_log.h"
#include "daemon/log/embedded_rows.h"
#include "spur/v1/log.pb.h"
#include "state/check.h"

namespace spur {
namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
absl::string_view absl_view(std::string_view text) { return {text.data(), text.size()}; }

// True once one more of `bytes` would be beyond the limits.
bool full(const InputBatch& batch, const PollLimits& limits, std::size_t bytes) {
  return !batch.records.empty() &&
         (batch.records.size() >= limits.records_max || bytes >= limits.bytes_max);
}

absl::StatusOr<CatalogRecord> parse_catalog(Offset offset, std::string_view row) {
  spur::v1::CatalogVersion version;
  if (!version.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return absl::DataLossError(absl::StrCat("catalog version ", offset, " of the log is damaged"));
  }
  return CatalogRecord{offset, Instant{version.received_ms()}, version.catalog(),
                       version.comment()};
}

}  // namespace

// --- inputs ---

absl::Status EmbeddedLog::poll(std::uint32_t index, std::uint32_t source, Offset from,
                               const PollLimits& limits, InputBatch& batch) {
  batch.clear();
  if (source != kInputSource) return absl::OkStatus();
  std::size_t bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    const ShardLog& shard = shards_[index];
    if (from < shard.input_begin) {
      return absl::OutOfRangeError(
          absl::StrCat("input ", from, " of shard ", index, " is no longer kept"));
    }
    if (from >= shard.input_end) return absl::OkStatus();
    if (!shard.tail.empty() && from >= shard.tail.front()->first) {
      auto chunk = std::upper_bound(
          shard.tail.begin(), shard.tail.end(), from,
          [](Offset offset, const auto& candidate) { return offset < candidate->end(); });
      for (; chunk != shard.tail.end() && !full(batch, limits, bytes); ++chunk) {
        if (batch.records.empty()) batch.taken = (*chunk)->taken;
        batch.keep.push_back(*chunk);
        for (std::size_t i = from - (*chunk)->first;
             i < (*chunk)->records.size() && !full(batch, limits, bytes); ++i) {
          InputRecord record = (*chunk)->records[i];
          record.offset += (*chunk)->first;
          bytes += record.value.size();
          batch.records.push_back(record);
          from = record.offset + 1;
        }
      }
      return absl::OkStatus();
    }
  }
  return poll_stored(index, from, limits, batch);
}

absl::Status EmbeddedLog::poll_stored(std::uint32_t index, Offset from, const PollLimits& limits,
                                      InputBatch& batch) const {
  const std::string prefix = embedded::shard_prefix(embedded::RowKind::kInput, index);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  std::size_t bytes = 0;
  for (it->SeekForPrev(embedded::input_key(index, from));
       it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const auto row = std::make_shared<const std::string>(it->value().ToString());
    std::vector<InputRecord> records;
    if (!embedded::parse_input_row(*row, embedded::last_number(view(it->key())), records)) {
      return absl::DataLossError(
          absl::StrCat("inputs of shard ", index, " at ", from, " are damaged"));
    }
    batch.keep.push_back(row);
    for (const InputRecord& record : records) {
      if (record.offset < from) continue;
      if (full(batch, limits, bytes)) return absl::OkStatus();
      bytes += record.value.size();
      batch.records.push_back(record);
    }
  }
  return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
}

absl::StatusOr<Offset> EmbeddedLog::input_begin(std::uint32_t shard,
                                                const TopicSource& source) const {
  if (source.source != kInputSource) return 0;
  const std::lock_guard lock(mutex_);
  return shards_[shard].input_begin;
}
absl::StatusOr<Offset> EmbeddedLog::input_end(std::uint32_t shard,
                                              const TopicSource& source) const {
  return *input_end_heard(shard, source);
}
std::optional<Offset> EmbeddedLog::input_end_heard(std::uint32_t shard,
                                                   const TopicSource& source) const {
  if (source.source != kInputSource) return 0;
  const std::lock_guard lock(mutex_);
  return shards_[shard].input_end;
}

// History goes the way that live inputs go: what is still in memory is taken from there.
class EmbeddedLog::Reader final : public InputReader {
 public:
  Reader(EmbeddedLog& log, std::uint32_t shard) : log_(log), shard_(shard) {}

  absl::Status read(std::uint32_t source, Offset first, Offset last,
                    const std::function<bool(const InputRecord&)>& record) override {
    InputBatch batch;
    for (Offset next = first; next <= last;) {
      const PollLimits limits{
          static_cast<std::uint32_t>(std::min<std::uint64_t>(last - next + 1, kAtOnce)),
          kBytesAtOnce};
      if (absl::Status polled = log_.poll(shard_, source, next, limits, batch); !polled.ok())
        return polled;
      if (batch.records.empty()) return absl::OkStatus();
      for (const InputRecord& found : batch.records) {
        if (found.offset > last || !record(found)) return absl::OkStatus();
        next = found.offset + 1;
      }
    }
    return absl::OkStatus();
  }

 private:
  static constexpr std::uint64_t kAtOnce = 4096;
  static constexpr std::size_t kBytesAtOnce = 16u << 20;
  EmbeddedLog& log_;
  const std::uint32_t shard_;
};

std::unique_ptr<InputReader> EmbeddedLog::open_reader(std::uint32_t shard,
                                                      std::span<const TopicSource>) {
  return std::make_unique<Reader>(*this, shard);
}

// --- catalogs ---

absl::StatusOr<std::vector<CatalogRecord>> EmbeddedLog::poll_catalogs(Offset from,
                                                                      std::uint32_t records_max) {
  std::deque<std::pair<Offset, std::string>> tail;
  Offset end = 0;
  {
    const std::lock_guard lock(mutex_);
    end = catalog_end_;
    if (from >= end) return std::vector<CatalogRecord>();
    tail = catalog_tail_;
  }
  std::vector<CatalogRecord> records;
  for (; from < end && records.size() < records_max; ++from) {
    std::string row;
    if (!tail.empty() && from >= tail.front().first) {
      row = tail[from - tail.front().first].second;
    } else {
      const rocksdb::Status status =
          db_->Get(rocksdb::ReadOptions(), embedded::catalog_key(from), &row);
      if (!status.ok())
        return from_rocks(status, absl::StrCat("reading catalog version ", from, " of the log"));
    }
    absl::StatusOr<CatalogRecord> record = parse_catalog(from, row);
    if (!record.ok()) return record.status();
    records.push_back(*std::move(record));
  }
  return records;
}

Offset EmbeddedLog::catalog_end() const {
  const std::lock_guard lock(mutex_);
  return catalog_end_;
}

// --- journal ---

absl::Status EmbeddedLog::read_journal(std::uint32_t index, Offset from, Offset to,
                                       const std::function<bool(Offset, std::string_view)>& entry) {
  {
    const std::lock_guard lock(mutex_);
    if (from < shards_[index].journal_begin) {
      return absl::OutOfRangeError(
          absl::StrCat("journal entry ", from, " of shard ", index, " is no longer kept"));
    }
    to = std::min(to, shards_[index].journal_durable);
  }
  if (from >= to) return absl::OkStatus();
  const std::string prefix = embedded::shard_prefix(embedded::RowKind::kJournal, index);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  Offset expected = from;
  for (it->Seek(embedded::journal_key(index, from)); it->Valid() && it->key().starts_with(prefix);
       it->Next()) {
    const Offset offset = embedded::last_number(view(it->key()));
    if (offset >= to) break;
    // The embedded journal has no holes: a missing row is damage, and must not be passed over.
    if (offset != expected) break;
    if (!entry(offset, view(it->value()))) return absl::OkStatus();
    ++expected;
  }
  if (!it->status().ok())
    return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
  if (expected != to) {
    return absl::DataLossError(
        absl::StrCat("journal entry ", expected, " of shard ", index, " is missing"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Offset> EmbeddedLog::journal_begin(std::uint32_t shard) const {
  const std::lock_guard lock(mutex_);
  return shards_[shard].journal_begin;
}
absl::StatusOr<Offset> EmbeddedLog::journal_end(std::uint32_t shard) const {
  const std::lock_guard lock(mutex_);
  return shards_[shard].journal_durable;
}

// --- effects ---

absl::StatusOr<ActionRange> EmbeddedLog::action_range(std::string_view topic,
                                                      std::uint32_t shard) const {
  const std::lock_guard lock(mutex_);
  const auto it = topics_.find({std::string(topic), shard});
  return it == topics_.end() ? ActionRange() : it->second.range;
}

absl::StatusOr<std::vector<StoredAction>> EmbeddedLog::read_actions(std::string_view topic,
                                                                    std::uint32_t shard,
                                                                    std::uint64_t from,
                                                                    std::uint32_t max) {
  const ActionRange range = *action_range(topic, shard);
  if (from < range.first) {
    return absl::OutOfRangeError(absl::StrCat("action ", from, " of ", absl_view(topic), " (shard ",
                                              shard, ") is no longer kept; the oldest is ",
                                              range.first));
  }
  std::vector<StoredAction> actions;
  if (from >= range.next || max == 0) return actions;
  const std::string prefix = embedded::action_prefix(topic, shard);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  embedded::Stretch stretch;
  for (it->SeekForPrev(embedded::action_key(topic, shard, from));
       it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const std::uint64_t first = embedded::last_number(view(it->key()));
    if (first >= range.next) break;  // durable, but its run is not verified yet
    if (!embedded::parse_stretch(view(it->value()), stretch)) {
      return absl::DataLossError(
          absl::StrCat("actions of ", absl_view(topic), " at ", first, " are damaged"));
    }
    for (std::size_t i = 0; i < stretch.messages.size(); ++i) {
      if (first + i < from) continue;
      actions.push_back({first + i, std::string(stretch.messages[i])});
      if (actions.size() == max) return actions;
    }
  }
  if (!it->status().ok())
    return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
  return actions;
}

absl::StatusOr<std::vector<std::string>> EmbeddedLog::decisions_of(std::string_view customer,
                                                                   std::uint32_t limit) {
  const std::string prefix = embedded::customer_decision_prefix(customer);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  std::vector<std::string> found;
  // Behind the last key of this customer: shard, run and index are all ones.
  for (it->SeekForPrev(prefix + std::string(16, '\xff'));
       it->Valid() && it->key().starts_with(prefix) && found.size() < limit; it->Prev()) {
    embedded::CustomerDecisionKey key;
    SPUR_CHECK(embedded::parse_customer_decision_key(view(it->key()), key));
    {
      const std::lock_guard lock(mutex_);
      const ShardLog& shard = shards_[key.shard];
      if (!shard.unreleased.empty() && key.run >= shard.unreleased.front().seq) continue;
    }
    std::string row;
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), embedded::decision_key(key.shard, key.run), &row);
    if (status.IsNotFound()) continue;  // expired in between
    if (!status.ok()) return from_rocks(status, "reading decisions");
    embedded::Stretch stretch;
    if (!embedded::parse_stretch(row, stretch) || key.index >= stretch.messages.size()) {
      return absl::DataLossError(
          absl::StrCat("decisions of run ", key.run, " (shard ", key.shard, ") are damaged"));
    }
    found.emplace_back(stretch.messages[key.index]);
  }
  if (!it->status().ok())
    return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
  return found;
}

absl::StatusOr<std::vector<std::string>> EmbeddedLog::decisions(std::uint32_t index,
                                                                std::uint64_t from_run,
                                                                std::uint32_t max) {
  std::uint64_t below = ~0ULL;
  {
    const std::lock_guard lock(mutex_);
    if (!shards_[index].unreleased.empty()) below = shards_[index].unreleased.front().seq;
  }
  const std::string prefix = embedded::shard_prefix(embedded::RowKind::kDecision, index);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  std::vector<std::string> found;
  embedded::Stretch stretch;
  for (it->Seek(embedded::decision_key(index, from_run));
       it->Valid() && it->key().starts_with(prefix) && found.size() < max; it->Next()) {
    if (embedded::last_number(view(it->key())) >= below) break;
    if (!embedded::parse_stretch(view(it->value()), stretch))
      return absl::DataLossError("decisions are damaged");
    found.insert(found.end(), stretch.messages.begin(), stretch.messages.end());
  }
  if (!it->status().ok())
    return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
  return found;
}

absl::StatusOr<std::vector<std::string>> EmbeddedLog::dead_letters(std::uint32_t index,
                                                                   std::uint32_t max) {
  std::uint64_t below = ~0ULL;
  {
    const std::lock_guard lock(mutex_);
    if (!shards_[index].unreleased.empty()) below = shards_[index].unreleased.front().seq;
  }
  const std::string prefix = embedded::shard_prefix(embedded::RowKind::kDeadLetter, index);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  std::vector<std::string> found;
  embedded::Stretch stretch;
  for (it->SeekForPrev(embedded::dead_letter_key(index, ~0ULL));
       it->Valid() && it->key().starts_with(prefix); it->Prev()) {
    if (embedded::last_number(view(it->key())) >= below) continue;
    if (!embedded::parse_stretch(view(it->value()), stretch))
      return absl::DataLossError("dead letters are damaged");
    for (auto letter = stretch.messages.rbegin(); letter != stretch.messages.rend(); ++letter) {
      if (found.size() == max) return found;
      found.emplace_back(*letter);
    }
  }
  if (!it->status().ok())
    return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
  return found;
}

absl::StatusOr<std::string> EmbeddedLog::stored_cursor(std::string_view subscriber,
                                                       std::string_view channel) const {
  std::string cursor;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), embedded::cursor_key(subscriber, channel), &cursor);
  if (status.IsNotFound()) return std::string();
  if (!status.ok()) return from_rocks(status, "reading a subscriber's cursor");
  return cursor;
}

std::uint64_t EmbeddedLog::disk_bytes() const {
  std::uint64_t bytes = 0, wal = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables,
                      &wal);  // what the WAL holds, about
  return bytes + wal;
}

}  // namespace spur
