// CEL's conformance suite in strict mode: 1,080 core cases that must all pass, and the extensions,
// each file with the number that must at least. The cases are data beside the repository
// (SPUR_DATA); none is treated specially.

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "conformance_case.h"

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
    {"encoders_ext", {4, 4}}, {"optionals", {59, 59}},
};

std::string data_path() {
  const char* folder = std::getenv("SPUR_DATA");
  const std::string base = folder != nullptr ? folder : SPUR_SOURCE_DIR "/../shared/data";
  return base + "/cel/conformance.jsonl.gz";
}

// simdjson refuses whole numbers beyond uint64, which some doubles are written as; with a point it
// takes them.
std::string with_points(const std::string& json) {
  std::string out;
  std::size_t digits = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"' && (i == 0 || json[i - 1] != '\\' || (i > 1 && json[i - 2] == '\\')))
      quoted = !quoted;
    const bool digit = !quoted && c >= '0' && c <= '9';
    if (!digit && digits > 18 && c != '.' && c != 'e') out += ".0";
    digits = digit ? digits + 1 : 0;
    out += c;
  }
  return out;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return lines;
  std::string line;
  char buffer[65536];
  while (gzgets(file, buffer, sizeof(buffer)) != nullptr) {
    line += buffer;
    if (line.back() != '\n') continue;
    lines.push_back(with_points(line));
    line.clear();
  }
  gzclose(file);
  return lines;
}

TEST(ConformanceTest, EveryFileHoldsItsFloor) {
  const std::vector<std::string> lines = read_lines(data_path());
  if (lines.empty()) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true")
      FAIL() << "no conformance suite at SPUR_DATA/cel";
    GTEST_SKIP() << "no conformance suite: set SPUR_DATA to the folder that holds cel/";
  }
  std::map<std::string, Floor> results;
  int typed_differently = 0;
  simdjson::dom::parser parser;
  for (const std::string& line : lines) {
    const simdjson::dom::element json = parser.parse(line);
    bool message = false;
    if (json["proto_message"].get(message) == simdjson::SUCCESS && message) continue;
    const CaseResult result = run_case(json);
    Floor& file = results[result.file];
    ++file.total;
    if (result.problem.empty()) {
      ++file.passed;
    } else {
      std::printf("  missed %s/%s: %s\n", result.file.c_str(), result.name.c_str(),
                  result.problem.c_str());
    }
    if (!result.type_problem.empty()) {
      ++typed_differently;
      std::printf("  type of %s/%s: %s\n", result.file.c_str(), result.name.c_str(),
                  result.type_problem.c_str());
    }
  }
  for (const auto& [name, result] : results) {
    std::printf("%-16s %4d / %4d\n", name.c_str(), result.passed, result.total);
  }
  std::printf("%d deduced types differ\n", typed_differently);
  for (const auto& [name, floor] : kFloors) {
    EXPECT_GE(results[name].passed, floor.passed) << name;
    EXPECT_EQ(results[name].total, floor.total) << name;
  }
}

}  // namespace
}  // namespace spur::expression
