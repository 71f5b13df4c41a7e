#include "operators/customer_snapshot.h"

#include "operators/gate.h"
#include "state/check.h"
#include "state/codec/customer_codec.h"

namespace spur {

CustomerSnapshot::CustomerSnapshot(const ShardState& state, const Customer& customer) {
  SPUR_CHECK(state.catalog != nullptr);
  state_.catalog = state.catalog;
  state_.generation = state.generation;
  state_.features_since = state.features_since;
  state_.triggers_since = state.triggers_since;
  state_.newest_since = state.newest_since;
  state_.trigger_counters = state.trigger_counters;
  state_.assumed = state.assumed;
  const Layout& layout = *state.catalog->layout;
  SPUR_CHECK(decode_customer(encode_customer(customer, layout), layout, customer_));
}

std::vector<GuardSaid> CustomerSnapshot::ask_guards(Instant now, std::uint32_t trigger,
                                                    std::string_view key) {
  SPUR_CHECK(trigger < state_.catalog->triggers.size());
  state_.arena.reset();
  Activation slots(state_.arena);
  slots.use(state_.catalog.get());
  ScoreTape scores;
  Effects effects;
  slots.begin(customer_, now, nullptr, &scores);
  Turn turn{state_, customer_, now, nullptr, {}, false, slots, effects, {}, {}};
  return ask_each_guard(turn, trigger, key);
}

}  // namespace spur
