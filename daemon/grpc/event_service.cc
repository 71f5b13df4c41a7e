#include "daemon/grpc/event_service.h"

#include <utility>

namespace spur::services {

grpc::ServerUnaryReactor* EventService::Publish(grpc::CallbackServerContext* call,
                                                const spur::v1::PublishRequest* request,
                                                spur::v1::PublishResponse* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const std::chrono::nanoseconds started = publish_.now();
  if (const std::optional<ServiceError> error =
          check_publish(*request, {context_.publish_bytes_max})) {
    finish(reactor, publish_, started, &*error);
    return reactor;
  }
  using Result = absl::StatusOr<std::vector<Published>>;
  TaskQueue& tasks = context_.tasks.of(call->peer());
  std::deque<std::string> written;
  context_.engine.publish(
      events_of(*request, written), [this, reactor, response, started, &tasks](Result result) {
        // Off the committer's thread: serialising and sending is not its work.
        tasks.post([this, reactor, response, started, result = std::move(result)]() mutable {
          if (!result.ok()) {
            const ServiceError error = engine_error(result.status());
            return finish(reactor, publish_, started, &error);
          }
          *response = publish_response(*std::move(result), context_.counters);
          context_.counters.publish.record(publish_.now() - started);
          finish(reactor, publish_, started);
        });
      });
  return reactor;
}

grpc::ServerBidiReactor<spur::v1::PublishRequest, spur::v1::PublishResponse>*
EventService::PublishStream(grpc::CallbackServerContext* call) {
  const services::PublishStream::Context context{context_.engine,
                                                 context_.tasks.of(call->peer()),
                                                 context_.clock,
                                                 context_.counters,
                                                 {context_.publish_bytes_max}};
  auto* reactor = new StreamReactor<services::PublishStream, spur::v1::PublishRequest,
                                    spur::v1::PublishResponse>(context, stream_);
  reactor->start();
  return reactor;
}

}  // namespace spur::services
