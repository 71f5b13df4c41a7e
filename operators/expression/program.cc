#include "operators/expression/program.h"

#include <utility>

#include "operators/expression/checker.h"
#include "operators/expression/code.h"
#include "operators/expression/compiler.h"
#include "operators/expression/cost.h"
#include "operators/expression/parser.h"

namespace spur::expression {
namespace {

// Says what would run out of steps: an error if the source alone asks for too many, a warning if
// lists of usual length do.
void judge_cost(const Cost& cost, const Limits& limits, std::size_t length, Compiled* compiled) {
  if (cost.own <= limits.steps_max && cost.likely <= limits.steps_max) return;
  const bool own = cost.own > limits.steps_max;
  const std::int64_t steps = own ? cost.own : cost.likely;
  Diagnostic diagnostic{0, length, "", "loop over fewer elements, or not inside one another"};
  diagnostic.message =
      "this may take " +
      (steps >= kCostMax ? "more than " + std::to_string(kCostMax) : std::to_string(steps)) +
      " steps" + (own ? "" : " on lists of " + std::to_string(kElementsAssumed)) + "; " +
      std::to_string(limits.steps_max) + " are allowed";
  (own ? compiled->errors : compiled->warnings).push_back(std::move(diagnostic));
}

}  // namespace

Value Program::evaluate(Slots& slots, Arena& arena) const { return run(*code_, slots, arena); }

const Type& Program::type() const { return code_->type; }

std::span<const std::uint32_t> Program::slots() const { return code_->slots; }

std::optional<Value> Program::constant() const {
  const std::vector<Instruction>& instructions = code_->instructions;
  if (instructions.size() != 2 || instructions[0].op != Op::kConstant) return std::nullopt;
  const Value& value = code_->constants[instructions[0].a];
  if (value.is_error()) return std::nullopt;
  return value;
}

Compiled compile(std::string_view source, const Environment& environment, References& references,
                 const Options& options) {
  Compiled compiled;
  Tree tree;
  if (std::optional<Diagnostic> error = parse(source, options.limits, &tree)) {
    compiled.errors.push_back(std::move(*error));
    return compiled;
  }
  Checked checked = check(tree, environment, options);
  compiled.errors = std::move(checked.errors);
  compiled.warnings = std::move(checked.warnings);
  if (!compiled.errors.empty()) return compiled;
  const Cost cost = cost_of(tree, checked);
  judge_cost(cost, options.limits, source.size(), &compiled);
  if (!compiled.errors.empty()) return compiled;
  compiled.steps_likely = cost.likely;
  std::shared_ptr<const Code> code =
      compile_tree(tree, checked, references, options, &compiled.errors, &compiled.warnings);
  if (compiled.errors.empty()) compiled.program.emplace(std::move(code));
  return compiled;
}

}  // namespace spur::expression
