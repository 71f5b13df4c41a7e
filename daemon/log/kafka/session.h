// Session: an idempotent producer from its birth to its first failure. Rule 10 (no gaps): a session
// never lets a later record in after giving one up, so the first delivery that fails ends it, what
// it still holds is purged, and whoever sends goes on with a new session from the first record that
// is not known to be acknowledged. A producer shared by shards shares its errors.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/handle.h"
#include "daemon/log/kafka/pump.h"
#include "state/time.h"

namespace spur::kafka {

struct ProducerRecord {
  std::string_view key, value;
  bool has_key = true;
  Headers headers;              // taken
  std::optional<Instant> time;  // the record's timestamp; nullopt: now
  void* opaque = nullptr;
};

// Hands a record to a producer, which copies its bytes. nullptr: it was taken, headers and all.
Error produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, std::int32_t partition,
              ProducerRecord record);

// send() from any thread; serve() and what it calls on the pump's alone, kAtOnce apart.
class Session {
 public:
  struct Standing {
    std::int64_t offset = 0;  // negative: the broker did not say; it stands, nobody knows where
    // The broker's clock, where the topic has it say (LogAppendTime).
    std::optional<Instant> appended;
  };
  // A record was acknowledged: `opaque` as given to send(), in the order of its partition.
  using Acked = std::function<void(const Session& by, void* opaque, const Standing&)>;
  // Who calls it. kServed: serve(). kAtOnce: the client's thread that heard of it, which costs
  // nobody a wake-up; it may be there still when the session has ended meanwhile, so whoever is
  // called asks again, under the lock that guards what it changes. Rarely serve() still.
  enum class Acks { kServed, kAtOnce };

  using Record = ProducerRecord;

  // `pump`, if any, outlives the session and is woken by it.
  static absl::StatusOr<std::shared_ptr<Session>> open(const Connection& connection,
                                                       const Settings& settings, Pump* pump,
                                                       Acked acked, Acks acks = Acks::kServed);
  // With kAtOnce it waits for who calls.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A topic's handle for send(); good as long as the session.
  absl::StatusOr<Topic> topic(const std::string& name);

  // Hands a record over; its bytes are copied. RESOURCE_EXHAUSTED: the queue is full, try again
  // later or fail(). Any other error ends the session.
  absl::Status send(rd_kafka_topic_t* topic, std::int32_t partition, Record record);

  void fail(absl::Status why) { end(std::move(why), ""); }

  // Hears of deliveries that failed; with kServed, calls `acked` for those that did not.
  void serve();
  // No call of `acked` begins once it has ended.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // A fatal error was heard, and deliveries are waited for: serve() is to be called until it ends.
  bool ending() const { return dying_.load(std::memory_order_acquire) && !ended(); }
  static constexpr std::chrono::milliseconds kEndingPause{10};
  absl::Status why() const;  // it has ended; OK while it goes on
  // The topic whose record failed first; empty if it was none's.
  std::string failed_topic() const;
  // Waits until something can be served; for those who have no pump.
  void wait(std::chrono::milliseconds longest);
  // Drops what is queued and in flight; it may still arrive. Then the handle can be destroyed.
  void purge();

 private:
  Session(Pump* pump, Acked acked, Acks acks)
      : pump_(pump), acks_(acks), acked_(std::move(acked)) {}
  static rd_kafka_resp_err_t on_new(rd_kafka_t* handle, const rd_kafka_conf_t*, void* session,
                                    char*, std::size_t);
  static rd_kafka_resp_err_t on_acknowledgement(rd_kafka_t*, rd_kafka_message_t* message,
                                                void* session);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* session);
  static Standing standing(const rd_kafka_message_t& message);
  bool defer(const rd_kafka_message_t& message);
  void serve_deferred();
  static void on_error(rd_kafka_t* handle, int code, const char* reason, void* session);
  void die(absl::Status why);
  void end(absl::Status why, std::string topic);

  struct Deferred {
    void* opaque = nullptr;
    Standing at;
  };

  Pump* const pump_;
  const Acks acks_;
  const Acked acked_;
  std::atomic<bool> registered_{false};  // the interceptor is
  std::atomic<bool> ended_{false};
  // A delivery has failed, and serve() is to hear of it: no acknowledgement may overtake that.
  std::atomic<bool> failed_{false};
  // What the client says while it holds a lock of its own, and all that comes until that is served.
  std::mutex deferred_mutex_;  // never held across a call of the client
  std::vector<Deferred> deferred_;
  std::atomic<bool> deferring_{false};
  // A fatal error was heard: nothing is sent any more, and the deliveries that fail now are waited
  // for, since one of them says whose record it was.
  std::atomic<bool> dying_{false};
  mutable std::mutex mutex_;
  absl::Status why_, fatal_;
  std::string failed_topic_;
  Handle handle_;  // goes first: its threads call
};

// One record on a producer of its own, and the offset at which it stands; waits for it, for a
// minute at most. UNKNOWN: it may stand there.
absl::StatusOr<std::int64_t> write_one(const Connection& connection, const std::string& topic,
                                       std::int32_t partition, Session::Record record);

}  // namespace spur::kafka
