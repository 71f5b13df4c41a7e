#include "daemon/authoring/coverage.h"

#include <memory>

#include "daemon/authoring/parts.h"
#include "daemon/trigger_test/compare.h"
#include "daemon/trigger_test/runner.h"
#include "operators/catalog/compile.h"

namespace spur::authoring {
namespace {

using trigger_test::TestCase;

std::vector<std::vector<Decision>> decided(const std::shared_ptr<const catalog::Compiled>& catalog,
                                           const std::vector<TestCase>& tests) {
  std::vector<std::vector<Decision>> all;
  for (const TestCase& test : tests) all.push_back(trigger_test::decide(catalog, test));
  return all;
}

}  // namespace

Coverage coverage_of(const spur::v1::Catalog& catalog, const catalog::SourceMap& positions,
                     const std::vector<TestCase>& tests) {
  const auto whole = decided(catalog::compile(catalog).compiled, tests);
  Coverage coverage;
  for (const Part& part : parts_of(catalog)) {
    spur::v1::Catalog without = catalog;
    part.leave_out(without);
    const auto compiled = catalog::compile(without).compiled;
    if (compiled == nullptr) continue;  // it cannot be left out
    ++coverage.parts;
    bool noticed = false;
    for (std::size_t i = 0; i < tests.size() && !noticed; ++i) {
      const std::vector<Decision> other = trigger_test::decide(compiled, tests[i]);
      noticed = !trigger_test::difference(whole[i], other, Instant{0}).empty();
    }
    if (noticed) continue;
    coverage.uncovered.push_back({positions.position(part.path, part.offset), part.what});
  }
  return coverage;
}

}  // namespace spur::authoring
