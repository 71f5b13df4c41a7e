#include "daemon/log/kafka/handle.h"

#include <array>

#include "daemon/inputs/headers.h"
#include "daemon/log/kafka/text.h"
#include "daemon/logging.h"

namespace spur::kafka {
namespace {

// The protocol rests on these; a file that sets them means something that cannot be had.
constexpr std::array kOurs = {
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "enable.gapless.guarantee",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "delivery.report.only.error",
    "transactional.id",
    "transaction.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "isolation.level",
    "group.id",
    "group.instance.id",
    "partition.assignment.strategy",
    "enable.partition.eof",
    "bootstrap.servers",
    "metadata.broker.list",
    "linger.ms",
    "queue.buffering.max.ms",
};

void log_line(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  // Syslog's levels: 3 and below are errors. A broker that is away is said each time a connection
  // fails, which is worth a line only when somebody looks for it.
  const char* client = handle == nullptr ? "" : rd_kafka_name(handle);
  if (level <= 3) {
    logging::warning("kafka client", {{"client", client}, {"facility", facility}, {"text", text}});
  } else {
    logging::debug("kafka client", {{"client", client}, {"facility", facility}, {"text", text}});
  }
}

absl::StatusOr<Handle> open(rd_kafka_type_t type, Config config) {
  std::array<char, 512> error{};
  Handle handle(rd_kafka_new(type, config.get(), error.data(), error.size()));
  if (handle == nullptr)
    return absl::InvalidArgumentError(
        text("librdkafka does not take the configuration: ", error.data(),
             "; see the properties under `kafka.properties`"));
  static_cast<void>(config.release());  // the handle owns it now
  return handle;
}

}  // namespace

absl::Status to_status(rd_kafka_resp_err_t code, std::string_view what, std::string_view detail) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  const std::string message = text(what, ": ", detail.empty() ? rd_kafka_err2str(code) : detail,
                                   " (", rd_kafka_err2name(code), ")");
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return absl::PermissionDeniedError(
          text(message, "; grant it, docs/kafka.md lists what Spur needs"));
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
      return absl::UnauthenticatedError(
          text(message, "; check the sasl.* and ssl.* properties under `kafka.properties`"));
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return absl::NotFoundError(message);
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return absl::OutOfRangeError(message);
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return absl::InvalidArgumentError(message);
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return absl::AlreadyExistsError(message);
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return absl::AbortedError(message);
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      return absl::UnimplementedError(
          text(message, "; the broker is too old, Spur needs what docs/kafka.md lists"));
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      return absl::UnavailableError(
          text(message, "; is the cluster up, and is `kafka.brokers` right?"));
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status to_status(const rd_kafka_error_t& error, std::string_view what) {
  return to_status(rd_kafka_error_code(&error), what, rd_kafka_error_string(&error));
}

absl::StatusOr<Config> make_config(const Connection& connection, const Settings& settings) {
  Config config(rd_kafka_conf_new());
  std::array<char, 512> error{};
  const auto set = [&](const char* name, const char* value) {
    if (rd_kafka_conf_set(config.get(), name, value, error.data(), error.size()) ==
        RD_KAFKA_CONF_OK)
      return absl::OkStatus();
    return absl::InvalidArgumentError(text("Kafka property ", name, ": ", error.data()));
  };
  for (const auto& [name, value] : connection.properties) {
    for (const char* ours : kOurs) {
      if (name == ours)
        return absl::InvalidArgumentError(text("Kafka property ", name,
                                               " is Spur's own to set; take it out of "
                                               "`kafka.properties`"));
    }
  }
  if (absl::Status s = set("bootstrap.servers", connection.brokers.c_str()); !s.ok()) return s;
  if (absl::Status s = set("client.id", connection.client_id.c_str()); !s.ok()) return s;
  // Ours first, so that a latency or a size can be tuned from outside.
  for (const auto& [name, value] : settings) {
    if (absl::Status s = set(std::string(name).c_str(), value.c_str()); !s.ok()) return s;
  }
  for (const auto& [name, value] : connection.properties) {
    if (absl::Status s = set(name.c_str(), value.c_str()); !s.ok()) return s;
  }
  rd_kafka_conf_set_log_cb(config.get(), log_line);
  return config;
}

absl::StatusOr<Handle> open_producer(Config config) {
  return open(RD_KAFKA_PRODUCER, std::move(config));
}

absl::StatusOr<Handle> open_consumer(Config config) {
  absl::StatusOr<Handle> handle = open(RD_KAFKA_CONSUMER, std::move(config));
  // Errors and group events on the queue that is read, not on one of their own.
  if (handle.ok()) rd_kafka_poll_set_consumer(handle->get());
  return handle;
}

absl::StatusOr<Handle> open_consumer(const Connection& connection, const Settings& settings) {
  absl::StatusOr<Config> config = make_config(connection, settings);
  if (!config.ok()) return config.status();
  return open_consumer(*std::move(config));
}

namespace {

Settings common_settings() {
  return {
      {"socket.nagle.disable", "true"},  // 40 ms otherwise, where two requests meet
      {"socket.timeout.ms", "10000"},
      {"reconnect.backoff.ms", "10"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.refresh.fast.interval.ms", "50"},  // after a change of leader
  };
}

}  // namespace

Settings producer_settings() {
  Settings settings = common_settings();
  settings.insert(settings.end(), {
                                      {"enable.idempotence", "true"},
                                      {"enable.gapless.guarantee", "true"},
                                      {"acks", "all"},
                                      {"message.timeout.ms", "0"},  // never given up (H2)
                                      {"linger.ms", "0"},
                                      {"request.timeout.ms", "10000"},
                                      {"retry.backoff.ms", "10"},
                                      {"queue.buffering.max.messages", "1000000"},
                                  });
  return settings;
}

Settings transactional_settings(const std::string& id) {
  Settings settings = common_settings();
  settings.insert(settings.end(),
                  {
                      {"transactional.id", id},
                      {"enable.idempotence", "true"},
                      {"acks", "all"},
                      {"message.timeout.ms", std::to_string(kTransactionalDeliveryMax.count())},
                      {"transaction.timeout.ms", std::to_string(kTransactionMax.count())},
                      {"linger.ms", "5"},  // a commit sends at once what is left
                      {"request.timeout.ms", "10000"},
                      // By default a transaction that follows closely on another waits 100 ms.
                      {"retry.backoff.ms", "1"},
                  });
  return settings;
}

Settings consumer_settings() {
  Settings settings = common_settings();
  settings.insert(settings.end(), {
                                      {"group.id", "spur-by-hand"},  // never joined, never stored
                                      {"enable.auto.commit", "false"},
                                      {"enable.auto.offset.store", "false"},
                                      {"auto.offset.reset", "error"},
                                      {"isolation.level", "read_committed"},
                                      {"allow.auto.create.topics", "false"},
                                      {"fetch.min.bytes", "1"},
                                      {"fetch.error.backoff.ms", "10"},
                                      {"check.crcs", "false"},  // entries carry their own
                                      // Above it a partition is not fetched for up to a second.
                                      {"queued.min.messages", "1000000"},
                                  });
  return settings;
}

std::string_view header_of(const rd_kafka_message_t& message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  return {static_cast<const char*>(value), size};
}

void pack_headers_of(const void* message, std::string& to) {
  rd_kafka_headers_t* headers = nullptr;
  const auto* const record = static_cast<const rd_kafka_message_t*>(message);
  if (rd_kafka_message_headers(record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    pack_header(name, {static_cast<const char*>(value), value == nullptr ? 0 : size}, to);
  }
}

}  // namespace spur::kafka
