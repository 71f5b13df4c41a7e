// Random catalogs of everything: each operator, each aggregate as a condition, each guard. For
// properties only: what a seed gives may change with the language (what goldens are made from is
// random_history.h's).
#pragma once

#include <string>

#include "tests/operators/random_history.h"

namespace spur::testing {

// Two to nine triggers over the events of random_history(). `policy` is put into its Policy.
std::string wide_catalog(Random& random, const std::string& policy);

}  // namespace spur::testing
