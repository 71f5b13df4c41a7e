// From a loaded catalog to one that runs: names are resolved, conditions are checked and compiled,
// listeners indexed.
#pragma once

#include <memory>
#include <vector>

#include "operators/catalog/compiled.h"
#include "operators/catalog/position.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

struct CompileResult {
  std::shared_ptr<const Compiled> compiled;  // set if and only if there are no errors
  std::vector<Error> errors;                 // all of them, in the order of the resources
  std::vector<Error> warnings;
};

// Of a catalog that validation has nothing against, as what load.h gives: what must be there is
// relied on. `positions` places errors in their files; empty for one that did not come from files.
// Deterministic: equal catalogs give equal slots, indices and order on every machine.
CompileResult compile(const spur::v1::Catalog& catalog, const SourceMap& positions = {});

// The same of a catalog that comes from elsewhere, as over gRPC: what load.h would have written
// into it is (topics that it leaves to their default), and it is validated first.
CompileResult complete_and_compile(spur::v1::Catalog& catalog);

}  // namespace spur::catalog
