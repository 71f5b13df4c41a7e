#include "daemon/log/kafka/outputs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kPauseMin = std::chrono::milliseconds(200);
constexpr nanoseconds kPauseMax = std::chrono::seconds(30);

nanoseconds longer(nanoseconds pause) { return std::clamp(2 * pause, kPauseMin, kPauseMax); }

}  // namespace

// A session and what it is for.
struct Outputs::Box {
  std::shared_ptr<Session> session;
  Destination* only = nullptr;  // nullptr: everybody's
};

struct Outputs::Destination {
  enum class State { kUnchecked, kChecking, kOpen, kAway };
  std::string topic;
  bool json = false;
  State state = State::kUnchecked;
  bool isolated = false;  // its records failed once: a session of its own
  std::shared_ptr<Box> own;
  nanoseconds retry_at{0}, pause{0};
};

// What a run wants done, until all of it is acknowledged.
struct Outputs::Run {
  std::uint64_t seq = 0;
  RunEffects effects;
  std::uint32_t outstanding = 0;
};

struct Outputs::Lane {
  struct Item {
    Run* run = nullptr;
    std::uint32_t index = 0;
    std::uint32_t bytes = 0;  // as sent
  };
  ShardOut* shard = nullptr;
  Destination* destination = nullptr;
  EffectKind kind = EffectKind::kDecision;
  std::int32_t partition = 0;
  std::deque<Item> items;  // the first `in_flight` are sent
  std::size_t in_flight = 0, bytes_in_flight = 0;
  std::uint64_t orphans = 0;  // sent before the shard was dropped: acknowledged first
  std::shared_ptr<Box> box;
  Topic handle;  // of the box's session; destroyed before it
  nanoseconds waiting_since{0};
  bool tail_pending = false, tail_asking = false;
  nanoseconds tail_retry_at{0}, tail_pause{0};
};

struct Outputs::ShardOut {
  ShardOut(std::uint32_t of, std::string_view deployment) : shard(of), maker(deployment) {}

  const std::uint32_t shard;
  RecordMaker maker;
  mutable std::mutex mutex;
  std::uint64_t generation = 0;  // of drop(): a late tail of before is nobody's
  std::map<std::pair<std::string, std::int32_t>, std::unique_ptr<Lane>> lanes;
  std::deque<std::unique_ptr<Run>> held;  // not released
  std::deque<std::unique_ptr<Run>> runs;  // released, with effects that are not acknowledged
  std::uint64_t released = 0, acked = 0, told = 0, seq_last = 0;
  std::set<Destination*> acked_actions;
  Destination* acked_action_last = nullptr;  // put in last; nullptr: it is empty
  bool dirty = false;
  nanoseconds due = Pump::kNothingDue;
};

// What the end of a partition says.
struct Outputs::Tail {
  std::string topic;
  absl::Status status;  // not OK: it could not be asked
  bool any = false;
  EffectId last;
};

Outputs::Outputs(const KafkaOptions& options, const TopicNames& names, std::string deployment,
                 std::uint32_t shards, const Admin& admin, const Clock& clock, Pump& pump,
                 Errands& errands)
    : options_(options),
      names_(names),
      deployment_(std::move(deployment)),
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
  stopping_ = true;
  for (const std::unique_ptr<ShardOut>& shard : shards_) shard->lanes.clear();
}

void Outputs::stop() {
  stopping_ = true;
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

void Outputs::know_topic(const std::string& topic, bool json) {
  Destination& known = destination(topic);
  const std::lock_guard lock(mutex_);
  known.json = json;
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
  absl::StatusOr<std::shared_ptr<Session>> session =
      Session::open(options_.connection, producer_settings(), &pump_,
                    [this](void* lane, std::int64_t at) { acked(*static_cast<Lane*>(lane), at); });
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

void Outputs::enqueue(ShardOut& shard, std::unique_ptr<Run> run) {
  const RunEffects& effects = run->effects;
  const auto own = static_cast<std::int32_t>(shard.shard);
  const auto add = [&](Lane& to, std::size_t index) {
    to.items.push_back({run.get(), static_cast<std::uint32_t>(index), 0});
    ++run->outstanding;
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
  if (run->outstanding > 0) shard.runs.push_back(std::move(run));
}

void Outputs::hold(std::uint32_t shard, std::uint64_t seq, RunEffects effects) {
  if (effects.empty()) return;
  ShardOut& out = *shards_[shard];
  auto run = std::make_unique<Run>();
  run->seq = seq;
  run->effects = std::move(effects);
  const std::lock_guard lock(out.mutex);
  SPUR_CHECK(out.held.empty() || out.held.back()->seq < seq);
  out.held.push_back(std::move(run));
}

void Outputs::release(std::uint32_t shard, std::uint64_t seq) {
  ShardOut& out = *shards_[shard];
  nanoseconds due = Pump::kNothingDue;
  {
    const std::lock_guard lock(out.mutex);
    while (!out.held.empty() && out.held.front()->seq <= seq) {
      enqueue(out, std::move(out.held.front()));
      out.held.pop_front();
    }
    out.released = std::max(out.released, seq);
    if (!out.runs.empty()) due = flush(out, clock_.read().steady);
    settle(out);
  }
  tell(out);
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
  if (stopping_ || lane.items.size() == lane.in_flight) return Pump::kNothingDue;
  if (lane.in_flight >= kInFlightRecordsMax || lane.bytes_in_flight >= kInFlightBytesMax)
    return Pump::kNothingDue;  // an acknowledgement goes on
  Destination& to = *lane.destination;
  {
    const std::lock_guard lock(mutex_);
    if (to.state == Destination::State::kUnchecked ||
        (to.state == Destination::State::kAway && now >= to.retry_at))
      check_destination(to);
    if (to.state == Destination::State::kChecking) return Pump::kNothingDue;
    if (to.state == Destination::State::kAway) return to.retry_at;
  }
  if (lane.tail_pending) return lane.tail_asking ? Pump::kNothingDue : lane.tail_retry_at;
  const bool urgent = lane.kind == EffectKind::kAction || lane.kind == EffectKind::kMessage;
  if (!urgent || lane.in_flight > 0) {
    if (lane.waiting_since.count() == 0) lane.waiting_since = now;
    const nanoseconds due = lane.waiting_since + kLingerMax;
    if (now < due) return due;
  }
  lane.waiting_since = nanoseconds(0);
  if (lane.box == nullptr) {
    const std::lock_guard lock(mutex_);
    lane.box = box_for(to, now);
    if (lane.box == nullptr) return to.isolated ? to.retry_at : common_retry_;
    absl::StatusOr<Topic> handle = lane.box->session->topic(to.topic);
    SPUR_CHECK(handle.ok());
    lane.handle = *std::move(handle);
  }
  while (lane.in_flight < lane.items.size() && lane.in_flight < kInFlightRecordsMax &&
         lane.bytes_in_flight < kInFlightBytesMax) {
    const absl::Status sent = send(lane, lane.in_flight);
    if (sent.ok()) continue;
    if (absl::IsResourceExhausted(sent)) return now + kLingerMax;  // others have filled it
    pump_.wake();  // the session has ended, and serve() begins another
    break;
  }
  return Pump::kNothingDue;
}

absl::Status Outputs::send(Lane& lane, std::size_t index) {
  Lane::Item& item = lane.items[index];
  const RunEffects& effects = item.run->effects;
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
  Session::Record record;
  record.key = made.key;
  record.value = made.value;
  record.has_key = made.has_key;
  record.headers = std::move(made.headers);
  record.opaque = &lane;
  item.bytes = static_cast<std::uint32_t>(made.key.size() + made.value.size());
  // Counted before it is sent: its acknowledgement waits for the shard's lock, which is held.
  absl::Status sent = lane.box->session->send(lane.handle.get(), lane.partition, std::move(record));
  if (!sent.ok()) return sent;
  ++lane.in_flight;
  lane.bytes_in_flight += item.bytes;
  return absl::OkStatus();
}

// --- acknowledgements; on the pump's thread ---

void Outputs::acked(Lane& lane, std::int64_t) {
  ShardOut& shard = *lane.shard;
  const std::lock_guard lock(shard.mutex);
  shard.dirty = true;
  if (lane.orphans > 0) {
    --lane.orphans;
    return;
  }
  SPUR_CHECK(lane.in_flight > 0);
  const Lane::Item& item = lane.items.front();
  --item.run->outstanding;
  lane.bytes_in_flight -= item.bytes;
  --lane.in_flight;
  lane.items.pop_front();
  if (lane.kind == EffectKind::kAction && lane.destination != shard.acked_action_last) {
    shard.acked_action_last = lane.destination;
    shard.acked_actions.insert(lane.destination);
  }
  if (shaken_.load(std::memory_order_relaxed)) calm(*lane.destination);
}

// It takes records again: the next trouble begins with a short pause.
void Outputs::calm(Destination& to) {
  const std::lock_guard lock(mutex_);
  to.pause = common_pause_ = nanoseconds(0);
  shaken_ = std::any_of(destinations_.begin(), destinations_.end(),
                        [](const auto& known) { return known.second->pause.count() > 0; });
}

void Outputs::settle(ShardOut& shard) {
  while (!shard.runs.empty() && shard.runs.front()->outstanding == 0) shard.runs.pop_front();
  shard.acked = shard.runs.empty() ? shard.released : shard.runs.front()->seq - 1;
}

void Outputs::tell(ShardOut& shard) {
  std::optional<std::uint64_t> acked;
  std::set<Destination*> topics;
  {
    const std::lock_guard lock(shard.mutex);
    if (shard.acked > shard.told) acked = shard.told = shard.acked;
    topics.swap(shard.acked_actions);
    shard.acked_action_last = nullptr;
  }
  if (events_.actions) {
    for (const Destination* topic : topics) events_.actions(topic->topic);
  }
  if (acked.has_value() && events_.acked) events_.acked(shard.shard, *acked);
}

nanoseconds Outputs::serve() {
  next_due_.store(INT64_MAX, std::memory_order_relaxed);
  std::vector<std::shared_ptr<Box>> boxes;
  {
    const std::lock_guard lock(mutex_);
    boxes = boxes_;
  }
  const nanoseconds now = clock_.read().steady;
  for (const std::shared_ptr<Box>& box : boxes) {
    if (stopping_) box->session->purge();
    box->session->serve();
    if (box->session->ended()) end_box(box, now);
  }
  nanoseconds due = Pump::kNothingDue;
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
  for (const std::unique_ptr<ShardOut>& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const auto& [to, lane] : shard->lanes) {
      if (lane->box != box) continue;
      lane->in_flight = lane->bytes_in_flight = 0;
      lane->orphans = 0;
      lane->handle.reset();
      lane->box.reset();
    }
    shard->dirty = true;
  }
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
  box->session->purge();
  // The handle goes when the last batch of acknowledgements has let go of it, off this thread.
  errands_.run([ended = box->session]() mutable { ended.reset(); });
}

// --- recovery ---

absl::StatusOr<std::vector<Outputs::Tail>> Outputs::read_tails(
    std::uint32_t shard, const std::vector<std::string>& topics) const {
  const auto partition = static_cast<std::int32_t>(shard);
  std::vector<Tail> tails;
  for (const std::string& topic : topics) {
    Tail& tail = tails.emplace_back();
    tail.topic = topic;
    const absl::StatusOr<Kept> kept = admin_.kept(topic, partition, kTailAnswerMax);
    if (!kept.ok()) {
      tail.status = kept.status();
      continue;
    }
    if (kept->begin == kept->end) continue;
    auto reader = PartitionReader::open(options_.connection, topic, partition,
                                        std::max(kept->begin, kept->end - kTailRecords));
    if (!reader.ok()) return reader.status();
    std::optional<std::string> foreign;
    tail.status = (*reader)->read(
        kept->end,
        [&](const rd_kafka_message_t& message) {
          const std::optional<RecordId> id = record_id(message);
          if (!id.has_value() || id->deployment != deployment_ || id->shard != shard) {
            foreign = id.has_value() ? id->deployment : "something that is not Spur";
            return false;
          }
          tail.any = true;
          tail.last = std::max(tail.last, id->id);  // a late repeat may stand behind it
          return true;
        },
        kTailAnswerMax);
    if (foreign.has_value())
      return absl::FailedPreconditionError(
          text(topic, "[", partition, "] is written by ", *foreign, " too, and partition ",
               partition, " belongs to shard ", shard, " of deployment ", deployment_,
               " alone; give this deployment another topic"));
  }
  return tails;
}

absl::Status Outputs::apply_tail(ShardOut& shard, Lane& lane, const Tail& tail) {
  if (tail.any && tail.last.run > shard.seq_last)
    return absl::AbortedError(text(tail.topic, "[", lane.partition, "] holds an effect of run ",
                                   tail.last.run, " and the journal was read to run ",
                                   shard.seq_last));
  while (tail.any && !lane.items.empty()) {
    const Lane::Item& item = lane.items.front();
    const RunEffects& effects = item.run->effects;
    const std::string& bytes = lane.kind == EffectKind::kAction ? effects.actions[item.index].bytes
                               : lane.kind == EffectKind::kDecision
                                   ? effects.decisions[item.index].bytes
                                   : effects.dead_letters[item.index];
    // Those released since the tail was asked for are beyond it anyway.
    if (id_of(lane.kind, bytes) > tail.last) break;
    --item.run->outstanding;
    lane.items.pop_front();
  }
  lane.tail_pending = false;
  return absl::OkStatus();
}

absl::Status Outputs::resume(std::uint32_t shard, std::uint64_t acked_through,
                             std::uint64_t seq_last, std::vector<UnsentRun> unsent) {
  ShardOut& out = *shards_[shard];
  const auto own = static_cast<std::int32_t>(shard);
  std::vector<std::string> topics;
  {
    const std::lock_guard lock(out.mutex);
    SPUR_CHECK(out.runs.empty());
    for (UnsentRun& one : unsent) {
      if (one.seq <= acked_through) continue;
      auto run = std::make_unique<Run>();
      run->seq = one.seq;
      run->effects = std::move(one.effects);
      enqueue(out, std::move(run));
    }
    out.released = out.seq_last = seq_last;
    out.acked = out.told = acked_through;
    {
      const std::lock_guard all(mutex_);
      for (const auto& [topic, known] : destinations_) {
        if (topic != names_.messages && known->state == Destination::State::kOpen)
          topics.push_back(topic);
      }
    }
    for (const std::string& topic : topics) {
      const EffectKind kind = topic == names_.decisions      ? EffectKind::kDecision
                              : topic == names_.dead_letters ? EffectKind::kDeadLetter
                                                             : EffectKind::kAction;
      lane(out, topic, own, kind);
    }
    for (const auto& [to, lane] : out.lanes) {
      if (lane->kind == EffectKind::kMessage) continue;  // written by all: no tail of ours
      lane->tail_pending = true;
      lane->tail_asking = true;
    }
  }
  absl::StatusOr<std::vector<Tail>> tails = read_tails(shard, topics);
  absl::Status result = tails.status();
  {
    const std::lock_guard lock(out.mutex);
    for (const auto& [to, lane] : out.lanes) lane->tail_asking = false;
    for (std::size_t i = 0; result.ok() && i < tails->size(); ++i) {
      const Tail& tail = (*tails)[i];
      if (!tail.status.ok()) {
        logging::warning("output tail", {{"topic", tail.topic}, {"status", tail.status}});
        continue;  // by itself, later
      }
      result = apply_tail(out, *out.lanes[{tail.topic, own}], tail);
    }
    out.dirty = true;
  }
  if (!result.ok()) {
    drop(shard);
    return result;
  }
  pump_.wake();
  return absl::OkStatus();
}

// Requires the shard's lock.
void Outputs::retry_tails(ShardOut& shard, nanoseconds now) {
  for (const auto& [to, pending] : shard.lanes) {
    Lane& lane = *pending;
    if (!lane.tail_pending || lane.tail_asking || now < lane.tail_retry_at) continue;
    {
      // A topic that is not there yet has no tail; who sends asks for it.
      const std::lock_guard lock(mutex_);
      if (lane.destination->state != Destination::State::kOpen) continue;
    }
    lane.tail_asking = true;
    errands_.run([this, &shard, &lane, generation = shard.generation] {
      if (stopping_) return;
      absl::StatusOr<std::vector<Tail>> tails = read_tails(shard.shard, {lane.destination->topic});
      absl::Status contradiction = tails.status();
      {
        const std::lock_guard lock(shard.mutex);
        if (shard.generation != generation) return;
        lane.tail_asking = false;
        if (tails.ok() && (*tails)[0].status.ok()) {
          contradiction = apply_tail(shard, lane, (*tails)[0]);
          lane.tail_pause = nanoseconds(0);
        } else {
          lane.tail_pause = longer(lane.tail_pause);
          lane.tail_retry_at = clock_.read().steady + lane.tail_pause;
        }
        shard.dirty = true;
      }
      if (!contradiction.ok() && events_.contradicted)
        events_.contradicted(shard.shard, contradiction);
      pump_.wake();
    });
  }
}

std::vector<UnsentRun> Outputs::unsent(std::uint32_t shard, std::uint64_t seq) const {
  const ShardOut& out = *shards_[shard];
  std::map<std::uint64_t, RunEffects> found;
  const std::lock_guard lock(out.mutex);
  for (const auto& [to, lane] : out.lanes) {
    for (const Lane::Item& item : lane->items) {
      if (item.run->seq > seq) break;
      RunEffects& effects = found[item.run->seq];
      const RunEffects& from = item.run->effects;
      switch (lane->kind) {
        case EffectKind::kAction:
          effects.actions.push_back(from.actions[item.index]);
          break;
        case EffectKind::kDecision:
          effects.decisions.push_back(from.decisions[item.index]);
          break;
        case EffectKind::kDeadLetter:
          effects.dead_letters.push_back(from.dead_letters[item.index]);
          break;
        case EffectKind::kMessage:
          effects.messages.push_back(from.messages[item.index]);
          break;
      }
    }
  }
  std::vector<UnsentRun> runs;
  for (auto& [run, effects] : found) runs.push_back({run, std::move(effects)});
  return runs;
}

void Outputs::drop(std::uint32_t shard) {
  ShardOut& out = *shards_[shard];
  const std::lock_guard lock(out.mutex);
  ++out.generation;
  for (const auto& [to, lane] : out.lanes) {
    lane->orphans += lane->in_flight;
    lane->items.clear();
    lane->in_flight = lane->bytes_in_flight = 0;
    lane->tail_pending = lane->tail_asking = false;
    lane->tail_retry_at = lane->tail_pause = nanoseconds(0);
    lane->waiting_since = nanoseconds(0);
  }
  out.held.clear();
  out.runs.clear();
  out.released = out.acked = out.told = out.seq_last = 0;
  out.acked_actions.clear();
  out.acked_action_last = nullptr;
}

}  // namespace spur::kafka
