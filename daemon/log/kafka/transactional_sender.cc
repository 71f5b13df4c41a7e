#include "daemon/log/kafka/transactional_sender.h"

#include <utility>

#include "daemon/log/kafka/backoff.h"
#include "daemon/logging.h"

namespace spur::kafka {

using std::chrono::nanoseconds;

TransactionalSender::TransactionalSender(const KafkaOptions& options, const Clock& clock,
                                         std::string id, Marks marks, Work work)
    : options_(options),
      clock_(clock),
      id_(std::move(id)),
      marks_(std::move(marks)),
      work_(std::move(work)),
      thread_([this] { loop(); }) {}

TransactionalSender::~TransactionalSender() {
  stop();
  thread_.join();
}

void TransactionalSender::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void TransactionalSender::stop() {
  const std::lock_guard lock(mutex_);
  stopping_.store(true, std::memory_order_release);
  changed_.notify_one();
}

void TransactionalSender::loop() {
  while (!stopping()) {
    const absl::Status said = begun_ ? transaction() : open();
    if (!said.ok() && !stopping()) trouble(said);
  }
  producer_.reset();
  ended_.store(true, std::memory_order_release);
}

// Init first, and only then the look at what stands: the other way round, what the last owner
// commits between the two would be sent again (H9).
absl::Status TransactionalSender::open() {
  if (producer_ == nullptr) {
    auto opened =
        TransactionalProducer::open(options_.connection, id_, [this] { return stopping(); });
    if (!opened.ok()) return opened.status();
    producer_ = *std::move(opened);
    if (absl::Status fenced = producer_->init(); !fenced.ok()) {
      producer_.reset();
      return fenced;
    }
  }
  const absl::Status began = work_.begin();
  begun_ = began.ok();
  return began;
}

absl::Status TransactionalSender::transaction() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return woken_ || stopping(); });
  }
  pause(next_);
  if (stopping()) return absl::OkStatus();
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;  // before filling: what comes meanwhile wakes again
  }
  const nanoseconds begun = clock_.read().steady;
  const absl::StatusOr<std::string> filled = work_.fill(*producer_);
  if (!filled.ok()) return filled.status();
  if (filled->empty()) return absl::OkStatus();
  ProducerRecord mark;
  mark.key = marks_.key;
  mark.value = *filled;
  if (absl::Status committed = producer_->commit(marks_.topic, marks_.partition, std::move(mark));
      !committed.ok())
    return committed;
  const nanoseconds now = clock_.read().steady;
  pause_ = nanoseconds(0);
  next_ = now + kGap;
  if (options_.on_transaction) options_.on_transaction(now - begun);
  work_.committed();
  return absl::OkStatus();
}

void TransactionalSender::trouble(const absl::Status& why) {
  if (begun_) {
    if (options_.on_transaction_aborted) options_.on_transaction_aborted();
    // What a producer does after an error that it goes on from is not relied on (librdkafka bumps
    // its epoch then, and has committed less than it was given): the next one finds what stands.
    if (producer_->may_abort())
      if (const absl::Status said = producer_->abort(); !said.ok())
        logging::info("transaction left to its time-out", {{"id", id_}, {"status", said}});
    producer_.reset();
    begun_ = false;
  }
  if (stopping()) return;
  logging::warning("transaction",
                   {{"id", id_}, {"status", why}, {"next", "a new producer finds what stands"}});
  work_.failed(why);
  pause_ = longer(pause_);
  pause(clock_.read().steady + pause_);
  wake();
}

void TransactionalSender::pause(nanoseconds until) {
  std::unique_lock lock(mutex_);
  while (!stopping() && clock_.read().steady < until)
    changed_.wait_for(lock, clock_.sleep_for(until), [this] { return stopping(); });
}

}  // namespace spur::kafka
