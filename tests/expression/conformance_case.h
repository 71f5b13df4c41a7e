// One case of CEL's conformance suite, read from its JSON line and run.
#pragma once

#include <string>

#include "simdjson.h"

namespace spur::expression {

struct CaseResult {
  std::string file;
  std::string name;          // section/name
  std::string problem;       // empty if it passed
  std::string type_problem;  // empty if the deduced type is the expected one, or none is given
};

CaseResult run_case(simdjson::dom::element line);

}  // namespace spur::expression
