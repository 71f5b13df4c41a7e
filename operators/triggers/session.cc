#include "operators/triggers/session.h"

#include "operators/triggers/collect.h"

namespace spur::triggers {

void session_moment(Turn& turn, const SessionState& session, catalog::SessionMoment moment, Instant hold_until) {
  for (const std::uint32_t i : turn.catalog().sessions[session.session].triggers) {
    const catalog::Trigger& trigger = turn.catalog().triggers[i];
    if (trigger.moment != moment) continue;
    Firing firing;
    firing.trigger = i;
    firing.key = turn.arena().copy(session.key);
    firing.base = turn.now;
    firing.opened_at = session.started;
    firing.count = static_cast<std::uint32_t>(session.events);
    firing.opened = turn.arena().copy(session.opened);
    if (moment == catalog::SessionMoment::kOpened) firing.event = turn.event;
    if (trigger.grace.count > 0) firing.hold_until = hold_until;
    collect(turn, firing);
  }
}

}  // namespace spur::triggers
