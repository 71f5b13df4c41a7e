// What is wrong with the operators that are made of others, where, and what would be right: exact
// texts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::catalog {
namespace {

// A trigger whose operator stands on line 5.
std::string errors(const std::string& operator_text) {
  const std::string head = "apiVersion: spur/v1\nkind: ";
  const Loaded loaded = load_text(
      "c", head + "Trigger\nmetadata: {name: x}\nspec: \n  " + operator_text +
               "\n  actions: [{channel: email, template: t}]\n---\n" + head +
               "Channel\nmetadata: {name: email}\nspec: {}\n---\n" + head +
               "Segment\nmetadata: {name: vip}\nspec: {when: features.n > 1}\n---\n" + head +
               "Segment\nmetadata: {name: late}\nspec: {when: \"now > "
               "timestamp('2026-01-01T00:00:00Z')\"}\n---\n" +
               head + "Feature\nmetadata: {name: n}\nspec: {on: A, aggregate: count}\n");
  return to_text(merged(loaded.errors, compile(loaded.catalog, loaded.positions).errors));
}

TEST(OperatorErrorsTest, EachIsToldWhereItStands) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"rhythm: {change: drop}",
       "c:5:3: `on` is missing in `rhythm`; an event name, a list of them, or \"*\"\n"},
      {"rhythm: {on: A}",
       "c:5:3: `change` is missing in `rhythm`; drop (stays away) or rise (comes early)\n"},
      {"rhythm: {on: A, change: up}", "c:5:27: `change` is `up`; one of drop, rise\n"},
      {"rhythm: {on: A, change: drop, usual: average, factor: 0, gaps_min: 0}",
       "c:5:40: `usual` is `average`; one of mean, median, p90\n"
       "c:5:57: `factor` is out of range; more than 0, at most 1000: how many times the usual gap\n"
       "c:5:70: `gaps_min` is 0; 1 or more\n"},
      {"rhythm: {on: A, change: rise, fallback: 30d, grace: 10s}",
       "c:5:33: a rise takes no `fallback`; what comes early is told from the customer's own gaps\n"
       "c:5:48: a rise takes no `grace`; it is told by an event and not by silence\n"},
      {"rhythm: {on: A, change: drop, fallback: 0s}",
       "c:5:43: `fallback` is not positive; a duration such as 30d\n"},
      {"rhythm: {on: A, change: drop, fallback: event.name}",
       "c:5:43: this is string; wanted here: a duration\n"},
      {"rhythm: {on: A, where: even.x, change: drop}",
       "c:5:26: `even` is not declared here; did you mean `event`?\n"},
      {"rhythm: {on: A, change: drop, factr: 3}",
       "c:5:33: unknown key `factr` in `rhythm`; did you mean `factor`?\n"},
      {"rhythm: [{on: A}]",
       "c:5:11: `rhythm` is a list; write a mapping of change, distinct_days, each, factor, "
       "fallback, gaps_min, grace, key, on, usual, where\n"},
      {"sequence: {steps: []}",
       "c:5:14: `steps` is empty; the events in order, such as [{on: A}, {on: B, within: 30m}]\n"},
      {"sequence: {key: event.properties.k}",
       "c:5:3: `steps` is missing in `sequence`; the events in order, such as [{on: A}, {on: B, "
       "within: 30m}]\n"},
      {"sequence: {steps: [{on: A}]}",
       "c:5:14: one step is no sequence; add a step or `then_silent`, or use the operator event\n"},
      {"sequence: {steps: [{on: A, within: 5m}, {within: 0s}]}",
       "c:5:30: the first step takes no `within`; it is counted from the step before\n"
       "c:5:43: `on` is missing in `steps`; an event name, a list of them, or \"*\"\n"
       "c:5:52: `within` is zero; more than 0s\n"},
      {"sequence: {steps: [{on: A}, {on: B}], then_silent: {on: C}}",
       "c:5:41: `for` is missing in `then_silent`; how long it stays away, such as 3m\n"},
      {"sequence: {steps: [{on: A}], then_silent: {for: 0s}}",
       "c:5:32: `on` is missing in `then_silent`; what must not come\n"
       "c:5:51: `for` is zero; more than 0s\n"},
      {"sequence: {steps: [{on: A}, {on: B, where: features.x}]}",
       "c:5:55: `x` is not declared in `features`; did you mean `features.n`?\n"},
      {"intent: {}",
       "c:5:3: `at_least` is missing in `intent`; the score from which it fires, such as 15\n"
       "c:5:3: `half_life` is missing in `intent`; the time in which the score halves, such as "
       "20m\n"
       "c:5:3: `scores` is missing in `intent`; what adds to it, such as [{on: Product Viewed, "
       "add: 1}]\n"},
      {"intent: {scores: [{on: A}, {add: 1}], half_life: 0s, at_least: 0}",
       "c:5:21: `add` is missing in `scores`; what it adds, such as 5\n"
       "c:5:30: `on` is missing in `scores`; an event name, a list of them, or \"*\"\n"
       "c:5:52: `half_life` is zero; more than 0s\n"
       "c:5:66: `at_least` is out of range; more than 0, at most 1e9\n"},
      {"intent: {scores: [{on: A, add: 1}], half_life: 1m, at_least: 2e9}",
       "c:5:64: `at_least` is out of range; more than 0, at most 1e9\n"},
      {"intent: {scores: [{on: A, add: \"'x'\"}], half_life: 1m, at_least: 5, rearm_below: 6}",
       "c:5:34: this is string; wanted here: double\n"
       "c:5:84: `rearm_below` is above `at_least`; at_least or less\n"},
      {"date: {every: week, offset: 36h, zone: Mars/Base}",
       "c:5:3: `of` is missing in `date`; the date, such as traits.birthday\n"
       "c:5:17: `every` is `week`; one of year, month\n"
       "c:5:31: `offset` is not a number of whole days; such as -3d; `at` is the time of day\n"
       "c:5:42: there is no time zone `Mars/Base`; an IANA name such as Europe/Stockholm, or "
       "customer\n"},
      {"date: {of: features.n > 1}",
       "c:5:14: this is bool; text that begins with a date, or a timestamp\n"},
      {"date: {of: now}",
       "c:5:14: this changes with time alone; a trait, or a Feature without `window`, such as one "
       "with aggregate first and `of: event.time`\n"},
      {"date: {of: event.time}",
       "c:5:14: `event` is not known here: a date is read again at each change; let a trait or a "
       "Feature keep it\n"},
      {"date: {of: traits.x, offset: 99999d, at: \"25:00\"}",
       "c:5:32: `offset` is out of range; at most 3660d either way\n"
       "c:5:44: `at` is `25:00`, not a time of day; \"00:00\" to \"23:59\"\n"},
      {"segment: {}",
       "c:5:3: `of` is missing in `segment`; the name of a Segment\n"
       "c:5:3: `on` is missing in `segment`; entered or left\n"},
      {"segment: {of: vp, on: entered}", "c:5:17: there is no Segment `vp`; did you mean `vip`?\n"},
      {"segment: {of: vip, on: enters}", "c:5:26: `on` is `enters`; did you mean `entered`?\n"},
      {"business: {}",
       "c:5:3: `interest` is missing in `business`; what shows that a customer cares, such as {on: "
       "Product Viewed, within: 30d}\n"
       "c:5:3: `reference` is missing in `business`; the name of a Reference\n"},
      {"segment: {of: late, on: entered}",
       "c:5:12: this changes with time alone (`now`); say how often to ask: `every: 1h`\n"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(errors(text), expected) << text;
}

TEST(OperatorErrorsTest, ASequenceHasSixteenStepsAtMost) {
  std::string steps = "{on: A}";
  for (int i = 1; i < 16; ++i) steps += ", {on: A}";
  EXPECT_EQ(errors("sequence: {steps: [" + steps + "]}"), "");
  EXPECT_EQ(errors("sequence: {steps: [" + steps + ", {on: A}]}"),
            "c:5:21: more than 16 steps; a feature can count what a long sequence only repeats\n");
}

}  // namespace
}  // namespace spur::catalog
