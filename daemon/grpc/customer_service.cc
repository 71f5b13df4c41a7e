#include "daemon/grpc/customer_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "daemon/grpc/customer_reader.h"

namespace spur::services {
namespace {

ServiceError customer_missing() {
  return bad_request("CUSTOMER_MISSING", "customer", "say whom: user_id:123, anonymous_id:abc, or a bare user id");
}

ServiceError not_found(std::string_view reason, std::string message) {
  ServiceError error;
  error.code = absl::StatusCode::kNotFound;
  error.reason = std::string(reason);
  error.message = std::move(message);
  return error;
}

std::optional<ServiceError> check_explain(const spur::v1::ExplainRequest& request, const CatalogInForce* catalog) {
  if (request.limit() > CustomerService::kDecisionsMax) {
    return bad_request("LIMIT_OUT_OF_RANGE", "limit", fmt::format("at most {}", CustomerService::kDecisionsMax));
  }
  if (request.trigger().empty()) return std::nullopt;
  if (catalog != nullptr) {
    for (const spur::v1::Trigger& trigger : catalog->catalog.triggers()) {
      if (trigger.name() == request.trigger()) return std::nullopt;
    }
  }
  return not_found("TRIGGER_UNKNOWN", fmt::format("no trigger `{}` in the catalog in force", request.trigger()));
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

// Shared by the two callbacks of a question: the engine may call `answered` without `ask`.
struct Question {
  CustomerName name;
  absl::StatusOr<bool> found = false;
};

}  // namespace

grpc::ServerUnaryReactor* CustomerService::GetCustomer(grpc::CallbackServerContext* call,
                                                       const spur::v1::GetCustomerRequest* request,
                                                       spur::v1::Customer* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const std::chrono::nanoseconds started = get_.now();
  std::optional<CustomerName> name = parse_customer(request->customer());
  if (!name) {
    const ServiceError error = customer_missing();
    finish(reactor, get_, started, &error);
    return reactor;
  }
  const std::uint32_t shard = shard_of(name->value, context_.engine.shards());
  response->set_shard(shard);
  auto question = std::make_shared<Question>(Question{*std::move(name)});
  context_.engine.with_shard(
      shard,
      [question, response](const ShardView& view) { question->found = read_customer(view, question->name, *response); },
      [this, question, reactor, started](absl::Status status) {
        context_.questions.post([this, question, reactor, started, status = std::move(status)] {
          std::optional<ServiceError> error;
          if (!status.ok()) error = engine_error(status);
          else if (!question->found.ok()) error = engine_error(question->found.status());
          else if (!*question->found) error = not_found("CUSTOMER_UNKNOWN", "that customer was never seen");
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
  std::optional<CustomerName> name = parse_customer(request->customer());
  const std::shared_ptr<const CatalogInForce> catalog = context_.engine.current_catalog();
  std::optional<ServiceError> refused = name ? check_explain(*request, catalog.get()) : customer_missing();
  if (refused) {
    finish(reactor, explain_, started, &*refused);
    return reactor;
  }
  const std::uint32_t shard = shard_of(name->value, context_.engine.shards());
  auto question = std::make_shared<Question>(Question{*std::move(name)});
  context_.engine.with_shard(
      shard,
      [question, request, response, catalog](const ShardView& view) {
        static const spur::v1::Catalog none;
        question->found = read_standings(view, question->name, catalog == nullptr ? none : catalog->catalog,
                                         request->trigger(), *response);
      },
      [this, question, request, response, reactor, started](absl::Status status) {
        context_.questions.post([this, question, request, response, reactor, started, status = std::move(status)] {
          std::optional<ServiceError> error;
          if (!status.ok()) {
            error = engine_error(status);
          } else if (!question->found.ok()) {
            error = engine_error(question->found.status());
          } else if (!*question->found) {
            error = not_found("CUSTOMER_UNKNOWN", "that customer was never seen");
          } else {
            const std::uint32_t limit = request->limit() == 0 ? kDecisionsDefault : request->limit();
            // Asked for a trigger or a time, the ones wanted may lie behind others.
            const bool narrowed = !request->trigger().empty() || request->at_ms() != 0;
            auto decisions =
                context_.engine.decisions_of(to_text(question->name.identity()), narrowed ? kDecisionsMax : limit);
            if (decisions.ok()) keep_decisions(*request, limit, *std::move(decisions), *response);
            else error = engine_error(decisions.status());
          }
          finish(reactor, explain_, started, error ? &*error : nullptr);
        });
      });
  return reactor;
}

}  // namespace spur::services
