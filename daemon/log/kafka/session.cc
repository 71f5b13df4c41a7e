#include "daemon/log/kafka/session.h"

#include <optional>
#include <utility>

#include "daemon/log/kafka/text.h"

namespace spur::kafka {

namespace {

constexpr const char* kInterceptor = "spur";

}  // namespace

Error produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, std::int32_t partition,
              ProducerRecord record) {
  rd_kafka_vu_t parts[9];
  std::size_t count = 0;
  parts[count].vtype = RD_KAFKA_VTYPE_RKT;
  parts[count++].u.rkt = topic;
  parts[count].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[count++].u.i32 = partition;
  parts[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[count++].u.i = RD_KAFKA_MSG_F_COPY;
  parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[count].u.mem.ptr = const_cast<char*>(record.value.data());
  parts[count++].u.mem.size = record.value.size();
  parts[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
  parts[count++].u.ptr = record.opaque;
  if (record.has_key) {
    parts[count].vtype = RD_KAFKA_VTYPE_KEY;
    parts[count].u.mem.ptr = const_cast<char*>(record.key.data());
    parts[count++].u.mem.size = record.key.size();
  }
  if (record.headers != nullptr) {
    parts[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[count++].u.headers = record.headers.get();
  }
  if (record.time.has_value()) {
    parts[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[count++].u.i64 = record.time->ms;
  }
  Error error(rd_kafka_produceva(producer, parts, count));
  if (error == nullptr) static_cast<void>(record.headers.release());  // the message owns them now
  return error;
}

absl::StatusOr<std::shared_ptr<Session>> Session::open(const Connection& connection,
                                                       const Settings& settings, Pump* pump,
                                                       Acked acked, Acks acks) {
  Settings all = settings;
  // Those that stand are the interceptor's.
  if (acks == Acks::kAtOnce) all.emplace_back("delivery.report.only.error", "true");
  absl::StatusOr<Config> config = make_config(connection, all);
  if (!config.ok()) return config.status();
  std::shared_ptr<Session> session(new Session(pump, std::move(acked), acks));
  rd_kafka_conf_set_opaque(config->get(), session.get());
  rd_kafka_conf_set_dr_msg_cb(config->get(), on_delivery);
  rd_kafka_conf_set_error_cb(config->get(), on_error);
  // Whether that worked, on_new() says.
  if (acks == Acks::kAtOnce)
    static_cast<void>(
        rd_kafka_conf_interceptor_add_on_new(config->get(), kInterceptor, on_new, session.get()));
  absl::StatusOr<Handle> handle = open_producer(*std::move(config));
  if (!handle.ok()) return handle.status();
  session->handle_ = *std::move(handle);
  if (acks == Acks::kAtOnce && !session->registered_)
    return absl::InternalError("the Kafka client took no interceptor for acknowledgements");
  if (pump != nullptr) {
    const Queue queue(rd_kafka_queue_get_main(session->handle_.get()));
    pump->listen(queue.get());
  }
  return session;
}

Session::~Session() {
  if (handle_ == nullptr) return;
  // Nobody waits for what is left, and the pump may be gone before the handle is.
  const Queue queue(rd_kafka_queue_get_main(handle_.get()));
  rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
  ended_.store(true, std::memory_order_release);
  purge();
}

absl::StatusOr<Topic> Session::topic(const std::string& name) {
  Topic topic(rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr));
  if (topic == nullptr) return to_status(rd_kafka_last_error(), text("topic ", name));
  return topic;
}

absl::Status Session::send(rd_kafka_topic_t* topic, std::int32_t partition, Record record) {
  if (ended()) return why();
  if (dying_.load(std::memory_order_acquire))
    return absl::UnavailableError("the session is ending");
  const Error error = produce(handle_.get(), topic, partition, std::move(record));
  if (error == nullptr) return absl::OkStatus();
  if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    return absl::ResourceExhaustedError("the producer's queue is full");
  if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__FATAL) {
    die(to_status(*error, "the producer"));
    return absl::UnavailableError("the session is ending");
  }
  const std::string name = rd_kafka_topic_name(topic);
  end(to_status(*error, text("writing ", name)), name);
  return why();
}

void Session::serve() { wait(std::chrono::milliseconds(0)); }

void Session::wait(std::chrono::milliseconds longest) {
  rd_kafka_poll(handle_.get(), static_cast<int>(longest.count()));
  serve_deferred();
  if (!dying_.load(std::memory_order_acquire) || ended()) return;
  purge();
  rd_kafka_poll(handle_.get(), 0);
  if (rd_kafka_outq_len(handle_.get()) > 0) return;  // asked again after kEndingPause
  absl::Status why;
  {
    const std::lock_guard lock(mutex_);
    why = fatal_;
  }
  end(std::move(why), "");
}

void Session::die(absl::Status why) {
  const std::lock_guard lock(mutex_);
  if (dying_.exchange(true, std::memory_order_acq_rel)) return;
  fatal_ = std::move(why);
}

absl::Status Session::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

std::string Session::failed_topic() const {
  const std::lock_guard lock(mutex_);
  return failed_topic_;
}

void Session::purge() {
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                    RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void Session::end(absl::Status why, std::string topic) {
  const std::lock_guard lock(mutex_);
  if (!why_.ok()) return;
  why_ = std::move(why);
  failed_topic_ = std::move(topic);
  ended_.store(true, std::memory_order_release);
}

rd_kafka_resp_err_t Session::on_new(rd_kafka_t* handle, const rd_kafka_conf_t*, void* session,
                                    char*, std::size_t) {
  const auto code = rd_kafka_interceptor_add_on_acknowledgement(handle, kInterceptor,
                                                                on_acknowledgement, session);
  static_cast<Session*>(session)->registered_ = code == RD_KAFKA_RESP_ERR_NO_ERROR;
  return code;
}

// Called for failures too, which on_delivery() hears of.
rd_kafka_resp_err_t Session::on_acknowledgement(rd_kafka_t*, rd_kafka_message_t* message,
                                                void* session) {
  auto* self = static_cast<Session*>(session);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) self->failed_ = true;
  if (self->failed_ || self->ended() || self->defer(*message)) return RD_KAFKA_RESP_ERR_NO_ERROR;
  self->acked_(*self, message->_private, standing(*message));
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// What the client concludes from the answer to a later request has no offset, and is said under the
// lock of the partition, which produce() takes too (rd_kafka_dr_implicit_ack()).
bool Session::defer(const rd_kafka_message_t& message) {
  if (message.offset >= 0 && !deferring_) return false;
  {
    const std::lock_guard lock(deferred_mutex_);
    if (message.offset >= 0 && !deferring_) return false;
    deferring_ = true;
    deferred_.push_back({message._private, standing(message)});
  }
  if (pump_ != nullptr) pump_->wake();
  return true;
}

void Session::serve_deferred() {
  while (deferring_ && !ended()) {
    std::vector<Deferred> taken;
    {
      const std::lock_guard lock(deferred_mutex_);
      taken.swap(deferred_);
      if (taken.empty()) deferring_ = false;  // all of them have been told
    }
    for (const Deferred& one : taken) {
      if (!ended()) acked_(*this, one.opaque, one.at);
    }
  }
}

Session::Standing Session::standing(const rd_kafka_message_t& message) {
  Standing at{message.offset, std::nullopt};
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t stamp = rd_kafka_message_timestamp(&message, &type);
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) at.appended = Instant{stamp};
  return at;
}

void Session::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* session) {
  auto* self = static_cast<Session*>(session);
  if (self->ended()) return;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (self->acks_ == Acks::kServed) self->acked_(*self, message->_private, standing(*message));
    return;
  }
  // Victims of a session that is ending.
  if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
      message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT ||
      message->err == RD_KAFKA_RESP_ERR__FATAL ||
      message->err == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE) {
    self->die(to_status(message->err, "the producer"));
    return;
  }
  const std::string name = rd_kafka_topic_name(message->rkt);
  self->end(to_status(message->err, text("writing ", name, "[", message->partition, "]")), name);
}

void Session::on_error(rd_kafka_t* handle, int code, const char* reason, void* session) {
  if (code != RD_KAFKA_RESP_ERR__FATAL) return;  // connections come and go; deliveries wait
  char message[256];
  const auto fatal = rd_kafka_fatal_error(handle, message, sizeof(message));
  static_cast<Session*>(session)->die(to_status(fatal, "the producer", message));
}

absl::StatusOr<std::int64_t> write_one(const Connection& connection, const std::string& topic,
                                       std::int32_t partition, Session::Record record) {
  constexpr std::chrono::milliseconds kWait{1000};
  constexpr int kWaits = 60;
  std::optional<std::int64_t> stands;
  absl::StatusOr<std::shared_ptr<Session>> session = Session::open(
      connection, producer_settings(), nullptr,
      [&](const Session&, void*, const Session::Standing& at) { stands = at.offset; });
  if (!session.ok()) return session.status();
  absl::StatusOr<Topic> handle = (*session)->topic(topic);
  if (!handle.ok()) return handle.status();
  if (absl::Status sent = (*session)->send(handle->get(), partition, std::move(record)); !sent.ok())
    return sent;
  for (int i = 0; i < kWaits && !stands.has_value() && !(*session)->ended(); ++i)
    (*session)->wait(kWait);
  if (stands.has_value()) return *stands;
  if ((*session)->ended()) return (*session)->why();
  return absl::UnknownError(text("writing ", topic, ": no answer for a minute"));
}

}  // namespace spur::kafka
