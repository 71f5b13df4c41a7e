#include "daemon/intake_order.h"

#include <gtest/gtest.h>

namespace spur::testing {
namespace {

using std::chrono::nanoseconds;

constexpr Instant kNow{1'772'366'400'000};

SourceHead here(Millis age, int arrived) { return {true, true, kNow - age, nanoseconds(arrived)}; }
SourceHead empty() { return {false, true, Instant{0}, nanoseconds(0)}; }
SourceHead on_its_way() { return {false, false, Instant{0}, nanoseconds(0)}; }

TEST(IntakeOrderTest, LiveTheFirstToArriveIsTakenFirstWhateverItsTime) {
  IntakeOrder order;
  const SourceHead heads[] = {here(Millis{5}, 20), here(Millis{1}, 10)};
  EXPECT_EQ(order.next(heads, kNow)->source, 1u);
}

TEST(IntakeOrderTest, LiveNoSourceWaitsForAnother) {
  IntakeOrder order;
  const SourceHead quiet[] = {empty(), empty()};
  EXPECT_FALSE(order.next(quiet, kNow));
  const SourceHead heads[] = {on_its_way(), here(Millis{1}, 10)};
  EXPECT_EQ(order.next(heads, kNow)->source, 1u);
  EXPECT_FALSE(order.waiting());
}

TEST(IntakeOrderTest, HistoryIsTakenByItsOwnTimeOverAllSources) {
  IntakeOrder order;
  const SourceHead heads[] = {here(kHour * 2, 10), here(kHour * 3, 20), here(kHour, 30)};
  const auto turn = order.next(heads, kNow);
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->source, 1u);
  EXPECT_EQ(turn->until, kNow - kHour * 2);  // then the first source's is older
}

TEST(IntakeOrderTest, HistoryWaitsForASourceThatIsNotAtItsEnd) {
  IntakeOrder order;
  const SourceHead heads[] = {here(kHour, 10), on_its_way()};
  EXPECT_FALSE(order.next(heads, kNow));
  EXPECT_TRUE(order.waiting());  // timers too
  const SourceHead ended[] = {here(kHour, 10), empty()};
  EXPECT_EQ(order.next(ended, kNow)->source, 0u);
  EXPECT_FALSE(order.waiting());
}

TEST(IntakeOrderTest, BeforeAnythingHasArrivedItMayBeHistory) {
  IntakeOrder order;
  const SourceHead heads[] = {on_its_way()};
  EXPECT_FALSE(order.next(heads, kNow));
  EXPECT_TRUE(order.waiting());
}

TEST(IntakeOrderTest, OneOldRecordMakesItHistoryAgain) {
  IntakeOrder order;
  const SourceHead live[] = {here(Millis{1}, 10), empty()};
  EXPECT_TRUE(order.next(live, kNow));
  const SourceHead late[] = {here(IntakeOrder::kCatchUpAge + Millis{1}, 20), on_its_way()};
  EXPECT_FALSE(order.next(late, kNow));
  EXPECT_TRUE(order.waiting());
}

TEST(IntakeOrderTest, OfOneInstantTheSourceOfTheLowerNumberComesFirst) {
  IntakeOrder order;
  const SourceHead heads[] = {here(kHour, 20), here(kHour, 10)};
  EXPECT_EQ(order.next(heads, kNow)->source, 0u);
}

}  // namespace
}  // namespace spur::testing
