// A catalog with one Source, for the tests and the fuzz targets of its formats.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "state/check.h"

namespace spur {

// `spec` in YAML, of a Source `s`; `features`: documents that say what is read of its events.
inline std::shared_ptr<const catalog::Compiled> one_source(const std::string& spec,
                                                           const std::string& features) {
  const catalog::Loaded loaded = catalog::load_text(
      "c", "apiVersion: spur/v1\nkind: Source\nmetadata: {name: s}\nspec: " + spec + "\n---\n" +
               features);
  catalog::CompileResult compiled = catalog::compile(loaded.catalog, loaded.positions);
  const std::string errors = to_text(loaded.errors) + to_text(compiled.errors);
  if (!errors.empty()) std::fputs(errors.c_str(), stderr);
  SPUR_CHECK(errors.empty());
  return std::move(compiled.compiled);
}

}  // namespace spur
