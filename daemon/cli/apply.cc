// spur apply: puts a catalog in force, all or nothing.
#include "daemon/cli/catalog_argument.h"
#include "daemon/cli/command.h"
#include "daemon/cli/remote.h"
#include "fmt/format.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::string directory = ".";
  std::string comment;
  bool dry_run = false;
  bool json = false;
  Remote remote;
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

void print_errors(const google::protobuf::RepeatedPtrField<spur::v1::CatalogError>& errors,
                  std::string_view prefix) {
  for (const spur::v1::CatalogError& error : errors) {
    fmt::print(stderr, "{}{}: {}{}{}\n", prefix, error.where(), error.message(),
               error.hint().empty() ? "" : "; ", error.hint());
  }
}

int run(Arguments& a) {
  // Checked here first: only here the errors have files, lines and columns.
  const CatalogArgument catalog = read_catalog(a.directory);
  if (catalog.compiled == nullptr) return kBadUse;
  const std::shared_ptr<grpc::Channel> channel = a.remote.connect("apply");
  if (channel == nullptr) return a.remote.exit_code();

  spur::v1::ApplyRequest request;
  *request.mutable_catalog() = catalog.catalog;
  request.set_validate_only(a.dry_run);
  request.set_comment(a.comment);
  spur::v1::ApplyResponse response;
  grpc::ClientContext context;
  a.remote.set_deadline(context);
  const grpc::Status status =
      spur::v1::CatalogService::NewStub(channel)->Apply(&context, request, &response);
  if (!status.ok()) return a.remote.failed("apply", status);
  if (a.json) fmt::print("{}\n", to_json_line(response));
  print_errors(response.warnings(), "warning: ");
  if (response.errors_size() > 0) {
    print_errors(response.errors(), "");
    fmt::print(stderr, "spur apply: the daemon refused the catalog; what was in force stays\n");
    return kBadUse;
  }
  if (a.json) return kFine;
  const std::string_view outcome = !response.changed() ? "is in force already"
                                   : a.dry_run         ? "would be accepted; nothing was changed"
                                                       : "is in force now";
  fmt::print("{} {}; hash {}\n", a.directory, outcome, hex(response.hash()));
  return kFine;
}

}  // namespace

void add_apply(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("apply", "put a catalog in force on a running daemon");
  auto a = std::make_shared<Arguments>();
  command->add_option("dir", a->directory, "folder of the catalog's YAML files")
      ->capture_default_str();
  command->add_option("--comment", a->comment,
                      "kept with the version, e.g. the commit it came from");
  command->add_flag("--dry-run", a->dry_run, "let the daemon check it and change nothing");
  command->add_flag("--json", a->json, "the daemon's answer as one line of JSON");
  a->remote.add_options(*command);
  command->footer(
      "Examples:\n  spur apply catalog\n  spur apply catalog --comment \"$(git rev-parse HEAD)\" "
      "--address spur.internal:7475");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
