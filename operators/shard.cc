#include "operators/shard.h"

#include <algorithm>

#include "operators/business_data.h"
#include "operators/customer_snapshot.h"
#include "operators/forward.h"
#include "operators/tell.h"
#include "operators/timeline.h"
#include "operators/triggers/collect.h"
#include "state/check.h"

namespace spur {

namespace {

constexpr Millis kAheadMax = kHour;  // of the clock; an event further ahead is a dead letter

}  // namespace

struct Shard::Impl {
  Impl(std::uint32_t shard, std::uint32_t count, Customers& all)
      : shards(count),
        customers(all),
        business(all.rows(), count),
        slots(state.arena, &business.records),
        timeline(state, slots),
        visits(state, all, timeline) {
    state.run.shard = shard;
    state.business = &business;
  }

  const std::uint32_t shards;
  Customers& customers;
  ShardState state;
  BusinessData business;
  Activation slots;
  Timeline timeline;
  Visits visits;
  // What was there before a catalog was replaced: since when each definition has been.
  std::map<std::uint64_t, Since> since_feature, since_trigger;

  void next_input() {
    ++state.run.input;
    state.run.ordinal = 0;
  }

  // The first clock at which what is due at `at` is past, lateness included.
  Instant passed(Instant at) const {
    if (at == Instant::never() || state.catalog == nullptr) return at;
    return at + state.catalog->policy.lateness + Millis{1};
  }

  void dead_letter(std::string_view reason, std::string_view detail, const Origin& origin,
                   Effects& effects) {
    DeadLetter letter;
    letter.id = {state.run.shard, state.run.seq, state.run.input, state.run.ordinal++};
    letter.reason = std::string(reason);
    letter.detail = std::string(detail);
    letter.source = origin.source;
    letter.topic = std::string(origin.topic);
    letter.offset = origin.offset;
    letter.key = std::string(origin.key);
    letter.value = std::string(origin.bytes);
    letter.received = origin.received;
    letter.headers = std::string(origin.headers);
    state.digest.add(static_cast<std::uint64_t>(Tag::kDeadLetter), letter.reason);
    state.digest.add(static_cast<std::uint64_t>(Tag::kDeadLetter), letter.offset);
    ++state.counters.dead_letters;
    effects.dead_letters.push_back(std::move(letter));
  }

  // Where thresholds stand for a customer without events.
  void settle_empty() {
    state.true_without_events.clear();
    state.asked_at_creation.clear();
    Customer nobody;
    ScoreTape none;
    Effects effects;
    state.arena.reset();
    slots.begin(nobody, Instant{0}, nullptr, &none);
    Turn turn{state, nobody, Instant{0}, nullptr, {}, false, slots, effects, {}, {}};
    for (const std::uint32_t t : state.catalog->thresholds) {
      const catalog::Trigger& trigger = state.catalog->triggers[t];
      if (trigger.every.count > 0) {
        state.asked_at_creation.push_back(t);
      } else if (trigger.when->evaluate(slots, state.arena).is_true()) {
        state.true_without_events.push_back(t);
      }
    }
  }

  void put_in_force(std::shared_ptr<const catalog::Compiled> next) {
    state.catalog = std::move(next);
    customers.set_layout(state.generation, state.catalog->layout);
    slots.use(state.catalog.get());
    business.use(*state.catalog);
    state.trigger_counters.assign(state.catalog->triggers.size(), {});
    std::map<std::uint64_t, Since> features, triggers;
    const Instant wall = state.run.wall == Instant::never() ? state.run.clock : state.run.wall;
    const Since now{state.generation, state.run.clock, std::max(state.run.clock, wall)};
    const auto keep = [&](std::map<std::uint64_t, Since>& kept,
                          const std::map<std::uint64_t, Since>& old,
                          std::uint64_t hash) -> const Since& {
      const auto it = old.find(hash);
      return kept.try_emplace(hash, it == old.end() ? now : it->second).first->second;
    };
    state.features_since.clear();
    state.triggers_since.clear();
    state.newest_since = 1;
    for (const catalog::Feature& f : state.catalog->features) {
      state.features_since.push_back(keep(features, since_feature, f.definition));
      state.newest_since = std::max(state.newest_since, state.features_since.back().generation);
    }
    for (const catalog::Trigger& t : state.catalog->triggers) {
      state.triggers_since.push_back(keep(triggers, since_trigger, t.name_hash));
      state.newest_since = std::max(state.newest_since, state.triggers_since.back().generation);
    }
    state.activations.clear();
    for (std::size_t t = 0; t < state.catalog->triggers.size(); ++t) {
      const catalog::Trigger& trigger = state.catalog->triggers[t];
      if (!trigger.backfill) continue;
      state.activations.resize(state.catalog->triggers.size(), Instant::distant_past());
      state.activations[t] = std::max(state.triggers_since[t].live, trigger.from);
    }
    since_feature = std::move(features);
    since_trigger = std::move(triggers);
    state.session_grace.clear();
    for (const catalog::Session& session : state.catalog->sessions) {
      Millis longest{0};
      for (const std::uint32_t t : session.triggers) {
        const catalog::Trigger& trigger = state.catalog->triggers[t];
        if (trigger.moment == catalog::SessionMoment::kIdle)
          longest = std::max(longest, trigger.grace);
      }
      state.session_grace.push_back(longest);
    }
    state.trigger_grace.clear();
    for (const catalog::Trigger& t : state.catalog->triggers)
      state.trigger_grace.push_back(t.grace);
    const auto none = [](Millis grace) { return grace.count == 0; };
    if (std::all_of(state.trigger_grace.begin(), state.trigger_grace.end(), none))
      state.trigger_grace.clear();
    settle_empty();
  }
};

Shard::Shard(std::uint32_t shard, std::uint32_t shards, Customers& customers)
    : impl_(std::make_unique<Impl>(shard, shards, customers)) {
  SPUR_CHECK(shard < shards);
}
Shard::~Shard() = default;

void Shard::begin_run(const RunStart& start, ScoreTape& scores) {
  RunState& run = impl_->state.run;
  SPUR_CHECK(start.clock >= run.clock);
  run.seq = start.seq;
  run.clock = start.clock;
  run.wall = start.wall;
  run.mode = start.mode;
  run.scores = &scores;
  run.input = 0;
  run.ordinal = 0;
}

void Shard::watch(Watcher* watcher) { impl_->state.watcher = watcher; }

std::unique_ptr<CustomerSnapshot> Shard::snapshot(const Customer& customer) const {
  return std::make_unique<CustomerSnapshot>(impl_->state, customer);
}

void Shard::assume(Assumed assumed) { impl_->state.assumed = std::move(assumed); }

void Shard::apply_catalog(std::shared_ptr<const catalog::Compiled> catalog) {
  ShardState& state = impl_->state;
  impl_->next_input();
  const bool first = state.generation == 0;
  ++state.generation;
  for (const std::uint8_t byte : catalog->hash)
    state.digest.add(static_cast<std::uint64_t>(Tag::kCatalog), byte);
  impl_->put_in_force(std::move(catalog));
  if (!first) impl_->customers.schedule_all(state.run.clock);
}

const std::shared_ptr<const catalog::Compiled>& Shard::catalog() const {
  return impl_->state.catalog;
}

void Shard::expect(std::string_view key) { impl_->customers.expect(key); }

void Shard::apply(const Event& arrived, const Origin& origin, Effects& effects) {
  ShardState& state = impl_->state;
  RunState& run = state.run;
  impl_->next_input();
  SPUR_CHECK(state.catalog != nullptr);
  Event event = arrived;
  if (run.mode == ClockMode::kRecords) {
    // The clock follows the records, held below the wall and, on a log, below when the log took
    // them.
    const Instant cap =
        run.wall == Instant::never() ? Instant::never() : std::min(run.wall, origin.received);
    run.clock = std::max(run.clock, std::min(event.time, cap));
  }
  const Identity identity = event.customer();
  SPUR_CHECK(!identity.value.empty());
  if (const std::uint32_t home = impl_->shards == 1 ? 0 : shard_of(identity.key(), impl_->shards);
      home != run.shard) {
    if (!origin.forwarded &&
        origin.bytes.size() + origin.key.size() + origin.headers.size() <= kForwardBytesMax)
      return forward(state, home, identity.value, origin, effects);
    if (!origin.forwarded) {
      impl_->dead_letter("TOO_LARGE",
                         "the event lives on another shard, and is too large to be passed on: "
                         "900,000 bytes with its "
                         "key and headers; publish it under its customer's id",
                         origin, effects);
      return;
    }
    impl_->dead_letter(
        "MISROUTED",
        "the event was routed to this shard, and its customer does not live here; publish it "
        "again",
        origin, effects);
    return;
  }
  if (event.time > run.clock) {
    if (event.time - run.clock > kAheadMax) {
      impl_->dead_letter("TIME_AHEAD", "the event lies more than an hour ahead of the clock",
                         origin, effects);
      return;
    }
    event.time = run.clock;  // taken to happen now
  }
  ++state.counters.events;
  // Of the customer's place, and what the digest takes of a text.
  const std::uint64_t hash = Customers::hash_of(identity);
  state.digest.add(static_cast<std::uint64_t>(Tag::kEvent), hash);
  if (identity.kind == IdentityKind::kNamed) [[unlikely]]  // the place is the same for all kinds
    state.digest.add(static_cast<std::uint64_t>(Tag::kEvent), identity.value);
  bool created = false;
  Customer& customer = impl_->customers.touch(identity, hash, created);
  // A new customer's time begins with its earliest event, which need not be the first to arrive.
  const bool planned = impl_->visits.plan(customer, effects);
  if (!impl_->timeline.first_copy(customer, event)) {
    if (planned) impl_->visits.replan(customer);
    return;
  }
  state.arena.reset();
  impl_->timeline.arrive(customer, event, origin.received, effects);
  impl_->visits.replan(customer);
}

void Shard::apply_record(std::uint32_t reference, const Value& body, const Origin& origin,
                         Effects& effects) {
  ShardState& state = impl_->state;
  impl_->next_input();
  SPUR_CHECK(state.catalog != nullptr && reference < state.catalog->business_data.size());
  state.arena.reset();
  const RecordRead record =
      read_record(*state.catalog, state.arena, state.catalog->business_data[reference], body,
                  origin.key, origin.received);
  if (!record.reason.empty()) {
    impl_->dead_letter(record.reason, record.detail, origin, effects);
  } else if (!take_record(state, impl_->slots, reference, record)) {
    impl_->dead_letter("REFERENCE_FULL",
                       "the Reference has five million records, and this would be one more", origin,
                       effects);
  }
}

Arrival Shard::arrive(std::uint32_t sender, std::uint64_t seq) {
  return spur::arrive(impl_->state, sender, seq);
}

void Shard::apply_malformed(std::string_view reason, std::string_view detail, const Origin& origin,
                            Effects& effects) {
  impl_->next_input();
  impl_->dead_letter(reason, detail, origin, effects);
}

Shard::Steps Shard::fire_due(const Steps& most, Effects& effects) {
  ShardState& state = impl_->state;
  SPUR_CHECK(most.told <= kToldPerRun);
  Steps taken{0, 0};
  if (state.catalog == nullptr) return taken;
  const Instant limit = state.run.clock - state.catalog->policy.lateness;
  while (taken.all < most.all) {
    const Instant wake = impl_->customers.next_wake();
    const Instant change =
        taken.told < most.told ? impl_->business.changes.next().at : Instant::never();
    if (change < limit && change <= wake) {
      const std::uint32_t told =
          tell_next(state, impl_->timeline, impl_->customers,
                    std::min(most.all - taken.all, most.told - taken.told), limit, effects);
      taken.all += told;
      taken.told += told;
      continue;
    }
    // While history is taken nobody goes on beyond a turn that is due before; live, timers wait for
    // no rate.
    const Instant rated = state.run.mode == ClockMode::kRecords
                              ? impl_->business.changes.next_rated()
                              : Instant::never();
    if (wake >= std::min(limit, rated)) break;
    ++taken.all;
    impl_->next_input();
    Customer* const customer = impl_->customers.pop_wake();
    if (customer == nullptr) break;  // unreadable; customers().status() says why
    impl_->visits.plan(*customer, effects);
    impl_->timeline.advance(*customer, std::min(limit, rated), /*final=*/false, effects);
    impl_->visits.replan(*customer);
  }
  taken.all += impl_->business.leave(most.all - taken.all);
  return taken;
}

void Shard::finish(Instant until, Effects& effects) {
  ShardState& state = impl_->state;
  if (state.catalog == nullptr) return;
  Millis longest{0};
  for (const catalog::Trigger& t : state.catalog->triggers) longest = std::max(longest, t.grace);
  std::vector<Customer*> waiting;
  for (;;) {
    const Instant wake = impl_->customers.next_wake();
    const Instant change = impl_->business.changes.next().at;
    if (change <= until && change <= wake) {
      tell_next(state, impl_->timeline, impl_->customers, kToldPerRun, until + Millis{1}, effects);
      continue;
    }
    if (wake > until + longest) break;
    impl_->next_input();
    Customer* const customer = impl_->customers.pop_wake();
    if (customer == nullptr) return;
    impl_->visits.plan(*customer, effects);
    const Instant rated = impl_->business.changes.next_rated();
    impl_->timeline.advance(*customer, std::min(until + Millis{1}, rated), /*final=*/true, effects);
    const Instant again = impl_->timeline.next(*customer).wake;
    if (again > until + longest || rated <= until) {
      impl_->visits.replan(*customer);
    } else {
      waiting.push_back(customer);  // a graced conclusion after `until`
    }
  }
  for (Customer* customer : waiting) impl_->visits.replan(*customer);
  state.run.clock = std::max(state.run.clock, until);
}

std::uint64_t Shard::end_run() {
  impl_->business.save();
  return impl_->state.digest.value();
}

Instant Shard::next_due() const { return std::min(next_timer(), next_telling()); }

Instant Shard::next_telling() const { return impl_->passed(impl_->business.changes.next().at); }

Instant Shard::next_timer() const {
  const Instant wake = impl_->passed(impl_->customers.next_wake());
  return impl_->business.leaving() ? std::min(wake, impl_->state.run.clock) : wake;
}

Instant Shard::clock() const { return impl_->state.run.clock; }

Shard::Standing Shard::standing() const {
  Standing standing;
  standing.clock = impl_->state.run.clock;
  standing.digest = impl_->state.digest.value();
  standing.catalog_generation = impl_->state.generation;
  for (const auto& [topic, last] : impl_->state.spurseq_by_topic)
    standing.spurseq.emplace_back(topic, last);
  standing.sent.assign(impl_->state.sent.begin(), impl_->state.sent.end());
  standing.accepted.assign(impl_->state.accepted.begin(), impl_->state.accepted.end());
  for (const auto& [hash, since] : impl_->since_feature)
    standing.since_feature.push_back({hash, since.generation, since.at, since.live});
  for (const auto& [hash, since] : impl_->since_trigger)
    standing.since_trigger.push_back({hash, since.generation, since.at, since.live});
  return standing;
}

void Shard::restore(const Standing& standing, std::shared_ptr<const catalog::Compiled> catalog) {
  ShardState& state = impl_->state;
  state.run.clock = standing.clock;
  state.digest = Digest(standing.digest);
  state.generation = static_cast<std::uint32_t>(standing.catalog_generation);
  state.spurseq_by_topic.clear();
  for (const auto& [topic, last] : standing.spurseq) state.spurseq_by_topic[topic] = last;
  state.sent = {standing.sent.begin(), standing.sent.end()};
  state.accepted = {standing.accepted.begin(), standing.accepted.end()};
  for (const Standing::Since& s : standing.since_feature)
    impl_->since_feature[s.hash] = {s.generation, s.at, s.live};
  for (const Standing::Since& s : standing.since_trigger)
    impl_->since_trigger[s.hash] = {s.generation, s.at, s.live};
  impl_->business.load();
  if (catalog != nullptr) impl_->put_in_force(std::move(catalog));
}
References& Shard::references() { return impl_->business.records; }

const Shard::Counters& Shard::counters() const { return impl_->state.counters; }
Shard::TriggerCounters& Shard::TriggerCounters::operator+=(const TriggerCounters& other) {
  fired += other.fired;
  if_false += other.if_false;
  errors += other.errors;
  sent += other.sent;
  suppressed += other.suppressed;
  deferred += other.deferred;
  held_out += other.held_out;
  retracted += other.retracted;
  return *this;
}
const std::vector<Shard::TriggerCounters>& Shard::trigger_counters() const {
  return impl_->state.trigger_counters;
}

std::uint32_t shard_of(std::string_view key, std::uint32_t shards) {
  // murmur2 with the seed and the masking to a positive number of the Java client (Kafka's
  // Utils.murmur2, toPositive).
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  std::size_t left = key.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(left);
  for (; left >= 4; left -= 4, bytes += 4) {
    std::uint32_t k =
        static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
        static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
    k *= kMultiplier;
    k ^= k >> 24;
    k *= kMultiplier;
    hash *= kMultiplier;
    hash ^= k;
  }
  if (left >= 3) hash ^= static_cast<std::uint32_t>(bytes[2]) << 16;
  if (left >= 2) hash ^= static_cast<std::uint32_t>(bytes[1]) << 8;
  if (left >= 1) {
    hash ^= bytes[0];
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return (hash & 0x7fffffff) % shards;
}

}  // namespace spur
