// Text that YAML reads as that very text without quotes.
#pragma once

#include <string_view>

namespace spur::authoring {

// Whether `text` may stand without quotes anywhere, also inside {} and [], and reads as text for
// readers of YAML 1.1 and 1.2 alike: not 21:00, 7, yes, null, nor what begins with punctuation.
// When in doubt, no.
bool is_plain(std::string_view text);

}  // namespace spur::authoring
