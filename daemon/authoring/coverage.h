// How much of a catalog its tests hold in place.
//
// A part is covered if leaving it out changes what some test decides: then a test has come there,
// both ways, and would tell. To have been evaluated is not enough, and nothing in the fold has to
// count.
#pragma once

#include <string>
#include <vector>

#include "daemon/trigger_test/runner.h"
#include "operators/catalog/compiled.h"
#include "operators/catalog/position.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

struct Uncovered {
  catalog::Position at;
  std::string what;
};

struct Coverage {
  std::size_t parts = 0;
  std::vector<Uncovered> uncovered;  // in the order of the catalog
};

// Requires a catalog that compiles, and tests that pass on it.
Coverage coverage_of(const spur::v1::Catalog& catalog, const catalog::SourceMap& positions,
                     const std::vector<trigger_test::TestCase>& tests);

}  // namespace spur::authoring
