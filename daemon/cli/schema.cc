// spur schema: what an editor needs to help with a catalog.
#include "daemon/authoring/schema.h"

#include "daemon/cli/command.h"
#include "fmt/format.h"

namespace spur::cli {

void add_schema(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("schema", "print the JSON Schema of a catalog's documents, for editors");
  command->footer(
      "An editor with yaml-language-server then completes keys, explains them and marks errors;\n"
      "name the schema in the first line of a file, or in the editor's settings:\n"
      "  # yaml-language-server: $schema=spur.schema.json\n\n"
      "Example:\n  spur schema > spur.schema.json");
  command->callback([&chosen] {
    chosen.run = [] {
      fmt::print("{}", authoring::catalog_schema());
      return kFine;
    };
  });
}

}  // namespace spur::cli
