#include "daemon/log/kafka/transactional_producer.h"

#include <array>
#include <utility>

#include "daemon/log/kafka/text.h"

namespace spur::kafka {
namespace {

constexpr std::chrono::milliseconds kPause{100};  // before a call is made again that was answered

}  // namespace

absl::StatusOr<std::unique_ptr<TransactionalProducer>> TransactionalProducer::open(
    const Connection& connection, const std::string& id, std::function<bool()> cancelled) {
  absl::StatusOr<Config> config = make_config(connection, transactional_settings(id));
  if (!config.ok()) return config.status();
  std::unique_ptr<TransactionalProducer> producer(new TransactionalProducer(std::move(cancelled)));
  rd_kafka_conf_set_opaque(config->get(), producer.get());
  // Says which delivery failed; and without one, a commit is woken by nothing and waits in slices.
  rd_kafka_conf_set_dr_msg_cb(config->get(), on_delivery);
  absl::StatusOr<Handle> handle = open_producer(*std::move(config));
  if (!handle.ok()) return handle.status();
  producer->handle_ = *std::move(handle);
  return producer;
}

TransactionalProducer::~TransactionalProducer() {
  if (handle_ == nullptr) return;
  // Its readers wait for the end of what is open; without this until the broker's time-out.
  if (open_) Error(rd_kafka_abort_transaction(handle_.get(), static_cast<int>(kWaitMax.count())));
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

void TransactionalProducer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message,
                                        void* producer) {
  auto* self = static_cast<TransactionalProducer*>(producer);
  const bool victim = message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                      message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++self->delivered_;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || victim || !self->undelivered_.ok()) return;
  self->undelivered_ = to_status(message->err, text("writing ", rd_kafka_topic_name(message->rkt),
                                                    "[", message->partition, "]"));
}

absl::Status TransactionalProducer::note(const rd_kafka_error_t& error, std::string_view what) {
  may_abort_ = rd_kafka_error_is_fatal(&error) == 0;
  // What could not be written says more than that its transaction therefore fails.
  return undelivered_.ok() || !may_abort_ ? to_status(error, what) : undelivered_;
}

absl::Status TransactionalProducer::ask(std::string_view what,
                                        const std::function<rd_kafka_error_t*(int)>& call) {
  may_abort_ = false;
  for (std::chrono::milliseconds waited{0}; waited < kAnswerMax;) {
    const Error error(call(static_cast<int>(kWaitMax.count())));
    if (error == nullptr) return absl::OkStatus();
    if (rd_kafka_error_txn_requires_abort(error.get()) != 0) return note(*error, what);
    if (rd_kafka_error_is_retriable(error.get()) == 0) return to_status(*error, what);
    if (cancelled_()) return absl::CancelledError(text(what, ": the log stops"));
    if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      waited += kWaitMax;
      continue;
    }
    rd_kafka_poll(handle_.get(), static_cast<int>(kPause.count()));
    waited += kPause;
  }
  return absl::UnavailableError(text(what, ": no answer for ", kAnswerMax.count(), " ms"));
}

absl::Status TransactionalProducer::init() {
  return ask("init_transactions",
             [this](int wait) { return rd_kafka_init_transactions(handle_.get(), wait); });
}

absl::Status TransactionalProducer::send(const std::string& topic, std::int32_t partition,
                                         ProducerRecord record) {
  may_abort_ = false;
  if (!open_) {
    const Error error(rd_kafka_begin_transaction(handle_.get()));
    if (error != nullptr) return to_status(*error, "begin_transaction");
    open_ = true;
    undelivered_ = absl::OkStatus();
    sent_ = delivered_ = 0;
  }
  Topic& handle = topics_[topic];
  if (handle == nullptr) handle.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  if (handle == nullptr) return to_status(rd_kafka_last_error(), text("topic ", topic));
  const Error error = produce(handle_.get(), handle.get(), partition, std::move(record));
  if (error == nullptr) {
    ++sent_;
    return absl::OkStatus();
  }
  if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    return absl::ResourceExhaustedError("the producer's queue is full");
  return note(*error, text("writing ", topic));
}

absl::Status TransactionalProducer::deliver() {
  for (std::chrono::milliseconds waited{0}; waited < kAnswerMax; waited += kWaitMax) {
    rd_kafka_flush(handle_.get(), static_cast<int>(kWaitMax.count()));
    if (!undelivered_.ok()) return undelivered_;
    if (rd_kafka_outq_len(handle_.get()) == 0) break;
    if (cancelled_()) return absl::CancelledError("writing a transaction: the log stops");
  }
  if (delivered_ == sent_) return absl::OkStatus();
  std::array<char, 256> why{};  // fenced, say
  if (const auto fatal = rd_kafka_fatal_error(handle_.get(), why.data(), why.size());
      fatal != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_status(fatal, "writing a transaction", why.data());
  return absl::UnavailableError(
      text("writing a transaction: ", delivered_, " of ", sent_, " records were acknowledged"));
}

absl::Status TransactionalProducer::commit(const std::string& topic, std::int32_t partition,
                                           ProducerRecord mark) {
  may_abort_ = false;
  if (absl::Status said = deliver(); !said.ok()) return said;
  if (absl::Status said = send(topic, partition, std::move(mark)); !said.ok()) return said;
  if (absl::Status said = deliver(); !said.ok()) return said;
  const absl::Status said = ask("commit_transaction", [this](int wait) {
    return rd_kafka_commit_transaction(handle_.get(), wait);
  });
  if (said.ok()) open_ = false;
  return said;
}

absl::Status TransactionalProducer::abort() {
  const absl::Status said = ask("abort_transaction", [this](int wait) {
    return rd_kafka_abort_transaction(handle_.get(), wait);
  });
  if (said.ok()) open_ = false;
  return said;
}

}  // namespace spur::kafka
