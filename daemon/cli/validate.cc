// spur validate: is this catalog right?
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

}  // namespace

void add_validate(CLI::App& app, Chosen& chosen) {
  CLI::App* const command = app.add_subcommand("validate", "check a catalog and list everything that is wrong with it");
  auto directory = std::make_shared<std::string>(".");
  command->add_option("dir", *directory, "folder of the catalog's YAML files")->capture_default_str();
  command->footer("Example:\n  spur validate examples/r1-cart-abandonment");
  command->callback([&chosen, directory] {
    chosen.run = [directory] {
      const CatalogArgument catalog = read_catalog(*directory);
      if (catalog.compiled == nullptr) return kBadUse;
      fmt::print("{}: fine; {}, {}, {}; hash {}\n", *directory,
                 counted(catalog.catalog.triggers_size(), "trigger"),
                 counted(catalog.catalog.features_size(), "feature"),
                 counted(catalog.catalog.channels_size(), "channel"),
                 catalog::to_text(catalog.compiled->hash));
      return kFine;
    };
  });
}

}  // namespace spur::cli
