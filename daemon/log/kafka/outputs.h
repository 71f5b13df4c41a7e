// Outputs: the effects of runs on their way to the topics that others read, and to other shards.
//
// They are held back with their run until release(), then produced destination by destination in
// order (rule 9). A lane is one shard's way into one partition: partition i of every output topic
// is written by shard i alone; partition j of spur.messages is the lane of each sender to shard j.
//
// One idempotent session carries all lanes. A delivery that fails ends it (rule 10), and the next
// goes on in every lane from the first record not acknowledged. A topic whose record failed gets a
// session of its own from then on, after a pause that grows: it delays only itself.
//
// A cluster pays by the request. So a lane whose last request is not acknowledged gathers what
// follows, kLingerMax at most: actions and messages leave at once while there is room, and in
// growing batches under load, with no setting. Decisions and dead letters, which nobody waits for,
// always gather, those of all shards to the same ticks of the clock: kTick, so that one wake-up and
// one burst of requests serve all of them.
//
// A destination whose channel has a `rate` is sent no more than that (pace.h); what gathers behind
// it waits as it does for one that is away.
//
// A destination whose channel says `delivery: transactional` takes transactions instead, each lane
// by a TransactionalSender of its own: it alone waits for them.
//
// A recovery hands over what may not have arrived (resume). How far a destination has got stands in
// the tail of its partition (rule 5); a destination that cannot be asked waits by itself, and
// whatever is released for it later waits behind.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/clock.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/pump.h"
#include "daemon/log/kafka/records.h"
#include "daemon/log/kafka/session.h"
#include "daemon/log/kafka/settings.h"
#include "daemon/log/kafka/topics.h"
#include "daemon/log/kafka/transactional_sender.h"
#include "daemon/log/log.h"
#include "daemon/log/pace.h"

namespace spur::kafka {

// Thread-safe; one shard's calls come from one thread at a time.
class Outputs {
 public:
  static constexpr std::chrono::nanoseconds kLingerMax = std::chrono::milliseconds(5);
  static constexpr std::chrono::nanoseconds kTick = std::chrono::milliseconds(10);
  // Of one lane, handed to librdkafka and not acknowledged: what a topic that is away may hold of
  // the queue that all share.
  static constexpr std::size_t kInFlightRecordsMax = 4096;
  static constexpr std::size_t kInFlightBytesMax = 8u << 20;
  // The least that one shard has of KafkaOptions::waiting_bytes_max, for what is released and not
  // in flight. Beyond half of its part what the outbox holds leaves memory; beyond all of it the
  // shard takes no further inputs until the outbox holds more.
  static constexpr std::size_t kWaitingBytesMin = 8u << 20;
  // Read to find how far a destination has got; more if none of them is a record.
  static constexpr std::int64_t kTailRecords = 128;
  static constexpr std::chrono::milliseconds kTailAnswerMax{2000};

  struct Events {
    std::function<void(std::uint32_t shard, std::uint64_t seq)> acked;
    std::function<void(const std::string& topic)> actions;
    std::function<void(std::uint32_t shard)> wanted;  // as Log::Watcher has it
    // A tail that could be read late holds what the journal does not: ABORTED, as resume() says.
    // Called under the shard's lock.
    std::function<void(std::uint32_t shard, absl::Status)> contradicted;
  };

  // Everything named outlives it.
  Outputs(const KafkaOptions& options, const TopicNames& names, std::string deployment,
          std::uint32_t shards, const Admin& admin, const Clock& clock, Pump& pump,
          Errands& errands);
  ~Outputs();

  void set_events(Events events) { events_ = std::move(events); }
  // What the channels of a catalog say about a topic; the newest counts. Creates it where it is
  // missing.
  struct Form {
    bool json = false, transactional = false;
    Rate rate;
  };
  void know_topic(const std::string& topic, const Form& form);

  void hold(std::uint32_t shard, std::uint64_t seq, RunEffects effects);
  void release(std::uint32_t shard, std::uint64_t seq);
  absl::Status resume(std::uint32_t shard, std::uint64_t acked_through, std::uint64_t seq_last,
                      std::vector<UnsentRun> unsent, const std::vector<Spilled>& spilled);
  std::vector<UnsentRun> unsent(std::uint32_t shard, std::uint64_t seq) const;
  // As Log says of each (outputs_spill.cc).
  Log::Waiting waiting(std::uint32_t shard) const;
  void stored(std::uint32_t shard, std::uint64_t seq);
  std::vector<RunRange> spilled(std::uint32_t shard) const;
  std::optional<Spilled> wanted(std::uint32_t shard);
  void refill(std::uint32_t shard, const Outlet& outlet, std::vector<UnsentRun> rows,
              std::uint64_t through);
  // Drops all of a shard.
  void drop(std::uint32_t shard);

  void stop();  // nothing more is sent, and what is queued is dropped
  // After stop(), with the pump and the errands at their end: waits for the client's threads, after
  // which no event is called by an acknowledgement.
  void close();

  std::chrono::nanoseconds serve();  // on the pump's thread

  struct Run;

 private:
  struct Destination;
  struct Item;
  struct Lane;
  struct ShardOut;
  struct Box;
  struct Tail;

  Destination& destination(const std::string& topic);
  Lane& lane(ShardOut& shard, const std::string& topic, std::int32_t partition, EffectKind kind);
  // The effects of a run into the lanes that they belong to.
  void enqueue(ShardOut& shard, std::uint64_t seq, RunEffects effects);
  void wait(Lane& lane, bool waits, std::size_t bytes);
  // The lane needs an effect no longer: it has arrived, or it is a row of the outbox.
  void forget(Lane& lane, const Item& item);
  std::size_t part() const;  // of waiting_bytes_max, that one shard has
  // Lets go of what the outbox holds, where too much waits. Requires the shard's lock.
  void make_room(ShardOut& shard);
  void spill(Lane& lane, std::uint64_t seq);
  void take_back(Lane& lane, const UnsentRun& row);
  Lane& lane_of(ShardOut& shard, const Outlet& outlet);
  static Outlet outlet_of(const Lane& lane);
  // Sends what may be sent; answers when the rest may. Requires the shard's lock.
  std::chrono::nanoseconds flush(ShardOut& shard, std::chrono::nanoseconds now);
  std::chrono::nanoseconds flush(Lane& lane, std::chrono::nanoseconds now);
  static bool is_full(const Lane& lane);
  void schedule(std::chrono::nanoseconds due);
  absl::Status send(Lane& lane);  // its next item
  // The record of the lane's next item; its bytes are good until the next is made.
  ProducerRecord next_record(Lane& lane);
  void sent(Lane& lane);
  void unsend(Lane& lane);
  void arrived(Lane& lane);  // its first item
  std::shared_ptr<Box> box_for(Destination& destination, std::chrono::nanoseconds now);
  // On a thread of the client.
  void acked(const Session& by, Lane& lane);
  void calm(Destination& destination);
  void end_box(const std::shared_ptr<Box>& box, std::chrono::nanoseconds now);
  void settle(ShardOut& shard);  // the acknowledged prefix; requires the shard's lock
  void tell(ShardOut& shard);
  void retry_tails(ShardOut& shard, std::chrono::nanoseconds now);
  // Drops what has arrived. ABORTED: a run is there that was not released. Requires the shard's
  // lock.
  absl::Status apply_tail(Lane& lane, const Tail& tail);
  absl::Status read_tail(std::uint32_t shard, Tail& tail) const;
  absl::StatusOr<std::vector<Tail>> read_tails(std::uint32_t shard,
                                               const std::vector<std::string>& topics) const;
  void check_destination(Destination& destination);
  // Takes up what the destination's delivery is now; false: what is under way has to arrive first.
  // Requires the shard's lock.
  bool settle_delivery(Lane& lane, bool transactional);
  // How many of the lane's records may leave now, where `gap` lies between two of them.
  static std::size_t may_leave(Lane& lane, std::chrono::nanoseconds gap,
                               std::chrono::nanoseconds now);
  void start_sender(Lane& lane);
  void retire_sender(Lane& lane);
  // What a sender of this number works for.
  absl::Status begin_transactions(Lane& lane, std::uint64_t number);
  absl::StatusOr<std::string> fill_transaction(Lane& lane, std::uint64_t number,
                                               TransactionalProducer& producer);
  void transaction_ended(Lane& lane, std::uint64_t number, const absl::Status& how);
  // Waits until nothing is open in a partition that was begun before now.
  absl::Status await_stable(const std::string& topic, std::int32_t partition);
  // What the shard's last committed transaction to a topic has noted in TopicNames::delivered.
  absl::StatusOr<std::optional<EffectId>> read_mark(std::uint32_t shard, const std::string& topic);

  const KafkaOptions options_;
  const TopicNames names_;
  const std::string deployment_;
  const std::size_t waiting_bytes_max_;
  const Admin& admin_;
  const Clock& clock_;
  Pump& pump_;
  Errands& errands_;
  Events events_;
  std::vector<std::unique_ptr<ShardOut>> shards_;

  // Taken while a shard's lock is held, never the other way.
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Destination>> destinations_;
  std::shared_ptr<Box> common_;
  std::vector<std::shared_ptr<Box>> boxes_;  // all that are open
  std::chrono::nanoseconds common_retry_{0};
  std::chrono::nanoseconds common_pause_{0};
  std::atomic<std::int64_t> next_due_{INT64_MAX};
  std::vector<std::unique_ptr<TransactionalSender>> retired_;  // until they have ended
  std::mutex ends_mutex_;
  std::unique_ptr<Admin> ends_;  // asks for ends with what is not committed; made when needed
  std::atomic<bool> stopping_{false};
  std::atomic<bool> shaken_{false};  // a destination, or what all share, has a pause
};

}  // namespace spur::kafka
