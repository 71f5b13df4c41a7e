// The parts of a condition that can be true or false on their own: the operands of its && and ||.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spur::authoring {

struct Operand {
  std::size_t offset = 0;  // bytes in the source
  std::size_t length = 0;
  bool of_and = true;  // of &&, else of ||

  std::string_view in(std::string_view source) const { return source.substr(offset, length); }
};

// All of them, also inside parentheses and inside one another, in the order of the source. None if
// there is no && and no ||, or if they stand below something else, such as a ?: or a macro.
std::vector<Operand> operands_of(std::string_view source);

// `source` with the operand left out: as if it were true of an &&, false of an ||.
std::string without(std::string_view source, const Operand& operand);

}  // namespace spur::authoring
