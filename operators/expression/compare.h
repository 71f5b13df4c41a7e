// CEL's equality and order, over values of any kind.
//
// Numbers compare by what they are, not by their kind: 1 == 1.0 == 1u. An int or uint meets a
// double as a double, so beyond 2^53 neighbours are equal. Values of kinds that have nothing in
// common are unequal, not an error; ordering them is.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "state/value.h"

namespace spur::expression {

// CEL's `==`. Maps are equal whatever the order of their entries; NaN equals nothing; errors and
// absent equal nothing.
bool equal(const Value& a, const Value& b);

// The same, for untrusted sizes: takes one from `*steps` for each element looked at, and stops when
// none are left, with *steps < 0 and an answer that means nothing.
bool equal(const Value& a, const Value& b, std::int64_t* steps);

// CEL's `<`: numbers with numbers, else two of one kind among bool, string (by bytes, which is by
// code points), bytes, timestamp, duration. nullopt if the two cannot be ordered; unordered for
// NaN.
std::optional<std::partial_ordering> compare(const Value& a, const Value& b);

// Numbers of any kind; requires numbers.
std::partial_ordering compare_numbers(const Value& a, const Value& b);

}  // namespace spur::expression
