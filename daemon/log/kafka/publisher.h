// Publisher: what is appended outside the journal and its effects: events by Publish, catalog
// versions, cursors. One idempotent session; the records of a call are answered together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/pump.h"
#include "daemon/log/kafka/session.h"
#include "daemon/log/log.h"

namespace spur::kafka {

// Thread-safe. `done` is called on the pump's thread.
class Publisher {
 public:
  static constexpr std::size_t kInFlightBytesMax = 64u << 20;
  static constexpr std::size_t kRecordBytesMax = 1'000'000;  // what a broker takes by default
  // The offset of the last record of the call; UNKNOWN: some may stand, and some not.
  using Done = std::function<void(absl::StatusOr<Offset>)>;

  struct Record {
    std::string topic;
    std::int32_t partition = 0;
    std::string_view key, value;
    const char* ce_type = nullptr;  // a header, if any
  };

  // `pump` and `errands` outlive it.
  Publisher(const Connection& connection, Pump& pump, Errands& errands)
      : connection_(connection), pump_(pump), errands_(errands) {}

  // RESOURCE_EXHAUSTED: too much is under way. INVALID_ARGUMENT: a record is too large; then none
  // is sent. The bytes are copied.
  absl::Status publish(const std::vector<Record>& records, Done done);
  void abandon();
  bool idle() const;

  std::chrono::nanoseconds serve();  // on the pump's thread

 private:
  struct Call {
    Done done;
    std::size_t left = 0, bytes = 0;
    Offset last = 0;
  };
  absl::Status open_session();
  absl::StatusOr<rd_kafka_topic_t*> topic(const std::string& name);
  void acked(Call* call, std::int64_t offset);

  const Connection connection_;
  Pump& pump_;
  Errands& errands_;
  mutable std::mutex mutex_;
  std::shared_ptr<Session> session_;
  std::map<std::string, Topic> topics_;  // of the session; destroyed before it
  std::map<Call*, std::unique_ptr<Call>> calls_;
  std::size_t bytes_ = 0;
  bool abandoned_ = false;
};

}  // namespace spur::kafka
