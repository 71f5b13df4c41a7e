#include "operators/guards/shadow.h"

namespace spur::guards {

Answer shadow(const Turn& turn, std::uint32_t trigger) {
  return turn.catalog().triggers[trigger].shadow ? Answer::shadow() : Answer::yes();
}

}  // namespace spur::guards
