// What a new version of a catalog changes, field by field, and what that means for what runs: which
// state starts again, and what becomes of open instances.
//
// Both versions are compiled, the new one with the earlier versions of triggers that it would carry
// along (operators/catalog/retire.h), so that what is told is what the fold would do.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/catalog/compiled.h"
#include "operators/catalog/hash.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

struct FieldChange {
  std::string path;                   // "spec.absence.after"
  std::optional<std::string> before;  // as YAML would say it; none: was not there
  std::optional<std::string> after;
};

struct ResourceChange {
  enum class What { kAdded, kRemoved, kChanged };
  What what = What::kChanged;
  std::string kind;
  std::string name;
  std::vector<FieldChange> fields;  // of what was changed; may be empty if only its state restarts
  std::vector<std::string> consequences;
};

struct CatalogDiff {
  catalog::Hash before{};
  catalog::Hash after{};
  std::vector<ResourceChange> changes;  // by kind as in the schema, then by name

  bool same() const { return before == after; }
};

// `before` may hold retired versions, as a daemon's does. nullopt if one of the two does not
// compile.
std::optional<CatalogDiff> diff_catalogs(const spur::v1::Catalog& before,
                                         const spur::v1::Catalog& after);

// For people, each line with its end; for programs, one line.
std::string to_text(const CatalogDiff& diff);
std::string to_json(const CatalogDiff& diff);

}  // namespace spur::authoring
