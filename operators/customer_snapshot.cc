#include "operators/customer_snapshot.h"

#include "operators/business_data.h"
#include "operators/gate.h"
#include "operators/instance_view.h"
#include "state/check.h"
#include "state/codec/customer_codec.h"

namespace spur {
namespace {

// Calls `asks(program)` for every condition that may be asked of a trigger.
template <typename Asks>
void for_each_condition(const catalog::Compiled& catalog, const catalog::Trigger& trigger,
                        Asks&& asks) {
  const auto ask = [&](const std::optional<expression::Program>& program) {
    if (program) asks(*program);
  };
  ask(trigger.when);
  ask(trigger.rearm);
  ask(trigger.condition);
  ask(trigger.while_);
  for (const catalog::Step& step : trigger.steps) {
    ask(step.condition);
    for (const std::uint32_t channel : step.channels) ask(catalog.channels[channel].reach);
  }
}

}  // namespace

CustomerSnapshot::CustomerSnapshot(const ShardState& state, const Customer& customer)
    : rows_(store_), records_(rows_) {
  SPUR_CHECK(state.catalog != nullptr);
  state_.catalog = state.catalog;
  state_.generation = state.generation;
  state_.features_since = state.features_since;
  state_.triggers_since = state.triggers_since;
  state_.newest_since = state.newest_since;
  state_.trigger_counters = state.trigger_counters;
  state_.assumed = state.assumed;
  state_.run.wall = state.run.wall;
  const Layout& layout = *state.catalog->layout;
  SPUR_CHECK(decode_customer(encode_customer(customer, layout), layout, customer_));
  records_.know_only(&copied_);
  if (!state.catalog->business_data.empty())
    copy_records(state.business->records, std::max(state.run.clock, customer.newest));
}

// Which records are read is found by asking: their keys may be made by any expression.
void CustomerSnapshot::copy_records(References& all, Instant now) {
  const catalog::Compiled& catalog = *state_.catalog;
  Activation slots(state_.arena, &all);
  slots.use(&catalog);
  ScoreTape scores;
  slots.begin(customer_, now, nullptr, &scores);
  all.note(&copied_);
  const auto ask = [&](const expression::Program& program) {
    program.evaluate(slots, state_.arena);
  };
  for (const catalog::Trigger& trigger : catalog.triggers) {
    if (!trigger.retired) for_each_condition(catalog, trigger, ask);
  }
  for (const Instances::View& open : customer_.instances) {
    const InstanceView view = view_of(catalog, customer_, open, state_.arena);
    const catalog::Trigger& definition = catalog.triggers[open.trigger];
    if (definition.reference !=
        catalog::kNone) {  // `record`, also where no condition has come to it
      const auto reference = static_cast<std::size_t>(definition.reference);
      all.at(catalog.business_data[reference].definition, view.key, now, state_.arena);
    }
    const InstanceScope scope(slots, view);
    for_each_condition(catalog, catalog.triggers[definition.current], ask);
  }
  all.note(nullptr);
  for (const std::string& row : copied_) records_.copy(all, row);
}

std::vector<GuardSaid> CustomerSnapshot::ask_guards(Instant now, std::uint32_t trigger,
                                                    std::string_view key) {
  SPUR_CHECK(trigger < state_.catalog->triggers.size());
  state_.arena.reset();
  Activation slots(state_.arena, &records_);
  slots.use(state_.catalog.get());
  ScoreTape scores;
  Effects effects;
  slots.begin(customer_, now, nullptr, &scores);
  Turn turn{state_, customer_, now, nullptr, {}, false, slots, effects, {}, {}};
  return ask_each_guard(turn, trigger, key);
}

}  // namespace spur
