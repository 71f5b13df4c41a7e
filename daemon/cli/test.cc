// spur test: trigger tests, and what they found.
#include <map>
#include <memory>
#include <regex>

#include "daemon/authoring/coverage.h"
#include "daemon/cli/catalog_argument.h"
#include "daemon/cli/command.h"
#include "daemon/trigger_test/compare.h"
#include "daemon/trigger_test/runner.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths = {"."};
  std::string run;
  bool verbose = false;
  bool coverage = false;
};

struct Totals {
  std::size_t passed = 0, failed = 0, passed_over = 0, bad_files = 0;
};

std::string place_text(const catalog::Position& at) {
  return fmt::format("{}:{}:{}", at.file, at.line, at.column);
}

// Catalogs by folder: several files may test one.
class Catalogs {
 public:
  struct Tested {
    CatalogArgument catalog;  // not compiled: it has errors, which have been printed
    std::vector<trigger_test::TestCase> tests;
    bool failed = false;
  };
  Tested& get(const std::string& directory) {
    const auto known = by_directory_.find(directory);
    if (known != by_directory_.end()) return known->second;
    Tested& tested = by_directory_[directory];
    tested.catalog = read_catalog(directory);
    return tested;
  }
  const std::map<std::string, Tested>& all() const { return by_directory_; }

 private:
  std::map<std::string, Tested> by_directory_;
};

void print_test(const trigger_test::TestFile& file, const trigger_test::Test& test,
                const trigger_test::Result& result, bool verbose) {
  if (result.passed && !verbose) return;
  fmt::print("{}: {}: {}\n", place_text(test.at), result.passed ? "passed" : "FAILED", test.name);
  for (const std::string& line : result.lines) fmt::print("  {}\n", line);
  if (!result.passed) {
    fmt::print("  (- expected, + decided; times count from start)\n");
  } else {
    for (const Decision& decision : result.decisions)
      fmt::print("    {}\n", trigger_test::to_line(decision, file.start));
    fmt::print("    {} decisions, the same in {} runs\n", result.decisions.size(), result.runs);
  }
}

void run_file(const std::string& path, const Arguments& arguments, const std::regex& wanted,
              Catalogs& catalogs, Totals& totals) {
  trigger_test::TestFile file = trigger_test::read_test_file(path);
  std::shared_ptr<const catalog::Compiled> catalog;
  Catalogs::Tested* tested = nullptr;
  if (file.errors.empty()) {
    tested = &catalogs.get(file.catalog);
    catalog = tested->catalog.compiled;
  }
  if (catalog != nullptr) file.errors = trigger_test::check_names(*catalog, file);
  for (const catalog::Error& error : file.errors) fmt::print(stderr, "{}\n", error.to_text());
  if (catalog == nullptr || !file.errors.empty()) {
    if (file.errors.empty())
      fmt::print(stderr, "{}: its catalog {} has errors\n", path, file.catalog);
    ++totals.bad_files;
    return;
  }
  for (const trigger_test::Test& test : file.tests) {
    if (!arguments.run.empty() && !std::regex_search(test.name, wanted)) {
      ++totals.passed_over;
      continue;
    }
    const trigger_test::Result result = trigger_test::run_test(catalog, file, test);
    ++(result.passed ? totals.passed : totals.failed);
    tested->failed = tested->failed || !result.passed;
    if (arguments.coverage) tested->tests.push_back({test, file.consents});
    print_test(file, test, result, arguments.verbose);
  }
}

// What of each catalog could be left out without a test that notices.
void print_coverage(const Catalogs& catalogs) {
  for (const auto& [directory, tested] : catalogs.all()) {
    if (tested.tests.empty()) continue;
    if (tested.failed) {
      fmt::print("{}: coverage is told when all its tests pass\n", directory);
      continue;
    }
    const authoring::Coverage coverage =
        authoring::coverage_of(tested.catalog.catalog, tested.catalog.positions, tested.tests);
    fmt::print("{}: {} of {} parts covered{}\n", directory,
               coverage.parts - coverage.uncovered.size(), coverage.parts,
               coverage.uncovered.empty() ? "" : "; without these every test decides the same:");
    for (const authoring::Uncovered& part : coverage.uncovered) {
      fmt::print("  {}: {}\n", place_text(part.at), part.what);
    }
  }
}

int run(const Arguments& arguments) {
  std::regex wanted;
  try {
    wanted = std::regex(arguments.run);
  } catch (const std::regex_error& error) {
    fmt::print(stderr, "spur test: --run: `{}` is no regular expression: {}\n", arguments.run,
               error.what());
    return kBadUse;
  }
  const trigger_test::Discovered found = trigger_test::discover(arguments.paths);
  for (const std::string& error : found.errors) fmt::print(stderr, "spur test: {}\n", error);
  Catalogs catalogs;
  Totals totals;
  for (const std::string& path : found.files) run_file(path, arguments, wanted, catalogs, totals);
  if (arguments.coverage) print_coverage(catalogs);
  fmt::print("{} passed, {} failed", totals.passed, totals.failed);
  if (totals.passed_over > 0) fmt::print(", {} not asked for", totals.passed_over);
  if (totals.bad_files > 0)
    fmt::print(", {} file{} not read", totals.bad_files, totals.bad_files == 1 ? "" : "s");
  fmt::print("\n");
  if (totals.bad_files > 0 || !found.errors.empty()) return kBadUse;
  if (totals.passed + totals.failed == 0) {
    fmt::print(stderr, "spur test: no test has a name that matches --run\n");
    return kBadUse;
  }
  return totals.failed > 0 ? kNo : kFine;
}

}  // namespace

void add_test(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("test", "run trigger tests: the files *_test.yaml below a folder");
  auto a = std::make_shared<Arguments>();
  command->add_option("dir", a->paths, "folders, or files of trigger tests")->capture_default_str();
  command->add_option("--run", a->run, "only tests whose name holds this regular expression");
  command->add_flag("--verbose,-v", a->verbose,
                    "also show the tests that passed, and what was decided");
  command->add_flag("--coverage", a->coverage,
                    "also list the triggers, patterns, conditions, guards and steps without which "
                    "every test decides the same");
  command->footer(
      "A file holds: catalog (a folder, from the file), start, tests: [{name, events, run_until, "
      "only,\n"
      "expect}]. All decisions are to be listed, in the order of time, customer, trigger, instance "
      "and\n"
      "step, unless `only` names verdicts; keys that an expectation does not give are not "
      "compared.\n"
      "Each test runs on one shard and on four, with a restart after every step, and, if the "
      "Policy has\n"
      "a lateness, in other orders of arrival; all must decide the same.\n"
      "Exit codes: 0 all passed; 1 some failed; 2 a file or catalog has errors, or there are no "
      "tests.\n\n"
      "Examples:\n"
      "  spur test examples\n"
      "  spur test examples/r1-cart-abandonment --run deadline --verbose\n"
      "  spur test catalog --coverage");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
