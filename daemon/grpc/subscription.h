// Subscription: the logic of one Subscribe stream, and the register of who is subscribed.
//
//     engine says "changed" ──▶ task: read a batch after the cursor ──▶ buffer ──▶ write one by one, while credits last
//
// The engine's call only marks and posts; reading and writing happen on the tasks' and gRPC's threads. Nothing waits
// and nothing polls: a read that came back full, a change, or new credits are what lead to the next read.
//
// Credits: each delivery takes one. An ack stores the cursor of a named subscriber; acks that arrive while one is being
// stored are merged, so an `acked` answer covers every ack sent before the one it names.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/engine.h"
#include "daemon/grpc/stream.h"
#include "daemon/grpc/task_queue.h"
#include "daemon/metrics/metrics.h"
#include "spur/v1/service.pb.h"

namespace spur::services {

class Subscription;

// All open streams, and which one holds a subscriber's name. Thread-safe.
class Subscribers {
 public:
  void add(const std::shared_ptr<Subscription>& stream);
  // Gives `name` on `channel` to `stream`, ending the one that had it with ABORTED, REPLACED.
  void claim(std::string_view channel, std::string_view name, const std::shared_ptr<Subscription>& stream);
  // Forgets `stream`; a name that another one has taken over stays with that.
  void remove(const Subscription* stream);
  // Ends all streams, and those that come later.
  void end_all(const ServiceError& why);
  std::size_t size() const;

 private:
  using Key = std::pair<std::string, std::string>;  // channel, name

  mutable std::mutex mutex_;
  std::map<const Subscription*, std::weak_ptr<Subscription>> streams_;
  std::map<Key, const Subscription*> names_;
  std::optional<ServiceError> ended_;
};

class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  using Out = StreamOut<spur::v1::SubscribeResponse>;

  static constexpr std::uint32_t kBatchMax = 256;            // actions read at once
  static constexpr std::uint64_t kCreditsMax = 1'000'000;    // granted and not used
  static constexpr std::size_t kCursorBytesMax = 64 * 1024;

  struct Context {
    Engine& engine;
    TaskQueue& tasks;
    Subscribers& subscribers;
    metrics::EdgeCounters& counters;
  };

  // All of `context`, and `out` until its finish(), outlive it.
  Subscription(const Context& context, Out& out);
  ~Subscription();

  // Asks for the first request.
  void start();
  void on_request(const spur::v1::SubscribeRequest& request);
  // The client sends no more: the stream ends well once its credits are used up and its acks stored.
  void on_half_closed();
  void on_written();
  // The client is gone.
  void on_cancelled();
  // Ends the stream with an error, after the write that may be under way.
  void end(const ServiceError& why);

 private:
  // What the engine's callback touches. Apart from the Subscription, so that the callback never holds the last
  // reference: destroying a watch waits for its callback.
  struct Signal {
    std::atomic<bool> posted{false};
    std::weak_ptr<Subscription> stream;
    TaskQueue* tasks = nullptr;

    static void raise(const std::shared_ptr<Signal>& signal);
  };

  std::optional<ServiceError> open(const spur::v1::SubscribeRequest& request);
  absl::StatusOr<std::string> start_cursor(const spur::v1::SubscribeRequest& request) const;
  std::optional<ServiceError> check_later(const spur::v1::SubscribeRequest& request) const;
  void pump();
  void store_ack(const std::string& cursor);
  void ack_stored(const std::string& cursor, const absl::Status& status);
  // Below: with the lock held.
  std::optional<ServiceError> grant(const spur::v1::SubscribeRequest& request);
  void store_next_ack();
  void write_next();
  bool all_done() const;
  void finish_when_written(std::optional<ServiceError> error);
  void finish(const ServiceError* error);

  const Context context_;
  const std::shared_ptr<Signal> signal_;

  // Set by the first request, read-only afterwards.
  std::string channel_, topic_, subscriber_;
  metrics::Counter* delivered_ = nullptr;
  metrics::Counter* acks_ = nullptr;
  metrics::Gauge* open_streams_ = nullptr;

  std::mutex mutex_;
  Out* out_;  // null once finished
  std::unique_ptr<ActionWatch> watch_;
  bool is_open_ = false;
  std::string cursor_;  // of the last action read
  std::uint64_t credits_ = 0;
  std::deque<ActionDelivery> buffer_;  // never more than credits_
  bool maybe_more_ = true;             // there may be actions behind cursor_
  bool is_reading_actions_ = false;
  bool is_writing_ = false;
  spur::v1::SubscribeResponse writing_;
  std::optional<std::string> ack_wanted_;  // the newest, not being stored yet
  bool is_storing_ack_ = false;
  std::optional<std::string> acked_;  // stored, to be told
  bool half_closed_ = false;
  bool is_ending_ = false;
  std::optional<ServiceError> ending_error_;
};

}  // namespace spur::services
