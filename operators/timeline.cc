#include "operators/timeline.h"

#include <algorithm>

#include "operators/business_data.h"
#include "operators/consents.h"
#include "operators/fold.h"
#include "operators/gate.h"
#include "operators/triggers/absence.h"
#include "operators/triggers/backfill.h"
#include "operators/triggers/business.h"
#include "operators/triggers/collect.h"
#include "operators/triggers/date.h"
#include "operators/triggers/event.h"
#include "operators/triggers/novelty.h"
#include "operators/triggers/prediction.h"
#include "operators/triggers/schedule.h"
#include "operators/triggers/sequence.h"
#include "operators/triggers/threshold.h"
#include "state/codec/event_codec.h"

namespace spur {
namespace {

// Calls `timer(due, grace)` for everything of the customer that waits for time to pass, but for
// what is buffered.
template <typename Timer>
void for_each_timer(const ShardState& shard, const Customer& customer, Timer&& timer) {
  const catalog::Compiled& catalog = *shard.catalog;
  const Instances& waits = customer.instances;
  const bool graces = !shard.trigger_grace.empty();
  for (auto i = waits.begin(), end = waits.end(); i != end; ++i)
    timer(i.due(), graces ? shard.trigger_grace[i.trigger()] : Millis{0});
  for (const TriggerState& t : customer.triggers) timer(t.next, Millis{0});
  for (const SessionState& s : customer.sessions) {
    const Instant idle = idle_deadline(catalog, s);
    if (idle != Instant::never()) timer(idle, graces ? shard.session_grace[s.session] : Millis{0});
  }
  if (customer.rare == nullptr) return;
  for (const Pending& p : customer.rare->pending) timer(p.release, Millis{0});
}

auto buffer_order(const Buffered& b) { return std::tie(b.time, b.rank, b.id); }

}  // namespace

Timeline::Due Timeline::timers(const Customer& customer, Instant limit, bool final) const {
  Due due;
  for_each_timer(shard_, customer, [&](Instant at, Millis grace) {
    due.at = std::min(due.at, at);
    if (at < limit && (final || at + grace < limit)) due.ready = std::min(due.ready, at);
  });
  return due;
}

Timeline::Next Timeline::next(const Customer& customer) const {
  Next next;
  for_each_timer(shard_, customer, [&](Instant at, Millis grace) {
    next.wake = std::min(next.wake, grace.count == 0 ? at : at + grace);
    next.due = std::min(next.due, at);
  });
  if (customer.rare == nullptr) return next;
  const auto both = [&](Instant at) {
    next.wake = std::min(next.wake, at);
    next.due = std::min(next.due, at);
  };
  if (!customer.rare->buffered.empty()) both(customer.rare->buffered.front().time);
  for (const Held& h : customer.rare->held) both(h.release);
  return next;
}

void Timeline::plan(Customer& customer, Instant at, Effects& effects) {
  const bool is_new = customer.planned == 0;
  if (customer.is_erased()) {
    customer.planned = shard_.generation;
    return;
  }
  if (customer.features.size() < shard_.catalog->features.size())
    customer.features.resize(shard_.catalog->features.size());
  slots_.begin(customer, at, nullptr, shard_.run.scores);
  Turn turn{shard_, customer, at, nullptr, {}, false, slots_, effects, {}, {}};
  if (is_new) {
    customer.first_seen = at;
    customer.first_generation = shard_.generation;
    for (const std::uint32_t t : shard_.true_without_events)
      triggers::state_of(turn, t).level = true;
    for (const std::uint32_t t : shard_.asked_at_creation) triggers::settle_threshold(turn, t);
  }
  for (const std::uint32_t t : shard_.catalog->thresholds) {
    // What already holds when a trigger comes is no edge.
    if (!is_new && shard_.triggers_since[t].generation > customer.planned)
      triggers::settle_threshold(turn, t);
  }
  for (const std::uint32_t t : shard_.catalog->schedules) {
    const Instant from = shard_.catalog->triggers[t].from;
    if (is_new) {
      triggers::plan_schedule(turn, t, std::max(at, from));
    } else if (shard_.triggers_since[t].generation > customer.planned) {
      // From when it came, however long after that the customer is looked at.
      triggers::plan_schedule(turn, t, std::max(shard_.triggers_since[t].at, from));
    } else if (const TriggerState* const state = triggers::find_state(customer, t);
               state == nullptr || state->next >= at) {
      triggers::plan_schedule(turn, t, std::max(at, from));  // it may have been changed
    }
  }
  for (const std::uint32_t t : shard_.catalog->dates) {
    const bool came = !is_new && shard_.triggers_since[t].generation > customer.planned;
    const TriggerState* const state = triggers::find_state(customer, t);
    if (state != nullptr && state->next < at && !came) continue;  // due already
    triggers::plan_date(turn, t, came ? shard_.triggers_since[t].at : at);
  }
  for (const std::uint32_t t : shard_.catalog->backfills) triggers::plan_backfill(turn, t, is_new);
  if (!is_new && !shard_.catalog->business_data.empty()) triggers::business_indexed(turn);
  customer.planned = shard_.generation;
}

bool Timeline::first_copy(Customer& customer, const Event& event) {
  const catalog::Source& source = shard_.catalog->sources[event.source];
  if (source.deduplicate.count == 0) return true;
  // 128 bits of (source, id), as two independent 64-bit hashes of it.
  const std::uint64_t high = hash64(event.id) ^ source.name_hash;
  Digest second(source.name_hash);
  second.add(high, event.id.size());
  for (std::size_t i = 0; i < event.id.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, event.id.data() + i, std::min<std::size_t>(8, event.id.size() - i));
    second.add(i, word);
  }
  const std::uint64_t low = second.value();

  CompactVector<Seen>& seen = customer.seen;
  const Instant now = shard_.run.clock;
  // Ids of all sources stand together: those that the most patient one has forgotten go.
  Millis longest = source.deduplicate;
  for (const catalog::Source& s : shard_.catalog->sources)
    longest = std::max(longest, s.deduplicate);
  const auto expired = std::find_if(seen.begin(), seen.end(),
                                    [&](const Seen& s) { return now - s.arrived <= longest; });
  if (expired != seen.begin()) seen.erase(seen.begin(), expired);
  for (const Seen& s : seen) {
    if (s.high != high || s.low != low || now - s.arrived > source.deduplicate) continue;
    ++shard_.counters.duplicates;
    if (s.content != event.content_hash) ++shard_.counters.conflicting_duplicates;
    return false;
  }
  if (seen.size() >= kSeenMax) {
    seen.erase(seen.begin());
    ++shard_.counters.dropped_over_limit;
  }
  seen.push_back({high, low, now, event.content_hash});
  shard_.digest.add(static_cast<std::uint64_t>(Tag::kSeen), low);
  return true;
}

void Timeline::arrive(Customer& customer, const Event& event, Instant received, Effects& effects) {
  const Millis lateness = shard_.catalog->policy.lateness;
  const Instant limit = shard_.run.clock - lateness;
  const bool something_due =
      customer.next_due < std::max(limit, event.time) || shard_.business->changes.any();
  if (something_due) advance(customer, limit, /*final=*/false, effects);
  if (lateness.count == 0 || event.time < limit) {
    if (event.time < limit) ++shard_.counters.late;
    // The customer's own timers before the event, graced ones too, and the changes that it is told
    // of first.
    while (something_due) {
      const Due due = timers(customer, event.time, false);
      const Instant told = change(customer, event.time + Millis{1});
      if (told <= std::min(due.at, event.time)) {
        take_changes(customer, told, effects);
        continue;
      }
      if (due.at >= event.time) break;
      take_timers(customer, due.at, limit, false, effects);
    }
    take(customer, event, received, limit, effects);
    return;
  }
  const catalog::Source& source = shard_.catalog->sources[event.source];
  Buffered waiting;
  waiting.time = event.time;
  waiting.rank = event.name_index == EventSchema::kOther ? 0 : source.rank[event.name_index];
  waiting.id = std::string(event.id);
  waiting.received = received;
  encode_event(event, shard_.catalog->schema, source.name_hash, waiting.event);
  std::vector<Buffered>& buffered = customer.more().buffered;
  shard_.digest.add(static_cast<std::uint64_t>(Tag::kBuffered), hash64(waiting.id));
  buffered.insert(std::upper_bound(buffered.begin(), buffered.end(), waiting,
                                   [](const Buffered& a, const Buffered& b) {
                                     return buffer_order(a) < buffer_order(b);
                                   }),
                  std::move(waiting));
  if (buffered.size() > kBufferedMax) {
    ++shard_.counters.dropped_over_limit;
    advance(customer, buffered.front().time + Millis{1}, false, effects);
  }
}

void Timeline::advance(Customer& customer, Instant limit, bool final, Effects& effects) {
  for (int n = 0; n < kTimersPerWake || final; ++n) {
    const Due due = timers(customer, limit, final);
    const bool has_event = customer.rare != nullptr && !customer.rare->buffered.empty() &&
                           customer.rare->buffered.front().time < limit;
    const Instant event = has_event ? customer.rare->buffered.front().time : Instant::never();
    const Instant told = change(customer, limit);
    if (event == Instant::never() && due.ready == Instant::never() && told == Instant::never())
      break;
    // The earliest goes first: a timer whose grace is not over too, since something later is about
    // to be taken.
    if (told != Instant::never() && told <= std::min(due.at, event)) {
      take_changes(customer, told, effects);
    } else if (due.at < event) {
      take_timers(customer, due.at, limit, final, effects);
    } else {
      take_buffered(customer, effects);
    }
  }
  if (customer.rare == nullptr || customer.rare->held.empty()) return;
  slots_.begin(customer, limit, nullptr, shard_.run.scores);
  Turn turn{shard_, customer, limit, nullptr, {}, false, slots_, effects, {}, {}};
  release_held(turn, limit, final);
}

Instant Timeline::change(const Customer& customer, Instant limit) const {
  if (!shard_.business->changes.any()) return Instant::never();
  return triggers::business_next(shard_, customer, limit);
}

template <typename Take>
void Timeline::at_instant(Customer& customer, Instant now, Effects& effects, Take&& take) {
  shard_.arena.reset();
  slots_.begin(customer, now, nullptr, shard_.run.scores);
  Turn turn{shard_, customer, now, nullptr, {}, false, slots_, effects, {}, {}};
  if (shard_.watcher != nullptr) shard_.watcher->begins(turn);
  customer.newest = std::max(customer.newest, now);
  take(turn);
  if (!turn.firings.empty()) decide_all(turn);
  if (shard_.watcher != nullptr) shard_.watcher->ends(turn);
}

void Timeline::take_changes(Customer& customer, Instant at, Effects& effects) {
  at_instant(customer, std::max(customer.newest, at), effects,
             [&](Turn& turn) { triggers::business_told(turn, at); });
}

bool Timeline::tell(Customer& customer, const Changes::Telling& telling, std::string_view place,
                    Instant at, bool& fired, Effects& effects) {
  advance(customer, at, /*final=*/false, effects);
  if (!triggers::business_cares(customer, telling, place)) return false;
  at_instant(customer, std::max(customer.newest, at), effects, [&](Turn& turn) {
    triggers::business_turn(turn, telling);
    fired = !turn.firings.empty();
  });
  return true;
}

void Timeline::take_buffered(Customer& customer, Effects& effects) {
  std::vector<Buffered>& buffered = customer.rare->buffered;
  const Buffered next = std::move(buffered.front());
  buffered.erase(buffered.begin());
  shard_.arena.reset();
  std::optional<StoredEvent> stored =
      decode_event(next.event, shard_.catalog->schema, shard_.arena);
  SPUR_CHECK(stored.has_value());  // written by arrive()
  for (std::uint32_t s = 0; s < shard_.catalog->sources.size(); ++s) {
    if (shard_.catalog->sources[s].name_hash == stored->source_key) stored->event.source = s;
  }
  take(customer, stored->event, next.received, Instant::distant_past(), effects);
}

void Timeline::take(Customer& customer, const Event& event, Instant received, Instant heard,
                    Effects& effects) {
  if (customer.planned == 0) plan(customer, event.time, effects);
  const Instant now = std::max(event.time, customer.newest);
  Turn turn{shard_, customer, now, &event, received, event.time < customer.newest,
            slots_, effects,  {},  {}};
  if (shard_.watcher != nullptr) {
    // Also where nothing listens and take() needs none.
    slots_.begin(customer, now, &event, shard_.run.scores);
    shard_.watcher->begins(turn);
  }
  customer.newest = now;
  take(turn, heard);
  if (shard_.watcher != nullptr) shard_.watcher->ends(turn);
}

void Timeline::take(Turn& turn, Instant heard) {
  const Event& event = *turn.event;
  Customer& customer = turn.customer;
  const Instant now = turn.now;
  const catalog::Listeners& at = shard_.catalog->listeners(event.name_index);
  mutate(turn, Tag::kEvent, static_cast<std::uint64_t>(event.time.ms));
  if (at.nothing() && event.traits.is_absent()) return;
  slots_.begin(customer, now, &event, shard_.run.scores);
  if (erased(turn)) return;

  // Identities and traits; sessions open or are kept; features; sessions close; exits and closes;
  // resets; openings and firings; guards.
  if (!at.before.empty()) slots_.capture_before(at.before);
  fold_traits(turn);
  fold_consents(turn);
  fold_session_starts(turn);
  fold_features(turn);
  fold_models(turn);
  if (!turn.opened_sessions.empty()) fire_opened_sessions(turn);
  fold_session_ends(turn);
  triggers::absence_exits(turn);
  triggers::absence_resets(turn);
  triggers::absence_opens(turn);
  if (!at.interests.empty()) triggers::business_interests(turn, heard);
  triggers::sequence_advances(turn);
  triggers::event_fires(turn);
  triggers::novelty_fires(turn);
  turn.thresholds.insert(turn.thresholds.end(), at.thresholds.begin(), at.thresholds.end());
  ask_thresholds(turn);
  for (const std::uint32_t t : at.predictions) triggers::ask_prediction(turn, t);
  for (const std::uint32_t t : at.dates) triggers::plan_date(turn, t, now);
  if (event.traits.is(Kind::kMap)) {
    for (const std::uint32_t t : shard_.catalog->trait_dates) triggers::plan_date(turn, t, now);
  }
  if (!turn.firings.empty()) decide_all(turn);
}

void Timeline::ask_thresholds(Turn& turn) {
  auto& all = turn.thresholds;
  if (all.size() > 1) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }
  for (const std::uint32_t t : all) triggers::ask_threshold(turn, t);
}

void Timeline::take_timers(Customer& customer, Instant at, Instant limit, bool final,
                           Effects& effects) {
  // Conclusions whose grace is not over are taken, and held.
  const auto hold_until = [&](Millis grace) {
    return grace.count > 0 && !final && at + grace >= limit ? at + grace : Instant::distant_past();
  };
  std::vector<Pending> released;  // outlives what is decided of it
  at_instant(customer, at, effects, [&](Turn& turn) { fire_timers(turn, hold_until, released); });
}

template <typename HoldUntil>
void Timeline::fire_timers(Turn& turn, const HoldUntil& hold_until,
                           std::vector<Pending>& released) {
  Customer& customer = turn.customer;
  const Instant at = turn.now;
  ++shard_.counters.timers;
  mutate(turn, Tag::kTimer, static_cast<std::uint64_t>(at.ms));

  for (std::size_t i = 0; i < customer.sessions.size(); ++i) {
    if (idle_deadline(*shard_.catalog, customer.sessions[i]) != at) continue;
    end_session(turn, i, catalog::SessionMoment::kIdle,
                hold_until(shard_.session_grace[customer.sessions[i].session]));
  }
  for (const std::uint32_t t : shard_.catalog->backfills) {
    const TriggerState* const state = triggers::find_state(customer, t);
    const bool absence = shard_.catalog->triggers[t].kind == catalog::Operator::kAbsence;
    if (absence && state != nullptr && state->next == at) triggers::take_up_waits(turn, t);
  }
  for (Instances::Iterator i = customer.instances.begin(); i != customer.instances.end();) {
    if (i.due() != at) {
      ++i;
      continue;
    }
    const catalog::Trigger& trigger = shard_.catalog->triggers[i.trigger()];
    if (trigger.kind == catalog::Operator::kBusiness) {
      i = triggers::business_expires(turn, i);
      continue;
    }
    i = trigger.kind == catalog::Operator::kSequence
            ? triggers::sequence_concludes(turn, i, hold_until(trigger.grace))
            : triggers::absence_concludes(turn, i, hold_until(trigger.grace));
  }
  absl::InlinedVector<std::uint32_t, 16> due;
  for (TriggerState& t : customer.triggers) {
    if (t.next != at) continue;
    t.next = Instant::never();
    due.push_back(t.trigger);
  }
  for (const std::uint32_t t : due) {
    switch (shard_.catalog->triggers[t].kind) {
      case catalog::Operator::kThreshold:
        turn.thresholds.push_back(t);
        break;
      case catalog::Operator::kSchedule:
        triggers::ask_schedule(turn, t);
        break;
      case catalog::Operator::kPrediction:
        triggers::ask_prediction(turn, t);
        break;
      case catalog::Operator::kDate:
        triggers::ask_date(turn, t);
        break;
      default:
        break;  // the trigger was another operator in an earlier catalog
    }
  }
  ask_thresholds(turn);
  if (customer.rare != nullptr) {
    std::vector<Pending>& pending = customer.rare->pending;
    for (std::size_t i = 0; i < pending.size();) {
      if (pending[i].release != at) {
        ++i;
        continue;
      }
      released.push_back(std::move(pending[i]));
      pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  for (const Pending& step : released) {
    Firing firing;
    firing.trigger = step.trigger;
    firing.key = step.key;
    firing.pending = &step;
    turn.firings.push_back(firing);
  }
}

}  // namespace spur
