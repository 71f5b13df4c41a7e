#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/inputs/headers.h"
#include "daemon/log/kafka/consumer.h"
#include "daemon/reason.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

class KafkaInputsTest : public testing::KafkaLogTest {
 protected:
  static std::vector<std::string> numbered(int from, int to) {
    std::vector<std::string> values;
    for (int i = from; i < to; ++i) values.push_back("v" + std::to_string(i));
    return values;
  }
  void follow(std::uint32_t shard, Offset next) {
    const Log::Following following[] = {{source(kFirstTopicSource, static_cast<int>(shard)), next}};
    log->follow(shard, following);
  }
};

TEST_F(KafkaInputsTest, TopicPartitionsThatFeedAShardAreThoseCongruentToIt) {
  open();
  const std::string wide = make_topic("wide", 5);
  const InputTopic topics[] = {{events}, {wide}};
  const auto found = log->discover(1, topics);
  ASSERT_TRUE(found.missed.ok()) << found.missed;
  std::vector<std::pair<std::string, int>> partitions;
  for (const TopicSource& one : found.sources) partitions.emplace_back(one.topic, one.partition);
  EXPECT_THAT(partitions, ElementsAre(Pair(events, 1), Pair(wide, 1), Pair(wide, 3)));
  const InputTopic missing[] = {{prefix + ".nowhere"}, {events}};
  const Log::Discovery others = log->discover(0, missing);
  EXPECT_TRUE(absl::IsFailedPrecondition(others.missed));
  EXPECT_THAT(others.sources, SizeIs(1)) << "one that is missing stops no other";
}

TEST_F(KafkaInputsTest, BusinessDataFeedsEveryShardAndIsNotCompacted) {
  open();
  const InputTopic products[] = {{make_topic("products", 3), true}};
  for (const std::uint32_t shard : {0u, 1u}) {
    const auto found = log->discover(shard, products);
    ASSERT_TRUE(found.missed.ok()) << found.missed;
    std::vector<int> partitions;
    for (const TopicSource& one : found.sources) partitions.push_back(one.partition);
    EXPECT_THAT(partitions, ElementsAre(0, 1, 2));
  }
  const InputTopic newest[] = {{make_topic("newest", 1, {{"cleanup.policy", "compact"}}), true}};
  EXPECT_TRUE(log->check_topics(products).ok());
  const absl::Status compacted = log->check_topics(newest);
  EXPECT_TRUE(absl::IsFailedPrecondition(compacted)) << compacted;
  EXPECT_THAT(std::string(compacted.message()), HasSubstr("cleanup.policy=delete"));
}

TEST_F(KafkaInputsTest, ShardsReadOnePartitionEachFromWhereItStands) {
  produce(events, 0, numbered(0, 300));
  open();
  const Log::Following own[] = {{source(kFirstTopicSource, 0), 200}};
  const Log::Following others[] = {{source(kFirstTopicSource, 0), 10}};
  log->follow(0, own);
  log->follow(1, others);
  EXPECT_THAT(poll(*log, 1, kFirstTopicSource, 10, 290).back(), Pair(299u, "v299"));
  EXPECT_THAT(poll(*log, 0, kFirstTopicSource, 200, 100).front(), Pair(200u, "v200"));
  produce(events, 0, {"live"});
  for (const std::uint32_t shard : {0u, 1u})
    EXPECT_THAT(poll(*log, shard, kFirstTopicSource, 300, 1), ElementsAre(Pair(300u, "live")));
  // And once more by a shard that was dropped and comes back further behind.
  log->unfollow(1);
  log->follow(1, others);
  EXPECT_THAT(poll(*log, 1, kFirstTopicSource, 10, 291).front(), Pair(10u, "v10"));
}

TEST_F(KafkaInputsTest, RecordsComeFromTheOffsetFollowedAndWakeTheirShard) {
  produce(events, 1, numbered(0, 5));
  open();
  follow(1, 2);
  EXPECT_THAT(poll(*log, 1, kFirstTopicSource, 2, 3),
              ElementsAre(Pair(2u, "v2"), Pair(3u, "v3"), Pair(4u, "v4")));
  produce(events, 1, {"live"});
  EXPECT_THAT(poll(*log, 1, kFirstTopicSource, 5, 1), ElementsAre(Pair(5u, "live")));
  EXPECT_EQ(log->input_end(1, source(kFirstTopicSource, 1)).value(), 6u);
}

TEST_F(KafkaInputsTest, ARecordsHeadersAreReadWhenAskedForLiveAndInHistory) {
  produce(events, 1, {"with"}, "shop.order");
  produce(events, 1, {"without"});
  open();
  follow(1, 0);
  const auto headers = [](const InputRecord& record) {
    std::string packed, text;
    record.read_headers(record.message, packed);
    for_each_header(packed, [&](std::string_view name, std::string_view value) {
      text.append(name).append("=").append(value);
    });
    return text;
  };
  std::vector<std::string> live, history;
  while (live.size() < 2) {
    InputBatch batch;
    ASSERT_TRUE(log->poll(1, kFirstTopicSource, live.size(), {}, batch).ok());
    for (const InputRecord& record : batch.records) live.push_back(headers(record));
  }
  const TopicSource from[] = {source(kFirstTopicSource, 1)};
  ASSERT_TRUE(log->open_reader(1, from)
                  ->read(kFirstTopicSource, 0, 1,
                         [&](const InputRecord& record) {
                           history.push_back(headers(record));
                           return true;
                         })
                  .ok());
  EXPECT_THAT(live, ElementsAre("ce_type=shop.order", ""));
  EXPECT_EQ(history, live);
}

TEST_F(KafkaInputsTest, WhatIsNotFollowedIsNotPolled) {
  produce(events, 0, {"one"});
  open();
  InputBatch batch;
  EXPECT_TRUE(log->poll(0, kFirstTopicSource, 0, {}, batch).ok());
  EXPECT_TRUE(batch.records.empty());
}

TEST_F(KafkaInputsTest, APollKeepsToItsLimitsAndTheNextGoesOn) {
  produce(events, 0, numbered(0, 1000));
  open();
  follow(0, 0);
  Offset next = 0;
  std::size_t polls = 0;
  while (next < 1000) {
    InputBatch batch;
    PollLimits limits;
    limits.records_max = 64;
    limits.bytes_max = 100;
    ASSERT_TRUE(log->poll(0, kFirstTopicSource, next, limits, batch).ok());
    ASSERT_LE(batch.records.size(), 64u);
    for (const InputRecord& record : batch.records) ASSERT_EQ(record.offset, next++);
    if (!batch.records.empty()) {
      EXPECT_GT(batch.keep.size(), 0u);
      ++polls;
    }
  }
  EXPECT_GE(polls, 1000u * 5 / 100 / 2);
}

// A shard that is dropped with its queue full and recovers further back would otherwise take what
// the queue still holds for records behind a hole.
TEST_F(KafkaInputsTest, AShardThatIsFollowedAgainFurtherBackMissesNothing) {
  produce(events, 0, numbered(0, 20'000));
  open();
  for (int round = 0; round < 20; ++round) {
    const Offset start = static_cast<Offset>(round) * 37;
    follow(0, start);
    const auto records = poll(*log, 0, kFirstTopicSource, start, 300);
    for (std::size_t i = 0; i < records.size(); ++i)
      ASSERT_EQ(records[i].first, start + i) << round;
    log->unfollow(0);
  }
  follow(0, 100);
  poll(*log, 0, kFirstTopicSource, 100, 500);
  const auto back = poll(*log, 0, kFirstTopicSource, 50, 100);
  for (std::size_t i = 0; i < back.size(); ++i) ASSERT_EQ(back[i].first, 50 + i);
}

TEST_F(KafkaInputsTest, FollowingAnotherShardDisturbsNoPosition) {
  produce(events, 0, numbered(0, 5000));
  produce(events, 1, numbered(0, 5000));
  open();
  follow(0, 0);
  auto first = poll(*log, 0, kFirstTopicSource, 0, 1500);
  follow(1, 0);
  const Offset next = first.back().first + 1;
  const auto rest = poll(*log, 0, kFirstTopicSource, next, 5000 - next);
  for (std::size_t i = 0; i < rest.size(); ++i) ASSERT_EQ(rest[i].first, next + i);
  const auto other = poll(*log, 1, kFirstTopicSource, 0, 5000);
  for (std::size_t i = 0; i < other.size(); ++i) ASSERT_EQ(other[i].first, i);
}

TEST_F(KafkaInputsTest, TheEndOfASourceIsWhereTheNextRecordWouldCome) {
  produce(events, 0, numbered(0, 10));
  open();
  EXPECT_EQ(log->input_end(0, source(kFirstTopicSource, 0)).value(), 10u);
  follow(0, 4);
  EXPECT_EQ(log->input_end(0, source(kFirstTopicSource, 0)).value(), 10u);
  poll(*log, 0, kFirstTopicSource, 4, 6);
  EXPECT_EQ(log->input_end(0, source(kFirstTopicSource, 0)).value(), 10u);
}

TEST_F(KafkaInputsTest, AnOffsetThatIsNoLongerKeptIsSaid) {
  produce(events, 0, numbered(0, 10));
  ASSERT_TRUE(admin->delete_below(events, 0, 5).ok());
  open();
  EXPECT_EQ(log->input_begin(0, source(kFirstTopicSource, 0)).value(), 5u);
  follow(0, 2);
  absl::Status polled;
  ASSERT_TRUE(heard.await([&] {
    InputBatch batch;
    polled = log->poll(0, kFirstTopicSource, 2, {}, batch);
    return !polled.ok();
  }));
  EXPECT_TRUE(absl::IsOutOfRange(polled)) << polled;
}

TEST_F(KafkaInputsTest, HistoryIsReadAgainAsItWasTaken) {
  produce(events, 0, numbered(0, 100));
  open();
  follow(0, 0);
  const auto live = poll(*log, 0, kFirstTopicSource, 0, 100);
  const TopicSource sources[] = {source(kFirstTopicSource, 0)};
  const auto reader = log->open_reader(0, sources);
  std::vector<std::pair<Offset, std::string>> again;
  const auto take = [&](const InputRecord& record) {
    again.emplace_back(record.offset, record.value);
    EXPECT_EQ(record.key, "k");
    return true;
  };
  ASSERT_TRUE(reader->read(kFirstTopicSource, 0, 49, take).ok());
  ASSERT_TRUE(reader->read(kFirstTopicSource, 50, 99, take).ok());
  EXPECT_EQ(again, live);
}

TEST_F(KafkaInputsTest, CatalogVersionsReachEveryProcessInOneOrder) {
  open();
  testing::Heard other_heard;
  auto other = open_log(options, other_heard);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->deployment(), log->deployment());
  ASSERT_TRUE(other_heard.await([&] { return other_heard.assigned.size() == 1; }));
  for (const char* comment : {"first", "second"}) {
    std::promise<absl::StatusOr<Offset>> done;
    log->append_catalog(spur::v1::Catalog().SerializeAsString(), comment,
                        [&](absl::StatusOr<Offset> offset) { done.set_value(std::move(offset)); });
    ASSERT_TRUE(done.get_future().get().ok());
  }
  for (auto* one : {&heard, &other_heard})
    ASSERT_TRUE(one->await([&] { return one->catalogs >= 2; }));
  const auto ours = log->poll_catalogs(0, 10);
  const auto theirs = other->poll_catalogs(0, 10);
  ASSERT_TRUE(ours.ok() && theirs.ok());
  ASSERT_THAT(*ours, SizeIs(2));
  ASSERT_THAT(*theirs, SizeIs(2));
  EXPECT_EQ((*ours)[1].comment, "second");
  EXPECT_EQ((*ours)[1].offset, (*theirs)[1].offset);
  EXPECT_EQ(log->catalog_end(), (*ours)[1].offset + 1);
}

TEST_F(KafkaInputsTest, PublishedEventsLandInTheTopicOfTheirSource) {
  open();
  spur::v1::Catalog catalog;
  auto* made = catalog.add_sources();
  made->set_name("shop");
  made->set_topic(events);
  std::promise<absl::StatusOr<Offset>> applied;
  log->append_catalog(catalog.SerializeAsString(), "",
                      [&](absl::StatusOr<Offset> offset) { applied.set_value(std::move(offset)); });
  ASSERT_TRUE(applied.get_future().get().ok());
  ASSERT_TRUE(heard.await([&] { return heard.catalogs > 0; }));
  const std::uint32_t shard = shard_of("17", kShards);
  const InputAppend inputs[] = {{shard, "shop", "17", "{}"}};
  std::promise<absl::Status> done;
  const auto offsets =
      log->append_inputs(inputs, [&](absl::Status status) { done.set_value(std::move(status)); });
  ASSERT_TRUE(offsets.ok()) << offsets.status();
  EXPECT_TRUE(done.get_future().get().ok());
  follow(shard, 0);
  EXPECT_THAT(poll(*log, shard, kFirstTopicSource, 0, 1), ElementsAre(Pair(0u, "{}")));
  const InputAppend unknown[] = {{shard, "nobody", "17", "{}"}};
  const absl::Status nobody = log->append_inputs(unknown, {}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(nobody));
  EXPECT_EQ(reason_of(nobody), "SOURCE_WITHOUT_TOPIC");
  const std::string large(1'100'000, 'x');
  const InputAppend too_large[] = {{shard, "shop", "17", large}};
  EXPECT_EQ(reason_of(log->append_inputs(too_large, {}).status()), "EVENT_TOO_LARGE");
  absl::Status catalog_refused;
  log->append_catalog(
      large, "", [&](const absl::StatusOr<Offset>& offset) { catalog_refused = offset.status(); });
  EXPECT_EQ(reason_of(catalog_refused), "CATALOG_TOO_LARGE");
}

// The end of a partition has the offset of the record that comes next: taken for a record, it would
// be passed over.
TEST_F(KafkaInputsTest, AnEndThatIsNotGivenYetIsNoRecordWhenTheAssignmentChanges) {
  produce(events, 0, numbered(0, 5));
  produce(events, 1, numbered(0, 5));
  open();
  follow(0, 0);
  follow(1, 0);
  poll(*log, 1, kFirstTopicSource, 0, 5);
  // Both come from one broker by one request: the end of the one is here, and so is that of the
  // other.
  for (;;) {
    std::uint64_t before = 0;
    {
      const std::lock_guard lock(heard.mutex);
      before = heard.inputs;
    }
    InputBatch batch;
    ASSERT_TRUE(log->poll(1, kFirstTopicSource, 5, {}, batch).ok());
    if (log->input_end_heard(1, source(kFirstTopicSource, 1)) == Offset{5}) break;
    ASSERT_TRUE(heard.await([&] { return heard.inputs != before; }));
  }
  PollLimits one;
  one.bytes_max = 1;
  EXPECT_THAT(poll(*log, 0, kFirstTopicSource, 0, 1, one), SizeIs(1));
  TopicSource messages;
  messages.source = kMessageSource;
  const Log::Following following[] = {{source(kFirstTopicSource, 0), 1}, {messages, 0}};
  log->follow(0, following);
  produce(events, 0, {"behind the end"});
  const auto rest = poll(*log, 0, kFirstTopicSource, 1, 5);
  ASSERT_THAT(rest, SizeIs(5));
  EXPECT_EQ(rest.back(), std::pair(Offset{5}, std::string("behind the end")));
}

TEST_F(KafkaInputsTest, AllVersionsOfTheCatalogAreReadHoweverManyAreInMemory) {
  open();
  std::uint64_t applied = 0;
  for (const std::uint64_t versions : {31u, 32u, 33u, 40u}) {
    for (; applied < versions; ++applied) {
      std::promise<absl::StatusOr<Offset>> done;
      log->append_catalog("", std::to_string(applied), [&](absl::StatusOr<Offset> offset) {
        done.set_value(std::move(offset));
      });
      ASSERT_TRUE(done.get_future().get().ok());
    }
    ASSERT_TRUE(heard.await([&] { return heard.catalogs >= versions; }));
    const auto all = log->poll_catalogs(0, 256);
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_THAT(*all, SizeIs(versions));
    for (std::uint64_t i = 0; i < versions; ++i) EXPECT_EQ((*all)[i].comment, std::to_string(i));
    const auto first = log->poll_catalogs(0, 1);
    ASSERT_TRUE(first.ok()) << first.status();
    ASSERT_THAT(*first, SizeIs(1));
    EXPECT_EQ((*first)[0].comment, "0");
  }
}

}  // namespace
}  // namespace spur
