// What is wrong with an expression's source, said so that its writer can mend it.
#pragma once

#include <cstddef>
#include <string>

namespace spur::expression {

struct Diagnostic {
  std::size_t offset = 0;  // bytes from the start of the source
  std::size_t length = 0;  // of the part that is meant; 0 at the end of the source
  std::string message;     // what is wrong: "`orders_3d` is not declared in features"
  std::string hint;        // what would be right: "did you mean `orders_30d`?"; may be empty
};

}  // namespace spur::expression
