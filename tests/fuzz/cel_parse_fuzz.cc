// Any bytes as a source: the parser, the checker and the compiler neither crash nor run away, and
// every error points into the source.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operators/expression/program.h"
#include "state/check.h"

using spur::expression::Compiled;
using spur::expression::Diagnostic;
using spur::expression::Environment;
using spur::expression::Options;
using spur::expression::References;
using spur::expression::Type;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  Environment environment;
  environment.declare("event.properties", Type::object());
  environment.declare("features.n", Type::integer());
  environment.declare("features.m", Type::map(Type::string(), Type::real()));
  Options options;
  options.strict = (data[0] & 1) != 0;
  options.check = (data[0] & 2) != 0;
  References references;
  const Compiled compiled = compile(source, environment, references, options);
  SPUR_CHECK(compiled.program.has_value() == compiled.errors.empty());
  for (const Diagnostic& error : compiled.errors) {
    SPUR_CHECK(error.offset <= source.size() && error.length <= source.size() - error.offset);
  }
  return 0;
}
