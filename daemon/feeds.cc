#include "daemon/feeds.h"

#include <algorithm>

#include "daemon/plant.h"
#include "daemon/sources.h"
#include "state/check.h"

namespace spur {

void Feeds::follow(const LogStand& stand, const std::vector<InputTopic>& topics) {
  topics_ = topics;
  feeds_.clear();
  std::vector<Log::Following> following;
  for (const SourceStand& at : stand.sources) {
    if (at.source.source == kCatalogSource || rests(at.source, topics_)) continue;
    following.push_back({at.source, at.next});
    feeds_.emplace_back().source = at.source.source;
  }
  heads_.resize(feeds_.size());
  order_ = IntakeOrder();  // what comes of a new one may be history, or has to be there first
  log_.follow(shard_, following);
}

absl::Status Feeds::fill(const LogStand& stand, std::uint32_t records_max) {
  for (Feed& feed : feeds_) {
    if (feed.here()) continue;
    feed.at = 0;
    feed.batch.clear();
    PollLimits limits;
    limits.records_max = records_max;
    if (absl::Status polled =
            log_.poll(shard_, feed.source, stand.of(feed.source).next, limits, feed.batch);
        !polled.ok()) {
      return polled;
    }
  }
  return absl::OkStatus();
}

bool Feeds::at_end(const LogStand& stand, bool unheard) const {
  return std::all_of(feeds_.begin(), feeds_.end(), [&](const Feed& feed) {
    if (feed.here()) return false;
    const SourceStand& at = stand.of(feed.source);
    const std::optional<Offset> end = end_of(at);
    return end ? *end <= at.next : unheard;
  });
}

std::optional<Offset> Feeds::end_of(const SourceStand& at) const {
  if (rests(at.source, topics_)) return at.next;
  const std::optional<Offset> end = log_.input_end_heard(shard_, at.source);
  return end ? std::optional(std::max(at.next, *end)) : std::nullopt;
}

bool Feeds::held_back(const Feed& feed, const LogStand& stand) const {
  return feed.source == kMessageSource && !planted(Plant::kMessageBeforeCatalog) &&
         catalogs_before(feed.batch.records[feed.at]) > stand.catalogs;
}

std::optional<Feeds::Record> Feeds::next(const LogStand& stand, Instant wall) {
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    SourceHead& head = heads_[i];
    // A message that waits for the broadcast holds up its own source only.
    head.here = feed.here() && !held_back(feed, stand);
    head.at_end = true;
    if (head.here) {
      head.received = feed.batch.records[feed.at].received;
      head.arrived = feed.batch.taken;
    } else if (!feed.here()) {
      // What was taken in this run is behind `stand` already, but not in it.
      const SourceStand& at = stand.of(feed.source);
      const Offset next = feed.batch.records.empty()
                              ? at.next
                              : std::max(at.next, feed.batch.records.back().offset + 1);
      const std::optional<Offset> end = log_.input_end_heard(shard_, at.source);
      head.at_end = end && *end <= next;
    }
  }
  const std::optional<IntakeOrder::Turn> turn = order_.next(heads_, wall);
  if (!turn) return std::nullopt;
  const Feed& feed = feeds_[turn->source];
  // One message at a time: the next may want another catalog.
  const Instant until = feed.source == kMessageSource ? Instant::distant_past() : turn->until;
  const InputRecord* const records = feed.batch.records.data();
  return Record{feed.source, records + feed.at, records + feed.batch.records.size(),
                feed.batch.taken, until};
}

const InputRecord* Feeds::take(const Record& taken) {
  const auto feed = std::find_if(feeds_.begin(), feeds_.end(), [&](const Feed& candidate) {
    return candidate.source == taken.source;
  });
  SPUR_CHECK(feed != feeds_.end() && feed->here());
  ++feed->at;
  if (!feed->here() || feed->batch.records[feed->at].received > taken.until) return nullptr;
  return &feed->batch.records[feed->at];
}

}  // namespace spur
