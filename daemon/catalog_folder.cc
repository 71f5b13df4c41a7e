#include "daemon/catalog_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur {

FolderCatalog read_catalog_folder(const std::string& path) {
  catalog::Loaded loaded = catalog::load_directory(path);
  FolderCatalog out;
  catalog::CompileResult compiled = catalog::compile(loaded.catalog, loaded.positions);
  out.errors = catalog::merged(std::move(loaded.errors), compiled.errors);
  out.warnings = catalog::merged(std::move(loaded.warnings), compiled.warnings);
  if (out.errors.empty()) out.hash.assign(compiled.compiled->hash.begin(), compiled.compiled->hash.end());
  out.catalog = std::move(loaded.catalog);
  return out;
}

std::string catalog_folder_stamp(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string extension = it->path().extension();
    if (extension != ".yaml" && extension != ".yml") continue;
    std::error_code gone;  // a file may vanish while we look
    files.push_back(fmt::format("{} {} {}", it->path().string(), it->file_size(gone),
                                it->last_write_time(gone).time_since_epoch().count()));
  }
  std::sort(files.begin(), files.end());
  return fmt::format("{}", fmt::join(files, "\n"));
}

}  // namespace spur
