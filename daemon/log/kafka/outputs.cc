#include "daemon/log/kafka/outputs.h"

#include <algorithm>
#include <utility>

#include "daemon/log/kafka/outputs_impl.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

void free_effect(EffectKind kind, RunEffects& effects, std::size_t index) {
  const auto free = [](std::string& text) { std::string().swap(text); };
  switch (kind) {
    case EffectKind::kAction:
      return free(effects.actions[index].bytes);
    case EffectKind::kDecision:
      return free(effects.decisions[index].bytes);
    case EffectKind::kDeadLetter:
      return free(effects.dead_letters[index]);
    case EffectKind::kMessage:
      return free(effects.messages[index].bytes);
  }
}

}  // namespace

using std::chrono::nanoseconds;

Outputs::Outputs(const KafkaOptions& options, const TopicNames& names, std::string deployment,
                 std::uint32_t shards, const Admin& admin, const Clock& clock, Pump& pump,
                 Errands& errands)
    : options_(options),
      names_(names),
      deployment_(std::move(deployment)),
      waiting_bytes_max_(options.waiting_bytes_max),
      admin_(admin),
      clock_(clock),
      pump_(pump),
      errands_(errands) {
  for (std::uint32_t shard = 0; shard < shards; ++shard)
    shards_.push_back(std::make_unique<ShardOut>(shard, deployment_));
  // Spur's own topics were seen to when the log was opened.
  for (const std::string& topic : {names_.decisions, names_.dead_letters, names_.messages})
    destination(topic).state = Destination::State::kOpen;
}

Outputs::~Outputs() {
  stop();
  close();
  for (const std::unique_ptr<ShardOut>& shard : shards_) shard->lanes.clear();
}

void Outputs::close() {
  retired_.clear();  // each waits for its thread, which knows its lane
  for (const std::unique_ptr<ShardOut>& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const auto& [to, lane] : shard->lanes) {
      lane->handle.reset();  // of the session, which goes below
      lane->box.reset();
    }
  }
  std::vector<std::shared_ptr<Box>> boxes;
  {
    const std::lock_guard lock(mutex_);
    common_.reset();
    for (const auto& [topic, to] : destinations_) to->own.reset();
    boxes.swap(boxes_);
  }
}

void Outputs::stop() {
  stopping_ = true;
  // All are told before one is waited for.
  for (const std::unique_ptr<ShardOut>& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const auto& [to, lane] : shard->lanes) {
      if (lane->sender != nullptr) lane->sender->stop();
    }
  }
  pump_.wake();
}

// --- destinations and sessions ---

Outputs::Destination& Outputs::destination(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Destination>& found = destinations_[topic];
  if (found == nullptr) {
    found = std::make_unique<Destination>();
    found->topic = topic;
  }
  return *found;
}

void Outputs::know_topic(const std::string& topic, const Form& form) {
  Destination& known = destination(topic);
  const std::lock_guard lock(mutex_);
  known.json = form.json;
  known.transactional = form.transactional;
  known.gap = form.rate.gap(shards_.size());
  if (known.state == Destination::State::kUnchecked) check_destination(known);
}

// Requires mutex_.
void Outputs::check_destination(Destination& asked) {
  asked.state = Destination::State::kChecking;
  errands_.run([this, &asked] {
    if (stopping_) return;
    const absl::Status status = ensure_output_topic(admin_, asked.topic, options_,
                                                    static_cast<std::uint32_t>(shards_.size()));
    {
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        asked.state = Destination::State::kOpen;
      } else {
        shaken_ = true;
        asked.state = Destination::State::kAway;
        asked.pause = longer(asked.pause);
        asked.retry_at = clock_.read().steady + asked.pause;
      }
    }
    if (!status.ok())
      logging::warning("output topic", {{"topic", asked.topic}, {"status", status}});
    for (const std::unique_ptr<ShardOut>& shard : shards_) {
      const std::lock_guard lock(shard->mutex);
      shard->dirty = true;
    }
    pump_.wake();
  });
}

// The session for a destination; nullptr: not now. Requires mutex_.
std::shared_ptr<Outputs::Box> Outputs::box_for(Destination& to, nanoseconds now) {
  std::shared_ptr<Box>& box = to.isolated ? to.own : common_;
  if (box != nullptr) return box;
  if (now < (to.isolated ? to.retry_at : common_retry_)) return nullptr;
  absl::StatusOr<std::shared_ptr<Session>> session = Session::open(
      options_.connection, producer_settings(), &pump_,
      [this](const Session& by, void* lane, const auto&) { acked(by, *static_cast<Lane*>(lane)); },
      Session::Acks::kAtOnce);
  if (!session.ok()) {
    logging::error("output session", {{"status", session.status()}});
    common_retry_ = to.retry_at = now + kPauseMax;
    return nullptr;
  }
  box = std::make_shared<Box>();
  box->session = *std::move(session);
  box->only = to.isolated ? &to : nullptr;
  boxes_.push_back(box);
  return box;
}

// --- sending ---

Outputs::Lane& Outputs::lane(ShardOut& shard, const std::string& topic, std::int32_t partition,
                             EffectKind kind) {
  std::unique_ptr<Lane>& found = shard.lanes[{topic, partition}];
  if (found == nullptr) {
    found = std::make_unique<Lane>();
    found->shard = &shard;
    found->destination = &destination(topic);
    found->kind = kind;
    found->partition = partition;
    // A topic that a catalog has only just named may be another deployment's.
    found->tail_pending = kind != EffectKind::kMessage;
  }
  return *found;
}

// Bytes of a lane begin to wait, or wait no longer.
void Outputs::wait(Lane& lane, bool waits, std::size_t bytes) {
  if (waits) {
    lane.waiting_bytes += bytes;
    lane.shard->waiting_bytes += bytes;
  } else {
    lane.waiting_bytes -= bytes;
    lane.shard->waiting_bytes -= bytes;
  }
}

void Outputs::enqueue(ShardOut& shard, std::uint64_t seq, RunEffects effects_taken) {
  const auto run = shard.runs.emplace_hint(shard.runs.end(), seq, Run{std::move(effects_taken), 0});
  const RunEffects& effects = run->second.effects;
  const auto own = static_cast<std::int32_t>(shard.shard);
  const auto add = [&](Lane& to, std::size_t index) {
    const auto bytes = static_cast<std::uint32_t>(item_bytes(to.kind, effects, index));
    (to.spilled.has_value() ? to.later : to.items)
        .push_back({run, static_cast<std::uint32_t>(index), bytes});
    wait(to, true, bytes);
    ++run->second.outstanding;
  };
  Lane* to = nullptr;  // most often the next effect goes where the last one went
  for (std::size_t i = 0; i < effects.messages.size(); ++i)
    add(lane(shard, names_.messages, static_cast<std::int32_t>(effects.messages[i].to),
             EffectKind::kMessage),
        i);
  for (std::size_t i = 0; i < effects.actions.size(); ++i) {
    const std::string& topic = effects.actions[i].topic;
    if (to == nullptr || to->destination->topic != topic)
      to = &lane(shard, topic, own, EffectKind::kAction);
    add(*to, i);
  }
  if (!effects.decisions.empty()) to = &lane(shard, names_.decisions, own, EffectKind::kDecision);
  for (std::size_t i = 0; i < effects.decisions.size(); ++i) add(*to, i);
  for (std::size_t i = 0; i < effects.dead_letters.size(); ++i)
    add(lane(shard, names_.dead_letters, own, EffectKind::kDeadLetter), i);
  if (run->second.outstanding == 0) shard.runs.erase(run);
}

void Outputs::forget(Lane& lane, const Item& item) {
  if (--item.run->second.outstanding == 0)
    lane.shard->runs.erase(item.run);
  else
    free_effect(lane.kind, item.run->second.effects, item.index);
}

void Outputs::hold(std::uint32_t shard, std::uint64_t seq, RunEffects effects) {
  if (effects.empty()) return;
  ShardOut& out = *shards_[shard];
  const std::lock_guard lock(out.mutex);
  SPUR_CHECK(out.held.empty() || out.held.back().first < seq);
  out.held.emplace_back(seq, std::move(effects));
}

void Outputs::release(std::uint32_t shard, std::uint64_t seq) {
  ShardOut& out = *shards_[shard];
  nanoseconds due = Pump::kNothingDue;
  {
    const std::lock_guard lock(out.mutex);
    while (!out.held.empty() && out.held.front().first <= seq) {
      enqueue(out, out.held.front().first, std::move(out.held.front().second));
      out.held.pop_front();
    }
    out.released = std::max(out.released, seq);
    if (!out.runs.empty()) due = flush(out, clock_.read().steady);
    settle(out);
  }
  tell(out);
  schedule(due);
}

// The pump is to serve by then.
void Outputs::schedule(nanoseconds due) {
  std::int64_t known = next_due_.load(std::memory_order_relaxed);
  while (due.count() < known) {
    if (!next_due_.compare_exchange_weak(known, due.count())) continue;
    pump_.wake();
    break;
  }
}

nanoseconds Outputs::flush(ShardOut& shard, nanoseconds now) {
  nanoseconds due = Pump::kNothingDue;
  for (const auto& [to, lane] : shard.lanes) due = std::min(due, flush(*lane, now));
  shard.due = due;
  shard.dirty = false;
  return due;
}

nanoseconds Outputs::flush(Lane& lane, nanoseconds now) {
  if (stopping_) return Pump::kNothingDue;
  if (lane.items.size() == lane.in_flight) {
    // The rest is in the outbox, which is asked once.
    if (lane.spilled.has_value() && !lane.wanted) lane.wanted = lane.shard->wants = true;
    return Pump::kNothingDue;
  }
  if (is_full(lane)) return Pump::kNothingDue;  // an acknowledgement goes on
  Destination& to = *lane.destination;
  bool transactional = false;
  nanoseconds gap{0};
  {
    const std::lock_guard lock(mutex_);
    transactional = to.transactional;
    gap = to.gap;
    if (to.state == Destination::State::kUnchecked ||
        (to.state == Destination::State::kAway && now >= to.retry_at))
      check_destination(to);
    if (to.state == Destination::State::kChecking) return Pump::kNothingDue;
    if (to.state == Destination::State::kAway) return to.retry_at;
  }
  if (!settle_delivery(lane, transactional)) return Pump::kNothingDue;
  std::size_t room = may_leave(lane, gap, now);
  if (room == 0) return lane.pace.due();
  if (lane.sender != nullptr) {
    lane.sender->wake();
    return Pump::kNothingDue;
  }
  if (lane.tail_pending) return lane.tail_asking ? Pump::kNothingDue : lane.tail_retry_at;
  const bool urgent = lane.kind == EffectKind::kAction || lane.kind == EffectKind::kMessage;
  if (!urgent || lane.in_flight > 0) {
    if (lane.due.count() == 0) lane.due = urgent ? now + kLingerMax : (now / kTick + 1) * kTick;
    if (now < lane.due) return lane.due;
  }
  lane.due = nanoseconds(0);
  if (lane.box == nullptr) {
    const std::lock_guard lock(mutex_);
    lane.box = box_for(to, now);
    if (lane.box == nullptr) return to.isolated ? to.retry_at : common_retry_;
    absl::StatusOr<Topic> handle = lane.box->session->topic(to.topic);
    SPUR_CHECK(handle.ok());
    lane.handle = *std::move(handle);
  }
  for (; room > 0 && lane.in_flight < lane.items.size() && !is_full(lane); --room) {
    const absl::Status said = send(lane);
    if (said.ok()) continue;
    if (absl::IsResourceExhausted(said)) return now + kLingerMax;  // others have filled it
    pump_.wake();  // the session has ended, and serve() begins another
    break;
  }
  return room == 0 ? lane.pace.due() : Pump::kNothingDue;
}

bool Outputs::is_full(const Lane& lane) {
  return lane.in_flight >= kInFlightRecordsMax || lane.bytes_in_flight >= kInFlightBytesMax;
}

std::size_t Outputs::may_leave(Lane& lane, nanoseconds gap, nanoseconds now) {
  // By another rate, what was scheduled by the one before means nothing.
  if (gap != std::exchange(lane.gap, gap)) lane.pace = Pace();
  return lane.gap.count() == 0 ? SIZE_MAX : lane.pace.allowed(now, lane.gap);
}

ProducerRecord Outputs::next_record(Lane& lane) {
  const Item& item = lane.items[lane.in_flight];
  const RunEffects& effects = item.run->second.effects;
  RecordMaker& maker = lane.shard->maker;
  EffectRecord made;
  switch (lane.kind) {
    case EffectKind::kAction:
      made = maker.action(effects.actions[item.index], lane.destination->json);
      break;
    case EffectKind::kDecision:
      made = maker.decision(effects.decisions[item.index]);
      break;
    case EffectKind::kDeadLetter:
      made = maker.dead_letter(effects.dead_letters[item.index]);
      break;
    case EffectKind::kMessage:
      made.value = effects.messages[item.index].bytes;
      made.has_key = false;
      break;
  }
  ProducerRecord record;
  record.key = made.key;
  record.value = made.value;
  record.has_key = made.has_key;
  record.headers = std::move(made.headers);
  record.opaque = &lane;
  return record;
}

// The lane's next item is on its way. Requires the shard's lock, which its acknowledgement waits
// for.
void Outputs::sent(Lane& lane) {
  const std::uint32_t bytes = lane.items[lane.in_flight++].bytes;
  lane.bytes_in_flight += bytes;
  wait(lane, false, bytes);
  if (lane.gap.count() > 0) lane.pace.leave(clock_.read().steady, lane.gap);
}

// None of what is under way counts as sent.
void Outputs::unsend(Lane& lane) {
  wait(lane, true, lane.bytes_in_flight);
  lane.in_flight = lane.bytes_in_flight = 0;
}

absl::Status Outputs::send(Lane& lane) {
  ProducerRecord record = next_record(lane);
  absl::Status said = lane.box->session->send(lane.handle.get(), lane.partition, std::move(record));
  if (said.ok()) sent(lane);
  return said;
}

// --- acknowledgements ---

void Outputs::acked(const Session& by, Lane& lane) {
  ShardOut& shard = *lane.shard;
  nanoseconds due = Pump::kNothingDue;
  {
    const std::lock_guard lock(shard.mutex);
    if (lane.box == nullptr || lane.box->session.get() != &by || by.ended()) return;
    if (lane.orphans > 0) {
      if (--lane.orphans > 0) return;
    } else {
      const bool full = is_full(lane);
      arrived(lane);
      if (shaken_.load(std::memory_order_relaxed)) calm(*lane.destination);
      // Most often the rest of the request's records come right behind; those of another request
      // are not waited for.
      if (lane.in_flight > 0 && !full) {
        const nanoseconds soon = clock_.read().steady + kLingerMax;
        if (shard.due <= soon) return;
        due = shard.due = soon;
      }
    }
    if (due == Pump::kNothingDue) {
      due = flush(shard, clock_.read().steady);
      settle(shard);
    }
  }
  tell(shard);
  schedule(due);
}

void Outputs::arrived(Lane& lane) {
  ShardOut& shard = *lane.shard;
  SPUR_CHECK(lane.in_flight > 0);
  lane.bytes_in_flight -= lane.items.front().bytes;
  --lane.in_flight;
  forget(lane, lane.items.front());
  lane.items.pop_front();
  // Of a transaction it is said once it is to be seen.
  if (lane.kind == EffectKind::kAction && lane.sender == nullptr &&
      lane.destination != shard.acked_action_last) {
    shard.acked_action_last = lane.destination;
    shard.acked_actions.insert(lane.destination);
  }
}

// It takes records again: the next trouble begins with a short pause.
void Outputs::calm(Destination& to) {
  const std::lock_guard lock(mutex_);
  to.pause = common_pause_ = nanoseconds(0);
  shaken_ = std::any_of(destinations_.begin(), destinations_.end(),
                        [](const auto& known) { return known.second->pause.count() > 0; });
}

void Outputs::settle(ShardOut& shard) {
  shard.acked = shard.runs.empty() ? shard.released : shard.runs.begin()->first - 1;
  if (shard.spilled_lanes == 0) return;
  for (const auto& [to, lane] : shard.lanes) {
    if (lane->spilled.has_value()) shard.acked = std::min(shard.acked, lane->spilled->first - 1);
  }
}

void Outputs::tell(ShardOut& shard) {
  std::optional<std::uint64_t> acked;
  std::set<Destination*> topics;
  bool wants = false;
  {
    const std::lock_guard lock(shard.mutex);
    if (shard.acked > shard.told) acked = shard.told = shard.acked;
    topics.swap(shard.acked_actions);
    shard.acked_action_last = nullptr;
    wants = std::exchange(shard.wants, false);
  }
  if (events_.actions) {
    for (const Destination* topic : topics) events_.actions(topic->topic);
  }
  if (acked.has_value() && events_.acked) events_.acked(shard.shard, *acked);
  if (wants && events_.wanted) events_.wanted(shard.shard);
}

nanoseconds Outputs::serve() {
  next_due_.store(INT64_MAX, std::memory_order_relaxed);
  std::vector<std::shared_ptr<Box>> boxes;
  {
    const std::lock_guard lock(mutex_);
    boxes = boxes_;
    std::erase_if(retired_, [](const auto& sender) { return sender->ended(); });
  }
  const nanoseconds now = clock_.read().steady;
  nanoseconds due = Pump::kNothingDue;
  for (const std::shared_ptr<Box>& box : boxes) {
    if (stopping_) box->session->purge();
    box->session->serve();
    if (box->session->ending()) due = now + Session::kEndingPause;
    if (box->session->ended()) end_box(box, now);
  }
  for (const std::unique_ptr<ShardOut>& shard : shards_) {
    {
      const std::lock_guard lock(shard->mutex);
      if (shard->dirty || shard->due <= now) {
        retry_tails(*shard, now);
        flush(*shard, now);
        settle(*shard);
      }
      due = std::min(due, shard->due);
    }
    tell(*shard);
  }
  std::int64_t known = next_due_.load(std::memory_order_relaxed);
  while (due.count() < known && !next_due_.compare_exchange_weak(known, due.count())) {
  }
  return std::min(due, nanoseconds(known));
}

void Outputs::end_box(const std::shared_ptr<Box>& box, nanoseconds now) {
  const std::string topic = box->only != nullptr ? box->only->topic : box->session->failed_topic();
  logging::warning("output session ended", {{"topic", topic}, {"status", box->session->why()}});
  // First of all, or a lane that is flushed meanwhile would be given the same again.
  {
    const std::lock_guard lock(mutex_);
    shaken_ = true;
    std::erase(boxes_, box);
    if (common_ == box) common_.reset();
    const auto found = destinations_.find(topic);
    if (found != destinations_.end()) {
      Destination& failed = *found->second;
      failed.own.reset();
      failed.isolated = true;
      failed.pause = longer(failed.pause);
      failed.retry_at = now + failed.pause;
      // It may be gone: looked for, and made again, before anything is sent.
      if (topic != names_.messages) failed.state = Destination::State::kAway;
    } else {
      common_pause_ = longer(common_pause_);
      common_retry_ = now + common_pause_;
    }
  }
  for (const std::unique_ptr<ShardOut>& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const auto& [to, lane] : shard->lanes) {
      if (lane->box != box) continue;
      unsend(*lane);
      lane->orphans = 0;
      lane->handle.reset();
      lane->box.reset();
    }
    make_room(*shard);  // what was under way waits again
    shard->dirty = true;
  }
  box->session->purge();
  // Nobody has it any more. Its end takes a while, which is not this thread's.
  errands_.run([ended = std::move(box->session)]() mutable { ended.reset(); });
}

}  // namespace spur::kafka
