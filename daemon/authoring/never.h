// What of a catalog can never happen though nothing is wrong with it: warnings for `spur validate`.
//
//   * a condition that is false whatever comes, so that a trigger, pattern, step or segment is idle
//   * an event name that nobody else knows, if a Source lists its names, or if it is nearly one
//     that is known
//   * a comparison that a feature's window makes false: a gap of 60 days in a window of 30
//   * a session trigger for a moment that its Session never has
//   * a step's channel behind one that always lets through
//   * the k-th value of a novelty that remembers fewer
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "operators/catalog/compiled.h"
#include "operators/catalog/position.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

// What can never happen, at a path as positions have it.
struct Never {
  std::string path;
  std::size_t offset = 0;  // in the text there
  std::string message;
  std::string hint;
};

// By file, line and column. `compiled` is what `catalog` compiles to.
std::vector<catalog::Error> never_warnings(const spur::v1::Catalog& catalog,
                                           const catalog::Compiled& compiled,
                                           const catalog::SourceMap& positions);

}  // namespace spur::authoring
