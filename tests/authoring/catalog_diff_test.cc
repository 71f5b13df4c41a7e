// What a new version changes is told field by field, with what it does to state and to what is
// open.

#include "daemon/authoring/catalog_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog/load.h"
#include "operators/catalog/retire.h"

namespace spur::authoring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kChannel =
    "apiVersion: spur/v1\nkind: Channel\nmetadata: {name: email}\nspec: {}\n---\n";

std::string resource(const std::string& kind, const std::string& name, const std::string& spec) {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec +
         "\n---\n";
}
std::string orders(const std::string& spec) {
  return resource("Feature", "orders", "{on: Order, aggregate: count" + spec + "}");
}
std::string trigger(const std::string& spec) {
  return resource("Trigger", "cart", "{" + spec + ", actions: [{channel: email, template: a}]}");
}
const std::string kAbsence = "absence: {opens: {on: A}, after: 1h}";

spur::v1::Catalog loaded(const std::string& text) {
  catalog::Loaded loaded = catalog::load_text("catalog.yaml", kChannel + text);
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text();
  return loaded.catalog;
}

CatalogDiff diff(const std::string& before, const std::string& after) {
  const auto result = diff_catalogs(loaded(before), loaded(after));
  if (!result) {
    ADD_FAILURE() << "does not compile";
    return {};
  }
  return *result;
}

// "~ Trigger cart: …; …" of each change.
std::vector<std::string> told(const CatalogDiff& diff) {
  std::vector<std::string> changes;
  for (const ResourceChange& change : diff.changes) {
    std::string text = std::string(change.what == ResourceChange::What::kAdded     ? "+"
                                   : change.what == ResourceChange::What::kRemoved ? "-"
                                                                                   : "~") +
                       " " + change.kind + " " + change.name + ":";
    for (const std::string& consequence : change.consequences) text += " " + consequence + ";";
    changes.push_back(text);
  }
  return changes;
}

TEST(CatalogDiffTest, TheSameIsTheSame) {
  const CatalogDiff same = diff(orders(", window: 30d"), "# comment\n" + orders(", window: 720h"));
  EXPECT_TRUE(same.same());
  EXPECT_THAT(same.changes, IsEmpty());
}

TEST(CatalogDiffTest, FieldsAreToldAsYamlSaysThem) {
  const CatalogDiff changed = diff(trigger(kAbsence + ", cooldown: 7d, exit: {on: B}"),
                                   trigger("absence: {opens: {on: [A, C], where: \"true\"}, after: "
                                           "2h}, enabled: true, cooldown: {key: 90m}"));
  EXPECT_EQ(to_text(changed).substr(to_text(changed).find('~')),
            "~ Trigger cart\n"
            "    spec.absence.opens[0].on: A -> [A, C]\n"
            "    spec.absence.after: 1h -> 2h\n"
            "    spec.exit[0].on: B -> (none)\n"
            "    spec.cooldown.customer: 7d -> (none)\n"
            "    spec.enabled: (none) -> true\n"
            "    spec.absence.opens[0].where: (none) -> true\n"
            "    spec.cooldown.key: (none) -> 1h30m\n"
            "    * open instances go on with the version that opened them\n");
}

TEST(CatalogDiffTest, DataGoByTheirNamesAndTheirOrderIsToldToo) {
  const auto with_data = [](const std::string& data) {
    return resource(
        "Trigger", "cart",
        "{event: {on: A}, actions: [{channel: email, template: a, data: {" + data + "}}]}");
  };
  const CatalogDiff moved = diff(with_data("x: 1, y: 2"), with_data("y: 2, x: 1"));
  ASSERT_EQ(moved.changes.size(), 1u);
  EXPECT_EQ(moved.changes[0].fields.at(0).path, "spec");
  const CatalogDiff changed = diff(with_data("x: 1, y: 2"), with_data("x: 1, y: 3"));
  EXPECT_EQ(changed.changes.at(0).fields.at(0).path, "spec.actions[0].data.y");
}

TEST(CatalogDiffTest, AFeatureThatRestartsSaysForHowLongAndWhomItSilences) {
  const std::string reader = trigger("event: {on: A}, if: features.orders > 0");
  EXPECT_THAT(
      told(diff(orders(", window: 30d") + reader, orders(", window: 7d") + reader)),
      ElementsAre(
          "~ Feature orders: restarts: `warming` for customers known before, until 7d have passed; "
          "suppressed for them meanwhile: cart;"));
  EXPECT_THAT(told(diff("", orders(""))),
              ElementsAre("+ Feature orders: restarts: `warming` for customers known before, for "
                          "ever, since it has no window;"));
  EXPECT_THAT(told(diff(orders(""), "")), ElementsAre("- Feature orders: its state is dropped;"));
}

TEST(CatalogDiffTest, AFeatureOfAnotherNameKeepsItsState) {
  const std::string renamed = resource("Feature", "purchases", "{on: Order, aggregate: count}");
  EXPECT_THAT(
      told(diff(orders(""), renamed)),
      ElementsAre("- Feature orders: its state goes on as `purchases`;",
                  "+ Feature purchases: keeps the state of `orders`: the definition is the same;"));
}

TEST(CatalogDiffTest, ASessionTakesWhatCountsWithinItAlong) {
  const std::string within =
      resource("Feature", "items", "{on: A, aggregate: count, within: visit}");
  const auto visit = [](const std::string& idle) {
    return resource("Session", "visit", "{keeps: {on: \"*\"}, idle: " + idle + "}");
  };
  EXPECT_THAT(told(diff(visit("30m") + within, visit("1h") + within)),
              ElementsAre("~ Feature items: restarts: counts from the next opening of `visit`;",
                          "~ Session visit: restarts: open ones are forgotten;"));
}

TEST(CatalogDiffTest, InstancesOfARemovedOrDisabledTriggerEnd) {
  EXPECT_THAT(told(diff(trigger(kAbsence), "")),
              ElementsAre("- Trigger cart: open instances end;"));
  EXPECT_THAT(told(diff(trigger(kAbsence), trigger(kAbsence + ", enabled: false"))),
              ElementsAre("~ Trigger cart: open instances end;"));
  EXPECT_THAT(told(diff(trigger(kAbsence + ", enabled: false"), trigger(kAbsence))),
              ElementsAre("~ Trigger cart:"));
  EXPECT_THAT(told(diff(trigger(kAbsence + ", enabled: false"),
                        trigger(kAbsence + ", enabled: false, cooldown: 7d"))),
              ElementsAre("~ Trigger cart:"));
  EXPECT_THAT(told(diff("", trigger(kAbsence))), ElementsAre("+ Trigger cart:"));
}

TEST(CatalogDiffTest, InstancesEndWhereTheirVersionNamesWhatIsGone) {
  EXPECT_THAT(told(diff(orders("") + trigger(kAbsence + ", while: features.orders == 0"),
                        trigger(kAbsence))),
              ElementsAre("- Feature orders: its state is dropped;",
                          "~ Trigger cart: open instances end: the version that opened them names "
                          "what is there no more;"));
}

TEST(CatalogDiffTest, ANewNoveltyKnowsNothingOfTheCustomersBefore) {
  EXPECT_THAT(
      told(diff("", trigger("novelty: {on: A, of: event.properties.x}"))),
      ElementsAre(
          "+ Trigger cart: `warming` for customers known before: what they had is not known;"));
}

TEST(CatalogDiffTest, ABackfillSaysByWhatItKnowsWhoWaits) {
  const std::string last = resource("Feature", "last", "{on: A, aggregate: last, of: event.time}");
  const std::string win_back = "absence: {opens: {on: A}, closes: {on: A}, after: 1h}";
  const std::string backfill = win_back + ", backfill: once";
  EXPECT_THAT(told(diff(last, last + trigger(backfill))),
              ElementsAre("+ Trigger cart: `backfill`: takes up what customers known before wait "
                          "for, by features.last; what is over fires when it comes;"));
  EXPECT_THAT(told(diff("", last + trigger(backfill))).back(),
              "+ Trigger cart: `backfill`: nothing is known of customers before, since "
              "features.last is new too;");
  EXPECT_THAT(told(diff("", trigger(backfill))),
              ElementsAre("+ Trigger cart: `backfill`: nothing tells what customers known before "
                          "wait for;"));
  EXPECT_THAT(told(diff(orders(""), orders("") + trigger("threshold: {when: features.orders > 1}, "
                                                         "backfill: once"))),
              ElementsAre("+ Trigger cart: `backfill`: fires when it comes for those customers "
                          "known before for whom it holds;"));
  EXPECT_THAT(told(diff(last + trigger(win_back), last + trigger(backfill))),
              ElementsAre("~ Trigger cart: `backfill` does nothing: the trigger is there already; "
                          "open instances go on with the version that opened them;"));
}

TEST(CatalogDiffTest, AnIntentOfAnotherHalfLifeBeginsItsScoreAgain) {
  const auto intent = [](const std::string& half_life, const std::string& at_least) {
    return trigger("intent: {scores: [{on: A, add: 1}], half_life: " + half_life +
                   ", at_least: " + at_least + "}");
  };
  const std::string goes_on = " open instances go on with the version that opened them;";
  EXPECT_THAT(told(diff(intent("7d", "5"), intent("14d", "5"))),
              ElementsAre("~ Trigger cart: its score restarts: `warming` for customers known "
                          "before, for ever, since it has no window;" +
                          goes_on));
  EXPECT_THAT(told(diff(intent("7d", "5"), intent("7d", "9"))),
              ElementsAre("~ Trigger cart:" + goes_on));
}

TEST(CatalogDiffTest, ARhythmOfAnotherEventBeginsAgain) {
  const auto rhythm = [](const std::string& name, const std::string& factor) {
    return trigger("rhythm: {on: " + name + ", change: drop, factor: " + factor + "}");
  };
  const std::string goes_on = " open instances go on with the version that opened them;";
  EXPECT_THAT(told(diff(rhythm("A", "2"), rhythm("B", "2"))),
              ElementsAre("~ Trigger cart: its rhythm restarts: `warming` for customers known "
                          "before, for ever, since it has no window;" +
                          goes_on));
  EXPECT_THAT(told(diff(rhythm("A", "2"), rhythm("A", "3"))),
              ElementsAre("~ Trigger cart:" + goes_on));
}

TEST(CatalogDiffTest, WhatADaemonCarriesAlongIsNoChange) {
  const spur::v1::Catalog first = loaded(trigger(kAbsence));
  const spur::v1::Catalog second = loaded(trigger(kAbsence + ", cooldown: 7d"));
  const auto same = diff_catalogs(catalog::with_retired(second, first), second);
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->same());
  EXPECT_THAT(same->changes, IsEmpty());
}

TEST(CatalogDiffTest, JsonIsOneLine) {
  const std::string json = to_json(diff("", resource("Segment", "all", "{when: \"true\"}")));
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_NE(
      json.find(
          R"("same":false,"changes":[{"change":"added","kind":"Segment","name":"all","fields":[],)"
          R"("consequences":[]}]})"),
      std::string::npos)
      << json;
}

}  // namespace
}  // namespace spur::authoring
