// Journal: the appends of all shards. One idempotent session for about four shards (a connection
// answers one request at a time, so one session for many shards makes them wait for each other, and
// one for each costs threads), linger 0.
//
// Acknowledgements are given shard by shard in the order of the appends, each with the offset that
// the broker says. A delivery that fails ends the session, and everything under way of the shards
// that share it is UNKNOWN (rule 10); what is appended after that was said goes out in a new one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/clock.h"
#include "daemon/log/kafka/session.h"
#include "daemon/log/log.h"

namespace spur::kafka {

// Thread-safe; one shard's calls come from one thread at a time. `done` is called on a thread of
// the client that heard the acknowledgement, or on the pump's; it must not append to the journal.
class Journal {
 public:
  using Done = std::function<void(absl::StatusOr<Offset>)>;
  static constexpr std::uint32_t kShardsPerSession = 4;

  // `pump`, `errands` and `clock` outlive it.
  Journal(const Connection& connection, std::string topic, std::uint32_t shards, Pump& pump,
          Errands& errands, const Clock& clock);

  void append(std::uint32_t shard, std::string_view entry, Done done);
  // Nothing more is taken for this shard, until a new owner begins: admit().
  void refuse(std::uint32_t shard, absl::Status why);
  void admit(std::uint32_t shard);
  absl::Status refusal(std::uint32_t shard) const;  // OK: entries are taken
  bool idle() const;                                // everything is acknowledged
  // Why it can take nothing any more, from no shard: the broker does not let us write. OK else.
  absl::Status status() const;
  // The broker's clock when it took the shard's last entry, as Log::witness() has it.
  std::optional<ClockReading> witness(std::uint32_t shard) const;
  // Drops what is not acknowledged; every done is called with UNAVAILABLE. For good.
  void abandon();

  // On the pump's thread.
  std::chrono::nanoseconds serve();

  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_relaxed); }

 private:
  struct Group;
  struct Call {
    Done done;
    absl::StatusOr<Offset> result;
  };
  struct ShardState {
    Group* group = nullptr;
    std::int32_t partition = 0;
    // Held while a done is called, so that they are called in order; taken before the group's.
    std::mutex telling;
    std::deque<Done> waiting;  // sent, in order
    absl::Status refusal;      // why nothing is taken
    std::optional<ClockReading> witness;
    std::vector<Call> refused;  // called by serve(), behind everything before them
  };
  struct Group {
    mutable std::mutex mutex;
    std::shared_ptr<Session> session;
    Topic topic;  // of the session
    std::vector<ShardState*> shards;
    bool has_refused = false;
  };

  absl::Status open_session(Group& group);
  // On a thread of the client.
  void acked(const Session& by, ShardState& shard, const Session::Standing& at);
  // Tells of everything under way in a session that has ended (nullptr: none has), and of entries
  // that were not taken.
  void answer(Group& group, std::shared_ptr<Session> ended);
  // The session has ended: everything under way fails; requires the group's lock.
  void fail(Group& group, const absl::Status& why, std::vector<Call>& calls);

  const Connection connection_;
  const std::string topic_;
  Pump& pump_;
  Errands& errands_;
  const Clock& clock_;
  std::vector<std::unique_ptr<ShardState>> shards_;
  std::vector<std::unique_ptr<Group>> groups_;
  mutable std::mutex mutex_;
  absl::Status status_;  // under mutex_
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<bool> abandoned_{false};
};

}  // namespace spur::kafka
