#include "operators/guards/still_true.h"

namespace spur::guards {

Answer still_true(Turn& turn, std::uint32_t trigger) {
  return turn.holds(turn.catalog().triggers[trigger].while_, trigger) ? Answer::yes() : Answer::no("while");
}

}  // namespace spur::guards
