#include "daemon/log/kafka/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "daemon/log/kafka/partition_reader.h"
#include "tests/kafka/broker.h"

namespace spur {
namespace {

using ::testing::ElementsAre;

// The journal of two shards on a topic of its own, and what its acknowledgements were.
class KafkaJournalTest : public testing::BrokerTest {
 protected:
  void SetUp() override {
    BrokerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    topic = make_topic("journal", 2, {{"message.timestamp.type", "LogAppendTime"}});
    open();
  }
  void TearDown() override {
    if (journal != nullptr) close();
  }

  void open() {
    pump = std::make_unique<kafka::Pump>(clock);
    errands = std::make_unique<kafka::Errands>();
    journal = std::make_unique<kafka::Journal>(connection, topic, 2, *pump, *errands, clock);
    pump->start({[this] { return journal->serve(); }});
  }
  void close() {
    pump->stop();
    journal.reset();
    errands->stop();
    pump.reset();
  }

  void append(std::uint32_t shard, const std::string& entry) {
    ++asked;
    journal->append(shard, entry, [this, shard](absl::StatusOr<Offset> offset) {
      const std::lock_guard lock(mutex);
      acks.emplace_back(shard, std::move(offset));
      changed.notify_all();
    });
  }
  void await_all() {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(
        changed.wait_for(lock, std::chrono::seconds(20), [&] { return acks.size() == asked; }));
  }
  std::vector<Offset> offsets(std::uint32_t shard) {
    std::vector<Offset> found;
    for (const auto& [of, offset] : acks) {
      if (of != shard) continue;
      EXPECT_TRUE(offset.ok()) << offset.status();
      if (offset.ok()) found.push_back(*offset);
    }
    return found;
  }
  std::vector<std::string> stored(std::uint32_t shard, std::int64_t from, std::int64_t to) {
    auto reader =
        kafka::PartitionReader::open(connection, topic, static_cast<std::int32_t>(shard), from);
    EXPECT_TRUE(reader.ok()) << reader.status();
    std::vector<std::string> entries;
    const absl::Status read = (*reader)->read(to, [&](const rd_kafka_message_t& message) {
      entries.emplace_back(kafka::value_of(message));
      return true;
    });
    EXPECT_TRUE(read.ok()) << read;
    return entries;
  }

  SystemClock clock;
  std::string topic;
  std::unique_ptr<kafka::Pump> pump;
  std::unique_ptr<kafka::Errands> errands;
  std::unique_ptr<kafka::Journal> journal;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::uint32_t, absl::StatusOr<Offset>>> acks;
  std::size_t asked = 0;
};

TEST_F(KafkaJournalTest, AppendsStandInOrderAndAreAcknowledgedWithTheirOffsets) {
  for (int i = 0; i < 100; ++i) {
    append(0, "a" + std::to_string(i));
    append(1, "b" + std::to_string(i));
  }
  await_all();
  std::vector<Offset> expected;
  std::vector<std::string> entries;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(static_cast<Offset>(i));
    entries.push_back("b" + std::to_string(i));
  }
  EXPECT_EQ(offsets(0), expected);
  EXPECT_EQ(offsets(1), expected);
  EXPECT_EQ(stored(1, 0, 100), entries);
}

TEST_F(KafkaJournalTest, TheBrokersClockIsHeardWithEachAcknowledgement) {
  EXPECT_EQ(journal->witness(1), std::nullopt);
  const ClockReading before = clock.read();
  append(1, "entry");
  await_all();
  const ClockReading after = clock.read();
  const std::optional<ClockReading> heard = journal->witness(1);
  ASSERT_TRUE(heard.has_value());
  // The broker of a test is on this machine: its clock is ours.
  EXPECT_GE(heard->wall, before.wall);
  EXPECT_LE(heard->wall, after.wall);
  EXPECT_GE(heard->steady, before.steady);
  EXPECT_LE(heard->steady, after.steady);
  EXPECT_EQ(journal->witness(0), std::nullopt);
}

TEST_F(KafkaJournalTest, AnotherWritersRecordShowsInTheNextOffset) {
  append(0, "ours");
  await_all();
  kafka::Pump other_pump(clock);
  kafka::Journal other(connection, topic, 2, other_pump, *errands, clock);
  other_pump.start({[&] { return other.serve(); }});
  std::promise<absl::StatusOr<Offset>> foreign;
  other.append(0, "foreign", [&](absl::StatusOr<Offset> offset) { foreign.set_value(offset); });
  EXPECT_EQ(*foreign.get_future().get(), 1u);
  other_pump.stop();
  append(0, "ours again");
  await_all();
  EXPECT_THAT(offsets(0), ElementsAre(0u, 2u));
}

TEST_F(KafkaJournalTest, AReadEndsAtTheOffsetAskedForAndSaysWhenTheStartIsGone) {
  for (int i = 0; i < 10; ++i) append(0, "e" + std::to_string(i));
  await_all();
  EXPECT_THAT(stored(0, 3, 6), ElementsAre("e3", "e4", "e5"));
  ASSERT_TRUE(admin->delete_below(topic, 0, 5).ok());
  auto reader = kafka::PartitionReader::open(connection, topic, 0, 3);
  ASSERT_TRUE(reader.ok());
  const absl::Status read = (*reader)->read(10, [](const rd_kafka_message_t&) { return true; });
  EXPECT_TRUE(absl::IsOutOfRange(read)) << read;
  const auto kept = admin->kept(topic, 0);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->begin, 5);
  EXPECT_EQ(kept->end, 10);
}

TEST_F(KafkaJournalTest, AfterAnEntryThatIsTooLargeIsUnknownANewSessionGoesOn) {
  append(0, "before");
  await_all();
  append(0, std::string(2'000'000, 'x'));
  await_all();
  EXPECT_TRUE(absl::IsUnknown(acks[1].second.status())) << acks[1].second.status();
  append(0, "again");
  await_all();
  ASSERT_TRUE(acks[2].second.ok()) << acks[2].second.status();
  EXPECT_EQ(*acks[2].second, 1u);
  EXPECT_THAT(stored(0, 0, 2), ElementsAre("before", "again"));
}

TEST_F(KafkaJournalTest, AbandonedAppendsAreAnsweredAndNothingIsTakenAfterwards) {
  append(0, "one");
  await_all();
  journal->abandon();
  append(0, "late");
  await_all();
  EXPECT_TRUE(absl::IsUnavailable(acks[1].second.status())) << acks[1].second.status();
}

}  // namespace
}  // namespace spur
