// Shared by the tests of the trigger test runner: a catalog and a file of tests as text, run, and
// what was said.
#pragma once

#include <string>

#include "daemon/trigger_test/runner.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::trigger_test {

inline std::shared_ptr<const catalog::Compiled> compiled(const std::string& yaml) {
  const catalog::Loaded loaded = catalog::load_text("catalog.yaml", yaml);
  EXPECT_EQ(catalog::to_text(loaded.errors), "");
  catalog::CompileResult result = catalog::compile(loaded.catalog, loaded.positions);
  EXPECT_EQ(catalog::to_text(result.errors), "");
  return result.compiled;
}

inline constexpr char kCatalog[] = R"(
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {caps: [{max: 2, per: 1d}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: hello}
spec:
  event: {on: Hello, key: event.properties.k}
  actions: [{channel: email, template: hi, data: {k: instance.key}}]
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: left}
spec:
  absence: {opens: {on: Came}, closes: {on: Went}, after: 1h}
  actions: [{channel: email, template: come-back}]
)";

// "tests:" and what stands below, with a start.
inline TestFile parsed(const std::string& tests) {
  return parse_test_file("a_test.yaml", "start: 2026-03-01T08:00:00Z\ntests:\n" + tests);
}

// The errors of a file, each on its line.
inline std::string errors_of(const std::string& text) {
  return catalog::to_text(parse_test_file("a_test.yaml", text).errors);
}

// Runs the only test of a file.
inline Result run(const std::string& test, const std::string& policy = "") {
  const TestFile file = parsed(test);
  EXPECT_EQ(catalog::to_text(file.errors), "");
  if (file.tests.size() != 1) return {};
  return run_test(compiled(kCatalog + policy), file, file.tests.front());
}

inline std::string text(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace spur::trigger_test
