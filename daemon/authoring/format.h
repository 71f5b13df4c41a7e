// The canonical form of a catalog's file: the same values, as everybody lays them out.
//
//   * keys in the order of the schema (`data`, parameters and lists keep theirs, which has meaning)
//   * two spaces a level, items of a list one level below their key, one space inside `key: value`
//   * what is in {} or [] stays so if it fits into a line, else its parts stand on lines of their
//   own
//   * quotes only around what would read as something else without
//   * comments stay with what they are about (yaml_layout.h); those behind consecutive lines are
//     aligned; empty lines stay, one at a time
//
// Formatting what is formatted changes nothing. Before a result is handed out it is read again and
// compared: values, catalog and comments must be the same, else the file is left as it is.
#pragma once

#include <string>

#include "operators/catalog/yaml.h"

namespace spur::authoring {

// What is in {} or [] and would go beyond is written as lines.
inline constexpr std::size_t kFormattedCharactersMax = 120;

struct Formatted {
  std::string text;                        // of use only if there are no errors
  std::vector<catalog::YamlError> errors;  // why it was not formatted; offsets in the given text
};

// `name` is the file's, for the reader. Keys that no schema has stand last.
Formatted format_catalog_file(const std::string& name, const std::string& text);

}  // namespace spur::authoring
