// CatalogService: the catalog in force, and how it is changed.
#pragma once

#include "daemon/grpc/calls.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::services {

class CatalogService final : public spur::v1::CatalogService::CallbackService {
 public:
  explicit CatalogService(const ServiceContext& context)
      : context_(context), apply_("Apply", context_), get_("Get", context_) {}

  grpc::ServerUnaryReactor* Apply(grpc::CallbackServerContext* call, const spur::v1::ApplyRequest* request,
                                  spur::v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* call, const spur::v1::GetCatalogRequest* request,
                                spur::v1::GetCatalogResponse* response) override;

 private:
  const ServiceContext context_;
  Method apply_, get_;
};

// Counts the outcome of an apply, from wherever it came: the service, the start, a watched folder.
void count_apply(const absl::StatusOr<CatalogApplied>& applied, Instant now, metrics::EdgeCounters& counters);

}  // namespace spur::services
