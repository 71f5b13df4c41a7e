// The operator `event`: fires for every matching event.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

void event_fires(Turn& turn);

}  // namespace spur::triggers
