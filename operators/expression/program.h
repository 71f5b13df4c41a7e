// The expression engine: CEL source in, a checked and flat program out.
//
//     References references;                       // one per catalog
//     Environment here;                            // one per place
//     here.declare("event.properties", Type::object());
//     Compiled compiled = compile("event.properties.total > 100", here, references);
//     ...
//     Value answer = compiled.program->evaluate(slots, arena);
//     if (answer.is_true()) ...                    // an error is not true
//
// The language is the CEL specification with its optional, string, math, bindings, encoders and
// two-variable macro extensions; what Spur adds is listed at Options::strict. Evaluation has no
// clock, no I/O, no locale and no order but the values' own, so equal slots give equal answers on
// every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "operators/expression/diagnostic.h"
#include "operators/expression/environment.h"
#include "operators/expression/reference.h"
#include "operators/expression/type.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur::expression {

// What an expression may cost. Beyond the first four it does not compile, beyond the others it is
// an error value. What is sure to need more than `steps_max` does not compile either, and what
// would with lists of usual length is warned of (cost.h).
struct Limits {
  std::size_t source_bytes_max = 10 * 1024;
  std::size_t nesting_max = 250;  // of parentheses, calls, operators
  std::size_t nodes_max = 10'000;
  // all, exists, map, filter inside one another: the only exponential cost
  std::size_t comprehension_nesting_max = 4;
  std::int64_t steps_max = 1'000'000;  // of one evaluation: about one instruction or element each
  std::size_t text_bytes_max = 256 * 1024;  // of one string or bytes made by an evaluation
  std::size_t elements_max = 100'000;       // of one list or map made by an evaluation
};

struct Options {
  // Plain CEL only. Off, Spur adds: int and uint calculate with double, giving double, and are
  // compared with it by the checker too; duration * number, number * duration, duration / number,
  // duration / duration (double); the units `d` and `w` in duration("7d"); distance_m(latitude,
  // longitude, latitude, longitude).
  bool strict = false;
  // Off: types are not checked and an undeclared name is an error value when read. For the
  // conformance suite.
  bool check = true;
  Limits limits;
};

struct Code;  // private: the instructions

// A compiled expression. A value, cheap to copy; immutable: may be evaluated from several threads
// at once, each with its own Slots and Arena.
class Program {
 public:
  // The value, or an error Value: a missing field, an overload that does not exist, a limit
  // exceeded. Never absent. The result may point into the arena, into what the slots returned and
  // into this program; all must outlive its use. Takes from the arena, and only if the expression
  // makes a string, list, map, optional or an error's message.
  Value evaluate(Slots& slots, Arena& arena) const;

  // What the checker deduced; dyn if it could not.
  const Type& type() const;
  // The slots that an evaluation may read, ascending, each once.
  std::span<const std::uint32_t> slots() const;
  // The value, if the expression reads nothing and could be computed when compiled:
  // `duration("7d")`.
  std::optional<Value> constant() const;

  explicit Program(std::shared_ptr<const Code> code) : code_(std::move(code)) {}

 private:
  std::shared_ptr<const Code> code_;
};

struct Compiled {
  std::optional<Program> program;    // set if and only if there are no errors
  std::vector<Diagnostic> errors;    // in the order of the source
  std::vector<Diagnostic> warnings;  // int / int drops the remainder
  // Steps that an evaluation may take, lists and maps from outside counted as kElementsAssumed
  // elements (cost.h); 0 if it does not compile.
  std::int64_t steps_likely = 0;
};

// Parses, checks and compiles. Numbers what the program reads in `references`.
Compiled compile(std::string_view source, const Environment& environment, References& references,
                 const Options& options = {});

}  // namespace spur::expression
