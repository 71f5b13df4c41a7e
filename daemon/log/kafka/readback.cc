#include "daemon/log/kafka/readback.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/log/kafka/records.h"
#include "daemon/log/kafka/text.h"

namespace spur::kafka {
namespace {

std::uint64_t run_of(const rd_kafka_message_t& message) {
  const std::optional<RecordId> id = record_id(message);
  return id.has_value() ? id->id.run : 0;
}

}  // namespace

absl::Status Readback::scan(const std::string& topic, std::int32_t partition, std::int64_t from,
                            std::int64_t to, const PartitionReader::Record& record) {
  if (from >= to) return absl::OkStatus();
  auto reader = PartitionReader::open(connection_, topic, partition, from);
  if (!reader.ok()) return reader.status();
  return (*reader)->read(to, record);
}

absl::StatusOr<std::optional<std::uint64_t>> Readback::id_at(const std::string& topic,
                                                             std::int32_t partition,
                                                             std::int64_t from, std::int64_t to,
                                                             const Id& id) {
  std::optional<std::uint64_t> found;
  const absl::Status read =
      scan(topic, partition, from, to, [&](const rd_kafka_message_t& message) {
        found = id(message);
        return false;
      });
  if (!read.ok()) return read;
  return found;
}

absl::StatusOr<std::int64_t> Readback::find(const std::string& topic, std::int32_t partition,
                                            const Kept& kept, std::uint64_t wanted, const Id& id) {
  std::int64_t low = kept.begin, high = kept.end;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto at = id_at(topic, partition, middle, kept.end, id);
    if (!at.ok()) return at.status();
    if (!at->has_value() || **at >= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

absl::StatusOr<ActionRange> Readback::range(const std::string& topic, std::uint32_t shard) {
  const auto partition = static_cast<std::int32_t>(shard);
  const TopicPartition key{topic, partition};
  const absl::StatusOr<Kept> kept = admin_.kept(topic, partition);
  if (!kept.ok()) return kept.status();
  {
    const std::lock_guard lock(mutex_);
    const auto found = ranges_.find(key);
    if (found != ranges_.end() && found->second.kept.begin == kept->begin &&
        found->second.kept.end == kept->end)
      return found->second.range;
  }
  ActionRange range;
  if (kept->begin < kept->end) {
    const auto first = id_at(topic, partition, kept->begin, kept->end, spurseq_of);
    if (!first.ok()) return first.status();
    range.first = std::max<std::uint64_t>(first->value_or(1), 1);
    // A late repeat may be the very last; and of transactions there may be markers alone.
    constexpr std::int64_t kTail = 64;
    std::int64_t from = kept->end;
    for (std::int64_t back = kTail; range.next == 1 && from > kept->begin; back *= 2) {
      const std::int64_t to = std::exchange(from, std::max(kept->begin, kept->end - back));
      const absl::Status read =
          scan(topic, partition, from, to, [&](const rd_kafka_message_t& message) {
            range.next = std::max(range.next, spurseq_of(message) + 1);
            return true;
          });
      if (!read.ok()) return read;
    }
  }
  const std::lock_guard lock(mutex_);
  ranges_[key] = {*kept, range};
  return range;
}

absl::StatusOr<std::vector<StoredAction>> Readback::actions(const std::string& topic,
                                                            std::uint32_t shard, std::uint64_t from,
                                                            std::uint32_t max) {
  const auto partition = static_cast<std::int32_t>(shard);
  const TopicPartition key{topic, partition};
  const absl::StatusOr<Kept> kept = admin_.kept(topic, partition);
  if (!kept.ok()) return kept.status();
  std::vector<StoredAction> actions;
  if (kept->begin == kept->end) return actions;

  Place place;
  {
    // Out of the pool while it is used; a second reader of the same place makes its own.
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(places_.begin(), places_.end(), [&](const auto& one) {
      return one.first == key && one.second.next == from;
    });
    if (found != places_.end()) {
      place = std::move(found->second);
      places_.erase(found);
    }
  }
  if (place.reader == nullptr) {
    const auto oldest = id_at(topic, partition, kept->begin, kept->end, spurseq_of);
    if (!oldest.ok()) return oldest.status();
    if (oldest->has_value() && from < **oldest && from > 0 && kept->begin > 0)
      return absl::OutOfRangeError(text(topic, "[", partition, "] begins at action ", **oldest));
    const absl::StatusOr<std::int64_t> at = find(topic, partition, *kept, from, spurseq_of);
    if (!at.ok()) return at.status();
    auto opened = PartitionReader::open(connection_, topic, partition, *at);
    if (!opened.ok()) return opened.status();
    place.reader = *std::move(opened);
    place.next = from;
  }
  absl::Status damaged;
  const absl::Status read = place.reader->read(kept->end, [&](const rd_kafka_message_t& message) {
    const std::uint64_t seq = spurseq_of(message);
    if (seq < place.next) return true;  // a repeat
    absl::StatusOr<std::string> bytes = stored_action(message);
    if (!bytes.ok()) {
      damaged = bytes.status();
      return false;
    }
    actions.push_back({seq, *std::move(bytes)});
    place.next = seq + 1;
    return actions.size() < max;
  });
  if (!read.ok()) return read;
  if (!damaged.ok()) return damaged;
  std::list<std::pair<TopicPartition, Place>> ended;  // outside the lock
  const std::lock_guard lock(mutex_);
  places_.emplace_front(key, std::move(place));
  while (places_.size() > kReadersMax) ended.splice(ended.end(), places_, --places_.end());
  return actions;
}

absl::StatusOr<std::vector<std::string>> Readback::decisions_of(std::uint32_t shard,
                                                                std::string_view customer,
                                                                std::uint32_t limit) {
  constexpr std::int64_t kWindow = 4096;
  const auto partition = static_cast<std::int32_t>(shard);
  const absl::StatusOr<Kept> kept = admin_.kept(names_.decisions, partition);
  if (!kept.ok()) return kept.status();
  std::map<EffectId, std::string, std::greater<>> found;  // newest first, repeats once
  const std::int64_t floor = std::max(kept->begin, kept->end - kDecisionsScanned);
  for (std::int64_t to = kept->end; to > floor && found.size() < limit; to -= kWindow) {
    const std::int64_t from = std::max(floor, to - kWindow);
    const absl::Status read =
        scan(names_.decisions, partition, from, to, [&](const rd_kafka_message_t& message) {
          if (header_of(message, "ce_subject") != customer) return true;
          if (const std::optional<RecordId> id = record_id(message); id.has_value())
            found.emplace(id->id, value_of(message));
          return true;
        });
    if (!read.ok()) return read;
  }
  std::vector<std::string> decisions;
  for (auto& [id, bytes] : found) {
    if (decisions.size() == limit) break;
    decisions.push_back(std::move(bytes));
  }
  return decisions;
}

absl::StatusOr<std::vector<std::string>> Readback::decisions(std::uint32_t shard,
                                                             std::uint64_t from_run,
                                                             std::uint32_t max) {
  const auto partition = static_cast<std::int32_t>(shard);
  const absl::StatusOr<Kept> kept = admin_.kept(names_.decisions, partition);
  if (!kept.ok()) return kept.status();
  const absl::StatusOr<std::int64_t> at =
      find(names_.decisions, partition, *kept, from_run, run_of);
  if (!at.ok()) return at.status();
  std::vector<std::string> decisions;
  EffectId last;
  const absl::Status read =
      scan(names_.decisions, partition, *at, kept->end, [&](const rd_kafka_message_t& message) {
        const std::optional<RecordId> id = record_id(message);
        if (!id.has_value() || id->id.run < from_run || (id->id <= last && !decisions.empty()))
          return true;
        // Whole runs: the limit counts only where one begins.
        if (decisions.size() >= max && id->id.run != last.run) return false;
        last = id->id;
        decisions.emplace_back(value_of(message));
        return true;
      });
  if (!read.ok()) return read;
  return decisions;
}

absl::StatusOr<std::vector<std::string>> Readback::dead_letters(std::uint32_t shard,
                                                                std::uint32_t max) {
  const auto partition = static_cast<std::int32_t>(shard);
  const absl::StatusOr<Kept> kept = admin_.kept(names_.dead_letters, partition);
  if (!kept.ok()) return kept.status();
  std::map<EffectId, std::string, std::greater<>> found;
  const std::int64_t from = std::max(kept->begin, kept->end - static_cast<std::int64_t>(max));
  const absl::Status read =
      scan(names_.dead_letters, partition, from, kept->end, [&](const rd_kafka_message_t& message) {
        if (const std::optional<RecordId> id = record_id(message); id.has_value())
          found.emplace(id->id, value_of(message));
        return true;
      });
  if (!read.ok()) return read;
  std::vector<std::string> letters;
  for (auto& [id, bytes] : found) letters.push_back(std::move(bytes));
  return letters;
}

absl::StatusOr<std::string> Readback::cursor(const std::string& key) {
  const std::lock_guard lock(cursors_mutex_);
  const absl::StatusOr<Kept> kept = admin_.kept(names_.cursors, 0);
  if (!kept.ok()) return kept.status();
  if (cursors_reader_ == nullptr) {
    auto opened = PartitionReader::open(connection_, names_.cursors, 0, kept->begin);
    if (!opened.ok()) return opened.status();
    cursors_reader_ = *std::move(opened);
  }
  const absl::Status read =
      cursors_reader_->read(kept->end, [&](const rd_kafka_message_t& message) {
        cursors_[std::string(key_of(message))] = std::string(value_of(message));
        return true;
      });
  if (!read.ok()) {
    cursors_reader_.reset();
    return read;
  }
  const auto found = cursors_.find(key);
  return found == cursors_.end() ? std::string() : found->second;
}

absl::StatusOr<bool> Readback::has_room_for_cursor(const std::string& key) {
  {
    const std::lock_guard lock(cursors_mutex_);
    if (cursors_.contains(key)) return true;
  }
  if (const absl::StatusOr<std::string> all = cursor(key); !all.ok()) return all.status();
  const std::lock_guard lock(cursors_mutex_);
  if (!cursors_.contains(key) && cursors_.size() >= kCursorsMax) return false;
  cursors_.try_emplace(key);  // about to be written
  return true;
}

}  // namespace spur::kafka
