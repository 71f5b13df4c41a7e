// The parts of a catalog that say when something happens and when not, each of which could be left
// out: triggers, patterns, conditions and their operands, guards, steps.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

// More are not looked at.
inline constexpr std::size_t kPartsMax = 10'000;

struct Part {
  std::string path;        // as positions have it: "Trigger/cart-abandoned/spec.cooldown"
  std::size_t offset = 0;  // in the text there
  std::string what;        // "Trigger cart-abandoned: `cooldown`"
  std::function<void(spur::v1::Catalog&)> leave_out;
};

// In the order of the catalog. A trigger that is off has none, and neither has what cannot be left
// out, such as the only pattern that opens a wait.
std::vector<Part> parts_of(const spur::v1::Catalog& catalog);

}  // namespace spur::authoring
