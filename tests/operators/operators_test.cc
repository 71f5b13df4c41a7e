// The other operators: event, threshold, session, novelty, schedule, prediction.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// --- event ---

TEST(EventOperator, FiresForEveryMatchInAnyCaseOrSpelling) {
  Story story(R"(
Trigger thanks: {event: {on: order_completed}, if: event.properties.total >= 10, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Order Completed", R"({"total":10})");
  story.at("09:01", "ann", "ORDER COMPLETED", R"({"total":"10"})");  // text where a number is needed: false, counted
  story.at("09:02", "ann", "order completed", R"({"total":9.99})");
  story.at("09:03", "ann", "Order Completed");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 thanks sent"));
  EXPECT_EQ(story.counters().conditions_in_error, 2u);
}

TEST(EventOperator, AnEventThatTwoPatternsMatchFiresOnce) {
  Story story(R"(
Trigger thanks: {event: [{on: Ordered}, {on: "*"}], actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 thanks sent"));
}

TEST(EventOperator, EachFiresOncePerKeyAcrossPatterns) {
  Story story(R"(
Trigger thanks:
  event:
    - {on: Ordered, each: event.properties.items, key: item.sku}
    - {on: Ordered, each: event.properties.gifts, key: item.sku}
  actions: [{channel: email, template: t, data: {n: item.n}}]
)");
  story.at(
      "09:00", "ann", "Ordered",
      R"({"items":[{"sku":"b","n":1},{"sku":"a","n":2},{"sku":"b","n":3}],"gifts":[{"sku":"a","n":4},{"sku":"c","n":5}]})");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 thanks[a] sent {"n":2})", R"(09:00 thanks[b] sent {"n":1})",
                                             R"(09:00 thanks[c] sent {"n":5})"));
}

TEST(EventOperator, TheElementsOfAListMayBePlainValues) {
  Story story(R"(
Trigger sizes:
  event: {on: Ordered, each: event.properties.sizes, key: item, where: item == "xl" || item > 40}
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Ordered", R"({"sizes":["s","xl",39,44]})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 sizes[44] sent", "09:00 sizes[xl] sent"));
}

TEST(EventOperator, WhetherAKeyFiredBeforeCanBeAsked) {
  Story story(R"(
Trigger cheaper:
  event: {on: Viewed, key: event.properties.sku}
  if: "!has(instance.last) || event.properties.price < instance.last.data.price"
  actions: [{channel: email, template: t, data: {price: event.properties.price}}]
)");
  story.at("09:00", "ann", "Viewed", R"({"sku":"a","price":10})");
  story.at("09:01", "ann", "Viewed", R"({"sku":"a","price":10})");
  story.at("09:02", "ann", "Viewed", R"({"sku":"a","price":9})");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:00 cheaper[a] sent {"price":10})", R"(09:02 cheaper[a] sent {"price":9})"));
}

TEST(EventOperator, CallsWithoutANameAreEventsToo) {
  Story story(R"(
Trigger hello: {event: {on: $identify}, if: traits.plan == 'gold', actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "$identify", "", R"({"plan":"silver"})");
  story.at("09:01", "ann", "$identify", "", R"({"plan":"gold"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 hello sent"));
}

TEST(EventOperator, BeforeIsTheSameInstantWithoutTheEvent) {
  Story story(R"(
Feature n: {on: Ordered, aggregate: count, window: 1h}
Trigger thanks: {event: {on: Ordered}, actions: [{channel: email, template: t, data: {b: before.n, n: features.n}}]}
)");
  story.at("09:00", "ann", "Ordered");
  story.at("09:30", "ann", "Ordered");
  story.at("10:00", "ann", "Ordered");  // the one of 09:00 has left: the window is (09:00, 10:00]
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 thanks sent {"b":0,"n":1})", R"(09:30 thanks sent {"b":1,"n":2})",
                                             R"(10:00 thanks sent {"b":1,"n":2})"));
}

TEST(EventOperator, TriggersActInTheOrderOfPriorityThenName) {
  Story story(R"(
Channel email: {topic: a, caps: [{max: 2, per: 1d}]}
Trigger b: {event: {on: X}, actions: [{channel: email, template: t}]}
Trigger a: {event: {on: X}, actions: [{channel: email, template: t}]}
Trigger z: {priority: -5, event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 a sent", "09:00 b suppressed cap", "09:00 z sent"));
}

TEST(EventOperator, IsActiveFromAndUntil) {
  Story story(R"(
Trigger t: {from: 2026-03-01T09:00:00Z, to: 2026-03-01T10:00:00Z, event: {on: X}, actions: [{channel: email, template: t}]}
)");
  for (const char* const when : {"08:59:59.999", "09:00", "09:59:59.999", "10:00"}) story.at(when, "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent", "09:59:59.999 t sent"));
}

// --- threshold ---

constexpr const char* kSpender = R"(
Feature revenue: {on: Ordered, aggregate: sum, of: event.properties.total, window: 1h}
Trigger big:
  threshold: {when: features.revenue >= 500, rearm: features.revenue < 400}
  actions: [{channel: email, template: t}]
)";

TEST(Threshold, FiresAtTheEdgeAndAgainOnlyWhenRearmed) {
  Story story(kSpender);
  story.at("09:00", "ann", "Ordered", R"({"total":300})");
  story.at("09:10", "ann", "Ordered", R"({"total":200})");  // 500
  story.at("09:20", "ann", "Ordered", R"({"total":100})");  // 600, still
  story.at("09:59", "ann", "Ordered", R"({"total":150})");  // at 10:00 the 300 leaves: 450, not re-armed
  story.at("10:06", "ann", "Ordered", R"({"total":100})");  // 550: no edge
  EXPECT_THAT(story.decisions(), ElementsAre("09:10 big sent"));
  story.at("10:30", "ann", "Ordered", R"({"total":250})");  // at 10:10 350, re-armed by time alone; now 500
  EXPECT_THAT(story.decisions(), ElementsAre("10:30 big sent"));
}

TEST(Threshold, AnEdgeIsUsedUpEvenIfItsIfIsFalse) {
  Story story(R"(
Feature n: {on: Ordered, aggregate: count}
Trigger third: {threshold: {when: features.n >= 3}, if: features.n >= 4, actions: [{channel: email, template: t}]}
)");
  for (const char* const when : {"09:00", "09:01", "09:02", "09:03", "09:04"}) story.at(when, "ann", "Ordered");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Threshold, BecomesTrueWhenAWindowEmptiesAtThatInstant) {
  Story story(R"(
Feature n: {on: Ordered, aggregate: count, window: 1h}
Trigger quiet: {threshold: {when: features.n == 0}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered");  // true before the first event: no edge
  story.at("09:20", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:20 quiet sent"));
}

TEST(Threshold, AnEventAtTheInstantOfTheExpiryComesFirst) {
  Story story(R"(
Feature n: {on: Ordered, aggregate: count, window: 1h}
Trigger quiet: {threshold: {when: features.n == 0}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered");
  story.at("10:00", "ann", "Ordered");
  story.run_until("10:59");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Threshold, AWindowWithAnOffsetFillsByTimeAlone) {
  Story story(R"(
Feature before: {on: Ordered, aggregate: count, window: 1h, offset: 1h}
Trigger was: {threshold: {when: features.before >= 1}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered");
  story.at("15:00", "ann", "Ordered");
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 was sent", "16:00 was sent"));
}

TEST(Threshold, WithNowItIsAskedEverySoOften) {
  Story story(R"(
Feature last: {on: Ordered, aggregate: last, of: event.time}
Trigger gone: {threshold: {when: now - features.last >= duration('50m'), every: 20m}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 gone sent"));
}

TEST(Threshold, ADecayingScoreIsExactWhereItsWeightsAreWhole) {
  Story story(R"(
Feature heat: {on: [Viewed, Added], aggregate: decayed, half_life: 20m, of: "event.name == 'Added' ? 5 : 1"}
Trigger hot: {threshold: {when: features.heat >= 8, rearm: features.heat < 4, every: 5m}, actions: [{channel: email, template: t, data: {h: features.heat}}]}
)");
  story.at("09:07:13.217", "ann", "Added");
  for (int i = 0; i < 3; ++i) story.at("09:07:13.217", "ann", "Viewed");
  story.at("09:27:13.217", "ann",
           "Viewed");  // half of it and one more: 5, and 4 as the clock passes
  story.at("09:30", "ann", "Added");
  story.run_until("10:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:07:13.217 hot sent {"h":8})"));
}

TEST(Threshold, ATraitCanMakeItTrue) {
  Story story(R"(
Trigger gold: {threshold: {when: traits.plan == 'gold'}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "$identify", "", R"({"plan":"gold"})");
  story.at("09:01", "ann", "$identify", "", R"({"plan":"gold"})");
  story.at("09:02", "ann", "$identify", "", R"({"plan":"lead"})");
  story.at("09:03", "ann", "Viewed", "{}", R"({"plan":"gold"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 gold sent", "09:03 gold sent"));
}

TEST(Threshold, ASegmentCarriesWhatItIsMadeOf) {
  Story story(R"(
Feature revenue: {on: Ordered, aggregate: sum, of: event.properties.total, window: 1h}
Segment vip: {when: features.revenue >= 100}
Trigger vip-no-more: {threshold: {when: "!('vip' in segments) "}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered", R"({"total":100})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 vip-no-more sent"));
}

// --- session ---

constexpr const char* kCart = R"(
Session cart:
  opens: {on: Added}
  keeps: {on: [Added, Removed, Viewed]}
  closes: [{on: Ordered}, {on: Removed, where: features.items <= 0}]
  idle: 30m
Feature items: {on: [Added, Removed], within: cart, aggregate: sum, of: "event.name == 'Added' ? event.properties.n : -event.properties.n"}
Trigger opened: {session: {of: cart, on: opened}, actions: [{channel: email, template: t, data: {n: features.items}}]}
Trigger idle: {session: {of: cart, on: idle}, actions: [{channel: email, template: t, data: {n: features.items, e: sessions.cart.events, since: int(sessions.cart.started)}}]}
Trigger closed: {session: {of: cart, on: closed}, actions: [{channel: email, template: t, data: {n: features.items, c: sessions.cart.count}}]}
Trigger three: {threshold: {when: features.items >= 3}, actions: [{channel: email, template: t}]}
)";

TEST(Session, OpensIsKeptAndEndsBySilence) {
  Story story(kCart);
  story.at("08:59", "ann", "Viewed");  // keeps nothing: none is open
  story.at("09:00", "ann", "Added", R"({"n":2})");
  story.at("09:30", "ann", "Viewed");  // at the very deadline: in time
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:00 opened sent {"n":2})", R"(10:00 idle sent {"n":2,"e":2,"since":1772355600})"));
}

TEST(Session, IsClosedByAnEventAndByAConditionOnWhatIsWithinIt) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"n":1})");
  story.at("09:01", "ann", "Ordered");
  story.at("09:02", "ann", "Added", R"({"n":2})");
  story.at("09:03", "ann", "Removed", R"({"n":2})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 opened sent {"n":1})", R"(09:01 closed sent {"n":1,"c":1})",
                                             R"(09:02 opened sent {"n":2})", R"(09:03 closed sent {"n":0,"c":2})"));
}

TEST(Session, ItsEndRearmsThresholdsOnWhatWasWithinIt) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"n":3})");
  story.at("11:00", "ann", "Added", R"({"n":3})");  // another cart: it ended by silence
  story.at("11:05", "ann", "Ordered");
  story.at("11:06", "ann", "Added", R"({"n":3})");
  std::vector<std::string> three;
  for (const std::string& line : story.decisions()) {
    if (line.find("three") != std::string::npos) three.push_back(line);
  }
  EXPECT_THAT(three, ElementsAre("09:00 three sent", "11:00 three sent", "11:06 three sent"));
}

TEST(Session, SeveralAtOnceByKey) {
  Story story(R"(
Session form: {key: event.properties.form, keeps: {on: Typed}, closes: {on: Submitted}, idle: 10m}
Trigger left: {session: {of: form, on: idle}, actions: [{channel: email, template: t, data: {e: sessions.form.events}}]}
)");
  story.at("09:00", "ann", "Typed", R"({"form":"a"})");
  story.at("09:05", "ann", "Typed", R"({"form":"b"})");
  story.at("09:08", "ann", "Typed", R"({"form":"a"})");
  story.at("09:09", "ann", "Submitted", R"({"form":"b"})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:18 left[a] sent {"e":2})"));
}

TEST(Session, OfSeveralAtOnceEachCountsWhatIsWithinIt) {
  Story story(R"(
Session visit: {key: event.properties.store, opens: {on: Entered}, keeps: {on: Scanned}, closes: {on: Left}, idle: 30m}
Feature scans: {on: Scanned, within: visit, aggregate: count}
Feature spent: {on: Paid, within: visit, aggregate: sum, of: event.properties.total, where: event.properties.total > 1}
Trigger left: {session: {of: visit, on: closed}, actions: [{channel: email, template: t, data: {n: features.scans, spent: features.spent}}]}
Trigger idle: {session: {of: visit, on: idle}, actions: [{channel: email, template: t, data: {n: features.scans, spent: features.spent}}]}
Trigger busy: {threshold: {when: features.scans >= 2}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Entered", R"({"store":7})");
  story.at("09:01", "ann", "Entered", R"({"store":8})");
  story.at("09:02", "ann", "Scanned", R"({"store":7.0})");
  story.at("09:03", "ann", "Scanned", R"({"store":"8"})");
  story.at("09:04", "ann", "Scanned", R"({"store":7})");
  story.at("09:05", "ann", "Paid", R"({"store":7,"total":20})");
  story.at("09:05", "ann", "Paid", R"({"store":9,"total":50})");
  story.at("09:05", "ann", "Paid", R"({"total":60})");
  story.restart();
  story.at("09:10", "ann", "Left", R"({"store":7})");
  story.at("09:20", "ann", "Entered", R"({"store":7})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:04 busy sent", R"(09:10 left[7] sent {"n":2,"spent":20})",
                          R"(09:33 idle[8] sent {"n":1,"spent":0})",
                          R"(09:50 idle[7] sent {"n":0,"spent":0})"));
}

TEST(Session, WhatItsEndSentIsRememberedAsItWasThen) {
  Story story(R"(
Session visit: {keeps: {on: "*"}, idle: 10m}
Trigger longer:
  session: {of: visit, on: idle}
  if: "!has(instance.last.at) || sessions.visit.events > instance.last.data.e"
  actions: [{channel: email, template: t, data: {e: sessions.visit.events}}]
)");
  for (const char* const when : {"09:00", "09:01", "10:00", "11:00", "11:01", "11:02"}) story.at(when, "ann", "X");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:11 longer sent {"e":2})", R"(11:12 longer sent {"e":3})"));
}

// --- novelty ---

TEST(Novelty, FiresOncePerValueEver) {
  Story story(R"(
Trigger new-category:
  novelty: {on: Ordered, each: event.properties.items, of: item.category}
  actions: [{channel: email, template: t, data: {c: instance.key}}]
)");
  story.at("09:00", "ann", "Ordered",
           R"({"items":[{"category":"shoes"},{"category":"hats"},{"category":"shoes"},{"x":1}]})");
  story.at("09:01", "ann", "Ordered", R"({"items":[{"category":"hats"}]})");
  story.at("09:02", "bob", "Ordered", R"({"items":[{"category":"hats"}]})");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 new-category[hats] sent {"c":"hats"})",
                                             R"(09:00 new-category[shoes] sent {"c":"shoes"})",
                                             R"(09:02 new-category[hats] sent {"c":"hats"})"));
}

TEST(Novelty, AfterTheFirstAndTheKth) {
  Story story(R"(
Trigger another: {novelty: {on: Visited, of: event.properties.store, after_first: true}, actions: [{channel: email, template: t}]}
Trigger third: {novelty: {on: Visited, of: event.properties.store, kth: 3}, actions: [{channel: email, template: t}]}
)");
  for (const char* const store : {"1", "1.0", "2", "\"2\"", "3", "4"}) {
    story.at("09:00", "ann", "Visited", std::string("{\"store\":") + store + "}");
  }
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 another[2] sent", "09:00 another[3] sent", "09:00 another[4] sent",
                                             "09:00 third[3] sent"));
}

TEST(Novelty, AConditionThatIsFalseUsesTheValueUp) {
  Story story(R"(
Trigger dear: {novelty: {on: Ordered, of: event.properties.category}, if: event.properties.total > 10, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered", R"({"category":"a","total":1})");
  story.at("09:01", "ann", "Ordered", R"({"category":"a","total":100})");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Novelty, OfSeveralPatternsEachSaysWhatIsNew) {
  Story story(R"(
Trigger new-store:
  novelty:
    - {on: Visited, of: event.properties.store, after_first: true}
    - {on: Paid, where: event.properties.till, of: event.properties.shop}
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Visited", R"({"store":1})");
  story.at("09:01", "ann", "Paid", R"({"shop":"1","till":true})");
  story.at("09:02", "ann", "Paid", R"({"shop":2,"till":false})");
  story.at("09:03", "ann", "Paid", R"({"shop":2,"till":true})");
  story.at("09:04", "ann", "Visited", R"({"store":2})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:03 new-store[2] sent"));
}

TEST(Novelty, TheVeryFirstEventIsOneWhateverManyPatternsMatchIt) {
  Story story(R"(
Trigger new-place:
  novelty: [{on: Visited, of: event.properties.store, after_first: true}, {on: Visited, of: event.properties.city}]
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Visited", R"({"store":1,"city":"a"})");
  story.at("09:01", "ann", "Visited", R"({"store":2,"city":"a"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 new-place[2] sent"));
}

TEST(Absence, ItsStepsSeeTheElementThatOpenedIt) {
  Story story(R"(
Trigger forgotten:
  absence:
    opens: {on: Added, each: event.properties.items, key: item.sku}
    closes: {on: Ordered}
    after: 1h
  if: item.price >= 10
  while: item.sku != "c"
  actions:
    - {channel: email, template: t, if: item.price < 100, data: {sku: item.sku, price: item.price}}
    - {channel: email, template: u, after: 1h, data: {price: item.price}}
)");
  story.at(
      "09:00", "ann", "Added",
      R"({"items":[{"sku":"a","price":10},{"sku":"b","price":5},{"sku":"c","price":20},{"sku":"d","price":100}]})");
  story.restart();
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(10:00 forgotten[a] sent {"sku":"a","price":10})",
                          R"(10:00 forgotten[c] suppressed while {"sku":"c","price":20})",
                          R"(10:00 forgotten[d] suppressed if {"sku":"d","price":100})",
                          R"(11:00 forgotten[a] email/u sent {"price":10})",
                          R"(11:00 forgotten[c] email/u suppressed while {"price":20})",
                          R"(11:00 forgotten[d] email/u sent {"price":100})"));
}

// --- features by key ---

TEST(ByKey, AKeyNeverSeenIsNotInItThoughItReadsAsZero) {
  Story story(R"(
Feature spent: {on: Paid, aggregate: sum, of: event.properties.total, by: event.properties.shop}
Feature dearest: {on: Paid, aggregate: max, of: event.properties.total, by: event.properties.shop}
Feature hour: {on: Paid, aggregate: count, by: event.properties.shop, window: 1h}
Trigger look:
  event: {on: Look}
  actions:
    - channel: email
      template: t
      data:
        in: event.properties.shop in features.spent
        has: has(features.spent.a)
        sum: features.spent[event.properties.shop]
        max: "event.properties.shop in features.dearest ? features.dearest[event.properties.shop] : -1"
        hour: "'a' in features.hour"
        keys: size(features.spent)
)");
  story.at("09:00", "ann", "Paid", R"({"shop":"a","total":0})");
  story.at("09:30", "ann", "Look", R"({"shop":"a"})");
  story.at("09:30", "ann", "Look", R"({"shop":"b"})");
  story.at("10:00", "ann", "Look", R"({"shop":7})");
  EXPECT_THAT(
      story.decisions(),
      ElementsAre(
          R"(09:30 look sent {"in":true,"has":true,"sum":0,"max":0,"hour":true,"keys":1})",
          R"(09:30 look sent {"in":false,"has":true,"sum":0,"max":-1,"hour":true,"keys":1})",
          R"(10:00 look sent {"in":false,"has":true,"sum":0,"max":-1,"hour":false,"keys":1})"));
}

TEST(ByKey, GapsOfEachKey) {
  Story story(R"(
Feature rhythm: {on: Visited, aggregate: gaps, by: event.properties.store}
Trigger late:
  absence:
    key: event.properties.store
    opens: {on: Visited, where: "features.rhythm[event.properties.store].count >= 2"}
    closes: {on: Visited}
    after: features.rhythm[event.properties.store].mean * 2
  actions: [{channel: email, template: t, data: {last: "features.rhythm[instance.key].last", n: features.rhythm.zzz.count, m: has(features.rhythm.zzz.mean)}}]
)");
  for (const char* const when : {"09:00", "09:10", "09:30"})
    story.at(when, "ann", "Visited", R"({"store":7})");
  story.at("09:40", "ann", "Visited", R"({"store":8})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(10:00 late[7] sent {"last":"1200s","n":0,"m":false})"));
}

// --- schedule ---

TEST(Schedule, AsksAtItsInstantsAfterTheEventsOfThem) {
  Story story(R"(
Feature n: {on: Ordered, aggregate: count}
Trigger daily: {schedule: {cron: "0 10 * * *", zone: UTC, when: features.n >= 2}, actions: [{channel: email, template: t, data: {n: features.n}}]}
Trigger once: {schedule: {cron: "0 10 * * *", zone: UTC, when: features.n >= 2, edge: rising}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Ordered");
  story.at("03-02 10:00", "ann", "Ordered");
  story.run_until("03-04 10:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-02 10:00 daily sent {"n":2})", "03-02 10:00 once sent",
                                             R"(03-03 10:00 daily sent {"n":2})", R"(03-04 10:00 daily sent {"n":2})"));
}

TEST(Schedule, InTheCustomersZoneOverTheChangeToSummerTime) {
  Story story(R"(
Policy all: {zone: UTC}
Trigger night: {schedule: {cron: "30 2 * * *", zone: customer, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.at("03-28 00:00", "ann", "$identify", "", R"({"timezone":"Europe/Stockholm"})");
  story.run_until("03-30 12:00");
  // 02:30 does not exist on the 29th: the end of the gap, 03:00 summer time, is 01:00 UTC.
  EXPECT_THAT(story.decisions(),
              ElementsAre("03-28 01:30 night sent", "03-29 01:00 night sent", "03-30 00:30 night sent"));
}

TEST(Schedule, OfACustomerWithoutAZoneIsThePolicys) {
  Story story(R"(
Policy all: {zone: Asia/Tokyo}
Trigger morning: {schedule: {cron: "0 8 * * *", zone: customer, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.at("00:00", "ann", "X");
  story.run_until("23:30");
  EXPECT_THAT(story.decisions(), ElementsAre("23:00 morning sent"));
}

// --- prediction ---

TEST(Prediction, RisesInSilenceAndFallsWithAPurchase) {
  Story story(R"(
Model churn:
  bg_nbd: {on: Ordered, distinct_days: true, horizon: 39w}
  parameters: {r: 0.2426, alpha: 4.4137, a: 0.7930, b: 2.4262, unit: 1w}
Trigger risk:
  prediction: {model: churn, at_least: 0.6, rearm_below: 0.4, every: 1d}
  actions: [{channel: email, template: t, data: {high: models.churn.score >= 0.6}}]
)");
  for (const char* const when : {"01-01 12:00", "01-08 12:00", "01-15 12:00", "01-22 12:00"})
    story.at(when, "ann", "Ordered");
  story.run_until("06-01 12:00");
  std::vector<std::string> lines = story.decisions();
  ASSERT_EQ(lines.size(), 1u) << "asked every day, fired once";
  EXPECT_THAT(lines[0], ::testing::HasSubstr(R"(12:00 risk sent {"high":true})"));
  story.at("06-02 12:00", "ann", "Ordered");
  story.run_until("12-31 12:00");
  EXPECT_EQ(story.decisions().size(), 1u) << "the purchase brought it below 0.4: armed again";
}

}  // namespace
}  // namespace spur::testing
