#include "daemon/log/kafka/journal.h"

#include <utility>

#include "daemon/log/kafka/text.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

absl::Status stopped() { return absl::UnavailableError("the log has stopped"); }

}  // namespace

Journal::Journal(const Connection& connection, std::string topic, std::uint32_t shards, Pump& pump,
                 Errands& errands, const Clock& clock)
    : connection_(connection),
      topic_(std::move(topic)),
      pump_(pump),
      errands_(errands),
      clock_(clock) {
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    if (shard % kShardsPerSession == 0) groups_.push_back(std::make_unique<Group>());
    ShardState& state = *shards_.emplace_back(std::make_unique<ShardState>());
    state.group = groups_.back().get();
    state.partition = static_cast<std::int32_t>(shard);
    state.group->shards.push_back(&state);
  }
}

absl::Status Journal::open_session(Group& group) {
  absl::StatusOr<std::shared_ptr<Session>> session = Session::open(
      connection_, producer_settings(), &pump_,
      [this](const Session& by, void* shard, const Session::Standing& at) {
        acked(by, *static_cast<ShardState*>(shard), at);
      },
      Session::Acks::kAtOnce);
  if (!session.ok()) return session.status();
  absl::StatusOr<Topic> topic = (*session)->topic(topic_);
  if (!topic.ok()) return topic.status();
  group.session = *std::move(session);
  group.topic = *std::move(topic);
  return absl::OkStatus();
}

void Journal::append(std::uint32_t shard, std::string_view entry, Done done) {
  ShardState& state = *shards_[shard];
  Group& group = *state.group;
  {
    const std::lock_guard lock(group.mutex);
    absl::Status refusal = abandoned_ ? stopped() : state.refusal;
    if (refusal.ok() && group.session == nullptr) refusal = open_session(group);
    if (refusal.ok()) {
      Session::Record record;
      record.value = entry;
      record.has_key = false;
      record.opaque = &state;
      // Before it is sent: its acknowledgement may be quicker than we are.
      state.waiting.push_back(std::move(done));
      const absl::Status sent =
          group.session->send(group.topic.get(), state.partition, std::move(record));
      if (sent.ok()) return;
      // The session has ended, or ends now: an entry cannot be left out. serve() fails what waits,
      // this one included.
      if (absl::IsResourceExhausted(sent)) group.session->fail(sent);
    } else {
      state.refused.push_back({std::move(done), std::move(refusal)});
      group.has_refused = true;
    }
  }
  pump_.wake();
}

void Journal::admit(std::uint32_t shard) { refuse(shard, absl::OkStatus()); }

void Journal::refuse(std::uint32_t shard, absl::Status why) {
  ShardState& state = *shards_[shard];
  const std::lock_guard lock(state.group->mutex);
  state.refusal = std::move(why);
}

absl::Status Journal::refusal(std::uint32_t shard) const {
  const ShardState& state = *shards_[shard];
  const std::lock_guard lock(state.group->mutex);
  return state.refusal;
}

bool Journal::idle() const {
  for (const std::unique_ptr<Group>& group : groups_) {
    const std::lock_guard lock(group->mutex);
    for (const ShardState* shard : group->shards) {
      if (!shard->waiting.empty()) return false;
    }
  }
  return true;
}

absl::Status Journal::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::optional<ClockReading> Journal::witness(std::uint32_t shard) const {
  const ShardState& state = *shards_[shard];
  const std::lock_guard lock(state.group->mutex);
  return state.witness;
}

void Journal::acked(const Session& by, ShardState& shard, const Session::Standing& at) {
  const std::lock_guard in_order(shard.telling);
  Done done;
  bool refused = false;
  {
    const std::lock_guard lock(shard.group->mutex);
    if (shard.group->session.get() != &by || by.ended()) return;  // failed meanwhile, or will be
    SPUR_CHECK(!shard.waiting.empty());
    done = std::move(shard.waiting.front());
    shard.waiting.pop_front();
    refused = shard.waiting.empty() && !shard.refused.empty();
    if (at.appended.has_value()) shard.witness = {*at.appended, clock_.read().steady};
  }
  acknowledged_.fetch_add(1, std::memory_order_relaxed);
  if (at.offset < 0) {
    // A retry that the broker knew already: it stands, and the journal says where (rule 8).
    done(absl::UnknownError("the journal took the entry and did not say where"));
  } else {
    done(static_cast<Offset>(at.offset));
  }
  if (refused) pump_.wake();
}

void Journal::fail(Group& group, const absl::Status& why, std::vector<Call>& calls) {
  for (ShardState* shard : group.shards) {
    for (Done& done : shard->waiting) calls.push_back({std::move(done), why});
    shard->waiting.clear();
  }
}

std::chrono::nanoseconds Journal::serve() {
  std::chrono::nanoseconds due = Pump::kNothingDue;
  for (const std::unique_ptr<Group>& group : groups_) {
    std::shared_ptr<Session> session;
    {
      const std::lock_guard lock(group->mutex);
      session = group->session;
    }
    if (session != nullptr) {
      session->serve();
      if (session->ending()) due = clock_.read().steady + Session::kEndingPause;
    }
    if (session != nullptr && !session->ended() && !abandoned_) session.reset();
    bool refused = false;
    {
      const std::lock_guard lock(group->mutex);
      refused = group->has_refused;
    }
    if (session != nullptr || refused) answer(*group, std::move(session));
  }
  return due;
}

void Journal::answer(Group& group, std::shared_ptr<Session> ended) {
  // What is appended from here on may be acknowledged before all is told that was under way.
  std::vector<std::unique_lock<std::mutex>> telling;
  for (ShardState* shard : group.shards) telling.emplace_back(shard->telling);
  std::vector<Call> calls;
  {
    const std::lock_guard lock(group.mutex);
    if (ended != nullptr) {
      const absl::Status why = ended->why();
      if (absl::IsPermissionDenied(why)) {
        // A right that was never given or was taken away: another session would hear the same.
        const std::lock_guard own(mutex_);
        if (status_.ok()) status_ = why;
      }
      fail(group,
           abandoned_
               ? stopped()
               : absl::UnknownError(text("the journal may hold the entry or not: ", why.message())),
           calls);
      group.topic.reset();
      group.session.reset();
      ended->purge();
      errands_.run([gone = std::move(ended)]() mutable { gone.reset(); });
    }
    if (group.has_refused) {
      group.has_refused = false;
      for (ShardState* shard : group.shards) {
        if (!shard->waiting.empty()) {
          group.has_refused |= !shard->refused.empty();  // acked() wakes the pump
          continue;
        }
        for (Call& call : std::exchange(shard->refused, {})) calls.push_back(std::move(call));
      }
    }
  }
  for (Call& call : calls) call.done(std::move(call.result));
}

void Journal::abandon() {
  abandoned_ = true;
  pump_.wake();
}

}  // namespace spur::kafka
