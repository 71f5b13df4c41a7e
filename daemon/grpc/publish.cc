#include "daemon/grpc/publish.h"

#include <utility>

#include <fmt/format.h>

namespace spur::services {

std::optional<ServiceError> check_publish(const spur::v1::PublishRequest& request, const PublishLimits& limits) {
  if (request.events().empty()) {
    return bad_request("EVENTS_MISSING", "events", "a Publish holds at least one event");
  }
  if (request.events_size() > kPublishEventsMax) {
    return bad_request(
        "EVENTS_TOO_MANY", "events",
        fmt::format("{} events in one Publish; send at most {}", request.events_size(), kPublishEventsMax));
  }
  std::size_t bytes = 0;
  for (const spur::v1::Event& event : request.events())
    bytes += event.has_call() ? event.call().ByteSizeLong() : event.json().size();
  if (bytes > limits.bytes_max) {
    return bad_request("REQUEST_TOO_LARGE", "events",
                       fmt::format("{} bytes of events in one Publish; send at most {}", bytes, limits.bytes_max));
  }
  return std::nullopt;
}

std::vector<EventToPublish> events_of(const spur::v1::PublishRequest& request,
                                      std::deque<std::string>& written) {
  std::vector<EventToPublish> out;
  out.reserve(static_cast<std::size_t>(request.events_size()));
  for (const spur::v1::Event& event : request.events()) {
    if (!event.has_call()) {
      out.push_back({event.source(), event.json()});
      continue;
    }
    spur::v1::Event alone;  // the Source's name is kept beside it
    *alone.mutable_call() = event.call();
    out.push_back({event.source(), written.emplace_back(alone.SerializeAsString())});
  }
  return out;
}

spur::v1::PublishResponse publish_response(std::vector<Published> published, metrics::EdgeCounters& counters) {
  spur::v1::PublishResponse response;
  response.mutable_results()->Reserve(static_cast<int>(published.size()));
  for (Published& one : published) {
    if (!one.dead_letter_reason.empty()) counters.events_rejected.at(one.dead_letter_reason).add();
    spur::v1::PublishResult& result = *response.add_results();
    result.set_shard(one.shard);
    result.set_offset(one.offset);
    result.set_dead_letter_reason(std::move(one.dead_letter_reason));
  }
  return response;
}

}  // namespace spur::services
