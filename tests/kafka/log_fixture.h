// A KafkaLog on topics of its own, and what its watcher heard.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "daemon/log/kafka/kafka_log.h"
#include "daemon/log/kafka/partition_reader.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/decision.pb.h"
#include "tests/kafka/broker.h"

namespace spur::testing {

// What a log's watcher has been told; waits for more, for half a minute at most.
struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::uint32_t> assigned;
  std::multiset<std::uint32_t> revoked;
  std::map<std::uint32_t, std::uint64_t> acked;
  std::set<std::string> topics;
  std::uint64_t catalogs = 0, inputs = 0, wanted = 0;

  template <typename Change>
  void note(Change change) {
    const std::lock_guard lock(mutex);
    change();
    changed.notify_all();
  }
  template <typename Condition>
  bool await(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(30), condition);
  }
  Log::Watcher watcher() {
    Log::Watcher watcher;
    watcher.assigned = [this](std::uint32_t shard) { note([&] { assigned.insert(shard); }); };
    watcher.revoked = [this](std::uint32_t shard) {
      note([&] {
        assigned.erase(shard);
        revoked.insert(shard);
      });
    };
    watcher.inputs = [this](std::uint32_t) { note([&] { ++inputs; }); };
    watcher.catalogs = [this] { note([&] { ++catalogs; }); };
    watcher.actions = [this](const std::string& topic) { note([&] { topics.insert(topic); }); };
    watcher.wanted = [this](std::uint32_t) { note([&] { ++wanted; }); };
    watcher.acked = [this](std::uint32_t shard, std::uint64_t seq) {
      note([&] { acked[shard] = std::max(acked[shard], seq); });
    };
    return watcher;
  }
};

class KafkaLogTest : public BrokerTest {
 protected:
  static constexpr std::uint32_t kShards = 2;

  void SetUp() override {
    BrokerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    options.connection = connection;
    options.topic_prefix = prefix;
    options.dev = true;
    events = make_topic("events", kShards);
    options.input_topics = {events};
  }
  void TearDown() override { log.reset(); }

  std::unique_ptr<KafkaLog> open_log(const KafkaOptions& with, Heard& to) {
    auto opened = KafkaLog::open(with, clock);
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (!opened.ok()) return nullptr;
    (*opened)->watch(to.watcher());
    return *std::move(opened);
  }
  // Opens the log and waits until it should own all shards.
  void open() {
    log = open_log(options, heard);
    ASSERT_NE(log, nullptr);
    ASSERT_TRUE(heard.await([&] { return heard.assigned.size() == kShards; }));
  }

  // Writes records to a partition of any topic; `ce_type`: with that header.
  void produce(const std::string& topic, int partition, const std::vector<std::string>& values,
               const char* ce_type = nullptr) {
    kafka::Publisher::Record record;
    record.ce_type = ce_type;
    std::vector<kafka::Publisher::Record> records;
    for (const std::string& value : values) {
      record.topic = topic;
      record.partition = partition;
      record.key = "k";
      record.value = value;
      records.push_back(record);
    }
    kafka::Pump pump(clock);
    kafka::Errands errands;
    kafka::Publisher publisher(connection, pump, errands);
    pump.start({[&] { return publisher.serve(); }});
    std::promise<absl::Status> done;
    ASSERT_TRUE(
        publisher
            .publish(records, [&](const absl::StatusOr<Offset>& o) { done.set_value(o.status()); })
            .ok());
    EXPECT_TRUE(done.get_future().get().ok());
    pump.stop();
    publisher.abandon();
    publisher.serve();
    errands.stop();
  }

  TopicSource source(std::uint32_t number, int partition, Offset start = 0) {
    TopicSource made;
    made.source = number;
    made.topic = events;
    made.partition = partition;
    made.start = start;
    return made;
  }

  // Polls until `count` records are there; their offsets and values.
  std::vector<std::pair<Offset, std::string>> poll(KafkaLog& from, std::uint32_t shard,
                                                   std::uint32_t number, Offset next,
                                                   std::size_t count, PollLimits limits = {}) {
    std::vector<std::pair<Offset, std::string>> found;
    while (found.size() < count) {
      std::uint64_t before = 0;
      {
        const std::lock_guard lock(heard.mutex);
        before = heard.inputs;
      }
      InputBatch batch;
      const absl::Status polled = from.poll(shard, number, next, limits, batch);
      EXPECT_TRUE(polled.ok()) << polled;
      if (!polled.ok()) return found;
      for (const InputRecord& record : batch.records) {
        found.emplace_back(record.offset, record.value);
        next = record.offset + 1;
      }
      if (batch.records.empty() && !heard.await([&] { return heard.inputs != before; })) {
        ADD_FAILURE() << "only " << found.size() << " of " << count << " records came";
        return found;
      }
    }
    return found;
  }

  absl::StatusOr<Offset> append(KafkaLog& to, std::uint32_t shard, std::uint64_t seq,
                                RunEffects effects = {}) {
    std::promise<absl::StatusOr<Offset>> done;
    JournalAppend entry;
    entry.shard = shard;
    entry.epoch = 1;
    entry.seq = seq;
    entry.entry = "entry " + std::to_string(seq);
    entry.effects = std::move(effects);
    entry.done = [&](absl::StatusOr<Offset> offset) { done.set_value(std::move(offset)); };
    to.append(std::move(entry));
    return done.get_future().get();
  }

  // A run that decides one thing and sends it to `topic`.
  RunEffects one_action(KafkaLog& of, std::uint32_t shard, std::uint64_t run,
                        const std::string& topic, std::uint64_t spurseq) {
    RunEffects effects;
    spur::v1::Decision decision;
    const DeploymentId& id = of.deployment();
    decision.mutable_id()->set_deployment(id.data(), id.size());
    decision.mutable_id()->set_shard(shard);
    decision.mutable_id()->set_run(run);
    decision.set_customer("user_id:" + std::to_string(run));
    decision.set_time_ms(1'772'352'000'123);
    decision.set_trigger("cart-abandoned");
    effects.decisions.push_back({decision.customer(), decision.SerializeAsString()});
    spur::v1::Action action;
    *action.mutable_id() = decision.id();
    action.set_customer(decision.customer());
    action.set_channel("email");
    action.set_trigger("cart-abandoned");
    action.set_instance("k1");
    action.set_cause_event_id("e1");
    action.set_time_ms(decision.time_ms());
    action.set_expires_ms(decision.time_ms() + 1000);
    action.set_spurseq(spurseq);
    action.set_catalog_hash("\xab\xcd");
    effects.actions.push_back({topic, spurseq, std::to_string(run), action.SerializeAsString()});
    return effects;
  }

  // Everything in a partition.
  std::vector<std::string> all_of(const std::string& topic, int partition,
                                  const std::function<std::string(const rd_kafka_message_t&)>& as) {
    std::vector<std::string> found;
    const auto kept = admin->kept(topic, partition);
    EXPECT_TRUE(kept.ok()) << kept.status();
    if (!kept.ok() || kept->begin == kept->end) return found;
    auto reader = kafka::PartitionReader::open(connection, topic, partition, kept->begin);
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE((*reader)
                    ->read(kept->end,
                           [&](const rd_kafka_message_t& message) {
                             found.push_back(as(message));
                             return true;
                           })
                    .ok());
    return found;
  }
  // What no watcher tells of: asked until it is so, for half a minute at most.
  bool eventually(const std::function<bool()>& so) {
    const auto until = clock.read().steady + std::chrono::seconds(30);
    while (clock.read().steady < until) {
      if (so()) return true;
    }
    return false;
  }
  static std::string spurseq(const rd_kafka_message_t& message) {
    return std::string(kafka::header_of(message, "ce_spurseq"));
  }

  SystemClock clock;
  KafkaOptions options;
  std::string events;
  Heard heard;
  std::unique_ptr<KafkaLog> log;
};

}  // namespace spur::testing
