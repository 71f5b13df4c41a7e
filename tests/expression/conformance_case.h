// One case of CEL's conformance suite, run by the code of `spur eval --lines`.
#pragma once

#include <string>
#include <string_view>

#include "daemon/eval/line.h"

namespace spur::expression {

struct CaseResult {
  std::string file;
  std::string name;            // section/name
  bool needs_message = false;  // of protobuf: not run
  std::string problem;         // empty if it passed
  std::string type_problem;    // empty if the deduced type is the expected one, or none is given
};

CaseResult run_case(std::string_view json, const eval::LineOptions& options);

}  // namespace spur::expression
