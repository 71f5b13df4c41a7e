// Distances on the Earth, the same to the last bit on every machine.
#pragma once

#include <optional>

namespace spur::expression {

struct Place {
  double latitude = 0;   // degrees north, -90 .. 90
  double longitude = 0;  // degrees east, -180 .. 180
};

// The great-circle distance in metres on a sphere of the Earth's mean radius (6,371,008.8 m), by
// the haversine formula. nullopt if a coordinate is out of range or no number. Against the
// ellipsoid it is off by at most 0.56 %; the arithmetic adds less than 0.1 mm, except for points
// nearly opposite each other, where it may add 0.2 m.
//
// Uses +, -, *, / and sqrt only, which IEEE 754 defines exactly: libm's sin, cos and asin differ
// between machines.
std::optional<double> distance_m(Place a, Place b);

}  // namespace spur::expression
