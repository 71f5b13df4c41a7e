// Any source over slots of every kind: evaluation ends within its budget, is never absent, gives
// the same answer twice, and prints.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "operators/expression/program.h"
#include "operators/expression/text.h"
#include "state/check.h"

namespace {

using spur::Arena;
using spur::MapEntry;
using spur::Value;
using spur::expression::ArraySlots;
using spur::expression::Compiled;
using spur::expression::Environment;
using spur::expression::Options;
using spur::expression::References;
using spur::expression::to_text;
using spur::expression::Type;

const Value kList[] = {Value::integer(-1), Value::real(2.5),
                       Value::string("\xC3\xA5"
                                     "b"),
                       Value::null()};
const MapEntry kMap[] = {{Value::string("a"), Value::real(20)},
                         {Value::integer(7), Value::list(kList)}};

// What the slots hold, chosen by the input's first bytes.
const Value kValues[] = {Value::absent(),
                         Value::null(),
                         Value::boolean(true),
                         Value::integer(INT64_MIN),
                         Value::unsigned_integer(UINT64_MAX),
                         Value::real(1e300),
                         Value::string("2026-03-01T08:00:00Z"),
                         Value::bytes("\xFF\x00"
                                      "a"),
                         Value::timestamp(253'402'300'799, 999'999'999),
                         Value::duration(-9'223'372'036, 0),
                         Value::list(kList),
                         Value::map(kMap),
                         Value::type("int"),
                         Value::optional(kList),
                         Value::error("an error")};

std::string evaluated(const Compiled& compiled, const References& references,
                      const std::uint8_t* choice) {
  ArraySlots slots(references.size());
  for (std::uint32_t i = 0; i < references.size(); ++i) {
    slots.set(i, kValues[choice[i % 3] % std::size(kValues)]);
  }
  Arena arena;
  const Value value = compiled.program->evaluate(slots, arena);
  SPUR_CHECK(!value.is_absent());
  return to_text(value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view source(reinterpret_cast<const char*>(data) + 4, size - 4);
  Environment environment;
  for (const char* name : {"a", "b", "c"}) environment.declare(name, Type::dyn());
  Options options;
  options.strict = (data[3] & 1) != 0;
  options.check = (data[3] & 2) != 0;
  options.limits.steps_max = 20'000;
  References references;
  const Compiled compiled = compile(source, environment, references, options);
  if (!compiled.program) return 0;
  SPUR_CHECK(evaluated(compiled, references, data) == evaluated(compiled, references, data));
  return 0;
}
