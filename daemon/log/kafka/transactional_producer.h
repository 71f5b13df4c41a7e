// TransactionalProducer: a producer of transactions from its birth to the first error that only a
// new one can put right. Every call waits for its answer, so it lives on a thread of its own.
//
//     open ─▶ init ─▶ send … send ─▶ commit ─▶ send …
//                       │ error        │ error
//                       ├──────────────┴──▶ may_abort(): abort, and all of it is sent again
//                       └─────────────────▶ otherwise: a new producer, whose init tells what stands
//
// No offsets are committed with a transaction: librdkafka's call for it may wait for ever, whatever
// it is told, when the group's coordinator goes away meanwhile (confluentinc/librdkafka#5456).
//
// The broker knows the id and not the process: init() fences whoever had the id before, and answers
// when what that one had begun is committed or aborted (docs/protocol.md H9).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/handle.h"
#include "daemon/log/kafka/session.h"

namespace spur::kafka {

// One thread.
class TransactionalProducer {
 public:
  // One wait, after which it is asked whether to go on; and how long an answer is waited for at
  // all.
  static constexpr std::chrono::milliseconds kWaitMax{1000};
  static constexpr std::chrono::milliseconds kAnswerMax{25'000};
  static_assert(kTransactionalDeliveryMax < kAnswerMax && kAnswerMax < kTransactionMax);

  // `cancelled` ends every wait.
  static absl::StatusOr<std::unique_ptr<TransactionalProducer>> open(
      const Connection& connection, const std::string& id, std::function<bool()> cancelled);
  // Aborts what is open, if that can be had quickly.
  ~TransactionalProducer();
  TransactionalProducer(const TransactionalProducer&) = delete;
  TransactionalProducer& operator=(const TransactionalProducer&) = delete;

  absl::Status init();
  // Begins a transaction if none is open. The bytes are copied.
  absl::Status send(const std::string& topic, std::int32_t partition, ProducerRecord record);
  // Of records that have all arrived: what a commit says of others is not relied on. `mark`, to
  // `topic`, goes last and alone: what others mark there does not wait for our records. ABORTED:
  // another producer has this id now.
  absl::Status commit(const std::string& topic, std::int32_t partition, ProducerRecord mark);
  absl::Status abort();
  // After an error: abort() is enough. False: it takes another producer.
  bool may_abort() const { return may_abort_; }

 private:
  explicit TransactionalProducer(std::function<bool()> cancelled)
      : cancelled_(std::move(cancelled)) {}
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* producer);
  // Asks until it is answered, cancelled or too late; the argument is how many milliseconds to
  // wait.
  absl::Status ask(std::string_view what, const std::function<rd_kafka_error_t*(int)>& call);
  absl::Status note(const rd_kafka_error_t& error, std::string_view what);
  // Until each record of the transaction was acknowledged.
  absl::Status deliver();

  const std::function<bool()> cancelled_;
  Handle handle_;
  std::map<std::string, Topic> topics_;     // destroyed before the handle
  absl::Status undelivered_;                // the first of this transaction
  std::uint64_t sent_ = 0, delivered_ = 0;  // records of this transaction
  bool open_ = false, may_abort_ = false;
};

}  // namespace spur::kafka
