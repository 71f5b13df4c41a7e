// Ladders: the higher intent drops what is open or pending below, and silences it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The names are against the order of the ladder, so that only the ladder can bring it about.
constexpr const char* kLadder = R"(
Policy all: {ladders: {intent: {order: [z-checkout, m-cart, a-browse], for: 2h}}}
Trigger a-browse: {absence: {opens: {on: Viewed}, closes: {on: Ordered}, after: 1h}, actions: [{channel: email, template: t}]}
Trigger m-cart:
  absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 3h}]
Trigger z-checkout: {absence: {opens: {on: Started}, closes: {on: Ordered}, after: 1h}, actions: [{channel: email, template: t}]}
)";

TEST(Ladder, WhatOpensAboveDropsWhatIsOpenBelow) {
  Story story(kLadder);
  story.at("09:00", "ann", "Viewed");
  story.at("09:10", "ann", "Added");
  story.at("09:20", "ann", "Started");
  story.at("09:30", "ann", "Ordered");
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Ladder, WhatOpensBelowIsSilencedWhileTheHigherIsOpen) {
  Story story(kLadder);
  story.at("09:00", "ann", "Viewed");
  story.at("09:00", "bob", "Viewed");
  story.at("08:30", "bob", "Added");
  story.at("09:40", "ann", "Added");
  story.at("09:50", "ann", "Viewed");   // opens below an open cart
  story.at("10:00", "ann", "Ordered");  // ends both
  story.at("11:00", "ann", "Added");
  story.at("11:10", "ann", "Viewed");
  story.run_until("15:00");
  // What ann's look of 11:10 opened is dropped when the cart is sent at 12:00.
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:30 m-cart sent", "12:00 m-cart sent", "12:30 m-cart email/u sent",
                          "15:00 m-cart email/u sent"));
}

TEST(Ladder, ItIsSilentForSoLongAfterSending) {
  const auto looked_at = [](const char* when) {
    Story story(R"(
Policy all: {ladders: {intent: {order: [cart, browse], for: 2h}}}
Trigger browse: {event: {on: Viewed}, actions: [{channel: email, template: t}]}
Trigger cart: {event: {on: Added}, actions: [{channel: email, template: t}]}
)");
    story.at("09:00", "ann", "Added");
    story.at(when, "ann", "Viewed");
    return story.decisions();
  };
  EXPECT_THAT(looked_at("10:59:59.999"),
              ElementsAre("09:00 cart sent", "10:59:59.999 browse suppressed ladder"));
  EXPECT_THAT(looked_at("11:00"), ElementsAre("09:00 cart sent", "11:00 browse sent"));
}

TEST(Ladder, OfWhatIsDueAtOneInstantTheHigherGoesWhateverThePriorities) {
  Story story(R"(
Policy all: {ladders: {intent: {order: [z-cart, a-browse], for: 2h}}}
Trigger a-browse: {priority: 1, event: {on: X}, actions: [{channel: email, template: t}]}
Trigger z-cart: {priority: 9, event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 a-browse suppressed ladder", "09:00 z-cart sent"));
}

TEST(Ladder, AHigherThatIsSuppressedSilencesNothing) {
  Story story(R"(
Policy all: {ladders: {intent: {order: [cart, browse], for: 2h}}}
Trigger browse: {event: {on: X}, actions: [{channel: email, template: t}]}
Trigger cart: {event: {on: X}, while: "false", actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 browse sent", "09:00 cart suppressed while"));
}

TEST(Ladder, WhatIsSentAboveDropsTheStepsStillToComeBelow) {
  Story story(R"(
Policy all: {ladders: {intent: {order: [cart, browse], for: 10m}}}
Channel sms: {topic: s, quiet_hours: {from: "08:00", to: "11:00", zone: UTC}}
Channel email: {topic: e}
Trigger browse: {event: {on: Viewed}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}, {channel: sms, template: v}]}
Trigger cart: {event: {on: Added}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Viewed");
  story.at("09:30", "ann", "Added");
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 browse sent", "09:00 browse sms/v deferred quiet_hours",
                          "09:30 browse sms/v suppressed ladder", "09:30 cart sent"));
}

TEST(Ladder, AStepStillToComeAboveKeepsTheLowerSilent) {
  Story story(kLadder);
  story.at("09:00", "ann", "Added");
  story.run_until("10:30");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 m-cart sent"));
  story.at("11:10", "ann",
           "Viewed");  // over at 12:10: two hours after 10:00, but another cart mail comes at 13:00
  story.run_until("15:30");
  EXPECT_THAT(story.decisions(),
              ElementsAre("12:10 a-browse suppressed ladder", "13:00 m-cart email/u sent"));
}

TEST(Ladder, AnOpenSessionIsAnOpenIntent) {
  Story story(R"(
Policy all: {ladders: {intent: {order: [cart, browse], for: 1h}}}
Session cart: {opens: {on: Added}, closes: {on: Ordered}}
Trigger cart: {session: {of: cart, on: closed}, actions: []}
Trigger browse: {event: {on: Viewed}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Viewed");
  story.at("09:10", "ann", "Added");
  story.at("09:20", "ann", "Viewed");
  story.at("09:30", "ann", "Ordered");
  story.at("09:40", "ann", "Viewed");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 browse sent", "09:20 browse suppressed ladder",
                                             "09:40 browse sent"));
}

TEST(Ladder, ARestartChangesNothing) {
  Story story(kLadder);
  story.restart_after_each_input();
  story.at("11:00", "ann", "Added");
  story.at("11:10", "ann", "Viewed");
  story.run_until("12:05");
  story.at("12:06", "ann", "Viewed");
  story.run_until("13:30");
  EXPECT_THAT(story.decisions(),
              ElementsAre("12:00 m-cart sent", "13:06 a-browse suppressed ladder"));
}

TEST(Ladder, AHigherConclusionThatIsTakenBackSilencesNothingAnyMore) {
  Story story(R"(
Policy all: {ladders: {intent: {order: [cart, browse], for: 5h}}}
Trigger browse: {event: {on: Viewed}, actions: [{channel: email, template: t}]}
Trigger cart: {absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h, grace: 1m}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Added");
  story.at("10:00:10", "ann", "Other");  // the cart concludes, and is held
  story.at("10:00", "ann", "Ordered");   // in time
  story.at("10:00:20", "ann", "Viewed");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00:20 browse sent"));
}

// That a customer cares about a product is no intent: it would silence the lower rungs for a month.
constexpr const char* kCares = R"(
Reference products: {topic: products, key: body.id}
Policy all: {ladders: {intent: {order: [HIGH, LOW], for: 2h}}}
Trigger cheaper: {business: {reference: products, interest: {on: Viewed, key: event.properties.id, within: 30d}}, actions: [{channel: email, template: t, data: {}}]}
Trigger browse: {event: {on: Looked}, actions: [{channel: email, template: t}]}
)";
std::string with_order(std::string high, std::string low) {
  std::string yaml = kCares;
  yaml.replace(yaml.find("HIGH"), 4, high);
  return yaml.replace(yaml.find("LOW"), 3, low);
}

TEST(Ladder, WhatACustomerCaresAboutIsNotOpen) {
  Story story(with_order("cheaper", "browse"));
  story.at("09:00", "ann", "Viewed", R"({"id":7})");
  story.at("09:30", "ann", "Looked");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.at("10:30", "ann", "Looked");
  story.run_until("11:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:30 browse sent", "10:00 cheaper[7] sent",
                                             "10:30 browse suppressed ladder"));
}

TEST(Ladder, WhatACustomerCaresAboutIsNotForgottenWhenTheHigherSends) {
  Story story(with_order("browse", "cheaper"));
  story.at("09:00", "ann", "Viewed", R"({"id":7})");
  story.at("09:30", "ann", "Looked");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.record("12:00", "products", R"({"id":7,"price":70})");
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:30 browse sent", "10:00 cheaper[7] suppressed ladder",
                          "12:00 cheaper[7] sent"));
}

}  // namespace
}  // namespace spur::testing
