#include "daemon/log/kafka/history.h"

#include "daemon/log/kafka/text.h"

namespace spur::kafka {

InputRecord input_of(const rd_kafka_message_t& message, std::string_view topic) {
  InputRecord record;
  record.offset = static_cast<Offset>(message.offset);
  record.received = Instant{rd_kafka_message_timestamp(&message, nullptr)};
  record.topic = topic;
  record.key = key_of(message);
  record.value = value_of(message);
  record.read_headers = pack_headers_of;
  record.message = &message;
  return record;
}

History::History(const Connection& connection, const TopicNames& names, std::uint32_t shard,
                 std::span<const TopicSource> sources)
    : connection_(connection) {
  for (const TopicSource& source : sources)
    partitions_[source.source] = {source.topic, source.partition, nullptr};
  partitions_[kMessageSource] = {names.messages, static_cast<std::int32_t>(shard), nullptr};
}

absl::Status History::read(std::uint32_t source, Offset first, Offset last,
                           const std::function<bool(const InputRecord&)>& record) {
  const auto found = partitions_.find(source);
  if (found == partitions_.end())
    return absl::InvalidArgumentError(text("source ", source, " is not one of this reader's"));
  Partition& from = found->second;
  const auto begin = static_cast<std::int64_t>(first);
  if (from.reader != nullptr) {
    const std::int64_t at = from.reader->position();
    if (at > begin || begin - at > static_cast<std::int64_t>(kSkipMax)) from.reader.reset();
  }
  if (from.reader == nullptr) {
    auto opened = PartitionReader::open(connection_, from.topic, from.partition, begin);
    if (!opened.ok()) return opened.status();
    from.reader = *std::move(opened);
  }
  const absl::Status read = from.reader->read(static_cast<std::int64_t>(last) + 1,
                                              [&](const rd_kafka_message_t& message) {
                                                if (message.offset < begin) return true;
                                                return record(input_of(message, from.topic));
                                              });
  if (!read.ok()) from.reader.reset();
  return read;
}

}  // namespace spur::kafka
