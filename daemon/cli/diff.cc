// spur diff: what a catalog changes, against another or against what a daemon runs.
#include <optional>

#include "daemon/authoring/catalog_diff.h"
#include "daemon/cli/catalog_argument.h"
#include "daemon/cli/command.h"
#include "daemon/cli/remote.h"
#include "fmt/format.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::vector<std::string> directories;
  bool json = false;
  Remote remote;
};

// What the daemon has in force; an exit code if it cannot be had.
std::optional<int> read_running(Arguments& a, spur::v1::Catalog& catalog) {
  const std::shared_ptr<grpc::Channel> channel = a.remote.connect("diff");
  if (channel == nullptr) return a.remote.exit_code();
  spur::v1::GetCatalogResponse response;
  grpc::ClientContext context;
  a.remote.set_deadline(context);
  const grpc::Status status =
      spur::v1::CatalogService::NewStub(channel)->Get(&context, {}, &response);
  if (!status.ok()) return a.remote.failed("diff", status);
  catalog = std::move(*response.mutable_catalog());
  return std::nullopt;
}

int run(Arguments& a) {
  const CatalogArgument after = read_catalog(a.directories.back());
  if (after.compiled == nullptr) return kBadUse;
  spur::v1::Catalog before;
  if (a.directories.size() == 2) {
    CatalogArgument given = read_catalog(a.directories.front());
    if (given.compiled == nullptr) return kBadUse;
    before = std::move(given.catalog);
  } else if (const std::optional<int> code = read_running(a, before)) {
    return *code;
  }
  const std::optional<authoring::CatalogDiff> diff =
      authoring::diff_catalogs(before, after.catalog);
  if (!diff) {
    fmt::print(stderr,
               "spur diff: what is in force does not compile here; is this `spur` older than the "
               "daemon?\n");
    return kBadUse;
  }
  if (a.json) fmt::print("{}\n", authoring::to_json(*diff));
  if (diff->same()) return kFine;
  if (!a.json) fmt::print("{}", authoring::to_text(*diff));
  return kNo;
}

}  // namespace

void add_diff(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("diff", "tell what a catalog changes, and what that does to what is open");
  auto a = std::make_shared<Arguments>();
  command
      ->add_option("dir", a->directories,
                   "two folders, the old one first; or one, compared with what a daemon runs")
      ->required()
      ->expected(1, 2);
  command->add_flag("--json", a->json, "one line of JSON");
  a->remote.add_options(*command);
  command->footer(
      "Tells by kind and name what is added (+), removed (-) and changed (~), field by field; "
      "which\n"
      "features restart and whom that silences, and whether open instances end or go on.\n"
      "Exit codes, as diff's: 0 the same; 1 different; 2 a catalog has errors; 3 the daemon is "
      "away.\n\n"
      "Examples:\n  spur diff catalog\n  spur diff old/catalog catalog --json");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
