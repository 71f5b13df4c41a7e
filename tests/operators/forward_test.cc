#include "operators/forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::string_view kGreet = R"(
Trigger greet: {event: {on: Order Completed}, actions: [{channel: email, template: thanks}]}
)";
constexpr std::uint32_t kShards = 2;

// Somebody who lives on `shard`.
std::string customer_of(std::uint32_t shard) {
  for (int i = 0;; ++i) {
    const std::string name = "c" + std::to_string(i);
    if (shard_of(name, kShards) == shard) return name;
  }
}

TEST(ForwardTest, AnEventOfAnotherShardsCustomerGoesOnAndIsNotDecidedHere) {
  Story story(kGreet, kShards, 0);
  story.at("09:00", customer_of(1), "Order Completed");
  story.at("09:01", customer_of(0), "Order Completed");
  story.at("09:02", customer_of(1), "Order Completed");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 greet email/thanks sent"));
  EXPECT_EQ(story.counters().forwarded, 2u);
  EXPECT_EQ(story.counters().events, 1u);
}

TEST(ForwardTest, AnEventThatNoRecordCouldCarryIsADeadLetterAndTakesNoNumber) {
  Story story(kGreet, kShards, 0);
  // Each of its texts is within its own limit.
  const auto padded = [](std::size_t bytes) {
    std::string properties = "{";
    for (int i = 0; bytes > 0; ++i) {
      const std::size_t part = std::min<std::size_t>(bytes, 60'000);
      properties += fmt::format(R"({}"p{:02}":"{}")", i == 0 ? "" : ",", i, std::string(part, 'x'));
      bytes -= part;
    }
    return properties + "}";
  };
  story.at("09:00", customer_of(1), "Order Completed", padded(kForwardBytesMax - 1000));
  EXPECT_EQ(story.counters().forwarded, 1u);
  story.at("09:01", customer_of(1), "Order Completed", padded(kForwardBytesMax));
  EXPECT_EQ(story.counters().forwarded, 1u);
  ASSERT_EQ(story.dead_letters().size(), 1u);
  EXPECT_EQ(story.dead_letters()[0].reason, "TOO_LARGE");
  EXPECT_THAT(story.shard().standing().sent, ElementsAre(Pair(1u, 1u)));
  story.at("09:02", customer_of(0), "Order Completed", padded(kForwardBytesMax));
  EXPECT_THAT(story.decisions(), ElementsAre("09:02 greet email/thanks sent"))
      << "where it lives it is within every limit";
}

TEST(ForwardTest, MessagesAreNumberedDenselyByReceiverAcrossARestart) {
  Story story(kGreet, kShards, 0);
  story.at("09:00", customer_of(1), "Order Completed");
  story.restart();
  story.at("09:01", customer_of(1), "Order Completed");
  EXPECT_THAT(story.shard().standing().sent, ElementsAre(Pair(1u, 2u)));
}

TEST(ForwardTest, TheNextNumberIsTakenOnceAndAGapIsSkippedUntilItIsFilled) {
  Story story(kGreet, kShards, 0);
  Shard& shard = story.shard();
  EXPECT_EQ(shard.arrive(1, 1), Arrival::kTake);
  EXPECT_EQ(shard.arrive(1, 1), Arrival::kRepeat);
  EXPECT_EQ(shard.arrive(1, 3), Arrival::kGap);
  EXPECT_EQ(shard.arrive(1, 2), Arrival::kTake);
  EXPECT_EQ(shard.arrive(1, 3), Arrival::kTake);
  EXPECT_THAT(shard.standing().accepted, ElementsAre(Pair(1u, 3u)));
}

TEST(ForwardTest, TheDigestHoldsWhatWasForwardedAndWhatWasTaken) {
  Story one(kGreet, kShards, 0), other(kGreet, kShards, 0);
  one.at("09:00", customer_of(1), "Order Completed");
  EXPECT_NE(one.digest(), other.digest());
  const std::uint64_t before = one.shard().end_run();
  one.shard().arrive(1, 1);
  EXPECT_NE(one.shard().end_run(), before);
}

}  // namespace
}  // namespace spur::testing
