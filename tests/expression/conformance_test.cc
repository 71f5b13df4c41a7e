// CEL's conformance suite, by the code of `spur eval --lines`: 1,080 core cases that must all pass,
// and the extensions, each file with the number that must at least. In strict mode with and without
// the checker, and with Spur's additions, where what comes out otherwise is listed. The cases are
// data beside the repository (SPUR_DATA); none is treated specially.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "conformance_case.h"
#include "daemon/inputs/event_file.h"

namespace spur::expression {
namespace {

struct Floor {
  int passed;
  int total;
};

// What has been reached; a change may only raise these. Cases that need protobuf messages are not
// counted.
const std::map<std::string, Floor> kFloors = {
    {"basic", {43, 43}},      {"comparisons", {334, 334}}, {"conversions", {109, 109}},
    {"fields", {60, 60}},     {"fp_math", {30, 30}},       {"integer_math", {64, 64}},
    {"lists", {39, 39}},      {"logic", {30, 30}},         {"macros", {44, 44}},
    {"namespace", {3, 3}},    {"parse", {193, 193}},       {"plumbing", {5, 5}},
    {"string", {51, 51}},     {"timestamps", {75, 75}},    {"string_ext", {206, 206}},
    {"math_ext", {199, 199}}, {"macros2", {46, 46}},       {"bindings_ext", {5, 5}},
    {"encoders_ext", {4, 4}}, {"optionals", {59, 59}},     {"type_deductions", {26, 26}},
};

class ConformanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("SPUR_DATA");
    const std::string base = folder != nullptr ? folder : SPUR_SOURCE_DIR "/../shared/data";
    absl::StatusOr<EventFile> file = EventFile::open(base + "/cel/conformance.jsonl.gz");
    if (file.ok()) {
      while (const auto line = file->next()) lines_.emplace_back(line->bytes);
      return;
    }
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true")
      FAIL() << "no conformance suite at SPUR_DATA/cel";
    GTEST_SKIP() << "no conformance suite: set SPUR_DATA to the folder that holds cel/";
  }

  // The cases of kFloors' files that do not come out as the suite says, and all counts.
  std::set<std::string> missed(const eval::LineOptions& options) {
    std::set<std::string> names;
    results_.clear();
    for (const std::string& line : lines_) {
      const CaseResult result = run_case(line, options);
      if (result.needs_message || !kFloors.contains(result.file)) continue;
      Floor& file = results_[result.file];
      ++file.total;
      if (result.problem.empty()) {
        ++file.passed;
      } else {
        names.insert(result.file + "/" + result.name);
        std::printf("  %s/%s: %s\n", result.file.c_str(), result.name.c_str(),
                    result.problem.c_str());
      }
      if (!result.type_problem.empty()) {
        types_.insert(result.file + "/" + result.name);
        std::printf("  type of %s/%s: %s\n", result.file.c_str(), result.name.c_str(),
                    result.type_problem.c_str());
      }
    }
    return names;
  }

  std::vector<std::string> lines_;
  std::map<std::string, Floor> results_;
  std::set<std::string> types_;  // cases whose deduced type is another
};

TEST_F(ConformanceTest, EveryFileHoldsItsFloorInStrictMode) {
  missed({.strict = true, .unchecked = false});
  for (const auto& [name, floor] : kFloors) {
    EXPECT_GE(results_[name].passed, floor.passed) << name;
    EXPECT_EQ(results_[name].total, floor.total) << name;
  }
  // The suite contradicts itself: its result has the type that is deduced here.
  EXPECT_THAT(types_, ::testing::ElementsAre("type_deductions/legacy_nullable_types/"
                                             "null_assignable_to_abstract_parameter_candidate"));
}

TEST_F(ConformanceTest, WithoutTheCheckerEveryValueIsTheSame) {
  const std::set<std::string> names = missed({.strict = true, .unchecked = true});
  EXPECT_THAT(names, ::testing::IsEmpty());
}

// docs/catalog.md, "What Spur adds to CEL", lists these.
TEST_F(ConformanceTest, WithTheAdditionsOnlyWhatIsListedDiffers) {
  const std::set<std::string> names = missed({.strict = false, .unchecked = false});
  EXPECT_THAT(names, ::testing::IsEmpty());
}

}  // namespace
}  // namespace spur::expression
