#include "daemon/cli/catalog_argument.h"

#include <algorithm>
#include <cstdio>

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
    errors.insert(errors.end(), compiled.errors.begin(), compiled.errors.end());
    warnings.insert(warnings.end(), compiled.warnings.begin(), compiled.warnings.end());
    if (errors.empty()) result.compiled = std::move(compiled.compiled);
  }
  const auto tidy = [](std::vector<catalog::Error>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  tidy(errors);
  tidy(warnings);
  for (const catalog::Error& error : errors) fmt::print(stderr, "{}\n", error.to_text());
  for (const catalog::Error& warning : warnings) fmt::print(stderr, "warning: {}\n", warning.to_text());
  result.warnings = warnings.size();
  result.catalog = std::move(loaded.catalog);
  if (!errors.empty()) {
    fmt::print(stderr, "{}: {} error{}\n", directory, errors.size(), errors.size() == 1 ? "" : "s");
  }
  return result;
}

}  // namespace spur::cli
