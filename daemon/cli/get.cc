// spur get: what is known of one customer.
#include "daemon/cli/command.h"
#include "daemon/cli/remote.h"
#include "fmt/format.h"
#include "operators/catalog/customer_name.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::string customer;
  bool json = false;
  Remote remote;
};

void print_named(std::string_view title,
                 const google::protobuf::RepeatedPtrField<spur::v1::NamedJson>& list) {
  if (list.empty()) return;
  fmt::print("\n{}\n", title);
  for (const spur::v1::NamedJson& named : list)
    fmt::print("  {:<28} {}\n", named.name(), named.json().empty() ? "-" : named.json());
}

void print(const spur::v1::Customer& customer) {
  fmt::print("{}  shard {}\nfirst seen {}, newest event {}, read as of {}\n", customer.customer(),
             customer.shard(), time_text(customer.first_seen_ms()), time_text(customer.newest_ms()),
             time_text(customer.as_of_ms()));
  print_named("traits", customer.traits());
  print_named("features", customer.features());
  print_named("models", customer.models());
  print_named("sessions", customer.sessions());
  if (customer.segments_size() > 0) fmt::print("\nsegments\n");
  for (const std::string& segment : customer.segments()) fmt::print("  {}\n", segment);
  if (customer.instances_size() > 0) fmt::print("\nopen waits\n");
  for (const spur::v1::OpenInstance& wait : customer.instances()) {
    fmt::print("  {:<28} key {}  opened {}  due {}  events {}\n", wait.trigger(),
               wait.key().empty() ? "-" : wait.key(), time_text(wait.opened_at_ms()),
               wait.due_ms() == 0 ? "its next step" : time_text(wait.due_ms()), wait.count());
  }
  if (customer.pending_size() > 0) fmt::print("\npending steps\n");
  for (const spur::v1::PendingStep& step : customer.pending()) {
    fmt::print("  {:<28} key {}  step {}  on {}  due {}  waits for {}\n", step.trigger(),
               step.key().empty() ? "-" : step.key(), step.step(),
               step.channel().empty() ? "-" : step.channel(), time_text(step.due_ms()),
               step.waits_for());
  }
}

int run(Arguments& a) {
  const std::shared_ptr<grpc::Channel> channel = a.remote.connect("get");
  if (channel == nullptr) return a.remote.exit_code();
  spur::v1::GetCustomerRequest request;
  request.set_customer(a.customer);
  spur::v1::Customer customer;
  grpc::ClientContext context;
  a.remote.set_deadline(context);
  const grpc::Status status =
      spur::v1::CustomerService::NewStub(channel)->GetCustomer(&context, request, &customer);
  if (!status.ok()) return a.remote.failed("get", status);
  if (a.json) {
    fmt::print("{}\n", to_json_line(customer));
  } else {
    print(customer);
  }
  return kFine;
}

}  // namespace

void add_get(CLI::App& app, Chosen& chosen) {
  CLI::App* const command = app.add_subcommand("get", "show what is known of a customer");
  auto a = std::make_shared<Arguments>();
  command->add_option("customer", a->customer, std::string(catalog::kCustomerHint))->required();
  command->add_flag("--json", a->json, "one line of JSON");
  a->remote.add_options(*command);
  command->footer(
      "Examples:\n  spur get 123\n  spur get loyalty_id:4711\n  spur get anonymous_id:visitor-7 "
      "--json");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
