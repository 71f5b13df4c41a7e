// CustomerService: questions about one customer, answered by the shard that owns it and held back
// until what the answer rests on is durable; about the past, by a fold of the journal beside it.
#pragma once

#include "daemon/grpc/calls.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::services {

class CustomerService final : public spur::v1::CustomerService::CallbackService {
 public:
  static constexpr std::uint32_t kDecisionsDefault = 20;
  static constexpr std::uint32_t kDecisionsMax = 1'000;

  explicit CustomerService(const ServiceContext& context)
      : context_(context), get_("GetCustomer", context_), explain_("Explain", context_) {}

  grpc::ServerUnaryReactor* GetCustomer(grpc::CallbackServerContext* call,
                                        const spur::v1::GetCustomerRequest* request,
                                        spur::v1::Customer* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* call,
                                    const spur::v1::ExplainRequest* request,
                                    spur::v1::ExplainResponse* response) override;

 private:
  struct Question;
  struct Asked;
  void explain_now(const std::shared_ptr<Asked>& asked);
  void explain_past(const std::shared_ptr<Asked>& asked);
  void explained(Asked& asked, const absl::Status& status);

  const ServiceContext context_;
  Method get_, explain_;
};

}  // namespace spur::services
