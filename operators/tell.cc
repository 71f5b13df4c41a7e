#include "operators/tell.h"

#include <algorithm>

#include "state/aggregates/key_text.h"
#include "state/codec/keys.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

// The slots of the expressions over `body`.
class BodySlots final : public expression::Slots {
 public:
  BodySlots(const catalog::Compiled& catalog, const Value& body) : catalog_(catalog), body_(body) {}
  Value load(std::uint32_t slot) override {
    return expression::select(body_, catalog_.slots[slot].path);
  }

 private:
  const catalog::Compiled& catalog_;
  const Value body_;
};

// Whether a trigger wants to tell of a change; asked once, before anybody is looked at.
bool is_told(ShardState& shard, Activation& slots, std::uint32_t index, const RecordRead& record,
             const std::string& previous) {
  const catalog::Trigger& trigger = shard.catalog->triggers[index];
  if (!trigger.change_when) return true;
  Customer nobody;
  ScoreTape none;
  slots.begin(nobody, record.since, nullptr, &none);
  InstanceView view;
  view.key = record.key;
  view.reference = trigger.reference;
  view.previous = previous.empty() ? Value::map(std::span<const MapEntry>())
                                   : decode_value(previous, shard.arena).value_or(Value::null());
  slots.set_instance(&view);
  const Value told = trigger.change_when->evaluate(slots, shard.arena);
  slots.set_instance(nullptr);
  if (told.is(Kind::kBool)) return told.as_bool();
  ++shard.counters.conditions_in_error;
  ++shard.trigger_counters[index].errors;
  return false;
}

bool still_cares(const Customer& customer, const Changes::Telling& telling, Instant since) {
  const auto interest = customer.instances.find(telling.trigger, telling.change.key);
  return interest != customer.instances.end() && (*interest).opened_at == since;
}

// One customer's turn in `telling`.
void tell_one(ShardState& shard, Timeline& timeline, Customers& customers,
              Changes::Telling& telling, const std::string& place, Instant at, Instant limit,
              Effects& effects) {
  Instant since;
  Identity identity;
  SPUR_CHECK(parse_interest_place(place, since, identity));
  Visits visits(shard, customers, timeline);
  Changes& changes = shard.business->changes;
  changes.begin_turn(telling, place);
  Customer* const customer = customers.touch_known(identity);
  bool cares = customer != nullptr;
  if (customer != nullptr) {
    visits.plan(*customer, effects);
    if (telling.rated) {
      bool fired = false;
      cares = timeline.tell(*customer, telling, place, at, fired, effects);
      if (fired) changes.count_rate(telling, at);
    } else {
      const std::string& key = telling.change.key;
      // While history is taken it goes no further than the next turn that a rate gives.
      const Instant rated =
          shard.run.mode == ClockMode::kRecords ? changes.next_rated() : Instant::never();
      const Instant to = std::min(limit, std::max(rated, telling.change.at + Millis{1}));
      cares = still_cares(*customer, telling, since);
      // Mostly once: one that has very much to do goes on at the next look otherwise, and this is
      // its only turn.
      do {
        timeline.advance(*customer, to, /*final=*/false, effects);
      } while (still_cares(*customer, telling, since) &&
               changes.untold(telling.trigger, key, place, telling.change.at + Millis{1}) !=
                   nullptr);
    }
    visits.replan(*customer);
  }
  // A place without an interest is left where a trigger has gone and come back: it goes now.
  if (!cares) changes.close(telling.trigger, telling.change.key, place);
  changes.end_turn(telling, place);
}

// nullopt: it has none.
std::optional<std::string_view> key_of_record(const catalog::Compiled& catalog,
                                              const catalog::Reference& reference,
                                              const Value& body, Arena& arena) {
  BodySlots slots(catalog, body);
  const auto key = key_text(reference.key->evaluate(slots, arena), arena);
  return key && !key->empty() ? key : std::nullopt;
}

}  // namespace

std::optional<Instant> record_time(const catalog::Compiled& catalog,
                                   const catalog::Reference& reference, const Value& body,
                                   Arena& arena) {
  BodySlots slots(catalog, body);
  const Value time = reference.time->evaluate(slots, arena);
  if (!time.is(Kind::kTimestamp)) return std::nullopt;
  const Instant at = time.as_instant();
  return at < kInstantMin || at > kInstantMax ? std::nullopt : std::optional(at);
}

RecordRead read_record(const catalog::Compiled& catalog, Arena& arena,
                       const catalog::Reference& reference, const Value& body, std::string_view key,
                       Instant received) {
  RecordRead record;
  record.since = received;
  record.key = key;
  if (!body.is_absent()) {
    const auto text = key_of_record(catalog, reference, body, arena);
    if (!text) {
      record.reason = "MISSING_KEY";
      record.detail = "the record has no key: what the Reference's `key` names is missing in it";
      return record;
    }
    record.key = *text;
    if (reference.time) {
      const std::optional<Instant> time = record_time(catalog, reference, body, arena);
      if (!time) {
        record.reason = "BAD_TIMESTAMP";
        record.detail = "what the Reference's `time` names is no timestamp in the record";
        return record;
      }
      // It cannot hold before it was told.
      record.since = std::min(*time, received);
    }
    encode_value(body, record.value);
  }
  if (record.key.size() > kRecordKeyBytesMax) {
    record.reason = "STRING_TOO_LONG";
    record.detail = "the record's key has more than 1,024 bytes";
  } else if (record.value.size() > kRecordBytesMax) {
    record.reason = "TOO_LARGE";
    record.detail = "a record of business data has at most 32 KiB; leave out what no trigger needs";
  } else if (record.key.empty()) {
    record.reason = "MISSING_KEY";
    record.detail = "a record that is deleted is named by the key of its message";
  }
  return record;
}

bool take_record(ShardState& shard, Activation& slots, std::uint32_t index,
                 const RecordRead& record) {
  const catalog::Reference& reference = shard.catalog->business_data[index];
  BusinessData& business = *shard.business;
  std::string previous;
  const References::Taken taken =
      business.records.take(reference.definition, record.key, record.since, record.value,
                            shard.run.clock, reference.time.has_value(), previous);
  if (taken == References::Taken::kFull) return false;
  const auto tag = static_cast<std::uint64_t>(Tag::kRecord);
  shard.digest.add(tag, record.key);
  shard.digest.add(tag, static_cast<std::uint64_t>(record.since.ms));
  shard.digest.add(tag, record.value);
  shard.digest.add(tag, static_cast<std::uint64_t>(taken));
  if (taken != References::Taken::kChanged || record.value.empty()) return true;
  for (const std::uint32_t t : reference.triggers) {
    if (!is_told(shard, slots, t, record, previous)) continue;
    if (!business.changes.add(t, record.key, record.since, previous))
      ++shard.counters.dropped_over_limit;
  }
  return true;
}

std::uint32_t tell_next(ShardState& shard, Timeline& timeline, Customers& customers,
                        std::uint32_t max, Instant limit, Effects& effects) {
  Changes& changes = shard.business->changes;
  Changes::Telling& telling = *changes.next().telling;
  const std::vector<std::string> places = changes.stretch(telling, max);
  std::uint32_t steps = 0;
  for (const std::string& place : places) {
    const Instant at = changes.turn_of(telling);
    if (at >= limit) break;  // its window is full
    ++steps;
    if (changes.passes(telling, place)) continue;
    ++shard.run.input;
    shard.run.ordinal = 0;
    tell_one(shard, timeline, customers, telling, place, at, limit, effects);
  }
  if (steps < places.size() || steps == max) {
    changes.keep(telling);
    return steps;
  }
  changes.finish(telling);
  return steps + 1;
}

}  // namespace spur
