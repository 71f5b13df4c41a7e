// What a Publish request may hold, and how it becomes what the engine takes and back. No state.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine.h"
#include "daemon/grpc/service_error.h"
#include "daemon/metrics/metrics.h"
#include "spur/v1/service.pb.h"

namespace spur::services {

// What Segment's own batches may hold.
inline constexpr int kPublishEventsMax = 2'500;

struct PublishLimits {
  std::size_t bytes_max = 4u << 20;  // of all events together
};

// Why the request is refused whole, or nullopt. What is wrong with a single event is not asked here: that event becomes
// a dead letter and the others go on.
std::optional<ServiceError> check_publish(const spur::v1::PublishRequest& request, const PublishLimits& limits);

// Views into `request`, and into `written`: an event's `call` as the bytes of a spur.v1.Event,
// which a Source of format protobuf takes.
std::vector<EventToPublish> events_of(const spur::v1::PublishRequest& request,
                                      std::deque<std::string>& written);

// Counts what was refused and moves `published` over. Requires as many results as events.
spur::v1::PublishResponse publish_response(std::vector<Published> published, metrics::EdgeCounters& counters);

}  // namespace spur::services
