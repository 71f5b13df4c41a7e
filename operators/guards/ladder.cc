#include "operators/guards/ladder.h"

#include <algorithm>

#include "fmt/format.h"
#include "operators/gate.h"
#include "operators/triggers/absence.h"
#include "operators/triggers/collect.h"

namespace spur::guards {
namespace {

// Whether a wait, a sequence, a session or a step of `trigger` is open. What a customer cares about
// is none of these: it says who is told of a change, which may come in a month or never.
bool is_open(const Turn& turn, std::uint32_t trigger) {
  const Customer& customer = turn.customer;
  const catalog::Trigger& definition = turn.catalog().triggers[trigger];
  if (definition.kind != catalog::Operator::kBusiness && customer.instances.count(trigger) > 0)
    return true;
  if (definition.kind == catalog::Operator::kSession && !definition.retired &&
      std::any_of(customer.sessions.begin(), customer.sessions.end(), [&](const SessionState& s) {
        return s.open && static_cast<std::int32_t>(s.session) == definition.session;
      }))
    return true;
  return customer.rare != nullptr &&
         std::any_of(customer.rare->pending.begin(), customer.rare->pending.end(),
                     [&](const Pending& p) { return p.trigger == trigger; });
}

}  // namespace

Answer ladder(const Turn& turn, std::uint32_t trigger) {
  const catalog::Trigger& definition = turn.catalog().triggers[trigger];
  for (const std::uint32_t above : definition.above) {
    const catalog::Trigger& higher = turn.catalog().triggers[above];
    if (is_open(turn, above)) return Answer::no("ladder", fmt::format("{} is open", higher.name));
    const TriggerState* const state = triggers::find_state(turn.customer, higher.current);
    if (state == nullptr || state->more == nullptr) continue;
    const Instant sent = state->more->last_sent;
    if (sent != Instant::distant_past() && turn.now < sent + definition.ladder_for) {
      return Answer::no("ladder", fmt::format("{} was sent {} s ago, silent for {} s", higher.name,
                                              (turn.now - sent).count / 1000,
                                              definition.ladder_for.count / 1000));
    }
  }
  return Answer::yes();
}

void ladder_opened(Turn& turn, std::uint32_t trigger, Instant t) {
  for (const std::uint32_t below : turn.catalog().triggers[trigger].below) {
    if (turn.catalog().triggers[below].kind != catalog::Operator::kBusiness)
      triggers::drop_instances(turn, below, t);
    drop_pending(
        turn, below, t, [](const std::string&) { return true; }, "ladder");
  }
}

void ladder_sent(Turn& turn, std::uint32_t trigger) {
  const catalog::Trigger& definition = turn.catalog().triggers[trigger];
  if (definition.below.empty()) return;
  TriggerState& state = triggers::state_of(turn, definition.current);
  state.rest().last_sent = std::max(state.rest().last_sent, turn.now);
  ladder_opened(turn, trigger, turn.now);
}

}  // namespace spur::guards
