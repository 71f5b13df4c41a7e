// Runs a trigger test: the events through the fold on a virtual clock, the decisions against what
// is expected.
//
// Each test runs several times and all runs must agree, because how events travel must not matter:
//   * on one shard and on four, but where the catalog has a `rate`, of which each shard has a part
//   * with a clock that also moves between events, to each instant at which something was decided,
//     and all state written out and read back after each step: a daemon restarted all the time
//   * in other orders of arrival, each event at most the Policy's lateness behind. Seeded by the
//     test's name, so that a failure stays. Not if the events as written come later than that
//     already, copies of one id differ, or one is given by its `body`: then their order is what the
//     test is about. Without
//     lateness there is only the order written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/trigger_test/test_file.h"
#include "operators/catalog/compiled.h"

namespace spur::trigger_test {

inline constexpr int kShuffles = 3;

struct Result {
  bool passed = false;
  std::vector<std::string> lines;   // what failed, for people; a diff is indented
  std::vector<Decision> decisions;  // of the first run, as compared
  int runs = 0;
};

// Requires a file without errors. Deterministic.
Result run_test(const std::shared_ptr<const catalog::Compiled>& catalog, const TestFile& file,
                const Test& test);

// A test with what its file says for all of them.
struct TestCase {
  Test test;
  std::vector<std::string> consents;
};

// What the test decides on one shard, in the order written, of the verdicts that it compares.
std::vector<Decision> decide(const std::shared_ptr<const catalog::Compiled>& catalog,
                             const TestCase& one);

// What a file names and the catalog has not: a trigger or channel in an expectation, a Reference.
std::vector<catalog::Error> check_names(const catalog::Compiled& catalog, const TestFile& file);

}  // namespace spur::trigger_test
