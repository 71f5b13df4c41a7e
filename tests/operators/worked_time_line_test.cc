// The worked time line of the specification, line by line: what an event at the very deadline does, what a wait sees
// when it runs out, and when a window lets go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kCatalog = R"(
Feature orders_24h: {on: Order Completed, aggregate: count, window: 24h}
Feature revenue_30d: {on: Order Completed, aggregate: sum, of: event.properties.total, window: 30d}
Session visit: {keeps: {on: "*"}, idle: 30m}
Trigger cart-abandoned:
  absence:
    key: event.properties.cart_id
    opens: {on: Product Added}
    resets: {on: [Product Added, Product Removed]}
    closes: {on: Order Completed}
    after: 1h
  while: features.orders_24h == 0
  actions: [{channel: email, template: t}]
Trigger big-spender:
  threshold: {when: features.revenue_30d >= 500, rearm: features.revenue_30d < 400}
  actions: [{channel: email, template: t}]
Trigger visit-ended:
  session: {of: visit, on: idle}
  actions: [{channel: email, template: t, data: {events: sessions.visit.events}}]
)";

TEST(WorkedTimeLine, LineByLine) {
  Story story(kCatalog);
  story.at("08:00", "ann", "Product Added", R"({"cart_id":"k1"})");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.at("08:30", "ann", "Product Removed", R"({"cart_id":"k1"})");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("09:00");
  EXPECT_THAT(story.decisions(), IsEmpty()) << "the clock has not passed the deadline yet";
  story.tick("09:00:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 visit-ended sent {"events":2})"));
  story.at("09:30", "ann", "Order Completed", R"({"cart_id":"k2","total":300})");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("09:30:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre("09:30 cart-abandoned[k1] suppressed while"));
  story.tick("10:00:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 visit-ended sent {"events":1})"));
  story.at("03-02 10:00", "ann", "Order Completed", R"({"cart_id":"k3","total":250})");
  EXPECT_THAT(story.decisions(), ElementsAre("03-02 10:00 big-spender sent"));
  story.tick("03-02 10:30:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-02 10:30 visit-ended sent {"events":1})"));
  story.at("03-31 09:30", "ann", "Order Completed", R"({"cart_id":"k4","total":260})");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("03-31 10:00:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-31 10:00 visit-ended sent {"events":1})"));
  story.tick("04-01 10:00:00.001");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.at("04-01 10:00:00.002", "ann", "Order Completed", R"({"cart_id":"k5","total":240})");
  EXPECT_THAT(story.decisions(), ElementsAre("04-01 10:00:00.002 big-spender sent"))
      << "the 250 has left: it was re-armed";
}

// The expiry of an instant comes after its events.
TEST(WorkedTimeLine, AnOrderAtTheInstantOfTheExpiryKeepsItFromRearming) {
  Story story(kCatalog);
  story.at("09:30", "ann", "Order Completed", R"({"total":300})");
  story.at("03-02 10:00", "ann", "Order Completed", R"({"total":250})");
  story.at("03-31 09:30", "ann", "Order Completed", R"({"total":260})");
  story.at("04-01 10:00", "ann", "Order Completed", R"({"total":240})");  // 500, and never below 400
  story.run_until("04-02 00:00");
  std::vector<std::string> spender;
  for (const std::string& line : story.decisions()) {
    if (line.find("big-spender") != std::string::npos) spender.push_back(line);
  }
  EXPECT_THAT(spender, ElementsAre("03-02 10:00 big-spender sent"));
}

}  // namespace
}  // namespace spur::testing
