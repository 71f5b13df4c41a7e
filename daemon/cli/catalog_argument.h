// A catalog given on the command line: loaded, compiled, its errors printed as they should be read.
#pragma once

#include <memory>
#include <string>

#include "operators/catalog/compiled.h"
#include "operators/catalog/position.h"
#include "spur/v1/catalog.pb.h"

namespace spur::cli {

struct CatalogArgument {
  spur::v1::Catalog catalog;
  std::shared_ptr<const catalog::Compiled>
      compiled;  // nullptr: it has errors, which have been printed
  catalog::SourceMap positions;
  std::size_t warnings = 0;
};

// Prints every error and warning to stderr, each on its line as file:line:column.
CatalogArgument read_catalog(const std::string& directory);

}  // namespace spur::cli
