// An answer to "why" and "why not" as text for people.
#pragma once

#include <string>

#include "spur/v1/service.pb.h"

namespace spur::explain {

// "2026-03-01T08:00:00.000Z"; "-" for 0, which means none.
std::string time_text(std::int64_t ms);

// "cart-abandoned [k1]  email your-cart  suppressed: cap (1 sent within 86400 s, channel cap 1)"
std::string decision_text(const spur::v1::Decision& decision);

// One change in a few words: "cart-abandoned [k1] waits until 2026-03-01T09:30:00.000Z".
std::string words_of(const spur::v1::Change& change);

std::string to_text(const spur::v1::ExplainResponse& response);

}  // namespace spur::explain
