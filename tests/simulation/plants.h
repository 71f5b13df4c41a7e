// The names of the planted bugs, and which of them is in the ground (daemon/plant.h).
#pragma once

#include <span>
#include <string_view>

#include "daemon/plant.h"

namespace spur::simulation {

struct PlantName {
  Plant plant;
  std::string_view name;
};

// None in the binary without them.
std::span<const PlantName> plants();
// Takes this rule away from now on.
void sow(Plant plant);
// False: there is none of that name here.
bool sow(std::string_view name);

}  // namespace spur::simulation
