// librdkafka's handles as values that free themselves, its errors as absl::Status, and what every
// handle of Spur is told (docs/kafka.md says what for).
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace spur::kafka {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};

using Handle = std::unique_ptr<rd_kafka_t, Free<rd_kafka_destroy>>;
using SharedHandle = std::shared_ptr<rd_kafka_t>;
using Config = std::unique_ptr<rd_kafka_conf_t, Free<rd_kafka_conf_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Free<rd_kafka_queue_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Free<rd_kafka_message_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Free<rd_kafka_topic_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Free<rd_kafka_event_destroy>>;
using Error = std::unique_ptr<rd_kafka_error_t, Free<rd_kafka_error_destroy>>;
using Headers = std::unique_ptr<rd_kafka_headers_t, Free<rd_kafka_headers_destroy>>;
using Partitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Free<rd_kafka_topic_partition_list_destroy>>;

// Where the cluster is and how to get in. The properties are librdkafka's own names (SASL, TLS, …)
// and pass through; what the protocol rests on (idempotence, acks, offsets) cannot be set.
struct Connection {
  std::string brokers;  // host:port[,host:port…]
  std::string client_id = "spur";
  std::map<std::string, std::string> properties;
};

using Settings = std::vector<std::pair<std::string_view, std::string>>;

// What an error means for the caller, with what to do where a person has to act. `what` says what
// was tried: "writing spur.journal".
absl::Status to_status(rd_kafka_resp_err_t code, std::string_view what,
                       std::string_view detail = {});
absl::Status to_status(const rd_kafka_error_t& error, std::string_view what);

// INVALID_ARGUMENT: a property is unknown, not allowed, or its value is refused.
absl::StatusOr<Config> make_config(const Connection& connection, const Settings& settings);
absl::StatusOr<Handle> open_producer(Config config);
absl::StatusOr<Handle> open_consumer(Config config);
// One that nothing has to be told of first.
absl::StatusOr<Handle> open_consumer(const Connection& connection, const Settings& settings);

// An idempotent producer that gives nothing up: a delivery fails only for good, and then nothing
// later may be let in (rule 10).
Settings producer_settings();
// A producer of transactions under this id. It cannot wait for ever: a delivery that takes longer
// than kTransactionalDeliveryMax aborts its transaction, and the broker aborts one that is open for
// longer than kTransactionMax.
inline constexpr std::chrono::milliseconds kTransactionalDeliveryMax{20'000},
    kTransactionMax{30'000};
Settings transactional_settings(const std::string& id);
// A consumer whose partitions are assigned by hand and whose offsets are kept elsewhere.
Settings consumer_settings();

// Views of a record; good as long as the message.
inline std::string_view key_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key_len};
}
inline std::string_view value_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.len};
}
// The value of the last header of this name; empty if there is none.
std::string_view header_of(const rd_kafka_message_t& message, const char* name);
// All headers of an rd_kafka_message_t, packed (daemon/inputs/headers.h) behind what is in `to`.
void pack_headers_of(const void* message, std::string& to);

}  // namespace spur::kafka
