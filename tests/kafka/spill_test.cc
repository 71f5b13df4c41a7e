// What waits for a topic that does not take it is bounded in memory: what the outbox holds leaves
// it, and comes back when the topic takes records again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kRoom = 64 << 10;  // of one shard: less than a tenth of what waits
constexpr std::uint64_t kRuns = 300;

class KafkaSpillTest : public testing::KafkaLogTest {
 protected:
  void SetUp() override {
    options.waiting_bytes_max = kRoom;
    KafkaLogTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    well = make_topic("actions.email", 2);
    dead = make_topic("actions.dead", 1);  // nothing can be written to it: shard 1 has no partition
    open();
  }
  // A run that sends a kilobyte or two to the dead topic and something to the other.
  void run(std::uint64_t seq) {
    RunEffects effects = one_action(*log, 1, seq, dead, seq);
    effects.actions[0].key = std::string(2000, 'k');
    effects.actions.push_back(one_action(*log, 1, seq, well, seq).actions[0]);
    ASSERT_TRUE(append(*log, 1, seq, std::move(effects)).ok());
    log->release(1, seq);
  }
  // As a flush does: what is unsent becomes rows.
  void write_outbox(std::uint64_t seq) {
    for (UnsentRun& run : log->unsent(1, seq)) rows.try_emplace(run.seq, std::move(run.effects));
    log->stored(1, seq);
  }
  // As a shard does when the log wants them back, `at_once` rows a time.
  void give_back(std::uint64_t at_once) {
    while (const std::optional<Spilled> wanted = log->wanted(1)) {
      std::vector<UnsentRun> back;
      std::uint64_t through = wanted->runs.last;
      for (auto at = rows.lower_bound(wanted->runs.first);
           at != rows.end() && at->first <= wanted->runs.last; ++at) {
        if (back.size() == at_once) {
          through = at->first - 1;
          break;
        }
        back.push_back({at->first, at->second});
      }
      log->refill(1, wanted->outlet, std::move(back), through);
    }
  }
  void mend() {
    char error[256];
    rd_kafka_NewPartitions_t* more =
        rd_kafka_NewPartitions_new(dead.c_str(), 2, error, sizeof error);
    const kafka::Queue queue(rd_kafka_queue_new(admin->handle()));
    rd_kafka_CreatePartitions(admin->handle(), &more, 1, nullptr, queue.get());
    const kafka::Event answered(rd_kafka_queue_poll(queue.get(), 15'000));
    rd_kafka_NewPartitions_destroy(more);
    ASSERT_NE(answered, nullptr);
    ASSERT_EQ(rd_kafka_event_error(answered.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    // The old handle would remember for minutes that there is one.
    auto opened = kafka::Admin::open(connection);
    ASSERT_TRUE(opened.ok()) << opened.status();
    admin = *std::move(opened);
  }
  std::vector<std::string> all_numbers() {
    std::vector<std::string> all;
    for (std::uint64_t i = 1; i <= kRuns; ++i) all.push_back(std::to_string(i));
    return all;
  }

  std::string well, dead;
  std::map<std::uint64_t, RunEffects> rows;
};

TEST_F(KafkaSpillTest, AMendedTopicGetsFromTheOutboxWhatHasLeftMemoryInOrderAndOnce) {
  for (std::uint64_t seq = 1; seq <= kRuns; ++seq) {
    run(seq);
    if (seq % 50 == 0) write_outbox(seq);
  }
  // The topic that is well has all of it, and nothing of that waits.
  ASSERT_TRUE(eventually([&] { return all_of(well, 1, spurseq).size() == kRuns; }));
  EXPECT_THAT(all_of(well, 1, spurseq), ElementsAreArray(all_numbers()));
  EXPECT_EQ(heard.acked[1], 0u);
  write_outbox(kRuns);
  EXPECT_EQ(log->waiting(1), Log::Waiting::kLittle);
  std::size_t in_memory = 0;
  for (const UnsentRun& one : log->unsent(1, kRuns)) in_memory += bytes_of(one.effects);
  EXPECT_LT(in_memory, kRoom);
  EXPECT_THAT(log->spilled(1), SizeIs(1));

  mend();
  while (heard.await([&] { return heard.wanted > 0 || heard.acked[1] >= kRuns; })) {
    {
      const std::lock_guard lock(heard.mutex);
      heard.wanted = 0;
      if (heard.acked[1] >= kRuns) break;
    }
    give_back(7);
  }
  EXPECT_THAT(all_of(dead, 1, spurseq), ElementsAreArray(all_numbers()));
  EXPECT_THAT(log->spilled(1), IsEmpty());
  EXPECT_THAT(log->unsent(1, kRuns), IsEmpty());
}

TEST_F(KafkaSpillTest, BeyondItsPartAShardIsToldToWaitUntilTheOutboxHoldsMore) {
  EXPECT_EQ(log->waiting(1), Log::Waiting::kLittle);
  for (std::uint64_t seq = 1; seq <= kRuns; ++seq) run(seq);
  EXPECT_EQ(log->waiting(1), Log::Waiting::kTooMuch);
  EXPECT_EQ(log->waiting(0), Log::Waiting::kLittle) << "of another shard";
  log->stored(1, 10);  // no more than that may leave
  EXPECT_EQ(log->waiting(1), Log::Waiting::kTooMuch);
  write_outbox(kRuns);
  EXPECT_EQ(log->waiting(1), Log::Waiting::kLittle);
}

TEST_F(KafkaSpillTest, ARecoveryGoesOnWithWhatOnlyTheOutboxHas) {
  for (std::uint64_t seq = 1; seq <= kRuns; ++seq) run(seq);
  write_outbox(kRuns);
  log->unfollow(1);
  mend();
  std::vector<UnsentRun> loaded;
  for (std::uint64_t seq = 1; seq <= 20; ++seq) loaded.push_back({seq, rows[seq]});
  ASSERT_TRUE(
      log->resume(1, 0, kRuns, std::move(loaded), {{{Outlet::Kind::kAction, dead, 0}, {21, kRuns}}})
          .ok());
  while (heard.await([&] { return heard.wanted > 0 || heard.acked[1] >= kRuns; })) {
    {
      const std::lock_guard lock(heard.mutex);
      heard.wanted = 0;
      if (heard.acked[1] >= kRuns) break;
    }
    give_back(100);
  }
  EXPECT_THAT(all_of(dead, 1, spurseq), ElementsAreArray(all_numbers()));
}

}  // namespace
}  // namespace spur
