// spur validate: is this catalog right?
#include "daemon/authoring/never.h"
#include "daemon/cli/catalog_argument.h"
#include "daemon/cli/command.h"
#include "fmt/format.h"
#include "operators/catalog/hash.h"

namespace spur::cli {
namespace {

// "1 trigger", "2 triggers".
std::string counted(int count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

struct Arguments {
  std::string directory = ".";
  bool strict_warnings = false;
};

int run(const Arguments& a) {
  const CatalogArgument catalog = read_catalog(a.directory);
  if (catalog.compiled == nullptr) return kBadUse;
  const std::vector<catalog::Error> never =
      authoring::never_warnings(catalog.catalog, *catalog.compiled, catalog.positions);
  for (const catalog::Error& warning : never) {
    fmt::print(stderr, "warning: {}\n", warning.to_text());
  }
  const std::size_t warnings = catalog.warnings + never.size();
  fmt::print("{}: fine; {}, {}, {}; hash {}\n", a.directory,
             counted(catalog.catalog.triggers_size(), "trigger"),
             counted(catalog.catalog.features_size(), "feature"),
             counted(catalog.catalog.channels_size(), "channel"),
             catalog::to_text(catalog.compiled->hash));
  if (!a.strict_warnings || warnings == 0) return kFine;
  fmt::print(stderr, "{}: {} warning{}\n", a.directory, warnings, warnings == 1 ? "" : "s");
  return kNo;
}

}  // namespace

void add_validate(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("validate", "check a catalog and list everything that is wrong with it");
  auto a = std::make_shared<Arguments>();
  command->add_option("dir", a->directory, "folder of the catalog's YAML files")
      ->capture_default_str();
  command->add_flag("--strict-warnings", a->strict_warnings, "fail if there is a warning");
  command->footer(
      "Warns of what is right and can never happen: conditions that are never true, event names "
      "that\n"
      "nobody knows, windows shorter than what is asked of them, steps and channels that nothing\n"
      "reaches.\n"
      "Exit codes: 0 fine; 1 warnings, with --strict-warnings; 2 errors.\n\n"
      "Example:\n  spur validate examples/r1-cart-abandonment");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
