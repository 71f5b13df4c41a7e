// spur init: a catalog to begin with.
#include <filesystem>
#include <system_error>

#include "daemon/authoring/starter.h"
#include "daemon/cli/command.h"
#include "daemon/cli/write_file.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

namespace fs = std::filesystem;

int run(const std::string& directory) {
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    fmt::print(stderr, "spur init: {} is no folder; name one that is empty or not there\n",
               directory);
    return kBadUse;
  }
  if (fs::is_directory(status)) {
    const bool empty = fs::is_empty(directory, error);
    if (!error && !empty) {
      fmt::print(stderr, "spur init: {} is not empty; name a folder that is empty or not there\n",
                 directory);
      return kBadUse;
    }
  } else {
    fs::create_directories(directory, error);
  }
  if (error) {
    fmt::print(stderr, "spur init: {}: {}\n", directory, error.message());
    return kWorld;
  }
  for (const authoring::StarterFile& file : authoring::starter_files()) {
    const std::string path = (fs::path(directory) / file.name).string();
    if (const absl::Status written = create_file(path, file.content); !written.ok()) {
      fmt::print(stderr, "spur init: {}\n", std::string(written.message()));
      return kWorld;
    }
    fmt::print("{}\n", path);
  }
  fmt::print("\nTry:\n  spur validate {0}\n  spur test {0}\n", directory);
  return kFine;
}

}  // namespace

void add_init(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("init", "write a small catalog with tests to begin with");
  auto directory = std::make_shared<std::string>(".");
  command->add_option("dir", *directory, "a folder that is empty or not there")
      ->capture_default_str();
  command->footer(
      "Nothing that is there is touched: a folder with anything in it is refused.\n\nExample:\n"
      "  spur init catalog && spur test catalog");
  command->callback([&chosen, directory] { chosen.run = [directory] { return run(*directory); }; });
}

}  // namespace spur::cli
