#include "operators/guards/quiet_hours.h"

#include "operators/triggers/schedule.h"

namespace spur::guards {

Answer quiet_hours(Turn& turn, std::uint32_t channel) {
  const auto& quiet = turn.catalog().channels[channel].quiet_hours;
  if (!quiet) return Answer::yes();
  const Zone zone = quiet->zone ? *quiet->zone : triggers::customer_zone(turn);
  const std::optional<Instant> end = zone.stretch_end(turn.now, quiet->from_minute, quiet->to_minute);
  if (!end) return Answer::yes();
  return quiet->drop ? Answer::no("quiet_hours") : Answer::later("quiet_hours", *end);
}

}  // namespace spur::guards
