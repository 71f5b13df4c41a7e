// PartitionReader: one partition from an offset on, on a handle of its own that lives as long as
// the reading. A fresh handle has its first record some 6 ms after it was made; one that is already
// fetching has to wait for the fetch in flight. Ends at an offset that the caller knows, never by
// waiting for the end of the partition.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/handle.h"

namespace spur::kafka {

// One thread at a time.
class PartitionReader {
 public:
  using Record = std::function<bool(const rd_kafka_message_t&)>;
  // A read that hears nothing at all for this long has failed.
  static constexpr std::chrono::milliseconds kSilenceMax{30'000};

  static absl::StatusOr<std::unique_ptr<PartitionReader>> open(const Connection& connection,
                                                               std::string topic,
                                                               std::int32_t partition,
                                                               std::int64_t from);
  ~PartitionReader();
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  // Every record from position() up to, not including, `to`, until `record` answers false. Holes
  // between records are passed. OUT_OF_RANGE: position() is no longer kept, or lies beyond the end;
  // UNAVAILABLE: the partition could not be read for `silence_max`.
  absl::Status read(std::int64_t to, const Record& record,
                    std::chrono::milliseconds silence_max = kSilenceMax);
  // Where read() goes on: behind the last record given.
  std::int64_t position() const { return position_; }

 private:
  PartitionReader(Handle handle, std::string topic, std::int32_t partition, std::int64_t from);
  void drop_batch();
  // The next message in `batch_`, waiting for one; nullptr if none came in time.
  rd_kafka_message_t* next(std::chrono::milliseconds wait);

  Handle handle_;
  Queue queue_;
  const std::string topic_;
  const std::int32_t partition_;
  std::int64_t position_ = 0;
  std::vector<rd_kafka_message_t*> batch_;
  std::size_t at_ = 0, filled_ = 0;
};

}  // namespace spur::kafka
