// An expression taken apart, so that it can be told which part of it decided: `a && b` is two
// parts, each a program of its own over the slots of the whole. Made when somebody asks; the fold
// evaluates the whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/expression/program.h"

namespace spur::expression {

inline constexpr std::size_t kExpressionPartsMax =
    200;  // of one expression; what lies deeper stays whole

struct Part {
  enum class Kind : std::uint8_t {
    kAll,      // a && b && c: its terms
    kAny,      // a || b || c
    kNot,      // !a
    kChoice,   // a ? b : c
    kCompare,  // a < b, a in b and the like: both sides
    kPlain,    // anything else: no parts
  };

  Kind kind = Kind::kPlain;
  std::string text;  // as it stands in the source
  Program program;
  bool constant = false;  // reads nothing
  std::vector<Part> parts;
};

// nullopt: `source` does not compile there. `references` are those that the whole was compiled
// with, or a copy.
std::optional<Part> parts_of(std::string_view source, const Environment& environment,
                             References& references, const Options& options = {});

}  // namespace spur::expression
