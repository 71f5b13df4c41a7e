// What all gRPC services share: counting of calls, and the reactor that stands between a stream and
// its plain class.
#pragma once

#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/grpc/status.h"
#include "daemon/grpc/stream.h"
#include "daemon/grpc/subscription.h"
#include "daemon/grpc/task_queue.h"
#include "daemon/metrics/metrics.h"

namespace spur::services {

// What every service is given; all of it outlives the server.
struct ServiceContext {
  Engine& engine;
  TaskLanes& tasks;      // of streams and publications
  TaskQueue& questions;  // what may take long: compiling a catalog, reading decisions; no stream
                         // waits for it
  const Clock& clock;
  metrics::EdgeCounters& counters;
  Subscribers& subscribers;
  std::size_t publish_bytes_max = 4u << 20;
};

// The counters of one method, looked up once.
class Method {
 public:
  Method(std::string_view name, const ServiceContext& context)
      : name_(name), context_(context), seconds_(context.counters.grpc_seconds.at(name)) {}

  std::chrono::nanoseconds now() const { return context_.clock.read().steady; }
  void ended(grpc::StatusCode code) {
    std::atomic<metrics::Counter*>& slot = by_code_[static_cast<std::size_t>(code)];
    metrics::Counter* counter = slot.load();
    if (counter == nullptr) {
      counter = &context_.counters.grpc_requests.at(name_ + " " + code_text(code));
      slot.store(counter);
    }
    counter->add();
  }
  void ended(grpc::StatusCode code, std::chrono::nanoseconds started) {
    ended(code);
    seconds_.record(now() - started);
  }

 private:
  static constexpr std::size_t kCodes = 17;  // OK to UNAUTHENTICATED

  const std::string name_;
  const ServiceContext& context_;
  metrics::Histogram& seconds_;
  std::array<std::atomic<metrics::Counter*>, kCodes> by_code_{};
};

// A two-way stream of gRPC's, handing everything to `Logic` and doing what it asks. Deletes itself
// when gRPC is done.
template <typename Logic, typename Request, typename Response>
class StreamReactor final : public grpc::ServerBidiReactor<Request, Response>,
                            public StreamOut<Response> {
 public:
  template <typename Context>
  StreamReactor(const Context& context, Method& method)
      : method_(method), logic_(std::make_shared<Logic>(context, *this)) {}

  void start() { logic_->start(); }

  // --- what the logic asks ---
  void read() override { this->StartRead(&request_); }
  void write(const Response& response, bool more) override {
    grpc::WriteOptions options;
    // The first message goes with the call's initial metadata, and gRPC completes that pair only
    // once it was sent: told to wait for more, it would wait for ever.
    if (more && !is_first_) options.set_buffer_hint();
    is_first_ = false;
    this->StartWrite(&response, options);
  }
  void finish(const ServiceError* error) override {
    code_ = error == nullptr ? grpc::StatusCode::OK : static_cast<grpc::StatusCode>(error->code);
    this->Finish(error == nullptr ? grpc::Status::OK : to_grpc(*error));
  }

  // --- what gRPC tells ---
  void OnReadDone(bool ok) override {
    if (ok)
      logic_->on_request(std::move(request_));
    else
      logic_->on_half_closed();
  }
  void OnWriteDone(bool) override { logic_->on_written(); }
  void OnCancel() override { logic_->on_cancelled(); }
  void OnDone() override {
    method_.ended(code_);
    delete this;
  }

 private:
  Method& method_;
  Request request_;
  bool is_first_ = true;  // nothing was written yet
  std::atomic<grpc::StatusCode> code_{grpc::StatusCode::OK};
  std::shared_ptr<Logic> logic_;
};

// Ends a call that is answered once, and counts it.
inline void finish(grpc::ServerUnaryReactor* reactor, Method& method,
                   std::chrono::nanoseconds started, const ServiceError* error = nullptr) {
  const grpc::Status status = error == nullptr ? grpc::Status::OK : to_grpc(*error);
  method.ended(status.error_code(), started);
  reactor->Finish(status);
}

}  // namespace spur::services
