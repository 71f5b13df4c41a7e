// What a shard reads: the sources of a new catalog, and an input that crashed the process.
#include <utility>

#include "daemon/live_shard.h"
#include "daemon/logging.h"
#include "daemon/plant.h"
#include "daemon/sources.h"
#include "state/check.h"

namespace spur {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kSourcesRetryAfter{1};

}  // namespace

// H24: what the catalog names and no entry has numbered yet becomes a source, at one journaled
// place. The cluster is asked aside, since it may take its time.
void LiveShard::add_sources() {
  const auto& catalog = owned_->shard.catalog();
  if (catalog == nullptr) {
    sources_due_ = false;
    return;
  }
  const std::vector<InputTopic> topics = topics_of(catalog.get());
  if (topics.empty()) return take_sources(topics, {});
  if (!discovered_ || discovered_->topics != topics) return discover(topics);
  const Log::Discovery found = std::exchange(discovered_, std::nullopt)->found;
  take_sources(topics, found.sources);
  if (found.missed.ok() || phase_ != ShardPhase::kLive) return;
  // A topic that is not there yet must not stop the others, whose entry may be in flight by now.
  if (!sources_late_) {
    logging::warning("topic not read yet", {{"shard", index_}, {"status", found.missed}});
  }
  sources_due_ = sources_late_ = true;
  sources_at_ = host_.clock.read().steady + kSourcesRetryAfter;
}

void LiveShard::discover(const std::vector<InputTopic>& topics) {
  if (discovering_) return;
  discovering_ = true;
  host_.discoveries.run([this, topics, incarnation = incarnation_] {
    auto answer =
        std::make_shared<Discovered>(Discovered{topics, host_.log.discover(index_, topics)});
    post_([this, answer, incarnation] {
      discovering_ = false;
      if (incarnation == incarnation_) discovered_ = std::move(*answer);
    });
  });
}

void LiveShard::take_sources(const std::vector<InputTopic>& topics,
                             const std::vector<TopicSource>& found) {
  std::variant<spur::v1::Sources, Park> fresh = new_sources(owned_->stand, found);
  if (auto* recreated = std::get_if<Park>(&fresh)) return park(std::move(*recreated));
  sources_due_ = false;
  const auto& added = std::get<spur::v1::Sources>(fresh);
  if (added.added_size() > 0) {
    SPUR_CHECK(owned_->stand.add(added));
    spur::v1::JournalEntry entry;
    *entry.mutable_sources() = added;
    append_plain(std::move(entry));
  }
  if (added.added_size() > 0 || topics != feeds_->topics()) feeds_->follow(owned_->stand, topics);
}

// --- an input that crashed the process (docs/protocol.md §3, "Poison") ---

bool LiveShard::suspect_is_next(const ClockReading& now) {
  if (owned_->shard.catalog() == nullptr) return false;
  if (!feeds_->fill(owned_->stand, host_.options.run_inputs_max).ok()) return false;  // plan() says
  const auto next = feeds_->next(owned_->stand, now.wall);
  return next && (next->source == suspect_->source || planted(Plant::kSuspectByOffset)) &&
         next->record->offset == suspect_->offset;
}

void LiveShard::try_suspect() {
  spur::v1::JournalEntry entry;
  entry.mutable_trying()->set_source(suspect_->source);
  entry.mutable_trying()->set_offset(suspect_->offset);
  // And folded once this is durable, so that a second crash can be told.
  suspect_->tried_now = trying_is_ours_ = true;
  if (planted(Plant::kTryingNotJournaled)) return;
  append_plain(std::move(entry));
}

void LiveShard::quarantine_suspect(const ClockReading& now) {
  const Feeds::Record next = *feeds_->next(owned_->stand, now.wall);
  const std::string reason = "the process died in this input, twice";
  spur::v1::JournalEntry entry;
  spur::v1::Quarantine& quarantine = *entry.mutable_quarantine();
  quarantine.set_source(suspect_->source);
  quarantine.set_offset(suspect_->offset);
  quarantine.set_reason(reason);
  quarantine.set_attempts(2);
  tape_.clear();
  effects_.clear();
  const std::uint64_t seq = ++owned_->stand.journal.seq;
  owned_->shard.begin_run({seq, owned_->shard.clock(), Instant::never(), ClockMode::kWall}, tape_);
  owned_->intake.quarantine(next.source, *next.record, reason, effects_);
  entry.set_digest(owned_->shard.end_run());
  SourceStand& at = owned_->stand.of(next.source);
  at.next = next.record->offset + 1;
  at.last_hash = record_hash(*next.record);
  feeds_->take(next);
  suspect_.reset();
  ++quarantined_;
  append(std::move(entry), effects_, next.arrived, /*seal=*/false);
  host_.log.folded(index_, next.source, at.next);
}

}  // namespace spur
