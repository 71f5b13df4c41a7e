// The walk: one YAML document into one resource of the catalog's protobuf.
//
// The schema decides what may stand where: the walk goes over the message by reflection, so a field
// added to catalog.proto is read without a line here. YAML's liberties are few and read by hand
// (walk.cc): one thing in the place of a list, a pattern's keys inside what they belong to,
// durations, named expressions, `cooldown`.
//
// What is wrong is noted and the rest is read all the same. The walk knows types and keys; ranges,
// names and what must be there are the validation's (validate.h), because a catalog can come as
// protobuf too.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operators/catalog/position.h"
#include "operators/catalog/yaml.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

// One for a whole catalog; documents in the order in which errors and repeated names are to be
// counted.
class Walk {
 public:
  Walk(spur::v1::Catalog& catalog, SourceMap& positions, std::vector<Error>& errors)
      : catalog_(catalog), positions_(positions), errors_(errors) {}

  // Adds the resource to the catalog if its kind is known, whatever else is wrong with it.
  void read(const std::shared_ptr<const SourceText>& file, const YamlNode& document);

 private:
  spur::v1::Catalog& catalog_;
  SourceMap& positions_;
  std::vector<Error>& errors_;
  std::map<std::pair<std::string, std::string>, int> occurrences_;  // of a kind and name
};

}  // namespace spur::catalog
