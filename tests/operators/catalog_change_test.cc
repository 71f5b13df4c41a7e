// A new catalog on customers that are known: what is kept, what is new, what warms up, what ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog/retire.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kFirst = R"(
Feature n: {on: X, aggregate: count}
Trigger third: {event: {on: X}, if: features.n == 3, actions: [{channel: email, template: t}]}
)";

TEST(CatalogChange, AnUnchangedDefinitionKeepsItsStateUnderAnyName) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.at("09:01", "ann", "X");
  story.change_catalog(R"(
Feature a_new_one: {on: Y, aggregate: count}
Feature renamed: {on: X, aggregate: count}
Trigger other: {event: {on: X}, actions: [{channel: email, template: t, data: {n: features.renamed}}]}
)");
  story.at("09:02", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:02 other sent {"n":3})"));
}

TEST(CatalogChange, ANewFeatureWarmsForItsWindowOnCustomersOfBefore) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Feature hour: {on: X, aggregate: count, window: 1h}
Feature ever: {on: X, aggregate: count, where: "true"}
Trigger h: {event: {on: X}, if: features.hour >= 1, actions: [{channel: email, template: t}]}
Trigger e: {event: {on: X}, if: features.ever >= 1, actions: [{channel: email, template: t}]}
)");
  story.at("09:30", "ann", "X");
  story.at("09:31", "bob", "X");  // first seen after it: all is known of him
  story.at("09:59:59.999", "ann", "X");
  story.at("10:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:30 e suppressed warming", "09:30 h suppressed warming", "09:31 e sent",
                                             "09:31 h sent", "10:00 h sent"));
}

// Found by the simulator: a customer that was not in memory when the catalog changed had two plans, and so one look
// more, which moved the ids of those looked at after it.
TEST(CatalogChange, WhoIsInMemoryThenChangesNoId) {
  constexpr const char* kWaits = R"(
Trigger left: {absence: {opens: {on: X}, closes: {on: Y}, after: 1h}, actions: [{channel: email, template: t}]}
)";
  const auto ids = [&](bool restart) {
    Story story(kWaits);
    story.at("09:00", "ann", "X");
    story.at("09:01", "bob", "X");
    story.at("09:02", "ann", "Y");
    if (restart) story.restart();
    story.change_catalog(std::string(kWaits) + "Feature n: {on: X, aggregate: count}");
    story.tick("09:30");
    if (restart) story.restart();
    story.tick("11:00");
    std::vector<std::string> found;
    for (const Decision& decision : story.take()) found.push_back(decision.customer + " " + to_text(decision.id));
    return found;
  };
  EXPECT_EQ(ids(true), ids(false));
  EXPECT_EQ(ids(false).size(), 1u);
}

// Rows name what they hold by its definition: the second one's was read back as the first one's.
TEST(CatalogChange, TwoOfOneDefinitionBothOutliveARestart) {
  const auto decided = [](bool restart) {
    Story story(R"(
Feature a: {on: X, aggregate: count}
Feature b: {on: X, aggregate: count}
Feature c: {on: X, by: event.properties.kind, aggregate: count}
Feature d: {on: X, by: event.properties.kind, aggregate: count}
Session v: {keeps: {on: X}, idle: 1h}
Session w: {keeps: {on: X}, idle: 1h}
Model m: {bg_nbd: {on: X, horizon: 39w}, parameters: {r: 0.24, alpha: 4.4, a: 0.8, b: 2.4, unit: 1w}}
Model n: {bg_nbd: {on: X, horizon: 9w}, parameters: {r: 0.24, alpha: 4.4, a: 0.8, b: 2.4, unit: 1w}}
Trigger t: {event: {on: Y}, actions: [{channel: email, template: t, data: {
  a: features.a, b: features.b, c: "features.c['k']", d: "features.d['k']",
  v: sessions.v.events, w: sessions.w.events, m: models.m.score > 0.0, n: models.n.score > 0.0}}]}
)");
    for (const char* when : {"09:00", "09:10", "09:20"}) story.at(when, "ann", "X", R"({"kind":"k"})");
    if (restart) story.restart();
    story.at("09:30", "ann", "Y");
    return story.decisions();
  };
  EXPECT_THAT(decided(true),
              ElementsAre(R"(09:30 t sent {"a":3,"b":3,"c":3,"d":3,"v":3,"w":3,"m":true,"n":true})"));
  EXPECT_EQ(decided(true), decided(false));
}

// An event came first: what the new version had planned was not yet known to be due before it.
TEST(CatalogChange, WhatANewVersionPlansComesBeforeALaterEvent) {
  Story story("Feature n: {on: X, aggregate: count}");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Feature n: {on: X, aggregate: count}
Trigger s: {schedule: {cron: "0 10 * * *", zone: UTC, when: features.n == 1}, actions: [{channel: email, template: t}]}
)");
  story.at("10:30", "ann", "X");
  story.run_until("11:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 s sent"));
}

// A replay asks no questions: one between two versions must not decide what comes back with the
// second. In memory and not, since a question reads a row too.
TEST(CatalogChange, AQuestionBetweenTwoVersionsChangesNoState) {
  const auto told = [](bool question, bool restart) {
    Story story(kFirst);
    story.at("09:00", "ann", "X");
    story.at("09:01", "ann", "X");
    if (restart) story.restart();
    story.change_catalog("Feature other: {on: Y, aggregate: count}");
    if (question) {
      EXPECT_TRUE(story.look("ann"));
      EXPECT_FALSE(story.look("bob"));
    }
    if (restart) story.restart();
    story.change_catalog(kFirst);
    if (question) {
      EXPECT_TRUE(story.look("ann"));
    }
    story.at("09:02", "ann", "X");
    return std::pair(story.decisions(), story.rows());
  };
  for (const bool restart : {false, true}) {
    const auto expected = told(false, restart);
    EXPECT_THAT(expected.first, ElementsAre("09:02 third suppressed warming"));
    EXPECT_EQ(told(true, restart), expected) << restart;
  }
}

TEST(CatalogChange, ARemovedTriggerEndsItsWaitsAndSteps) {
  Story story(R"(
Trigger left: {absence: {opens: {on: X}, after: 1h}, actions: [{channel: email, template: t}]}
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_EQ(story.take().size(), 1u);
  story.change_catalog(kFirst);
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(CatalogChange, AWaitingStepOutlivesAChannelThatIsNotItsOwn) {
  Story story(R"(
Channel aaa: {topic: a}
Channel email: {topic: e}
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Channel email: {topic: e}
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 twice sent", "10:00 twice email/u sent"));
}

// --- open instances keep the version of the trigger that opened them ---

constexpr const char* kHour = R"(
Trigger left:
  absence: {key: event.properties.cart, opens: {on: Added}, resets: {on: Viewed}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: old, data: {n: instance.count}}, {channel: email, template: old-2, after: 1h}]
)";
// Another length, another name of what closes it, another priority, other steps.
constexpr const char* kTwoHours = R"(
Trigger left:
  priority: 9
  absence: {key: event.properties.cart, opens: {on: Added}, resets: {on: Viewed}, closes: {on: Bought}, after: 2h}
  cooldown: {key: 1d}
  actions: [{channel: email, template: new}]
)";

TEST(CatalogChange, AnOpenWaitConcludesAndIsFollowedUpAsTheVersionThatOpenedItSays) {
  Story story(kHour);
  story.at("09:00", "ann", "Added", R"({"cart":"a"})");
  story.change_catalog(kTwoHours);
  story.at("09:10", "ann", "Added", R"({"cart":"a"})");  // it is open already
  story.at("09:20", "ann", "Added", R"({"cart":"b"})");
  story.restart();
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(10:00 left[a] email/old sent {"n":1})",
                          "11:00 left[a] email/old-2 sent", "11:20 left[b] email/new sent"));
}

TEST(CatalogChange, AnOpenWaitIsResetAndClosedAsTheVersionThatOpenedItSays) {
  Story story(kHour);
  for (const char* const cart : {"a", "b", "c"})
    story.at("09:00", "ann", "Added", std::string("{\"cart\":\"") + cart + "\"}");
  story.change_catalog(kTwoHours);
  story.at("09:30", "ann", "Viewed", R"({"cart":"a"})");
  story.at("09:30", "ann", "Ordered", R"({"cart":"b"})");
  story.at("09:30", "ann", "Bought", R"({"cart":"c"})");  // means nothing to it
  story.run_until("10:30");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 left[c] email/old sent {"n":1})",
                                             R"(10:30 left[a] email/old sent {"n":2})"));
}

TEST(CatalogChange, AllVersionsOfATriggerShareItsCooldown) {
  Story story(kHour);
  story.at("09:00", "ann", "Added", R"({"cart":"a"})");
  story.change_catalog(kTwoHours);
  story.run_until("12:00");
  story.at("12:00", "ann", "Added", R"({"cart":"a"})");
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(10:00 left[a] email/old sent {"n":1})",
                          "11:00 left[a] email/old-2 sent", "14:00 left[a] email/new sent"))
      << "the old version has no cooldown, so it keeps none";
  story.at("15:00", "ann", "Added", R"({"cart":"a"})");
  story.change_catalog(kHour);
  story.run_until("18:00");
  EXPECT_THAT(story.decisions(), ElementsAre("17:00 left[a] suppressed cooldown"));
}

TEST(CatalogChange, AVersionThatComesBackFindsItsOwnInstances) {
  Story story(kHour);
  story.at("09:00", "ann", "Added", R"({"cart":"a"})");
  story.change_catalog(kTwoHours);
  story.at("09:10", "ann", "Added", R"({"cart":"b"})");
  story.change_catalog(kHour);
  story.at("09:20", "ann", "Added", R"({"cart":"b"})");
  story.run_until("11:30");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(10:00 left[a] email/old sent {"n":1})",
                          "11:00 left[a] email/old-2 sent", "11:10 left[b] email/new sent"));
}

TEST(CatalogChange, WhatARemovedOrDisabledTriggerOpenedEndsForGood) {
  for (const bool removed : {true, false}) {
    Story story(kHour);
    story.at("09:00", "ann", "Added", R"({"cart":"a"})");
    std::string off(kTwoHours);
    off.replace(off.find("priority: 9"), 11, "enabled: false");
    story.change_catalog(removed ? kFirst : off.c_str());
    story.tick("09:10");
    story.change_catalog(kTwoHours);
    story.run_until("13:00");
    EXPECT_THAT(story.decisions(), IsEmpty()) << removed;
  }
}

TEST(CatalogChange, AVersionThatNamesWhatHasGoneEndsItsInstances) {
  Story story(R"(
Channel email: {topic: e}
Channel sms: {topic: s}
Trigger left: {absence: {opens: {on: Added}, after: 1h}, actions: [{channel: sms, template: old}]}
)");
  story.at("09:00", "ann", "Added");
  story.change_catalog(R"(
Trigger left: {absence: {opens: {on: Added}, after: 1h}, actions: [{channel: email, template: new}]}
)");
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(CatalogChange, WhatAnInstanceDidNotKeepIsMissingToNobody) {
  Story story(R"(
Trigger left: {absence: {opens: {on: Added}, after: 1h}, actions: [{channel: email, template: old}]}
)");
  story.at("09:00", "ann", "Added", R"({"sku":"x"})");
  story.change_catalog(R"(
Trigger left: {absence: {opens: {on: Added}, after: 1h}, actions: [{channel: email, template: new, data: {sku: instance.opened.properties.sku}}]}
)");
  story.at("11:00", "ann", "Added", R"({"sku":"y"})");
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("10:00 left email/old sent", R"(12:00 left email/new sent {"sku":"y"})"));
}

TEST(CatalogChange, AWaitingStepIsThatOfTheVersionThatFired) {
  Story story(R"(
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 twice sent", "10:00 twice email/u sent"));
}

TEST(CatalogChange, SoManyEarlierVersionsAreKept) {
  spur::v1::Catalog in_force;
  const auto apply = [&](int version) {
    spur::v1::Catalog next;
    spur::v1::Trigger& trigger = *next.add_triggers();
    trigger.set_name("t");
    trigger.set_priority(version);
    in_force = catalog::with_retired(std::move(next), in_force);
  };
  for (int version = 0; version < 20; ++version) apply(version);
  ASSERT_EQ(in_force.retired_size(), static_cast<int>(catalog::kRetiredMax));
  EXPECT_EQ(in_force.retired(0).priority(), 18) << "the newest first";
  apply(19);
  EXPECT_EQ(in_force.retired_size(), static_cast<int>(catalog::kRetiredMax))
      << "the same again changes nothing";
}

TEST(CatalogChange, ANewScheduleIsPlannedForAllKnownCustomers) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.at("09:00", "bob", "X");
  story.change_catalog(R"(
Trigger noon: {schedule: {cron: "0 12 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.tick("12:00:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre("12:00 noon sent", "12:00 noon sent"));
}

TEST(CatalogChange, ADuplicateAfterANewCatalogDelaysNothingThatTheCatalogAsks) {
  Story story(kFirst);
  story.at_with_id("m", "09:00", "ann", "X");
  story.change_catalog(R"(
Trigger noon: {schedule: {cron: "0 12 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
Trigger after: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at_with_id("m", "09:00", "ann", "X");
  story.at("13:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("12:00 noon sent", "13:00 after sent"));
}

TEST(CatalogChange, AChangedScheduleIsAskedAtItsNewInstants) {
  Story story(R"(
Trigger noon: {schedule: {cron: "0 12 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Trigger noon: {schedule: {cron: "0 14 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.tick("09:00:01");  // every customer is looked at once
  story.tick("15:00");
  EXPECT_THAT(story.decisions(), ElementsAre("14:00 noon sent"));
}

TEST(CatalogChange, WhatAlreadyHoldsWhenAThresholdComesIsNoEdge) {
  Story story(kFirst);
  for (const char* const when : {"09:00", "09:01", "09:02"}) story.at(when, "ann", "X");
  EXPECT_EQ(story.take().size(), 1u);
  story.change_catalog(R"(
Feature n: {on: X, aggregate: count}
Trigger three: {threshold: {when: features.n >= 3}, actions: [{channel: email, template: t}]}
Trigger five: {threshold: {when: features.n >= 5}, actions: [{channel: email, template: t}]}
)");
  for (const char* const when : {"10:00", "10:01"}) story.at(when, "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("10:01 five sent"));
}

TEST(CatalogChange, SurvivesARestart) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.at("09:01", "ann", "X");
  story.restart();
  story.change_catalog(R"(
Feature before_it: {on: Y, aggregate: count}
Feature n: {on: X, aggregate: count}
Trigger third: {event: {on: X}, if: features.n == 3, actions: [{channel: email, template: t}]}
)");
  story.restart();
  story.at("09:02", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:02 third sent"));
}

}  // namespace
}  // namespace spur::testing
