// spur explain: why a customer was contacted, and why not.
#include "daemon/cli/command.h"
#include "daemon/cli/instant_argument.h"
#include "daemon/cli/remote.h"
#include "daemon/explain/text.h"
#include "fmt/format.h"
#include "operators/catalog/customer_name.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::string customer, trigger, at;
  std::uint32_t limit = 20;
  bool json = false;
  Remote remote;
};

int run(Arguments& a) {
  spur::v1::ExplainRequest request;
  request.set_customer(a.customer);
  request.set_trigger(a.trigger);
  request.set_limit(a.limit);
  if (!a.at.empty()) {
    const std::optional<Instant> at = parse_instant(a.at);
    if (!at) {
      fmt::print(stderr, "spur explain: --at: {}\n", instant_hint(a.at));
      return kBadUse;
    }
    request.set_at_ms(at->ms);
  }
  const std::shared_ptr<grpc::Channel> channel = a.remote.connect("explain");
  if (channel == nullptr) return a.remote.exit_code();
  spur::v1::ExplainResponse response;
  grpc::ClientContext context;
  a.remote.set_deadline(context);
  const grpc::Status status =
      spur::v1::CustomerService::NewStub(channel)->Explain(&context, request, &response);
  if (!status.ok()) return a.remote.failed("explain", status);
  if (a.json) {
    fmt::print("{}\n", to_json_line(response));
    return kFine;
  }
  fmt::print("{}", explain::to_text(response));
  return kFine;
}

}  // namespace

void add_explain(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("explain", "tell why a customer was contacted, and why not");
  auto a = std::make_shared<Arguments>();
  command->add_option("customer", a->customer, std::string(catalog::kCustomerHint))->required();
  command->add_option("--trigger", a->trigger, "only this trigger");
  command->add_option("--at", a->at, "as of this instant, from the journal; by default now");
  command->add_option("--limit", a->limit, "decisions at most")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--json", a->json, "one line of JSON");
  a->remote.add_options(*command);
  command->footer(
      "Examples:\n  spur explain 123\n  spur explain 123 --trigger cart-abandoned --at "
      "2026-03-01T10:00:00Z");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
