// How a channel's `rate` holds actions back that stand in the log and count: readers are shown them
// one by one, in their order, by the schedule of pace.h.
//
// How far they are shown is a row of its own, written without a sync and at most once a second
// while something is held back: a restart goes on from there and not from the end, and may show a
// second's worth later than it would have been. Nothing is lost by that, since only the showing
// waits; and what is not shown yet is not expired.
#include <rocksdb/db.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/log/embedded_log.h"
#include "daemon/log/embedded_rows.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/log.pb.h"

namespace spur {
namespace {

constexpr std::chrono::nanoseconds kRowsInterval = std::chrono::seconds(1);
// Between two looks; what may leave meanwhile leaves together.
constexpr std::chrono::nanoseconds kPassInterval = Pace::kBurst / 2;

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

EmbeddedLog::Gaps EmbeddedLog::gaps_of(std::string_view bytes) const {
  Gaps gaps;
  spur::v1::Catalog catalog;
  if (!catalog.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return gaps;
  for (const spur::v1::Channel& channel : catalog.channels()) {
    const Rate rate{channel.rate().max(), std::chrono::milliseconds(channel.rate().per_ms())};
    if (rate.max > 0 && rate.per.count() > 0) gaps[channel.topic()] = rate.gap(shards_.size());
  }
  return gaps;
}

absl::Status EmbeddedLog::load_shown() {
  const std::string doing = absl::StrCat("reading the log in ", options_.path);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  const std::string prefix = embedded::kind_prefix(embedded::RowKind::kShown);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    std::string_view topic;
    std::uint32_t shard = 0;
    std::uint64_t next = 0;
    if (!embedded::parse_shown_key(view(it->key()), topic, shard) ||
        !embedded::parse_shown(view(it->value()), next))
      return absl::DataLossError(
          absl::StrCat("how far actions were shown, in ", options_.path, ", is damaged"));
    TopicShard& entry = topics_[{std::string(topic), shard}];
    entry.stored_shown = next;
    entry.range.next = std::clamp(next, entry.range.first, entry.released);
  }
  if (!it->status().ok()) return from_rocks(it->status(), doing);
  if (catalog_end_ == 0) return absl::OkStatus();
  std::string row;
  const rocksdb::Status found =
      db_->Get(rocksdb::ReadOptions(), embedded::catalog_key(catalog_end_ - 1), &row);
  if (!found.ok()) return from_rocks(found, doing);
  spur::v1::CatalogVersion version;
  if (version.ParseFromString(row)) gaps_ = gaps_of(version.catalog());
  return absl::OkStatus();
}

bool EmbeddedLog::show(const std::string& topic, TopicShard& entry, std::chrono::nanoseconds now) {
  const std::uint64_t before = entry.range.next;
  const auto gap = gaps_.find(topic);
  if (gap == gaps_.end()) {
    entry.range.next = entry.released;
  } else {
    for (std::size_t n = entry.pace.allowed(now, gap->second);
         n > 0 && entry.range.next < entry.released; --n) {
      entry.pace.leave(now, gap->second);
      ++entry.range.next;
    }
  }
  return entry.range.next != before;
}

std::optional<std::chrono::nanoseconds> EmbeddedLog::next_shown() const {
  std::optional<std::chrono::nanoseconds> next;
  for (const auto& [place, entry] : topics_) {
    if (entry.range.next >= entry.released) continue;
    const std::chrono::nanoseconds due =
        gaps_.contains(place.first) ? entry.pace.due() : std::chrono::nanoseconds(0);
    next = std::min(next.value_or(due), due);
  }
  return next;
}

rocksdb::WriteBatch EmbeddedLog::shown_rows() {
  rocksdb::WriteBatch batch;
  for (auto& [place, entry] : topics_) {
    const std::uint64_t shown = entry.range.next < entry.released ? entry.range.next : 0;
    if (shown == entry.stored_shown) continue;
    const std::string key = embedded::shown_key(place.first, place.second);
    if (shown > 0) {
      batch.Put(key, embedded::encode_shown(shown));
    } else {
      batch.Delete(key);
    }
    entry.stored_shown = shown;
  }
  return batch;
}

void EmbeddedLog::show_due() {
  std::set<std::string> changed;
  std::function<void(const std::string&)> tell;
  rocksdb::WriteBatch rows;
  {
    const std::lock_guard lock(mutex_);
    if (dropping_) return;
    const std::chrono::nanoseconds now = clock_.read().steady;
    for (auto& [place, entry] : topics_) {
      if (entry.range.next < entry.released && show(place.first, entry, now))
        changed.insert(place.first);
    }
    if (stopping_ || now >= shown_rows_due_) {
      rows = shown_rows();
      shown_rows_due_ = now + kRowsInterval;
    }
    tell = watcher_.actions;
  }
  // A failure here is none of the log's: all that it costs is that a restart shows more at once.
  if (rows.Count() > 0) db_->Write(rocksdb::WriteOptions(), &rows).PermitUncheckedError();
  if (!tell) return;
  for (const std::string& topic : changed) tell(topic);
}

void EmbeddedLog::pace_loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::optional<std::chrono::nanoseconds> next = next_shown();
    const bool rows = std::any_of(topics_.begin(), topics_.end(),
                                  [](const auto& topic) { return topic.second.stored_shown > 0; });
    if (!next && !rows) {
      pace_wake_.wait(lock);
      continue;
    }
    const std::chrono::nanoseconds until = next.value_or(shown_rows_due_);
    pace_wake_.wait_for(lock, std::clamp<std::chrono::nanoseconds>(until - clock_.read().steady,
                                                                   kPassInterval, kRowsInterval));
    lock.unlock();
    show_due();
    lock.lock();
  }
  lock.unlock();
  show_due();  // where they stand when the log is closed
}

}  // namespace spur
