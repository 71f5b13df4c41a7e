// EventService: events in. Thin: publish.h decides, the engine takes.
#pragma once

#include "daemon/grpc/calls.h"
#include "daemon/grpc/publish.h"
#include "daemon/grpc/publish_stream.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::services {

class EventService final : public spur::v1::EventService::CallbackService {
 public:
  explicit EventService(const ServiceContext& context)
      : context_(context), publish_("Publish", context_), stream_("PublishStream", context_) {}

  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* call, const spur::v1::PublishRequest* request,
                                    spur::v1::PublishResponse* response) override;
  grpc::ServerBidiReactor<spur::v1::PublishRequest, spur::v1::PublishResponse>* PublishStream(
      grpc::CallbackServerContext* call) override;

 private:
  const ServiceContext context_;
  Method publish_, stream_;
};

}  // namespace spur::services
