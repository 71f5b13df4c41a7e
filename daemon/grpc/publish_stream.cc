#include "daemon/grpc/publish_stream.h"

#include <algorithm>
#include <utility>

#include "state/check.h"

namespace spur::services {
namespace {

// How long to wait for room in a queue: a shard folds some hundred events a millisecond.
std::chrono::milliseconds stall_delay(int attempt) {
  return std::chrono::milliseconds(std::min(50, 2 << std::min(attempt, 5)));
}

std::size_t bytes_of(const spur::v1::PublishRequest& request) {
  std::size_t bytes = 0;
  for (const spur::v1::Event& event : request.events()) bytes += event.json().size();
  return bytes;
}

}  // namespace

void PublishStream::start() {
  const std::lock_guard lock(mutex_);
  read_on();
}

void PublishStream::on_request(spur::v1::PublishRequest request) {
  std::uint64_t ticket = 0;
  auto shared = std::make_shared<const spur::v1::PublishRequest>(std::move(request));
  {
    const std::lock_guard lock(mutex_);
    is_reading_ = false;
    if (out_ == nullptr || cancelled_) return;
    ticket = next_ticket_++;
    Slot& slot = slots_.emplace_back();
    slot.ticket = ticket;
    slot.request = shared;
    slot.arrived = context_.clock.read().steady;
    bytes_ += bytes_of(*shared);
    if (std::optional<ServiceError> error = check_publish(*shared, context_.limits)) {
      refuse(slot, *std::move(error));
      return write_next();
    }
  }
  publish(ticket, std::move(shared), 0);
  const std::lock_guard lock(mutex_);
  read_on();
}

void PublishStream::publish(std::uint64_t ticket, std::shared_ptr<const spur::v1::PublishRequest> request,
                            int attempt) {
  std::deque<std::string> written;
  const std::vector<EventToPublish> events = events_of(*request, written);
  context_.engine.publish(events, [self = shared_from_this(), ticket, request, attempt](
                                      absl::StatusOr<std::vector<Published>> result) mutable {
    TaskQueue& tasks = self->context_.tasks;
    if (result.status().code() != absl::StatusCode::kResourceExhausted) {
      return tasks.post(
          [self, ticket, result = std::move(result)]() mutable { self->complete(ticket, std::move(result)); });
    }
    // A full queue is told at once, on the thread that called publish.
    {
      const std::lock_guard lock(self->mutex_);
      self->is_stalled_ = true;
    }
    tasks.post_after(stall_delay(attempt), [self, ticket, request = std::move(request), attempt]() mutable {
      {
        const std::lock_guard lock(self->mutex_);
        self->is_stalled_ = false;
        if (self->out_ == nullptr || self->cancelled_) return;
      }
      self->publish(ticket, std::move(request), attempt + 1);
      const std::lock_guard lock(self->mutex_);
      self->read_on();
    });
  });
}

void PublishStream::complete(std::uint64_t ticket, absl::StatusOr<std::vector<Published>> result) {
  const std::lock_guard lock(mutex_);
  if (out_ == nullptr) return;
  // Tickets are dense, so a slot's place follows from the first one's.
  SPUR_CHECK(!slots_.empty() && ticket >= slots_.front().ticket);
  Slot& slot = slots_[ticket - slots_.front().ticket];
  SPUR_CHECK(slot.ticket == ticket && !slot.answered());
  if (result.ok()) {
    context_.counters.publish.record(context_.clock.read().steady - slot.arrived);
    slot.response = publish_response(*std::move(result), context_.counters);
  } else {
    refuse(slot, engine_error(result.status()));
  }
  write_next();
}

void PublishStream::refuse(Slot& slot, ServiceError error) { slot.error = std::move(error); }

void PublishStream::write_next() {
  if (out_ == nullptr || is_writing_) return;
  if (cancelled_) return finish(nullptr);
  if (slots_.empty()) {
    if (half_closed_) finish(nullptr);
    return;
  }
  Slot& front = slots_.front();
  if (!front.answered()) return;
  if (front.error) {
    const ServiceError error = *std::move(front.error);
    return finish(&error);
  }
  writing_ = *std::move(front.response);
  bytes_ -= bytes_of(*front.request);
  slots_.pop_front();
  is_writing_ = true;
  out_->write(writing_, !slots_.empty() && slots_.front().answered());
  read_on();
}

void PublishStream::read_on() {
  const bool full = slots_.size() >= kInFlightMax || bytes_ >= kInFlightBytesMax;
  const bool ending = half_closed_ || cancelled_ || (!slots_.empty() && slots_.back().error.has_value());
  if (out_ == nullptr || is_reading_ || is_stalled_ || full || ending) return;
  is_reading_ = true;
  out_->read();
}

void PublishStream::on_half_closed() {
  const std::lock_guard lock(mutex_);
  is_reading_ = false;
  half_closed_ = true;
  write_next();
}

void PublishStream::on_written() {
  const std::lock_guard lock(mutex_);
  is_writing_ = false;
  write_next();
}

void PublishStream::on_cancelled() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  write_next();
}

void PublishStream::finish(const ServiceError* error) {
  out_->finish(error);
  out_ = nullptr;
  slots_.clear();
}

}  // namespace spur::services
