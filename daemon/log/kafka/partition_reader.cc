#include "daemon/log/kafka/partition_reader.h"

#include <algorithm>
#include <utility>

#include "daemon/log/kafka/text.h"

namespace spur::kafka {
namespace {

constexpr std::size_t kBatchRecords = 1024;
constexpr std::chrono::milliseconds kWaitMax{1000};  // of one wait; then it is counted

}  // namespace

absl::StatusOr<std::unique_ptr<PartitionReader>> PartitionReader::open(const Connection& connection,
                                                                       std::string topic,
                                                                       std::int32_t partition,
                                                                       std::int64_t from) {
  Settings settings = consumer_settings();
  settings.emplace_back("fetch.wait.max.ms", "10");
  settings.emplace_back("enable.partition.eof", "true");  // for holes at the end: no record comes
  absl::StatusOr<Handle> handle = open_consumer(connection, settings);
  if (!handle.ok()) return handle.status();
  Partitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = from;
  if (const auto code = rd_kafka_assign(handle->get(), list.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_status(code, text("reading ", topic, "[", partition, "]"));
  return std::unique_ptr<PartitionReader>(
      new PartitionReader(*std::move(handle), std::move(topic), partition, from));
}

PartitionReader::PartitionReader(Handle handle, std::string topic, std::int32_t partition,
                                 std::int64_t from)
    : handle_(std::move(handle)),
      queue_(rd_kafka_queue_get_consumer(handle_.get())),
      topic_(std::move(topic)),
      partition_(partition),
      position_(from),
      batch_(kBatchRecords) {}

PartitionReader::~PartitionReader() { drop_batch(); }

void PartitionReader::drop_batch() {
  while (at_ < filled_) rd_kafka_message_destroy(batch_[at_++]);
}

rd_kafka_message_t* PartitionReader::next(std::chrono::milliseconds wait) {
  if (at_ < filled_) return batch_[at_];
  at_ = filled_ = 0;
  // With a time to wait, a batch is waited for until it is full: so one record first.
  rd_kafka_message_t* first = rd_kafka_consume_queue(queue_.get(), static_cast<int>(wait.count()));
  if (first == nullptr) return nullptr;
  batch_[filled_++] = first;
  const ssize_t more =
      rd_kafka_consume_batch_queue(queue_.get(), 0, batch_.data() + 1, batch_.size() - 1);
  if (more > 0) filled_ += static_cast<std::size_t>(more);
  return first;
}

absl::Status PartitionReader::read(std::int64_t to, const Record& record,
                                   std::chrono::milliseconds silence_max) {
  std::chrono::milliseconds silence{0};
  absl::Status trouble =
      absl::UnavailableError(text("reading ", topic_, "[", partition_, "]: nothing heard for ",
                                  silence_max.count(), " ms at offset ", position_));
  while (position_ < to) {
    const std::chrono::milliseconds wait = std::min(kWaitMax, silence_max - silence);
    rd_kafka_message_t* message = next(wait);
    if (message == nullptr) {
      silence += wait;
      if (silence >= silence_max) return trouble;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      silence = std::chrono::milliseconds(0);
      if (message->offset >= to) return absl::OkStatus();  // stays for the next read
      const Message owned(message);
      ++at_;
      if (message->offset < position_) continue;
      position_ = message->offset + 1;
      if (!record(*message)) return absl::OkStatus();
      continue;
    }
    const Message owned(message);
    ++at_;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      // The fetch position has passed everything that is there; holes count.
      position_ = std::max(position_, std::min(message->offset, to));
      continue;
    }
    const absl::Status status =
        to_status(message->err, text("reading ", topic_, "[", partition_, "]"),
                  rd_kafka_message_errstr(message));
    if (!absl::IsUnavailable(status)) return status;
    trouble = status;  // brokers come back; the silence is counted
  }
  return absl::OkStatus();
}

}  // namespace spur::kafka
