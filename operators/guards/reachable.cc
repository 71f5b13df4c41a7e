#include "operators/guards/reachable.h"

namespace spur::guards {

Answer reachable(Turn& turn, std::uint32_t trigger, std::uint32_t channel) {
  return turn.holds(turn.catalog().channels[channel].reach, trigger) ? Answer::yes() : Answer::no("reachable");
}

}  // namespace spur::guards
