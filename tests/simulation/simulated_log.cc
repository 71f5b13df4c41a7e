#include "tests/simulation/simulated_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/plant.h"
#include "state/check.h"
#include "tests/simulation/fiber.h"

namespace spur::simulation {
namespace {

absl::Status killed() { return absl::UnavailableError("the process is dead"); }
absl::Status unknown() { return absl::UnknownError("no acknowledgement came"); }

// Every effect of a run by destination, in order.
struct Addressed {
  Destination destination;
  std::int32_t to = -1;
  std::string bytes;
};
std::vector<Addressed> addressed(std::uint32_t shard, const RunEffects& effects) {
  std::vector<Addressed> all;
  for (const RunEffects::Action& action : effects.actions)
    all.push_back({absl::StrCat(action.topic, "/", shard), -1, action.bytes});
  for (const RunEffects::Decision& decision : effects.decisions)
    all.push_back({absl::StrCat("decisions/", shard), -1, decision.bytes});
  for (const std::string& letter : effects.dead_letters)
    all.push_back({absl::StrCat("dead-letters/", shard), -1, letter});
  for (const RunEffects::Message& message : effects.messages) {
    all.push_back({absl::StrCat("messages/", message.to, "<", shard),
                   static_cast<std::int32_t>(message.to), message.bytes});
  }
  return all;
}

Destination destination_of(std::uint32_t shard, const Outlet& outlet) {
  switch (outlet.kind) {
    case Outlet::Kind::kAction:
      return absl::StrCat(outlet.topic, "/", shard);
    case Outlet::Kind::kDecision:
      return absl::StrCat("decisions/", shard);
    case Outlet::Kind::kDeadLetter:
      return absl::StrCat("dead-letters/", shard);
    case Outlet::Kind::kMessage:
      break;
  }
  return absl::StrCat("messages/", outlet.to, "<", shard);
}

Outlet outlet_of(const Destination& destination, std::int32_t to) {
  if (to >= 0) return {Outlet::Kind::kMessage, "", static_cast<std::uint32_t>(to)};
  if (destination.starts_with("decisions/")) return {Outlet::Kind::kDecision, "", 0};
  if (destination.starts_with("dead-letters/")) return {Outlet::Kind::kDeadLetter, "", 0};
  return {Outlet::Kind::kAction, destination.substr(0, destination.rfind('/')), 0};
}

}  // namespace

SimulatedLog::SimulatedLog(Broker& broker, Random& random, const Clock& clock, const bool& faults)
    : broker_(broker),
      random_(random),
      clock_(clock),
      faults_(faults),
      process_(++broker.processes),
      shards_(broker.journals.size()) {}

absl::Status SimulatedLog::reach() const {
  Fiber::give_way();
  if (dead_) return killed();
  if (faults_ && random_.one_in(60)) return absl::UnavailableError("the broker is out of reach");
  return absl::OkStatus();
}

absl::Status SimulatedLog::status() const { return dead_ ? killed() : absl::OkStatus(); }

// --- inputs ---

Log::Discovery SimulatedLog::discover(std::uint32_t shard, std::span<const InputTopic> topics) {
  if (absl::Status reached = reach(); !reached.ok()) return {{}, std::move(reached)};
  Discovery found;
  for (const auto& [topic, for_all] : topics) {
    bool any = false;
    for (const auto& [name, from] : broker_.inputs) {
      if (name.first != topic || (!for_all && name.second != static_cast<std::int32_t>(shard)))
        continue;
      any = true;
      // The decision is taken once, and journaled: asked again, the answer would be another.
      const Offset start = planted(Plant::kSourcesNotInPosition) ? from.end : 0;
      found.sources.push_back({0, topic, from.topic_id, name.second, start});
    }
    if (!any)
      found.missed = absl::FailedPreconditionError(absl::StrCat("there is no topic ", topic));
  }
  return found;
}

void SimulatedLog::follow(std::uint32_t shard, std::span<const Following> sources) {
  Fiber::give_way();
  ShardLog& log = shards_[shard];
  for (const Following& following : sources) {
    const std::uint32_t source = following.source.source;
    log.following[source] = following;
    log.fetched[source] = std::max(log.fetched[source], following.next);
  }
}

void SimulatedLog::drop(std::uint32_t index) {
  ShardLog& shard = shards_[index];
  Broker::Requests journal;
  for (Request& request : shard.sent) {
    journal.push_back([this_broker = &broker_, index, entry = std::move(request.entry)] {
      this_broker->append_journal(index, entry);
    });
  }
  broker_.orphan(std::move(journal), /*with_holes=*/false);
  for (auto& [destination, queue] : shard.queues) break_queue(destination, queue);
  shard = ShardLog();
}

void SimulatedLog::unfollow(std::uint32_t shard) { drop(shard); }

void SimulatedLog::kill() {
  if (dead_) return;
  dead_ = true;
  for (std::uint32_t shard = 0; shard < shards_.size(); ++shard) drop(shard);
}

const Broker::Partition* SimulatedLog::partition(std::uint32_t shard,
                                                 const TopicSource& source) const {
  const bool messages = source.source == kMessageSource;
  const auto it =
      broker_.inputs.find({messages ? kMessageTopic : source.topic,
                           messages ? static_cast<std::int32_t>(shard) : source.partition});
  return it == broker_.inputs.end() ? nullptr : &it->second;
}

absl::StatusOr<Offset> SimulatedLog::input_begin(std::uint32_t shard,
                                                 const TopicSource& source) const {
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  const Broker::Partition* from = partition(shard, source);
  return from == nullptr ? 0 : from->begin;
}

absl::StatusOr<Offset> SimulatedLog::input_end(std::uint32_t shard,
                                               const TopicSource& source) const {
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  return *input_end_heard(shard, source);
}

std::optional<Offset> SimulatedLog::input_end_heard(std::uint32_t shard,
                                                    const TopicSource& source) const {
  const Broker::Partition* from = partition(shard, source);
  return from == nullptr ? 0 : from->end;
}

absl::Status SimulatedLog::poll(std::uint32_t index, std::uint32_t source, Offset from,
                                const PollLimits& limits, InputBatch& batch) {
  batch.clear();
  if (dead_) return killed();
  ShardLog& shard = shards_[index];
  const auto following = shard.following.find(source);
  if (following == shard.following.end()) return absl::OkStatus();
  const Broker::Partition* records = partition(index, following->second.source);
  if (records == nullptr) return absl::OkStatus();
  if (from < records->begin) return absl::OutOfRangeError("the input is no longer kept");
  // What is there arrives here a little at a time.
  Offset& fetched = shard.fetched[source];
  if (!faults_ || random_.one_in(2))
    fetched = std::min(records->end, std::max(fetched, from) + random_.below(faults_ ? 4 : 64));
  batch.taken = clock_.read().steady + std::chrono::nanoseconds(1);
  for (const Broker::Record& record : records->records) {
    if (record.offset < from) continue;
    if (record.offset >= fetched || batch.records.size() == limits.records_max) break;
    // A process may be killed within a fold: what it looks at then is still there.
    batch.records.push_back({record.offset, record.received, "",
                             source == kMessageSource ? std::string_view() : records->topic,
                             record.key, record.value});
  }
  return absl::OkStatus();
}

class SimulatedLog::Reader final : public InputReader {
 public:
  Reader(SimulatedLog& log, std::uint32_t shard, std::span<const TopicSource> sources)
      : log_(log), shard_(shard), sources_(sources.begin(), sources.end()) {}

  absl::Status read(std::uint32_t source, Offset first, Offset last,
                    const std::function<bool(const InputRecord&)>& record) override {
    if (absl::Status reached = log_.reach(); !reached.ok()) return reached;
    const auto at = std::find_if(sources_.begin(), sources_.end(),
                                 [&](const TopicSource& s) { return s.source == source; });
    SPUR_CHECK(at != sources_.end());
    const Broker::Partition* from = log_.partition(shard_, *at);
    if (from == nullptr) return absl::OkStatus();
    if (first < from->begin) return absl::OutOfRangeError("the input is no longer kept");
    for (const Broker::Record& found : from->records) {
      if (found.offset < first) continue;
      if (found.offset > last) break;
      if (!record({found.offset, found.received, "", at->topic, found.key, found.value})) break;
    }
    return absl::OkStatus();
  }

 private:
  SimulatedLog& log_;
  const std::uint32_t shard_;
  const std::vector<TopicSource> sources_;
};

std::unique_ptr<InputReader> SimulatedLog::open_reader(std::uint32_t shard,
                                                       std::span<const TopicSource> sources) {
  return std::make_unique<Reader>(*this, shard, sources);
}

absl::StatusOr<std::vector<CatalogRecord>> SimulatedLog::poll_catalogs(Offset from,
                                                                       std::uint32_t records_max) {
  Fiber::give_way();
  if (dead_) return killed();
  // A replay asks for what it has seen before, and gets it.
  const std::size_t all = broker_.catalogs.size();
  std::size_t at = std::max(from, kFirstCatalog) - kFirstCatalog;
  catalogs_heard_ = std::max(catalogs_heard_, std::min(all, at + records_max));
  std::vector<CatalogRecord> records;
  for (; at < catalogs_heard_ && records.size() < records_max; ++at)
    records.push_back(broker_.catalogs[at]);
  return records;
}

Offset SimulatedLog::catalog_end() const {
  if (catalogs_heard_ < broker_.catalogs.size() && (!faults_ || random_.one_in(8)))
    ++catalogs_heard_;
  return catalogs_heard_ == 0 ? 0 : kFirstCatalog + catalogs_heard_;
}

// --- the journal ---

void SimulatedLog::append(JournalAppend append) {
  Fiber::give_way();
  if (dead_) return append.done(killed());
  ShardLog& shard = shards_[append.shard];
  if (!shard.refusal.ok()) return shard.refused.push_back(std::move(append.done));
  shard.unreleased.push_back({append.seq, std::move(append.effects)});
  shard.sent.push_back({append.seq, std::move(append.entry), std::move(append.done)});
}

absl::StatusOr<Offset> SimulatedLog::append_and_wait(JournalAppend append) {
  Fiber::give_way();
  if (dead_) return killed();
  shards_[append.shard].refusal = absl::OkStatus();  // a claim: what stood against it is over
  std::optional<absl::StatusOr<Offset>> answer;
  append.done = [&answer](absl::StatusOr<Offset> offset) { answer = std::move(offset); };
  shards_[append.shard].sent.push_back(
      {append.seq, std::move(append.entry), std::move(append.done)});
  Fiber::wait_until([&] { return answer.has_value() || dead_; });
  if (!answer) return killed();
  return *std::move(answer);
}

absl::Status SimulatedLog::read_journal(
    std::uint32_t index, Offset from, Offset to,
    const std::function<bool(Offset, std::string_view)>& entry) {
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  for (Offset at = from; at < to; ++at) {
    const Broker::Journal& journal = broker_.journals[index];
    if (at < journal.begin) return absl::OutOfRangeError("the journal begins later");
    if (at >= journal.entries.size()) break;
    const std::string bytes = journal.entries[at];
    if (!entry(at, bytes)) break;
    if (at % 8 == 0) Fiber::give_way();
    if (dead_) return killed();
  }
  return absl::OkStatus();
}

absl::StatusOr<Offset> SimulatedLog::journal_begin(std::uint32_t shard) const {
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  return broker_.journals[shard].begin;
}

absl::StatusOr<Offset> SimulatedLog::journal_end(std::uint32_t shard) const {
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  return static_cast<Offset>(broker_.journals[shard].entries.size());
}

void SimulatedLog::break_journal(std::uint32_t index) {
  ShardLog& shard = shards_[index];
  Broker::Requests late;
  std::vector<Done> waiting;
  for (Accepted& accepted : shard.accepted) {
    // Now and then the broker has forgotten the session, and takes a retry for something new.
    if (random_.one_in(3)) {
      late.push_back([broker = &broker_, index, entry = accepted.entry] {
        broker->append_journal(index, entry);
      });
    }
    waiting.push_back(std::move(accepted.done));
  }
  for (Request& request : shard.sent) {
    late.push_back([broker = &broker_, index, entry = std::move(request.entry)] {
      broker->append_journal(index, entry);
    });
    waiting.push_back(std::move(request.done));
  }
  shard.accepted.clear();
  shard.sent.clear();
  broker_.orphan(std::move(late), /*with_holes=*/false);
  for (const Done& done : waiting) done(unknown());
}

// --- effects ---

void SimulatedLog::enqueue(std::uint32_t index, std::uint64_t seq, const RunEffects& effects,
                           const std::map<Destination, EffectId>& start) {
  ShardLog& shard = shards_[index];
  std::map<Destination, std::uint32_t> next;
  bool any = false;
  for (Addressed& effect : addressed(index, effects)) {
    const EffectId id{seq, next[effect.destination]++};
    if (const auto at = start.find(effect.destination); at != start.end() && id <= at->second)
      continue;
    Queue& queue = shard.queues[effect.destination];
    queue.to = effect.to;
    (queue.spilled ? queue.later : queue.effects).push_back({id, std::move(effect.bytes)});
    any = true;
  }
  if (any) shard.runs[seq] = effects;
}

void SimulatedLog::release(std::uint32_t index, std::uint64_t seq) {
  Fiber::give_way();
  if (dead_) return;
  ShardLog& shard = shards_[index];
  while (!shard.unreleased.empty() && shard.unreleased.front().seq <= seq) {
    enqueue(index, shard.unreleased.front().seq, shard.unreleased.front().effects, {});
    shard.unreleased.pop_front();
  }
  shard.released = std::max(shard.released, seq);
  settle_acked(index);
}

void SimulatedLog::settle_acked(std::uint32_t index) {
  ShardLog& shard = shards_[index];
  std::uint64_t acked = shard.released;
  for (const auto& [destination, queue] : shard.queues) {
    if (queue.spilled) acked = std::min(acked, queue.spilled->first - 1);
    if (!queue.effects.empty()) acked = std::min(acked, queue.effects.front().id.run - 1);
  }
  while (!shard.runs.empty() && shard.runs.begin()->first <= acked)
    shard.runs.erase(shard.runs.begin());
  if (watcher_.acked) watcher_.acked(index, acked);
}

absl::Status SimulatedLog::resume(std::uint32_t index, std::uint64_t acked_through,
                                  std::uint64_t seq_last, std::vector<UnsentRun> unsent,
                                  std::vector<Spilled> spilled) {
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  // The tails: the highest id that each destination of this shard holds. Messages have no tail that
  // could be read, for their partition has many writers.
  std::map<Destination, EffectId> start;
  EffectId highest;
  const std::string mine = absl::StrCat("/", index);
  for (const auto& [destination, outlet] : broker_.outlets) {
    if (!destination.ends_with(mine) || destination.starts_with("messages/")) continue;
    if (broker_.transactional(destination)) {
      shards_[index].queues[destination];  // begins by itself
      continue;
    }
    for (std::size_t i = outlet.begin; i < outlet.records.size(); ++i)
      start[destination] = std::max(start[destination], outlet.records[i].id);
    highest = std::max(highest, start[destination]);
    if (start[destination].run > seq_last) {
      shards_[index].queues.clear();  // of transactions: nothing of an owner that is none goes on
      return absl::AbortedError(
          absl::StrCat(destination, " holds run ", start[destination].run, " of ", seq_last));
    }
  }
  if (planted(Plant::kOneStartForAll)) {
    for (auto& [destination, at] : start) at = highest;
  }
  for (const UnsentRun& run : unsent) {
    if (run.seq > acked_through) enqueue(index, run.seq, run.effects, start);
  }
  for (auto& [destination, queue] : shards_[index].queues) {
    if (const auto at = start.find(destination); at != start.end()) queue.begins = at->second;
  }
  for (const Spilled& one : spilled) {
    if (one.runs.last <= acked_through) continue;
    const Destination destination = destination_of(index, one.outlet);
    Queue& queue = shards_[index].queues[destination];
    queue.to = one.outlet.kind == Outlet::Kind::kMessage ? static_cast<int>(one.outlet.to) : -1;
    queue.spilled = {std::max(one.runs.first, acked_through + 1), one.runs.last};
    if (const auto at = start.find(destination); at != start.end()) queue.begins = at->second;
  }
  shards_[index].released = seq_last;
  settle_acked(index);
  return absl::OkStatus();
}

// Now and then what waits leaves memory, as much as may.
void SimulatedLog::stored(std::uint32_t index, std::uint64_t seq) {
  ShardLog& shard = shards_[index];
  for (auto& [destination, queue] : shard.queues) {
    if (random_.one_in(3)) spill(shard, queue, seq);
  }
  std::erase_if(shard.runs, [&](const auto& run) {
    return std::none_of(shard.queues.begin(), shard.queues.end(), [&](const auto& named) {
      const Queue& queue = named.second;
      const auto of_run = [&](const Effect& effect) { return effect.id.run == run.first; };
      return std::any_of(queue.effects.begin(), queue.effects.end(), of_run) ||
             std::any_of(queue.later.begin(), queue.later.end(), of_run);
    });
  });
}

void SimulatedLog::spill(ShardLog&, Queue& queue, std::uint64_t seq) {
  if (!queue.spilled) {
    std::size_t keep = std::max<std::size_t>({queue.arrived, queue.sent, 1});
    while (keep < queue.effects.size() &&
           queue.effects[keep].id.run == queue.effects[keep - 1].id.run)
      ++keep;
    if (keep >= queue.effects.size() || queue.effects[keep].id.run > seq) return;
    const auto from = queue.effects.begin() + static_cast<std::ptrdiff_t>(keep);
    queue.later.assign(from, queue.effects.end());
    queue.effects.erase(from, queue.effects.end());
    queue.spilled = {queue.later.front().id.run, 0};
  }
  for (; !queue.later.empty() && queue.later.front().id.run <= seq; queue.later.pop_front())
    queue.spilled->last = queue.later.front().id.run;
}

std::vector<RunRange> SimulatedLog::spilled(std::uint32_t index) const {
  std::vector<RunRange> ranges;
  for (const auto& [destination, queue] : shards_[index].queues) {
    if (queue.spilled) ranges.push_back(*queue.spilled);
  }
  return ranges;
}

std::optional<Spilled> SimulatedLog::wanted(std::uint32_t index) {
  for (const auto& [destination, queue] : shards_[index].queues) {
    if (queue.wanted && queue.spilled)
      return Spilled{outlet_of(destination, queue.to), *queue.spilled};
  }
  return std::nullopt;
}

void SimulatedLog::refill(std::uint32_t index, const Outlet& outlet, std::vector<UnsentRun> rows,
                          std::uint64_t through) {
  ShardLog& shard = shards_[index];
  const Destination destination = destination_of(index, outlet);
  Queue& queue = shard.queues[destination];
  SPUR_CHECK(queue.spilled.has_value());
  for (UnsentRun& row : rows) {
    std::uint32_t number = 0;
    for (Addressed& effect : addressed(index, row.effects)) {
      if (effect.destination != destination) continue;
      const EffectId id{row.seq, number++};
      if (id <= queue.begins) continue;
      queue.effects.push_back({id, std::move(effect.bytes)});
      shard.runs[row.seq] = row.effects;
    }
  }
  queue.wanted = false;
  queue.spilled->first = through + 1;
  if (through >= queue.spilled->last) {
    queue.spilled.reset();
    queue.effects.insert(queue.effects.end(), queue.later.begin(), queue.later.end());
    queue.later.clear();
  }
  settle_acked(index);
}

std::vector<UnsentRun> SimulatedLog::unsent(std::uint32_t index, std::uint64_t seq) const {
  std::vector<UnsentRun> runs;
  for (const auto& [run, effects] : shards_[index].runs) {
    if (run <= seq) runs.push_back({run, effects});
  }
  return runs;
}

absl::Status SimulatedLog::trim(std::uint32_t index, const Trim& below) {
  // A request for each log: the process may die between them.
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  Broker::Journal& journal = broker_.journals[index];
  journal.begin = std::max(journal.begin, below.journal_below);
  if (absl::Status reached = reach(); !reached.ok()) return reached;
  Broker::Partition& messages = broker_.inputs[{kMessageTopic, static_cast<std::int32_t>(index)}];
  messages.begin = std::max(messages.begin, below.messages_below);
  return absl::OkStatus();
}

void SimulatedLog::break_queue(const Destination& destination, Queue& queue) {
  Broker::Requests late;
  if (broker_.transactional(destination)) {
    if (queue.sent > 0) {
      late.push_back([broker = &broker_, destination, id = transactional_id(), epoch = queue.epoch,
                      effects = std::vector<Effect>(queue.effects.begin(),
                                                    queue.effects.begin() + queue.sent)] {
        broker->commit(destination, id, epoch, effects);
      });
    }
    queue.stage = Queue::Stage::kNew;
    queue.sent = 0;
    queue.tail_read = false;
  }
  for (std::size_t i = queue.arrived;
       i < queue.effects.size() && !broker_.transactional(destination); ++i) {
    late.push_back([broker = &broker_, destination, to = queue.to, effect = queue.effects[i]] {
      broker->append_effect(destination, to, effect);
    });
  }
  broker_.orphan(std::move(late), /*with_holes=*/queue.to >= 0);
  queue.arrived = 0;  // all that is not acknowledged is sent again
}

absl::Status SimulatedLog::apply_start(const ShardLog& shard, const Destination& destination,
                                       Queue& queue) {
  const Broker::Outlet& outlet = broker_.outlets[destination];
  EffectId start = broker_.coordinators[destination].mark.value_or(EffectId());
  for (std::size_t i = outlet.begin; i < outlet.records.size(); ++i)
    start = std::max(start, outlet.records[i].id);
  if (start.run > shard.released) {
    return absl::AbortedError(
        absl::StrCat(destination, " holds run ", start.run, " of ", shard.released));
  }
  queue.begins = start;
  for (std::deque<Effect>* waiting : {&queue.effects, &queue.later}) {
    while (!waiting->empty() && waiting->front().id <= start) waiting->pop_front();
  }
  return absl::OkStatus();
}

// H9: init, then wait until what was decided before is to be seen, then look how far it has got.
std::string SimulatedLog::step_transactions(ShardLog& shard, const Destination& destination,
                                            Queue& queue) {
  if (faults_ && random_.one_in(12)) {
    break_queue(destination, queue);
    return absl::StrCat(destination, ": the producer is lost");
  }
  const bool early = planted(Plant::kTailBeforeInit);
  if (early && !queue.tail_read) {
    shard.refusal = apply_start(shard, destination, queue);
    queue.tail_read = shard.refusal.ok();
    return absl::StrCat(destination, ": the tail is read");
  }
  switch (queue.stage) {
    case Queue::Stage::kNew:
      queue.epoch = broker_.init(destination, transactional_id());
      queue.stage = Queue::Stage::kInitialised;
      return absl::StrCat(destination, ": initialised in epoch ", queue.epoch);
    case Queue::Stage::kInitialised: {
      if (!broker_.coordinators[destination].deciding.empty() && !planted(Plant::kTailBeforeStable))
        return "";
      if (!early) {
        if (absl::Status ahead = apply_start(shard, destination, queue); !ahead.ok()) {
          shard.refusal = std::move(ahead);
          return absl::StrCat(destination, ": it is ahead of the journal");
        }
      }
      queue.stage = Queue::Stage::kBegun;
      return absl::StrCat(destination, ": begun");
    }
    case Queue::Stage::kBegun:
      break;
  }
  if (queue.arrived > 0) {
    const EffectId last = queue.effects[queue.arrived - 1].id;
    queue.effects.erase(queue.effects.begin(),
                        queue.effects.begin() + static_cast<std::ptrdiff_t>(queue.arrived));
    queue.arrived = 0;
    return absl::StrCat(destination, " has committed up to run ", last.run, ".", last.index);
  }
  if (queue.effects.empty()) return "";
  if (queue.sent == 0) {
    queue.sent = 1 + random_.below(queue.effects.size());
    return absl::StrCat(destination, ": a transaction of ", queue.sent);
  }
  const auto end = queue.effects.begin() + static_cast<std::ptrdiff_t>(queue.sent);
  const bool taken = broker_.commit(destination, transactional_id(), queue.epoch,
                                    std::vector<Effect>(queue.effects.begin(), end));
  if (taken) queue.arrived = queue.sent;
  queue.sent = 0;
  if (!taken) break_queue(destination, queue);
  return absl::StrCat(destination, taken ? " decides the transaction" : ": fenced");
}

// --- the scheduler's ---

bool SimulatedLog::idle() const {
  return std::all_of(shards_.begin(), shards_.end(), [](const ShardLog& shard) {
    return shard.sent.empty() && shard.accepted.empty() && shard.refused.empty() &&
           std::all_of(shard.queues.begin(), shard.queues.end(), [](const auto& queue) {
             return queue.second.effects.empty() && !queue.second.spilled;
           });
  });
}

std::string SimulatedLog::step() {
  if (dead_) return "";
  const auto index = static_cast<std::uint32_t>(random_.below(shards_.size()));
  ShardLog& shard = shards_[index];
  switch (random_.below(4)) {
    case 0:
      if (shard.sent.empty()) return "";
      {
        Request request = std::move(shard.sent.front());
        shard.sent.pop_front();
        const Offset offset = broker_.append_journal(index, request.entry);
        shard.accepted.push_back({offset, std::move(request.entry), std::move(request.done)});
        return absl::StrCat("journal ", index, " takes entry ", request.seq, " at ", offset);
      }
    case 1: {
      if (!shard.refused.empty()) {
        const Done done = std::move(shard.refused.front());
        shard.refused.pop_front();
        done(shard.refusal);
        return absl::StrCat("journal ", index, " takes nothing");
      }
      if (faults_ && random_.one_in(12) && (!shard.sent.empty() || !shard.accepted.empty())) {
        break_journal(index);
        return absl::StrCat("journal ", index, ": the session breaks");
      }
      if (shard.accepted.empty()) return "";
      Accepted accepted = std::move(shard.accepted.front());
      shard.accepted.pop_front();
      accepted.done(accepted.offset);
      return absl::StrCat("journal ", index, " acknowledges ", accepted.offset);
    }
    default: {
      if (shard.queues.empty()) return "";
      auto it = shard.queues.begin();
      std::advance(it, static_cast<std::ptrdiff_t>(random_.below(shard.queues.size())));
      auto& [destination, queue] = *it;
      if (queue.effects.empty() && queue.spilled && !queue.wanted) {
        queue.wanted = true;
        if (watcher_.wanted) watcher_.wanted(index);
        return absl::StrCat(destination, " wants more of the outbox");
      }
      if (broker_.transactional(destination)) {
        std::string what = step_transactions(shard, destination, queue);
        settle_acked(index);
        return what;
      }
      if (queue.effects.empty()) return "";
      if (faults_ && random_.one_in(12)) {
        break_queue(destination, queue);
        return absl::StrCat(destination, ": the session breaks");
      }
      if (queue.arrived < queue.effects.size() && (queue.arrived == 0 || random_.one_in(2))) {
        const Effect& effect = queue.effects[queue.arrived++];
        broker_.append_effect(destination, queue.to, effect);
        return absl::StrCat(destination, " takes run ", effect.id.run, ".", effect.id.index);
      }
      const EffectId id = queue.effects.front().id;
      queue.effects.pop_front();
      --queue.arrived;
      settle_acked(index);
      return absl::StrCat(destination, " acknowledges run ", id.run, ".", id.index);
    }
  }
}

}  // namespace spur::simulation
