#include "daemon/grpc/catalog_service.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "operators/catalog/compile.h"

namespace spur::services {
namespace {

// "shop/cart.yaml:12:5", or the resource and field of a catalog that did not come from files.
std::string where_text(const catalog::Position& at) {
  return at.line == 0 ? at.file : fmt::format("{}:{}:{}", at.file, at.line, at.column);
}

void fill(const std::vector<catalog::Error>& errors,
          google::protobuf::RepeatedPtrField<spur::v1::CatalogError>& out) {
  for (const catalog::Error& error : errors) {
    spur::v1::CatalogError& one = *out.Add();
    one.set_where(where_text(error.at));
    one.set_message(error.message);
    one.set_hint(error.hint);
  }
}

}  // namespace

void count_apply(const absl::StatusOr<CatalogApplied>& applied, Instant now,
                 metrics::EdgeCounters& counters) {
  const bool well = applied.ok() && applied->errors.empty();
  counters.catalog_apply_successful.store(well);
  if (well) counters.catalog_apply_ms.store(now.ms);
  if (!applied.ok())
    counters.catalogs_failed.add();
  else if (!well)
    counters.catalogs_refused.add();
  else if (applied->changed)
    counters.catalogs_applied.add();
  else
    counters.catalogs_unchanged.add();
}

grpc::ServerUnaryReactor* CatalogService::Apply(grpc::CallbackServerContext* call,
                                                const spur::v1::ApplyRequest* request,
                                                spur::v1::ApplyResponse* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const std::chrono::nanoseconds started = apply_.now();
  if (!request->has_catalog()) {
    const ServiceError error = bad_request("CATALOG_MISSING", "catalog", "nothing to apply");
    finish(reactor, apply_, started, &error);
    return reactor;
  }
  // Compiling a large catalog takes a while; gRPC's threads have others to serve.
  context_.questions.post([this, request, response, reactor, started] {
    if (request->validate_only()) {
      spur::v1::Catalog asked = request->catalog();
      asked.clear_retired();  // ours, and no part of what would be applied
      const catalog::CompileResult result = catalog::complete_and_compile(asked);
      fill(result.errors, *response->mutable_errors());
      fill(result.warnings, *response->mutable_warnings());
      if (result.compiled != nullptr) {
        const auto& hash = result.compiled->hash;
        response->set_hash(std::string(hash.begin(), hash.end()));
        const auto in_force = context_.engine.current_catalog();
        response->set_changed(in_force == nullptr || in_force->hash != response->hash());
      }
      return finish(reactor, apply_, started);
    }
    context_.engine.apply_catalog(
        request->catalog(), request->comment(),
        [this, response, reactor, started](absl::StatusOr<CatalogApplied> applied) {
          context_.questions.post([this, response, reactor, started, applied = std::move(applied)] {
            count_apply(applied, context_.clock.read().wall, context_.counters);
            if (!applied.ok()) {
              const ServiceError error = engine_error(applied.status());
              return finish(reactor, apply_, started, &error);
            }
            response->set_hash(applied->hash);
            response->set_changed(applied->changed);
            fill(applied->errors, *response->mutable_errors());
            fill(applied->warnings, *response->mutable_warnings());
            finish(reactor, apply_, started);
          });
        });
  });
  return reactor;
}

grpc::ServerUnaryReactor* CatalogService::Get(grpc::CallbackServerContext* call,
                                              const spur::v1::GetCatalogRequest*,
                                              spur::v1::GetCatalogResponse* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const std::chrono::nanoseconds started = get_.now();
  if (const auto in_force = context_.engine.current_catalog()) {
    *response->mutable_catalog() = in_force->catalog;
    response->mutable_catalog()->clear_retired();  // ours, not what was applied
    response->set_hash(in_force->hash);
    finish(reactor, get_, started);
  } else {
    ServiceError error;
    error.code = absl::StatusCode::kNotFound;
    error.reason = "NO_CATALOG";
    error.message = "no catalog was applied yet; `spur apply DIR` does";
    finish(reactor, get_, started, &error);
  }
  return reactor;
}

}  // namespace spur::services
