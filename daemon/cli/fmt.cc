// spur fmt: catalogs laid out as everybody lays them out.
#include <filesystem>
#include <system_error>

#include "daemon/authoring/format.h"
#include "daemon/authoring/line_diff.h"
#include "daemon/cli/command.h"
#include "daemon/cli/read_file.h"
#include "daemon/cli/write_file.h"
#include "fmt/format.h"
#include "operators/catalog/load.h"
#include "operators/catalog/source_text.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths = {"."};
  bool check = false;
  bool diff = false;
};

struct Totals {
  std::size_t files = 0, changed = 0, failed = 0, unwritten = 0;
};

void format_file(const std::string& path, const Arguments& a, Totals& totals) {
  ++totals.files;
  const absl::StatusOr<std::string> text = read_file(path, catalog::kFileBytesMax);
  if (!text.ok()) {
    fmt::print(stderr, "spur fmt: {}\n", std::string(text.status().message()));
    ++totals.failed;
    return;
  }
  const authoring::Formatted formatted = authoring::format_catalog_file(path, *text);
  const catalog::SourceText source(path, *text);
  for (const catalog::YamlError& error : formatted.errors) {
    fmt::print(stderr, "{}\n",
               catalog::Error{source.position(error.offset), error.message, error.hint}.to_text());
  }
  if (!formatted.errors.empty()) {
    ++totals.failed;
    return;
  }
  if (formatted.text == *text) return;
  ++totals.changed;
  if (a.diff) fmt::print("{}", authoring::unified_diff(path, *text, formatted.text));
  if (a.check) fmt::print("{}: not formatted\n", path);
  if (a.diff || a.check) return;
  if (const absl::Status status = replace_file(path, formatted.text); !status.ok()) {
    fmt::print(stderr, "spur fmt: {}\n", std::string(status.message()));
    ++totals.unwritten;
    return;
  }
  fmt::print("{}\n", path);
}

int run(const Arguments& a) {
  Totals totals;
  for (const std::string& path : a.paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      format_file(path, a, totals);
      continue;
    }
    const catalog::FilesFound found = catalog::find_files(path);
    for (const catalog::Error& problem : found.errors) {
      fmt::print(stderr, "{}\n", problem.to_text());
      ++totals.failed;
    }
    for (const std::string& file : found.files) format_file(file, a, totals);
  }
  if (totals.unwritten > 0) return kWorld;
  if (totals.failed > 0) return kBadUse;
  if (totals.files == 0) {
    fmt::print(stderr, "spur fmt: no catalog files there; *.yaml and *.yml are formatted\n");
    return kBadUse;
  }
  return totals.changed > 0 && (a.check || a.diff) ? kNo : kFine;
}

}  // namespace

void add_fmt(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("fmt", "lay a catalog's files out in the one usual way");
  auto a = std::make_shared<Arguments>();
  command->add_option("dir", a->paths, "folders of catalogs, or files")->capture_default_str();
  command->add_flag("--check", a->check, "change nothing; name the files that are not formatted");
  command->add_flag("--diff", a->diff, "change nothing; show what would be");
  command->footer(
      "Order of keys, indentation, spaces, quotes; comments stay where they belong, and the "
      "catalog\n"
      "keeps its hash. Prints the files that it changed. Trigger tests are left alone.\n"
      "Exit codes: 0 fine; 1 with --check or --diff something is not formatted; 2 a file cannot "
      "be\n"
      "read or laid out; 3 it cannot be written.\n\n"
      "Examples:\n  spur fmt catalog\n  spur fmt --check --diff catalog");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
