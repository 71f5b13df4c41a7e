#include "operators/expression/patterns.h"

#include <re2/re2.h>

namespace spur::expression {
namespace {

// Enough for any pattern people write; one that needs more is refused instead of slow.
constexpr std::int64_t kMemoryMax = 1 << 20;
constexpr std::size_t kPatternBytesMax = 4096;

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemoryMax);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Pattern::Pattern(std::string_view source)
    : pattern_(std::make_unique<re2::RE2>(piece(source), options())) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

std::string Pattern::problem() const { return pattern_->ok() ? "" : pattern_->error(); }

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(piece(text), *pattern_);
}

Value match_once(Evaluation& evaluation, std::string_view text, std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return Value::error("the pattern is too long");
  // Compiling takes about 10 µs and 1 µs a byte; a step is about 10 ns.
  if (!evaluation.spend(1000 + 100 * pattern.size()) || !evaluation.spend_text(text.size())) {
    return Value::error(kTooManySteps);
  }
  const Pattern compiled(pattern);
  if (const std::string problem = compiled.problem(); !problem.empty()) {
    return evaluation.error({"bad pattern: ", problem});
  }
  return Value::boolean(compiled.matches(text));
}

}  // namespace spur::expression
