// What events say of consent, and the erasure of a customer: both act at once, before any trigger
// is asked.
#pragma once

#include "operators/turn.h"

namespace spur {

inline constexpr std::size_t kConsentsMax =
    64;  // purposes of one customer; beyond: not taken, counted
inline constexpr std::size_t kConsentTextBytesMax =
    256;  // of a purpose; of source, text version, legal basis: cut

// Takes what the event says of consent: the last word by event time, of two at one instant the
// withdrawal. A withdrawal ends all that only it allowed: waits, steps still to come, conclusions
// that are held.
void fold_consents(Turn& turn);

// Whether the customer is erased, by this event or before it. All that is known of it goes then,
// for good: what comes after is passed over.
bool erased(Turn& turn);

}  // namespace spur
