// What a trigger waits for, in sentences.
#pragma once

#include <string>
#include <vector>

#include "daemon/authoring/page.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

// The key of its operator: "absence".
std::string operator_name(const spur::v1::Trigger& trigger);

// What makes it fire.
std::vector<std::string> operator_sentences(const spur::v1::Trigger& trigger,
                                            const spur::v1::Catalog& catalog);

// The time line up to the firing, which is its last point.
std::vector<Point> opening_points(const spur::v1::Trigger& trigger);

// "Order Completed or Order Refunded where `…`"
std::string pattern_text(const spur::v1::Pattern& pattern);
// Any of them: "Order Completed; or Order Refunded where `…`"
std::string patterns_text(const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns);
// "at most 3 in 7d"
std::string cap_text(const spur::v1::Cap& cap);

}  // namespace spur::authoring
