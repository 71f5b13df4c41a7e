#include "operators/expression/program.h"

#include <utility>

#include "operators/expression/checker.h"
#include "operators/expression/code.h"
#include "operators/expression/compiler.h"
#include "operators/expression/parser.h"

namespace spur::expression {

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
  std::shared_ptr<const Code> code =
      compile_tree(tree, checked, references, options, &compiled.errors, &compiled.warnings);
  if (compiled.errors.empty()) compiled.program.emplace(std::move(code));
  return compiled;
}

}  // namespace spur::expression
