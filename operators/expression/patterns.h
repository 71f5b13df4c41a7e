// Regular expressions: RE2's syntax, which has no exponential cases. Part of the fold version, as
// RE2 decides matches.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "operators/expression/evaluation.h"

namespace re2 {
class RE2;
}

namespace spur::expression {

// A pattern known when compiling. Immutable; matches from several threads at once.
class Pattern {
 public:
  explicit Pattern(std::string_view source);
  ~Pattern();
  Pattern(Pattern&&) noexcept;

  // Empty, or what is wrong with the pattern.
  std::string problem() const;
  // Whether some part of `text` matches.
  bool matches(std::string_view text) const;

 private:
  std::unique_ptr<re2::RE2> pattern_;
};

// matches() with a pattern known only now: it is compiled, used once and forgotten, and costs
// accordingly.
Value match_once(Evaluation& evaluation, std::string_view text, std::string_view pattern);

}  // namespace spur::expression
