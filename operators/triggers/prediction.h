// The operator `prediction`: a threshold on a model's score, asked at each event that the model reads and, because
// silence is the signal, at intervals after it.
#pragma once

#include "operators/turn.h"

namespace spur::triggers {

void ask_prediction(Turn& turn, std::uint32_t trigger);

}  // namespace spur::triggers
