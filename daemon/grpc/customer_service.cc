#include "daemon/grpc/customer_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/explain/standing.h"
#include "daemon/grpc/customer_reader.h"
#include "daemon/grpc/past.h"
#include "state/check.h"

namespace spur::services {
namespace {

ServiceError customer_missing() {
  return bad_request("CUSTOMER_MISSING", "customer",
                     fmt::format("say whom: {}", catalog::kCustomerHint));
}

const catalog::Compiled* compiled(const std::shared_ptr<const CatalogInForce>& catalog) {
  return catalog == nullptr ? nullptr : catalog->compiled.get();
}

ServiceError not_found(std::string_view reason, std::string message) {
  ServiceError error;
  error.code = absl::StatusCode::kNotFound;
  error.reason = std::string(reason);
  error.message = std::move(message);
  return error;
}

std::optional<ServiceError> check_explain(const spur::v1::ExplainRequest& request,
                                          const CatalogInForce* catalog) {
  if (request.limit() > CustomerService::kDecisionsMax) {
    return bad_request("LIMIT_OUT_OF_RANGE", "limit",
                       fmt::format("at most {}", CustomerService::kDecisionsMax));
  }
  // Of the past the catalogs of then know, which may have had a trigger that is gone.
  if (request.trigger().empty() || request.at_ms() != 0) return std::nullopt;
  if (catalog != nullptr) {
    for (const spur::v1::Trigger& trigger : catalog->catalog.triggers()) {
      if (trigger.name() == request.trigger()) return std::nullopt;
    }
  }
  return not_found("TRIGGER_UNKNOWN",
                   fmt::format("no trigger `{}` in the catalog in force", request.trigger()));
}

// Nothing is known of the one trigger asked for: not where it stood, what it did, nor what it
// decided.
bool is_unknown(const spur::v1::ExplainRequest& request,
                const spur::v1::ExplainResponse& response) {
  return !request.trigger().empty() && response.triggers().empty() && response.moments().empty() &&
         response.decisions().empty();
}

// Newest first; those of the trigger asked for, and not after the time asked for.
void keep_decisions(const spur::v1::ExplainRequest& request, std::uint32_t limit,
                    std::vector<spur::v1::Decision> decisions, spur::v1::ExplainResponse& out) {
  for (spur::v1::Decision& decision : decisions) {
    if (static_cast<std::uint32_t>(out.decisions_size()) == limit) return;
    if (!request.trigger().empty() && decision.trigger() != request.trigger()) continue;
    if (request.at_ms() != 0 && decision.time_ms() > request.at_ms()) continue;
    *out.add_decisions() = std::move(decision);
  }
}

}  // namespace

// Shared by the two callbacks of a question: the engine may call `answered` without `ask`.
struct CustomerService::Question {
  CustomerName name;
  absl::StatusOr<bool> found = false;
};

// What Explain was asked, until it is answered.
struct CustomerService::Asked {
  Question question;
  grpc::CallbackServerContext* call;
  grpc::ServerUnaryReactor* reactor;
  const spur::v1::ExplainRequest& request;
  spur::v1::ExplainResponse& response;
  std::chrono::nanoseconds started;
};

grpc::ServerUnaryReactor* CustomerService::GetCustomer(grpc::CallbackServerContext* call,
                                                       const spur::v1::GetCustomerRequest* request,
                                                       spur::v1::Customer* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const std::chrono::nanoseconds started = get_.now();
  std::optional<CustomerName> name =
      parse_customer(request->customer(), compiled(context_.engine.current_catalog()));
  if (!name) {
    const ServiceError error = customer_missing();
    finish(reactor, get_, started, &error);
    return reactor;
  }
  const std::uint32_t shard = shard_of(name->identity().key(), context_.engine.shards());
  response->set_shard(shard);
  auto question = std::make_shared<Question>(Question{*std::move(name)});
  context_.engine.with_shard(
      shard,
      [question, response](const ShardView& view) {
        question->found = read_customer(view, question->name, *response);
      },
      [this, question, reactor, started](absl::Status status) {
        context_.questions.post([this, question, reactor, started, status = std::move(status)] {
          std::optional<ServiceError> error;
          if (!status.ok())
            error = engine_error(status);
          else if (!question->found.ok())
            error = engine_error(question->found.status());
          else if (!*question->found)
            error = not_found("CUSTOMER_UNKNOWN", "that customer was never seen");
          finish(reactor, get_, started, error ? &*error : nullptr);
        });
      });
  return reactor;
}

grpc::ServerUnaryReactor* CustomerService::Explain(grpc::CallbackServerContext* call,
                                                   const spur::v1::ExplainRequest* request,
                                                   spur::v1::ExplainResponse* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const std::chrono::nanoseconds started = explain_.now();
  const std::shared_ptr<const CatalogInForce> catalog = context_.engine.current_catalog();
  std::optional<CustomerName> name = parse_customer(request->customer(), compiled(catalog));
  std::optional<ServiceError> refused =
      name ? check_explain(*request, catalog.get()) : customer_missing();
  if (refused) {
    finish(reactor, explain_, started, &*refused);
    return reactor;
  }
  const auto asked = std::make_shared<Asked>(
      Asked{{*std::move(name)}, call, reactor, *request, *response, started});
  if (request->at_ms() == 0)
    explain_now(asked);
  else
    explain_past(asked);
  return reactor;
}

void CustomerService::explain_now(const std::shared_ptr<Asked>& asked) {
  struct Copied {
    absl::StatusOr<std::unique_ptr<CustomerSnapshot>> customer =
        std::unique_ptr<CustomerSnapshot>();
    Instant now;
    // That the customer is laid out by: the shard may be behind the one in force.
    std::string catalog;
  };
  const auto copied = std::make_shared<Copied>();
  // The shard only makes copies; taking conditions apart takes longer than it may wait.
  context_.engine.with_shard(
      shard_of(asked->question.name.identity().key(), context_.engine.shards()),
      [asked, copied](const ShardView& view) {
        copied->customer = copy_customer(view, asked->question.name);
        copied->now = view.now;
        copied->catalog = view.catalog;
        asked->response.set_run(view.run);
      },
      [this, asked, copied](absl::Status status) {
        context_.questions.post([this, asked, copied, status = std::move(status)] {
          if (!copied->customer.ok())
            asked->question.found = copied->customer.status();
          else
            asked->question.found = *copied->customer != nullptr;
          if (status.ok() && copied->customer.ok() && *copied->customer != nullptr) {
            spur::v1::Catalog definitions;
            SPUR_CHECK(definitions.ParseFromString(copied->catalog));  // it was compiled
            const Instant at = explain::add_standings(**copied->customer, copied->now, definitions,
                                                      asked->request.trigger(),
                                                      *asked->response.mutable_triggers());
            asked->response.set_as_of_ms(at.ms);
          }
          explained(*asked, status);
        });
      });
}

void CustomerService::explain_past(const std::shared_ptr<Asked>& asked) {
  const std::uint32_t shard =
      shard_of(asked->question.name.identity().key(), context_.engine.shards());
  const auto past = std::make_shared<Past>(
      asked->question.name, asked->request, [asked] { return asked->call->IsCancelled(); },
      asked->response);
  context_.engine.ask_history(past->question(shard), [this, asked, past](absl::Status status) {
    if (absl::IsOutOfRange(status)) {  // what is there instead, and why
      asked->response.set_not_replayed(std::string(status.message()));
      return explain_now(asked);
    }
    asked->question.found = past->finish();
    context_.questions.post(
        [this, asked, status = std::move(status)] { explained(*asked, status); });
  });
}

void CustomerService::explained(Asked& asked, const absl::Status& status) {
  std::optional<ServiceError> error;
  if (!status.ok()) {
    error = engine_error(status);
  } else if (!asked.question.found.ok()) {
    error = engine_error(asked.question.found.status());
  } else if (!*asked.question.found) {
    error = not_found("CUSTOMER_UNKNOWN", asked.request.at_ms() == 0
                                              ? "that customer was never seen"
                                              : "that customer was not seen by then");
  } else {
    const std::uint32_t limit =
        asked.request.limit() == 0 ? kDecisionsDefault : asked.request.limit();
    // Asked for a trigger or a time, the ones wanted may lie behind others.
    const bool narrowed = !asked.request.trigger().empty() || asked.request.at_ms() != 0;
    auto decisions = context_.engine.decisions_of(to_text(asked.question.name.identity()),
                                                  narrowed ? kDecisionsMax : limit);
    if (decisions.ok())
      keep_decisions(asked.request, limit, *std::move(decisions), asked.response);
    else
      error = engine_error(decisions.status());
    if (!error && is_unknown(asked.request, asked.response)) {
      error = not_found("TRIGGER_UNKNOWN", fmt::format("no trigger `{}` is known of that time",
                                                       asked.request.trigger()));
    }
  }
  finish(asked.reactor, explain_, asked.started, error ? &*error : nullptr);
}

}  // namespace spur::services
