// TransactionalSender: one shard's way into one partition of a channel with `delivery:
// transactional`: a producer with the id <deployment>/<shard>/<topic>, and a thread on which its
// calls wait. The journal, the shard and all other destinations never wait for it.
//
// The id belongs to the shard, whichever process owns it: the next owner's init fences this one
// (docs/protocol.md H9). Each destination has its own, so that one that is away delays only itself.
//
// Trouble has two ways out. What may be aborted is aborted and sent again; anything else (fenced,
// fatal, no answer) takes a new producer, and how far the destination has got is found out anew.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/clock.h"
#include "daemon/log/kafka/settings.h"
#include "daemon/log/kafka/transactional_producer.h"

namespace spur::kafka {

class TransactionalSender {
 public:
  // Between two transactions of one producer: a broker that is still busy with the last one makes
  // the next wait for longer, and what gathers meanwhile makes each worth more.
  static constexpr std::chrono::milliseconds kGap{8};

  // What it works for; called on its thread, and not after the destructor has returned.
  struct Work {
    // No other producer of this id can commit any more, and nothing of theirs is open. Finds how
    // far the destination has got, and goes on behind that.
    std::function<absl::Status()> begin;
    // Sends what is to be one transaction, and answers its mark; empty: there is nothing.
    std::function<absl::StatusOr<std::string>(TransactionalProducer&)> fill;
    std::function<void()> committed;
    // Nothing of the transaction stands, or begin() will tell.
    std::function<void(const absl::Status&)> failed;
  };

  // Where marks go: a record in a partition, by key.
  struct Marks {
    std::string topic;
    std::int32_t partition = 0;
    std::string key;
  };

  // `options` and `clock` outlive it.
  TransactionalSender(const KafkaOptions& options, const Clock& clock, std::string id, Marks marks,
                      Work work);
  ~TransactionalSender();  // waits for the call that is under way
  TransactionalSender(const TransactionalSender&) = delete;
  TransactionalSender& operator=(const TransactionalSender&) = delete;

  void wake();  // there may be something to fill() with
  void stop();  // does not wait; what is open is aborted
  bool ended() const { return ended_.load(std::memory_order_acquire); }

 private:
  void loop();
  absl::Status open();
  absl::Status transaction();
  void trouble(const absl::Status& why);
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }
  void pause(std::chrono::nanoseconds until);

  const KafkaOptions& options_;
  const Clock& clock_;
  const std::string id_;
  const Marks marks_;
  const Work work_;
  std::atomic<bool> stopping_{false}, ended_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = true;
  // On the thread.
  std::unique_ptr<TransactionalProducer> producer_;
  bool begun_ = false;
  std::chrono::nanoseconds pause_{0}, next_{0};
  std::thread thread_;
};

}  // namespace spur::kafka
