#include "daemon/cli/catalog_argument.h"

#include <cstdio>
#include <utility>

#include "fmt/format.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::cli {

CatalogArgument read_catalog(const std::string& directory) {
  catalog::Loaded loaded = catalog::load_directory(directory);
  std::vector<catalog::Error> errors = loaded.errors;
  std::vector<catalog::Error> warnings = loaded.warnings;
  CatalogArgument result;
  if (loaded.complete) {
    catalog::CompileResult compiled = catalog::compile(loaded.catalog, loaded.positions);
    errors = catalog::merged(std::move(errors), compiled.errors);
    warnings = catalog::merged(std::move(warnings), compiled.warnings);
    if (errors.empty()) result.compiled = std::move(compiled.compiled);
  }
  for (const catalog::Error& error : errors) fmt::print(stderr, "{}\n", error.to_text());
  for (const catalog::Error& warning : warnings)
    fmt::print(stderr, "warning: {}\n", warning.to_text());
  result.warnings = warnings.size();
  result.catalog = std::move(loaded.catalog);
  result.positions = std::move(loaded.positions);
  if (!errors.empty()) {
    fmt::print(stderr, "{}: {} error{}\n", directory, errors.size(), errors.size() == 1 ? "" : "s");
  }
  return result;
}

}  // namespace spur::cli
