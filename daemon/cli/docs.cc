// spur docs: a page for each trigger of a catalog.
#include <filesystem>
#include <system_error>

#include "daemon/authoring/page.h"
#include "daemon/cli/catalog_argument.h"
#include "daemon/cli/command.h"
#include "daemon/cli/write_file.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string directory = ".";
  std::string out;
  std::string format = "markdown";
};

int run(const Arguments& a) {
  const CatalogArgument catalog = read_catalog(a.directory);
  if (catalog.compiled == nullptr) return kBadUse;
  const bool html = a.format == "html";
  const std::vector<authoring::Page> pages =
      authoring::trigger_pages(catalog.catalog, *catalog.compiled);
  std::error_code error;
  fs::create_directories(fs::path(a.out) / "triggers", error);
  if (error) {
    fmt::print(stderr, "spur docs: {}: {}\n", a.out, error.message());
    return kWorld;
  }
  const auto put = [&](const std::string& name, const std::string& content) {
    const absl::Status status =
        replace_file((fs::path(a.out) / (name + (html ? ".html" : ".md"))).string(), content);
    if (!status.ok()) fmt::print(stderr, "spur docs: {}\n", std::string(status.message()));
    return status.ok();
  };
  for (const authoring::Page& page : pages) {
    if (!put("triggers/" + page.name,
             html ? authoring::to_html(page) : authoring::to_markdown(page)))
      return kWorld;
  }
  if (!put("index", html ? authoring::html_index(pages) : authoring::markdown_index(pages)))
    return kWorld;
  fmt::print("{}: {} page{} and an index\n", a.out, pages.size(), pages.size() == 1 ? "" : "s");
  return kFine;
}

}  // namespace

void add_docs(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("docs", "write a page about each trigger, for those who do not read YAML");
  auto a = std::make_shared<Arguments>();
  command->add_option("dir", a->directory, "folder of the catalog's YAML files")
      ->capture_default_str();
  command->add_option("--out", a->out, "folder for the pages; made if it is not there")->required();
  command->add_option("--format", a->format, "markdown or html")
      ->capture_default_str()
      ->check(CLI::IsMember({"markdown", "html"}));
  command->footer(
      "What a trigger waits for, its time line (drawn in HTML), its steps, what silences it, and "
      "the\n"
      "features and channels it uses. Pages of the same name are written anew; others are left "
      "alone.\n\n"
      "Example:\n  spur docs catalog --out site --format html");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
