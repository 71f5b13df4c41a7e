// What an expression costs: the predicate that CEL engines are compared with (91 ns in cel-go), and
// those of our own catalogs. Slots come from an array; the arena is warm.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "operators/expression/program.h"

namespace spur::expression {
namespace {

struct Setup {
  Environment environment;
  References references;
  std::string source;
  Program program;
  ArraySlots slots;
  Arena arena;

  explicit Setup(std::string text)
      : environment(declared()),
        source(std::move(text)),
        program(compiled()),
        slots(references.size()) {
    for (std::uint32_t i = 0; i < references.size(); ++i) slots.set(i, value(references[i]));
  }

  static Environment declared() {
    Environment environment;
    environment.declare("o", Type::string());
    environment.declare("c", Type::string());
    environment.declare("v", Type::real());
    environment.declare("a", Type::integer());
    environment.declare("event.name", Type::string());
    environment.declare("event.properties", Type::object());
    environment.declare("features.orders", Type::integer());
    environment.declare("features.revenue", Type::real());
    environment.declare("features.mean_gap", Type::duration());
    environment.declare("before.orders", Type::integer());
    environment.declare("before.revenue", Type::real());
    return environment;
  }

  Program compiled() {
    const Compiled result = compile(source, environment, references);
    if (!result.program) std::abort();
    return *result.program;
  }

  static Value value(const Reference& reference) {
    static const Value kElements[] = {Value::real(1), Value::real(2), Value::real(3),
                                      Value::real(4)};
    const std::string name = reference.to_string();
    if (name == "o") return Value::string("MOW");
    if (name == "c") return Value::string("RU");
    if (name == "v") return Value::real(100);
    if (name == "event.name") return Value::string("Order Completed");
    if (name == "event.properties.category") return Value::string("shoes");
    if (name == "event.properties.items") return Value::list(kElements);
    if (name == "event.properties.coupon") return Value::absent();
    if (name == "features.mean_gap") return Value::duration(9 * 86'400, 0);
    if (name == "features.orders" || name == "before.orders" || name == "a")
      return Value::integer(5);
    return Value::real(250);
  }
};

void run(benchmark::State& state, const char* source) {
  Setup setup(source);
  for (auto _ : state) {
    benchmark::DoNotOptimize(setup.program.evaluate(setup.slots, setup.arena));
    setup.arena.reset();
  }
}

BENCHMARK_CAPTURE(run, one_comparison, "v >= 100.0");
BENCHMARK_CAPTURE(run, reference_predicate, "(o == 'MOW' || c == 'RU') && (v >= 100 || a == 1)");
BENCHMARK_CAPTURE(run, reference_predicate_all_asked,
                  "(o == 'LED' || c == 'RU') && (v >= 101 || a == 5)");
BENCHMARK_CAPTURE(
    run, five_terms,
    "event.name == 'Order Completed' && event.properties.total > 100 && features.orders >= 3 && "
    "features.mean_gap >= duration('7d') && event.properties.category in ['shoes', 'bags', "
    "'coats', 'hats']");
BENCHMARK_CAPTURE(
    run, spend_spike,
    "before.orders >= 3 && event.properties.total * before.orders >= 3 * before.revenue");
BENCHMARK_CAPTURE(run, missing_field, "event.properties.coupon == 'SPRING'");
BENCHMARK_CAPTURE(run, has_field, "has(event.properties.coupon)");
BENCHMARK_CAPTURE(run, optional_default, "event.properties.?coupon.orValue('') == ''");
BENCHMARK_CAPTURE(run, starts_with, "event.name.startsWith('Order')");
BENCHMARK_CAPTURE(run, matches, "event.name.matches('^Order (Completed|Updated)$')");
BENCHMARK_CAPTURE(run, exists_in_four, "event.properties.items.exists(i, i == 4)");
BENCHMARK_CAPTURE(run, map_of_four, "event.properties.items.map(i, i * 2).size()");

void compile_predicate(benchmark::State& state) {
  const Environment environment = Setup::declared();
  for (auto _ : state) {
    References references;
    benchmark::DoNotOptimize(
        compile("(o == 'MOW' || c == 'RU') && (v >= 100 || a == 1)", environment, references));
  }
}
BENCHMARK(compile_predicate);

}  // namespace
}  // namespace spur::expression
