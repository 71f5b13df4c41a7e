// PublishStream: the logic of one PublishStream call. Requests are answered in their order; several are on their way at
// once, so that a group commit serves many. When a shard's queue is full the stream stops reading: the client feels it
// as flow control, and sees no error.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/grpc/publish.h"
#include "daemon/grpc/stream.h"
#include "daemon/grpc/task_queue.h"

namespace spur::services {

class PublishStream : public std::enable_shared_from_this<PublishStream> {
 public:
  using Out = StreamOut<spur::v1::PublishResponse>;

  // On their way at once: enough for a group commit's time at full load, and bounded in bytes.
  static constexpr std::size_t kInFlightMax = 64;
  static constexpr std::size_t kInFlightBytesMax = 8u << 20;

  struct Context {
    Engine& engine;
    TaskQueue& tasks;
    const Clock& clock;
    metrics::EdgeCounters& counters;
    PublishLimits limits;
  };

  // All of `context`, and `out` until its finish(), outlive it.
  PublishStream(const Context& context, Out& out) : context_(context), out_(&out) {}

  // Asks for the first request.
  void start();
  void on_request(spur::v1::PublishRequest request);
  // No more requests come: ends well once all are answered.
  void on_half_closed();
  void on_written();
  // The client is gone.
  void on_cancelled();

 private:
  // One request, from its arrival to its answer.
  struct Slot {
    std::uint64_t ticket = 0;
    std::shared_ptr<const spur::v1::PublishRequest> request;
    std::chrono::nanoseconds arrived{0};
    std::optional<spur::v1::PublishResponse> response;
    std::optional<ServiceError> error;

    bool answered() const { return response.has_value() || error.has_value(); }
  };

  void publish(std::uint64_t ticket, std::shared_ptr<const spur::v1::PublishRequest> request, int attempt);
  void complete(std::uint64_t ticket, absl::StatusOr<std::vector<Published>> result);
  // Below: with the lock held.
  void refuse(Slot& slot, ServiceError error);
  void write_next();
  void read_on();
  void finish(const ServiceError* error);

  const Context context_;
  std::mutex mutex_;
  Out* out_;  // null once finished
  std::deque<Slot> slots_;
  std::uint64_t next_ticket_ = 0;
  std::size_t bytes_ = 0;  // of the requests in slots_
  spur::v1::PublishResponse writing_;
  bool is_writing_ = false;
  bool is_reading_ = false;
  bool is_stalled_ = false;  // a queue is full; the last request waits
  bool half_closed_ = false;
  bool cancelled_ = false;
};

}  // namespace spur::services
