#include "operators/triggers/business.h"

#include <algorithm>

#include "operators/business_data.h"
#include "operators/opened.h"
#include "operators/triggers/collect.h"
#include "state/codec/keys.h"
#include "state/codec/value_codec.h"

namespace spur::triggers {
namespace {

bool is_interest(const catalog::Compiled& catalog, std::uint32_t trigger) {
  return catalog.triggers[trigger].kind == catalog::Operator::kBusiness;
}

std::string place_of(const Customer& customer, const Instances::View& interest) {
  return interest_place(interest.opened_at, customer.id());
}

Instances::Iterator end_interest(Turn& turn, Instances::Iterator interest) {
  const Instances::View ended = *interest;
  mutate(turn, Tag::kInstanceClosed, ended.key, ended.trigger);
  business_ends(turn, ended);
  return turn.customer.instances.erase(interest);
}

// Too many of one trigger: the one that ends first goes.
void make_room(Turn& turn, std::uint32_t trigger) {
  Instances& all = turn.customer.instances;
  if (all.count(trigger) < kInterestsMax) return;
  const auto first = all.lower_bound(trigger, "");
  auto oldest = first;
  for (auto it = first; it != all.end() && it.trigger() == trigger; ++it) {
    if (it.due() < oldest.due()) oldest = it;
  }
  end_interest(turn, oldest);
  ++turn.shard.counters.dropped_over_limit;
}

// What is carried on of an interest that the event shows again: since when, how often, until when,
// and the newest event.
void carry_on(Turn& turn, const Instances::View& before, Instances::Fresh& fresh) {
  fresh.count = before.count + 1;
  fresh.opened_at = before.opened_at;
  fresh.due = std::max(fresh.due, before.due);
  if (!turn.late) return;
  const std::string_view kept = Instances::opened(before, turn.arena());
  const std::optional<Opened> opened = decode_opened(kept, turn.catalog().schema, turn.arena());
  if (opened && opened->event->time > turn.event->time) fresh.opened = turn.arena().copy(kept);
}

void show_interest(Turn& turn, const catalog::Use& use, Value item, std::string_view key,
                   Instant heard) {
  const catalog::Trigger& trigger = turn.catalog().triggers[use.owner];
  const Instant t = turn.event->time;
  const Millis within =
      trigger.interest[static_cast<std::size_t>(use.pattern - trigger.opens.data())];
  if (turn.late && t + within <= turn.now) return;
  if (key.empty() || key.size() > kRecordKeyBytesMax) {
    ++turn.shard.counters.dropped_over_limit;
    return;
  }
  Instances::Fresh fresh;
  fresh.trigger = use.owner;
  fresh.count = 1;
  fresh.opened_at = t;
  fresh.due = t + within;
  fresh.key = turn.arena().copy(key);
  encode_opened(*turn.event, turn.catalog().schema, trigger.opened_fields,
                trigger.keeps_item ? item : Value::absent(), turn.shard.bytes);
  fresh.opened = turn.arena().copy(turn.shard.bytes);

  Instances& all = turn.customer.instances;
  Changes& changes = turn.shard.business->changes;
  const auto before = all.find(use.owner, fresh.key);
  const bool known = before != all.end();
  if (known) {
    carry_on(turn, *before, fresh);
    all.erase(before);
  }
  // What an earlier version of the trigger has opened goes on as this one says.
  for (const std::uint32_t version : trigger.earlier) {
    const auto earlier = all.find(version, fresh.key);
    if (earlier == all.end()) continue;
    if (!known) carry_on(turn, *earlier, fresh);
    end_interest(turn, earlier);
  }
  const std::string place = interest_place(fresh.opened_at, turn.customer.id());
  if (!known) {
    make_room(turn, use.owner);
    if (!changes.open(use.owner, fresh.key, place)) {
      ++turn.shard.counters.dropped_over_limit;
      return;
    }
    changes.no_news(use.owner, fresh.key, place, heard);
  }
  mutate(turn, Tag::kInstance, fresh.key, static_cast<std::uint64_t>(fresh.due.ms));
  all.insert(fresh);
}

void fire(Turn& turn, const Instances::View& interest, const Change& change) {
  Firing firing;
  firing.trigger = interest.trigger;
  firing.key = turn.arena().copy(interest.key);
  firing.base = turn.now;
  firing.opened_at = interest.opened_at;
  firing.count = interest.count;
  firing.opened = turn.arena().copy(Instances::opened(interest, turn.arena()));
  firing.previous = change.previous.empty()
                        ? Value::map(std::span<const MapEntry>())
                        : decode_value(change.previous, turn.arena()).value_or(Value::null());
  mutate(turn, Tag::kTold, firing.key, static_cast<std::uint64_t>(change.at.ms));
  collect(turn, firing);
}

}  // namespace

void business_interests(Turn& turn, Instant heard) {
  for (const catalog::Use& use : turn.catalog().listeners(turn.event->name_index).interests) {
    for_each_match(turn, *use.pattern, [&](Value item, std::string_view key) {
      show_interest(turn, use, item, key, heard);
    });
  }
}

void business_ends(Turn& turn, const Instances::View& instance) {
  if (!is_interest(turn.catalog(), instance.trigger)) return;
  turn.shard.business->changes.close(instance.trigger, instance.key,
                                     place_of(turn.customer, instance));
}

Instances::Iterator business_expires(Turn& turn, Instances::Iterator interest) {
  return end_interest(turn, interest);
}

void business_indexed(Turn& turn) {
  for (const Instances::View& instance : turn.customer.instances) {
    if (is_interest(turn.catalog(), instance.trigger))
      turn.shard.business->changes.open(instance.trigger, instance.key,
                                        place_of(turn.customer, instance));
  }
}

Instant business_next(const ShardState& shard, const Customer& customer, Instant limit) {
  Instant next = Instant::never();
  for (const Instances::View& instance : customer.instances) {
    if (!shard.business->changes.any(instance.trigger)) continue;
    const Changes::Telling* const telling = shard.business->changes.untold(
        instance.trigger, instance.key, place_of(customer, instance), limit);
    if (telling != nullptr) next = std::min(next, telling->change.at);
  }
  return next;
}

void business_told(Turn& turn, Instant at) {
  Changes& changes = turn.shard.business->changes;
  for (const Instances::View& instance : turn.customer.instances) {
    if (!changes.any(instance.trigger)) continue;
    const std::string place = place_of(turn.customer, instance);
    Changes::Telling* const telling =
        changes.untold(instance.trigger, instance.key, place, at + Millis{1});
    if (telling == nullptr) continue;
    changes.told(*telling, place);
    fire(turn, instance, telling->change);
  }
}

bool business_cares(const Customer& customer, const Changes::Telling& telling,
                    std::string_view place) {
  const auto interest = customer.instances.find(telling.trigger, telling.change.key);
  return interest != customer.instances.end() && place_of(customer, *interest) == place;
}

void business_turn(Turn& turn, const Changes::Telling& telling) {
  fire(turn, *turn.customer.instances.find(telling.trigger, telling.change.key), telling.change);
}

}  // namespace spur::triggers
