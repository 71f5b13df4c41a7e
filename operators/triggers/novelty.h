// The operator `novelty`: fires when a value is seen that this customer never had. The key is the value.
//
// The set is exact up to its limit (default 10,000 members, kept as 64-bit hashes of their text); beyond it the oldest
// go, counted, and would be new again.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

void novelty_fires(Turn& turn);

}  // namespace spur::triggers
