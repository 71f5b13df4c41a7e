// What the tests of this folder that are scripts do to topics, by `kafka_topics BROKERS` and one of
//
//   create TOPIC PARTITIONS [replicas=N] [NAME=VALUE…]
//   config TOPIC NAME=VALUE…             its settings from now on, all others the cluster's
//   delete TOPIC
//   trim TOPIC PARTITION                 all that is there
//   ends TOPIC                           a line a partition: begin end
//   dump TOPIC                           the values, a line each, partition by partition
//   journal TOPIC                        a line an entry of a journal: partition, offset, when the
//   broker
//                                        took it (ms), epoch, seq, kind
//   write TOPIC PARTITION VALUE [MS]     one record without any header, of that time
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "daemon/log/journal_codec.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/session.h"

namespace spur::kafka {
namespace {

absl::Status drop(const Admin& admin, const std::string& topic) {
  const Queue queue(rd_kafka_queue_new(admin.handle()));
  rd_kafka_DeleteTopic_t* doomed = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_DeleteTopics(admin.handle(), &doomed, 1, nullptr, queue.get());
  const Event answer(rd_kafka_queue_poll(queue.get(), 15'000));
  rd_kafka_DeleteTopic_destroy(doomed);
  if (answer == nullptr) return absl::UnavailableError("no answer");
  std::size_t count = 0;
  const rd_kafka_topic_result_t* const* results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer.get()), &count);
  const rd_kafka_resp_err_t code =
      count == 1 ? rd_kafka_topic_result_error(results[0]) : rd_kafka_event_error(answer.get());
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? absl::OkStatus() : to_status(code, topic);
}

absl::Status configure(const Admin& admin, const std::string& topic,
                       const std::vector<std::string>& settings) {
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  for (const std::string& setting : settings) {
    const std::size_t at = setting.find('=');
    rd_kafka_ConfigResource_set_config(resource, setting.substr(0, at).c_str(),
                                       setting.substr(at + 1).c_str());
  }
  const Queue queue(rd_kafka_queue_new(admin.handle()));
  rd_kafka_AlterConfigs(admin.handle(), &resource, 1, nullptr, queue.get());
  const Event answer(rd_kafka_queue_poll(queue.get(), 15'000));
  rd_kafka_ConfigResource_destroy(resource);
  if (answer == nullptr) return absl::UnavailableError("no answer");
  return to_status(rd_kafka_event_error(answer.get()), topic);
}

absl::Status ends(const Admin& admin, const std::string& topic) {
  const absl::StatusOr<std::int32_t> partitions = admin.partitions(topic);
  if (!partitions.ok()) return partitions.status();
  for (std::int32_t i = 0; i < *partitions; ++i) {
    const absl::StatusOr<Kept> kept = admin.kept(topic, i);
    if (!kept.ok()) return kept.status();
    std::printf("%lld %lld\n", static_cast<long long>(kept->begin),
                static_cast<long long>(kept->end));
  }
  return absl::OkStatus();
}

// Hands over every record that is there, partition by partition.
absl::Status read_all(const Connection& connection, const Admin& admin, const std::string& topic,
                      const std::function<absl::Status(const rd_kafka_message_t&)>& take) {
  const absl::StatusOr<std::int32_t> partitions = admin.partitions(topic);
  if (!partitions.ok()) return partitions.status();
  for (std::int32_t i = 0; i < *partitions; ++i) {
    const absl::StatusOr<Kept> kept = admin.kept(topic, i);
    if (!kept.ok()) return kept.status();
    auto reader = PartitionReader::open(connection, topic, i, kept->begin);
    if (!reader.ok()) return reader.status();
    absl::Status taken;
    const absl::Status read = (*reader)->read(kept->end, [&](const rd_kafka_message_t& message) {
      taken = take(message);
      return taken.ok();
    });
    if (!taken.ok()) return taken;
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

absl::Status print_value(const rd_kafka_message_t& message) {
  std::fwrite(message.payload, 1, message.len, stdout);
  std::fputc('\n', stdout);
  return absl::OkStatus();
}

absl::Status print_entry(const rd_kafka_message_t& message) {
  const absl::StatusOr<spur::v1::JournalEntry> entry = decode_entry(value_of(message));
  if (!entry.ok()) return entry.status();
  const auto* const kind =
      entry->GetDescriptor()->FindFieldByNumber(static_cast<int>(entry->entry_case()));
  std::printf("%d %lld %lld %llu %llu %s\n", message.partition,
              static_cast<long long>(message.offset),
              static_cast<long long>(rd_kafka_message_timestamp(&message, nullptr)),
              static_cast<unsigned long long>(entry->epoch()),
              static_cast<unsigned long long>(entry->seq()),
              kind == nullptr ? "unknown" : std::string(kind->name()).c_str());
  return absl::OkStatus();
}

absl::Status run(const std::vector<std::string>& words) {
  if (words.size() < 3) return absl::InvalidArgumentError("usage: at the head of this file");
  Connection connection;
  connection.brokers = words[0];
  const auto admin = Admin::open(connection);
  if (!admin.ok()) return admin.status();
  const std::string &what = words[1], &topic = words[2];
  if (what == "delete") return drop(**admin, topic);
  if (what == "ends") return ends(**admin, topic);
  if (what == "dump") return read_all(connection, **admin, topic, print_value);
  if (what == "journal") return read_all(connection, **admin, topic, print_entry);
  if (what == "config") return configure(**admin, topic, {words.begin() + 3, words.end()});
  if (words.size() < 4) return absl::InvalidArgumentError("a number is missing");
  const int number = std::atoi(words[3].c_str());
  if (what == "create") {
    TopicSpec spec{topic, number, 1, {}};
    for (std::size_t i = 4; i < words.size(); ++i) {
      const std::size_t at = words[i].find('=');
      const std::string name = words[i].substr(0, at), value = words[i].substr(at + 1);
      if (name == "replicas")
        spec.replication = std::atoi(value.c_str());
      else
        spec.config[name] = value;
    }
    return (*admin)->create(spec);
  }
  if (what == "trim") {
    const absl::StatusOr<Kept> kept = (*admin)->kept(topic, number);
    if (!kept.ok()) return kept.status();
    return (*admin)->delete_below(topic, number, kept->end);
  }
  if (what != "write" || words.size() < 5) return absl::InvalidArgumentError("unknown: " + what);
  Session::Record record;
  record.value = words[4];
  record.has_key = false;
  if (words.size() > 5) record.time = Instant{std::atoll(words[5].c_str())};
  return write_one(connection, topic, number, std::move(record)).status();
}

}  // namespace
}  // namespace spur::kafka

int main(int argc, char** argv) {
  const absl::Status status = spur::kafka::run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::fprintf(stderr, "kafka_topics: %s\n", std::string(status.message()).c_str());
  return 1;
}
