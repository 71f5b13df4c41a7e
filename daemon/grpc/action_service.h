// ActionService: actions out. Thin: subscription.h decides.
#pragma once

#include "daemon/grpc/calls.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::services {

class ActionService final : public spur::v1::ActionService::CallbackService {
 public:
  explicit ActionService(const ServiceContext& context) : context_(context), subscribe_("Subscribe", context_) {}

  grpc::ServerBidiReactor<spur::v1::SubscribeRequest, spur::v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext* call) override {
    const Subscription::Context context{context_.engine, context_.tasks.of(call->peer()), context_.subscribers,
                                        context_.counters};
    auto* reactor =
        new StreamReactor<Subscription, spur::v1::SubscribeRequest, spur::v1::SubscribeResponse>(context, subscribe_);
    reactor->start();
    return reactor;
  }

 private:
  const ServiceContext context_;
  Method subscribe_;
};

}  // namespace spur::services
