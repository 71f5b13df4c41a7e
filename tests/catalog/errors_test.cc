// What is wrong, where, and what would be right: exact texts. Each case is one catalog and all that
// is said about it.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "operators/catalog/validate.h"

namespace spur::catalog {
namespace {

std::string errors(const std::string& yaml) { return to_text(load_text("c", yaml).errors); }

// The document's `spec:` is line 4, so `spec` begins at 4:7 if it is flow and at 5 if it is a
// block.
std::string document(const std::string& kind, const std::string& spec,
                     const std::string& name = "x") {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec +
         "\n";
}

const std::string kOthers = "---\n" + document("Channel", "{}", "email") + "---\n" +
                            document("Channel", "{}", "web") + "---\n" +
                            document("Session", "{keeps: {on: A}, idle: 1h}", "cart") + "---\n" +
                            document("Model", "{bg_nbd: {on: A}}", "churn");

const std::string kActions = "\n  actions: [{channel: email, template: t}]";

struct Case {
  std::string yaml;
  std::string expected;
};

void check(const std::vector<Case>& table) {
  for (const Case& c : table) EXPECT_EQ(errors(c.yaml), c.expected) << c.yaml;
}

void check_kind(const std::string& kind, const std::vector<Case>& table) {
  for (const Case& c : table)
    EXPECT_EQ(errors(document(kind, c.yaml) + kOthers), c.expected) << c.yaml;
}

// A trigger whose operator is fine but for what is in `yaml`, from line 5 on.
void check_trigger(const std::vector<Case>& table) {
  for (const Case& c : table) {
    EXPECT_EQ(errors(document("Trigger", "\n  " + c.yaml + kActions) + kOthers), c.expected)
        << c.yaml;
  }
}

// The one step of a trigger, from 7:5 on.
void check_action(const std::vector<Case>& table) {
  for (const Case& c : table) {
    EXPECT_EQ(
        errors(document("Trigger", "\n  event: {on: A}\n  actions:\n  - " + c.yaml) + kOthers),
        c.expected)
        << c.yaml;
  }
}

struct NameCase {
  std::string kind;
  std::string name;
  std::string expected;
};

void check_name(const std::vector<NameCase>& table) {
  const std::map<std::string, std::string> specs = {
      {"Feature", "{on: A, aggregate: count}"},
      {"Model", "{bg_nbd: {on: A}}"},
      {"Trigger", "{event: {on: A}, actions: [{channel: email, template: t}]}"},
      {"Session", "{keeps: {on: A}, idle: 1h}"},
      {"Channel", "{}"},
      {"Segment", "{when: a}"},
  };
  for (const NameCase& c : table) {
    EXPECT_EQ(errors(document(c.kind, specs.at(c.kind), c.name) + kOthers), c.expected) << c.name;
  }
}

TEST(CatalogErrorsTest, TheOthersAreFine) { EXPECT_EQ(errors(kOthers), ""); }

TEST(CatalogErrorsTest, Documents) {
  const std::string segment = "spec: {when: a}\n";
  check({
      {"kind: Segment\nmetadata: {name: x}\n" + segment,
       "c:1:1: apiVersion is missing; write `apiVersion: spur/v1`\n"},
      {"apiVersion: spur/v2\nkind: Segment\nmetadata: {name: x}\n" + segment,
       "c:1:13: apiVersion is `spur/v2`; write `apiVersion: spur/v1`\n"},
      {"apiVersion: spur/v1\nmetadata: {name: x}\n" + segment,
       "c:1:1: kind is missing; one of Channel, Feature, Model, Policy, Segment, Session, Source, "
       "Trigger\n"},
      {"apiVersion: spur/v1\nkind: Trigge\nmetadata: {name: x}\n" + segment,
       "c:2:7: unknown kind `Trigge`; did you mean `Trigger`?\n"},
      {"apiVersion: spur/v1\nkind: Segment\n" + segment,
       "c:1:1: `name` is missing in `metadata`; every resource has one\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {}\n" + segment,
       "c:3:1: `name` is missing in `metadata`; every resource has one\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {nam: x}\n" + segment,
       "c:3:12: unknown key `nam` in metadata; did you mean `name`?\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\n",
       "c:1:1: spec is missing; write a mapping; `spec: {}` if there is nothing to say\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\nspec:\n",
       "c:4:1: spec is empty; write a mapping; `spec: {}` if there is nothing to say\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\nspecs: {when: a}\n",
       "c:4:1: unknown key `specs` in the document; did you mean `spec`?\n"},
      {"just text\n",
       "c:1:1: the document is text; a document is a mapping of apiVersion, kind, metadata and "
       "spec\n"},
      {"- a\n",
       "c:1:1: the document is a list; a document is a mapping of apiVersion, kind, metadata and "
       "spec\n"},
  });
}

TEST(CatalogErrorsTest, KindsNotInThisVersion) {
  for (const char* kind : {"Reference", "IdentityRule", "Journey", "Offer", "Experiment"}) {
    EXPECT_EQ(errors(document(kind, "{anything: goes}")),
              "c:2:7: kind `" + std::string(kind) + "` is known, not in this version\n");
  }
}

TEST(CatalogErrorsTest, OperatorsNotInThisVersion) {
  check_trigger({
      {"business: {reference: products}",
       "c:5:3: operator `business` is known, not in this version\n"},
  });
}

TEST(CatalogErrorsTest, SettingsNotInThisVersion) {
  check_kind("Model",
             {
                 {"{xgboost: {file: a}, inputs: [a]}",
                  "c:4:8: model `xgboost` is known, not in this version; use bg_nbd\n"
                  "c:4:28: `inputs` is known, not in this version; remove it: bg_nbd takes its "
                  "inputs from its pattern\n"},
                 {"{logistic: {outcome: A}}",
                  "c:4:8: model `logistic` is known, not in this version; use bg_nbd\n"},
                 {"{gamma_gamma: {with: churn}}",
                  "c:4:8: model `gamma_gamma` is known, not in this version; use bg_nbd\n"},
             });
  check_kind("Source",
             {
                 {"{format: json, map: {id: body.a}}",
                  "c:4:16: format `json` is known, not in this version; use segment\n"
                  "c:4:22: `map` is known, not in this version; use format segment\n"},
                 {"{format: cloudevents}",
                  "c:4:16: format `cloudevents` is known, not in this version; use segment\n"},
                 {"{format: protobuf}",
                  "c:4:16: format `protobuf` is known, not in this version; use segment\n"},
                 {"{format: xml}", "c:4:16: `format` is `xml`; the only value is segment\n"},
             });
  check_kind("Channel",
             {
                 {"{purpose: marketing, delivery: transactional, rate: {max: 1, per: 1s}}",
                  "c:4:28: `delivery` is known, not in this version; remove it: actions are "
                  "delivered at least once, with an id to "
                  "recognise repeats\n"
                  "c:4:53: `rate` is known, not in this version; remove it: releases are not "
                  "slowed down\n"},
             });
}

TEST(CatalogErrorsTest, TheGate) {
  check_kind("Channel", {{"{purpose: Marketing Mail}",
                          "c:4:17: `Marketing Mail` cannot name a purpose; marketing-email, at most 63 of a-z, "
                          "0-9, -\n"}});
  check_kind("Policy",
             {
                 {"{holdout: {percent: 5}}",
                  "c:4:8: `salt` is missing in `holdout`; a text that stays the same as long as the same "
                  "customers are to be held out\n"},
                 {"{holdout: {percent: 101, salt: x}}",
                  "c:4:27: `percent` is out of range; more than 0, at most 100, or leave the holdout out\n"},
                 {"{ladders: [a]}", "c:4:17: `ladders` is a list; write a mapping of names to ladders\n"},
                 {"{ladders: {a: [x, y]}}", "c:4:21: `a` is a list; write a mapping of for, order\n"},
                 {"{ladders: {a: {order: [x], for: -1h}}}",
                  "c:4:18: a ladder needs two triggers; order: [checkout-abandoned, cart-abandoned]\n"
                  "c:4:30: there is no Trigger `x`; the catalog has no Trigger\n"
                  "c:4:39: `for` is negative; 0s or more\n"},
                 {"{consent: {granted: {on: A}}}",
                  "c:4:18: `key` is missing in `granted`; the purpose, such as event.properties.purpose\n"},
                 {"{arbitration: all}", "c:4:21: `arbitration` is `all`; one of channel, customer\n"},
             });
  EXPECT_EQ(errors(document("Policy", "{ladders: {a: {order: [t, u], for: 1h}, b: {order: [u, t], for: 1h}}}") + "---\n" +
                   document("Trigger", "{event: {on: A}, actions: [{channel: email, template: t}]}", "t") + "---\n" +
                   document("Trigger", "{event: {on: A}, actions: [{channel: email, template: t}]}", "u") + kOthers),
            "c:4:59: `u` stands on `a` already; a trigger stands on one ladder, once\n"
            "c:4:62: `t` stands on `a` already; a trigger stands on one ladder, once\n");
}

TEST(CatalogErrorsTest, SettingsOfTriggersNotInThisVersion) {
  check_trigger({
      {"shadow: true\n  event: {on: A}",
       "c:5:3: `shadow` is known, not in this version; remove it, or use `enabled: false`\n"},
      {"backfill: once\n  event: {on: A}",
       "c:5:3: `backfill` is known, not in this version; remove it: waits that are over when the "
       "trigger starts do not fire\n"},
      {"shadow: false\n  backfill: false\n  event: {on: A}", ""},
  });
}

TEST(CatalogErrorsTest, UnknownKeys) {
  check_kind(
      "Feature",
      {
          {"{on: A, agregate: count}",
           "c:4:15: unknown key `agregate` in spec of Feature; did you mean `aggregate`?\n"},
          {"{on: A, aggregate: count, colour: red}",
           "c:4:33: unknown key `colour` in spec of Feature; known are aggregate, by, "
           "distinct_days, each, half_life, key, limit, of, offset, on, where, window, within\n"},
          {"{on: A, aggregate: sum, of: f(a, b)}",
           "c:4:40: unknown key `b)` in spec of Feature; inside { } put quotes around text that "
           "holds a comma\n"},
          {"{on: A, aggregate: count, windw: 7d, were: a}",
           "c:4:33: unknown key `windw` in spec of Feature; did you mean `window`?\n"
           "c:4:44: unknown key `were` in spec of Feature; did you mean `where`?\n"},
      });
}

TEST(CatalogErrorsTest, UnknownKeysInside) {
  check_trigger({
      {"absence: {opens: {on: A, wher: b}, after: 1h}",
       "c:5:28: unknown key `wher` in `opens`; did you mean `where`?\n"},
      {"absense: {opens: {on: A}, after: 1h}",
       "c:5:3: unknown key `absense` in spec of Trigger; did you mean `absence`?\n"},
      {"event: {on: A}\n  cooldwon: 7d",
       "c:6:3: unknown key `cooldwon` in spec of Trigger; did you mean `cooldown`?\n"},
      {"event: {on: A}\n  cooldown: {kye: 7d}",
       "c:6:14: unknown key `kye` in `cooldown`; did you mean `key`?\n"},
      {"<<: {event: {on: A}}\n  event: {on: B}",
       "c:5:3: unknown key `<<` in spec of Trigger; merge keys are not read; write the keys out\n"},
  });
}

TEST(CatalogErrorsTest, WrongTypes) {
  check_kind(
      "Feature",
      {
          {"{on: {a: b}, aggregate: count}",
           "c:4:12: `on` is a mapping; write one text, or a list of texts\n"},
          {"{on: [[A]], aggregate: count}",
           "c:4:13: an entry of `on` is a list; each is one text\n"},
          {"{on: A, aggregate: [count]}", "c:4:26: `aggregate` is a list; write one text\n"},
          {"{on: A, aggregate: count, window: {a: 1}}",
           "c:4:41: `window` is a mapping; write a duration such as 7d\n"},
          {"{on: A, aggregate: count, window: 7}",
           "c:4:41: `window` is `7`, not a duration; a duration is written 90s, 30m, 2h, 7d, 4w or "
           "1h30m\n"},
          {"{on: A, aggregate: count, window: }",
           "c:4:33: `window` is empty; write a duration such as 7d\n"},
          {"{on: A, aggregate: gaps, distinct_days: yes}",
           "c:4:47: `distinct_days` is `yes`, not a yes or no; write true or false\n"},
          {"{on: A, aggregate: gaps, distinct_days: \"true\"}",
           "c:4:47: `distinct_days` is `true`, not a yes or no; write true or false\n"},
          {"{on: A, aggregate: distinct, of: a, limit: 1.5}",
           "c:4:50: `limit` is `1.5`, not a whole number; write it as 3\n"},
          {"{on: A, aggregate: distinct, of: a, limit: \"5\"}",
           "c:4:50: `limit` is `5`, not a whole number; write it without quotes\n"},
          {"{on: A, aggregate: distinct, of: a, limit: -1}",
           "c:4:50: `limit` is `-1`, out of range; 1 to 1000000\n"},
          {"{on: A, where: \"\", aggregate: count}",
           "c:4:22: `where` is empty; write it or remove the key\n"},
          {"[a]",
           "c:4:7: spec is a list; write a mapping; `spec: {}` if there is nothing to say\n"},
          {"text", "c:4:7: spec is text; write a mapping; `spec: {}` if there is nothing to say\n"},
      });
}

TEST(CatalogErrorsTest, Patterns) {
  check_kind(
      "Feature",
      {
          {"{aggregate: count}",
           "c:4:1: `on` is missing in `spec`; an event name, a list of them, or \"*\"\n"},
          {"{on: [], aggregate: count}",
           "c:4:8: `on` is empty; an event name, a list of them, or \"*\"\n"},
          {"{on: \"\", aggregate: count}", "c:4:12: an event name is empty; \"*\" is any event\n"},
          {"{on: $identfy, aggregate: count}",
           "c:4:12: there is no call `$identfy`; did you mean `$identify`?\n"},
          {"{on: [A, $track], aggregate: count}",
           "c:4:16: there is no call `$track`; one of $alias, $group, $identify, $page, $screen\n"},
      });
}

TEST(CatalogErrorsTest, Aggregates) {
  check_kind(
      "Feature",
      {
          {"{on: A}",
           "c:4:1: `aggregate` is missing in `spec`; count, sum, mean, min, max, distinct, first, "
           "last, gaps or decayed\n"},
          {"{on: A, aggregate: average, of: a}",
           "c:4:26: `aggregate` is `average`; one of count, sum, mean, min, max, distinct, first, "
           "last, gaps, decayed\n"},
          {"{on: A, aggregate: cuont}", "c:4:26: `aggregate` is `cuont`; did you mean `count`?\n"},
          {"{on: A, aggregate: sum}",
           "c:4:1: `of` is missing in `spec`; sum needs the value to aggregate\n"},
          {"{on: A, aggregate: count, of: a}",
           "c:4:33: count takes no `of`; remove it, or use sum or distinct\n"},
          {"{on: A, aggregate: gaps, of: a}", "c:4:32: gaps takes no `of`; remove it\n"},
          {"{on: A, aggregate: decayed}",
           "c:4:1: `half_life` is missing in `spec`; decayed needs the time in which a weight "
           "halves, such as 20m\n"},
          {"{on: A, aggregate: decayed, half_life: 0s}",
           "c:4:46: `half_life` is zero; more than 0s\n"},
          {"{on: A, aggregate: decayed, half_life: 1h, window: 7d}",
           "c:4:50: decayed takes no `window`; it forgets by `half_life`\n"},
          {"{on: A, aggregate: sum, of: a, half_life: 1h}",
           "c:4:38: sum takes no `half_life`; only decayed does\n"},
          {"{on: A, aggregate: count, distinct_days: true}",
           "c:4:33: count takes no `distinct_days`; only gaps does\n"},
          {"{on: A, aggregate: count, window: 0d}", "c:4:41: `window` is zero; more than 0s\n"},
          {"{on: A, aggregate: count, window: -7d}",
           "c:4:41: `window` is negative; more than 0s\n"},
          {"{on: A, aggregate: count, window: 2000000d}",
           "c:4:41: `window` is `2000000d`, not a duration; a duration is written 90s, 30m, 2h, "
           "7d, 4w or 1h30m\n"},
          {"{on: A, aggregate: count, offset: 7d}",
           "c:4:33: `offset` without `window`; an offset moves a window back; add one\n"},
          {"{on: A, aggregate: count, window: 7d, offset: -7d}",
           "c:4:53: `offset` is negative; 0s or more\n"},
          {"{on: A, aggregate: count, within: cart, window: 7d}",
           "c:4:47: `within` and `window` exclude each other; keep one\n"},
          {"{on: A, aggregate: count, within: card}",
           "c:4:41: there is no Session `card`; did you mean `cart`?\n"},
          {"{on: A, aggregate: distinct, of: a, limit: 0}",
           "c:4:50: `limit` is `0`, out of range; 1 to 1000000\n"},
          {"{on: A, aggregate: distinct, of: a, limit: 1000001}",
           "c:4:50: `limit` is `1000001`, out of range; 1 to 1000000\n"},
      });
}

TEST(CatalogErrorsTest, Sessions) {
  check_kind(
      "Session",
      {
          {"{idle: 30m}",
           "c:4:1: `keeps` is missing in `spec`; the patterns that keep it open, or `opens`\n"},
          {"{keeps: {on: A}, idle: 0s}", "c:4:30: `idle` is zero; more than 0s\n"},
          {"{keeps: {on: A}, idle: -1m}", "c:4:30: `idle` is negative; more than 0s\n"},
          {"{keeps: [A], idle: 1m}",
           "c:4:16: an entry of `keeps` is text; write a mapping of each, key, on, where, or a "
           "list of them\n"},
      });
}

TEST(CatalogErrorsTest, Segments) {
  check_kind("Segment", {
                            {"{}",
                             "c:4:1: `when` is missing in `spec`; a condition, such as "
                             "features.revenue_365d >= 1000\n"},
                        });
}

TEST(CatalogErrorsTest, Sources) {
  check_kind(
      "Source",
      {
          {"{topic: a b}",
           "c:4:15: `a b` cannot be a topic; letters, digits, `.`, `_` and `-`, at most 249\n"},
          {"{deduplicate: -1h}", "c:4:21: `deduplicate` is negative; 0s or more\n"},
          {"{order: [A, B, A]}", "c:4:22: `A` stands here twice\n"},
          {"{order: A, topic: ..}",
           "c:4:25: `..` cannot be a topic; letters, digits, `.`, `_` and `-`, at most 249\n"},
      });
}

TEST(CatalogErrorsTest, Channels) {
  check_kind(
      "Channel",
      {
          {"{format: xml}", "c:4:16: `format` is `xml`; one of protobuf, json\n"},
          {"{topic: \"a/b\"}",
           "c:4:15: `a/b` cannot be a topic; letters, digits, `.`, `_` and `-`, at most 249\n"},
          {"{caps: [{max: -1, per: 1d}]}", "c:4:21: a cap of -1; 1 or more\n"},
          {"{caps: [{max: 0, per: 1d}, {per: 1d}, {max: 3}, {max: 3, per: 0s}, {max: 99999999999, "
           "per: 1d}]}",
           "c:4:21: a cap of 0; 1 or more\n"
           "c:4:34: `max` is missing in `caps`; how many at most, such as 3\n"
           "c:4:45: `per` is missing in `caps`; the length of the window, such as 7d\n"
           "c:4:69: `per` is zero; more than 0s\n"
           "c:4:80: `max` is `99999999999`, out of range; -2147483648 to 2147483647\n"},
          {"{quiet_hours: {from: \"21:00\", to: \"21:00\"}}",
           "c:4:41: `from` and `to` are the same; two times of day, or leave quiet_hours out\n"},
          {"{quiet_hours: {from: \"21:00\"}}",
           "c:4:8: `to` is missing in `quiet_hours`; a time of day such as \"21:00\"\n"},
          {"{quiet_hours: {from: \"9pm\", to: \"24:00\"}}",
           "c:4:28: `from` is `9pm`, not a time of day; \"00:00\" to \"23:59\"\n"
           "c:4:39: `to` is `24:00`, not a time of day; \"00:00\" to \"23:59\"\n"},
          {"{quiet_hours: {from: \"21:00\", to: \"08:00\", zone: Europe/Atlantis, then: wait}}",
           "c:4:56: there is no time zone `Europe/Atlantis`; an IANA name such as "
           "Europe/Stockholm, or customer\n"
           "c:4:79: `then` is `wait`; one of defer, drop\n"},
          {"{quiet_hours: nights}",
           "c:4:21: `quiet_hours` is text; write a mapping of from, then, to, zone\n"},
      });
}

TEST(CatalogErrorsTest, Policies) {
  check_kind(
      "Policy",
      {
          {"{zone: customer}",
           "c:4:14: the Policy's zone cannot be `customer`; an IANA name such as "
           "Europe/Stockholm\n"},
          {"{zone: Mars}",
           "c:4:14: there is no time zone `Mars`; an IANA name such as Europe/Stockholm\n"},
          {"{zone: localtime}",
           "c:4:14: there is no time zone `localtime`; an IANA name such as Europe/Stockholm\n"},
          {"{lateness: -1s}", "c:4:18: `lateness` is negative; 0s or more\n"},
          {"{max_action_age: -1ms}",
           "c:4:24: `max_action_age` is `-1ms`, negative; a duration from 0s on, or never\n"},
          {"{max_action_age: nevr}",
           "c:4:24: `max_action_age` is `nevr`, not a duration; a duration is written 90s, 30m, "
           "2h, 7d, 4w or 1h30m, or never\n"},
          {"{caps: [{max: 5}]}",
           "c:4:15: `per` is missing in `caps`; the length of the window, such as 7d\n"},
      });
}

TEST(CatalogErrorsTest, Models) {
  check_kind(
      "Model",
      {
          {"{}",
           "c:4:1: `bg_nbd` is missing in `spec`; the pattern of its events, such as {on: Order "
           "Completed}\n"},
          {"{bg_nbd: {}}",
           "c:4:8: `on` is missing in `bg_nbd`; an event name, a list of them, or \"*\"\n"},
          {"{bg_nbd: {on: A, horizon: 0w}}", "c:4:33: `horizon` is zero; more than 0s\n"},
          {"{bg_nbd: {on: A}, parameters: {r: 1, alpha: 2, a: 3}}",
           "c:4:25: `b` is missing in `parameters`; all of r, alpha, a and b are given, or none\n"
           "c:4:25: `unit` is missing in `parameters`; the time that the parameters are in, such "
           "as 1w\n"},
          {"{bg_nbd: {on: A}, parameters: {r: 1, alpha: 2, a: x, b: -4, c: 5, unit: 1w}}",
           "c:4:57: `a` is `x`, not a number; write it as 20 or 0.6\n"
           "c:4:63: `b` is not positive; more than 0\n"
           "c:4:67: bg_nbd has no parameter `c`; r, alpha, a, b and unit\n"},
          {"{bg_nbd: {on: A}, parameters: [1, 2]}",
           "c:4:37: `parameters` is a list; write a mapping of names to numbers, and `unit: 1w`\n"},
          {"{bg_ndb: {on: A}}",
           "c:4:8: unknown key `bg_ndb` in spec of Model; did you mean `bg_nbd`?\n"},
      });
}

TEST(CatalogErrorsTest, Operators) {
  check_trigger({
      {"priority: 1",
       "c:4:1: the trigger has no operator; one of event, threshold, absence, session, novelty, "
       "schedule, prediction, rhythm, sequence, intent, date, segment\n"},
      {"event: {on: A}\n  threshold: {when: a}",
       "c:6:3: two operators, `event` and `threshold`; one a Trigger\n"},
      {"event: {}", "c:5:3: `on` is missing in `event`; an event name, a list of them, or \"*\"\n"},
      {"event: []", "c:5:3: `on` is missing in `event`; an event name, a list of them, or \"*\"\n"},
      {"event: A", "c:5:10: `event` is text; write a mapping of each, key, on, where\n"},
      {"threshold: {}",
       "c:5:3: `when` is missing in `threshold`; a condition, such as features.revenue_30d >= "
       "500\n"},
      {"threshold: {when: a, every: 0s}", "c:5:31: `every` is zero; more than 0s\n"},
      {"threshold: {when: a, every: 10ms}", "c:5:31: `every` is too short; 1s or more\n"},
      {"absence: {after: 1h}",
       "c:5:3: `opens` is missing in `absence`; the pattern that starts the wait, such as {on: "
       "Product Added}\n"},
      {"absence: {opens: {on: A}}",
       "c:5:3: `after` is missing in `absence`; a duration such as 1h, or `until` with a "
       "timestamp\n"},
      {"absence: {opens: {on: A}, after: 1h, until: now}",
       "c:5:40: `after` and `until` exclude each other; keep one\n"},
      {"absence: {opens: {on: A}, after: -1h}", "c:5:36: `after` is negative; 0s or more\n"},
      {"absence: {opens: {on: A}, after: 1h, grace: -1s}",
       "c:5:47: `grace` is negative; 0s or more\n"},
      {"absence: {opens: {on: A}, afer: 1h}",
       "c:5:29: unknown key `afer` in `absence`; did you mean `after`?\n"},
      {"session: {of: cart}", "c:5:3: `on` is missing in `session`; opened, idle or closed\n"},
      {"session: {on: idle}", "c:5:3: `of` is missing in `session`; the name of a Session\n"},
      {"session: {of: crat, on: idel}",
       "c:5:17: there is no Session `crat`; did you mean `cart`?\n"
       "c:5:27: `on` is `idel`; did you mean `idle`?\n"},
      {"session: {of: cart, on: idle, grace: -1s}", "c:5:40: `grace` is negative; 0s or more\n"},
      {"novelty: {on: A}",
       "c:5:3: `of` is missing in `novelty`; the value that is new, such as item.category\n"},
      {"novelty: {of: a}",
       "c:5:3: `on` is missing in `novelty`; an event name, a list of them, or \"*\"\n"},
      {"novelty: [{on: A, of: a}, {on: B}]",
       "c:5:29: `of` is missing in `novelty`; the value that is new, such as item.category\n"},
      {"novelty: {on: A, of: a, kth: 0}", "c:5:32: `kth` is 0; 1 or more\n"},
      {"schedule: {zone: UTC}",
       "c:5:3: `cron` is missing in `schedule`; five fields, such as \"0 9 * * MON\"\n"},
      {"schedule: {cron: \"0 25 * * *\"}", "c:5:23: hour 25 is out of range; 0 to 23\n"},
      {"schedule: {cron: 0 0 30 2 *}",
       "c:5:20: cron `0 0 30 2 *` never comes; no month has that day\n"},
      {"schedule: {cron: daily, zone: Nowhere, edge: falling, when: a}",
       "c:5:25: cron needs 5 fields and has 1; minute hour day-of-month month day-of-week, such as "
       "0 9 * * MON\n"
       "c:5:33: there is no time zone `Nowhere`; an IANA name such as Europe/Stockholm, or "
       "customer\n"
       "c:5:48: `edge` is `falling`; the only value is rising\n"},
      {"schedule: {cron: \"@daily\", edge: rising}",
       "c:5:3: `when` is missing in `schedule`; `edge` needs a condition to become true\n"},
      {"prediction: {at_least: 0.6}",
       "c:5:3: `model` is missing in `prediction`; the name of a Model\n"},
      {"prediction: {model: churn}",
       "c:5:3: `at_least` is missing in `prediction`; the score from which it fires, such as "
       "0.6\n"},
      {"prediction: {model: chrun, at_least: 1.5}",
       "c:5:23: there is no Model `chrun`; did you mean `churn`?\n"
       "c:5:40: `at_least` is out of range; 0 to 1\n"},
      {"prediction: {model: churn, at_least: 0.4, rearm_below: 0.6}",
       "c:5:58: `rearm_below` is above `at_least`; at_least or less\n"},
      {"prediction: {model: churn, at_least: high}",
       "c:5:40: `at_least` is `high`, not a number; write it as 20 or 0.6\n"},
  });
}

TEST(CatalogErrorsTest, TriggerSettings) {
  check_trigger({
      {"class: promo\n  event: {on: A}",
       "c:5:10: `class` is `promo`; one of marketing, service, transactional\n"},
      {"class: marketting\n  event: {on: A}",
       "c:5:10: `class` is `marketting`; did you mean `marketing`?\n"},
      {"once: ever\n  event: {on: A}", "c:5:9: `once` is `ever`; one of customer, key\n"},
      {"cooldown: 0d\n  event: {on: A}",
       "c:5:13: `cooldown` is zero or empty; 7d, or {key: 7d}, or leave it out\n"},
      {"cooldown: -7d\n  event: {on: A}", "c:5:13: `cooldown` is negative; 0s or more\n"},
      {"cooldown: {key: soon}\n  event: {on: A}",
       "c:5:19: `key` is `soon`, not a duration; a duration is written 90s, 30m, 2h, 7d, 4w or "
       "1h30m\n"},
      {"cooldown: [7d]\n  event: {on: A}",
       "c:5:13: `cooldown` is a list; write a duration such as 7d, or {key: 7d}\n"},
      {"from: 2026-03-01\n  event: {on: A}",
       "c:5:9: `from` is `2026-03-01`, not an instant; write it as 2026-03-01T08:00:00Z\n"},
      {"from: 2026-03-02T00:00:00Z\n  to: 2026-03-01T00:00:00Z\n  event: {on: A}",
       "c:6:7: `to` is not after `from`; the trigger is active from `from` until just before "
       "`to`\n"},
      {"priority: high\n  event: {on: A}",
       "c:5:13: `priority` is `high`, not a whole number; write it as 3\n"},
      {"priority: 3000000000\n  event: {on: A}",
       "c:5:13: `priority` is `3000000000`, out of range; -2147483648 to 2147483647\n"},
      {"enabled: on\n  event: {on: A}",
       "c:5:12: `enabled` is `on`, not a yes or no; write true or false\n"},
      {"exit: {where: a}\n  event: {on: A}",
       "c:5:3: `on` is missing in `exit`; an event name, a list of them, or \"*\"\n"},
      {"exit: A\n  event: {on: A}",
       "c:5:9: `exit` is text; write a mapping of each, key, on, where, or a list of them\n"},
  });
}

TEST(CatalogErrorsTest, Actions) {
  check_action({
      {"{template: t}",
       "c:7:5: `channel` is missing in `actions`; the name of a Channel, or a list of them\n"},
      {"{channel: email}",
       "c:7:5: `template` is missing in `actions`; the name of what the channel sends\n"},
      {"{channel: [], template: t}",
       "c:7:6: `channel` is empty; the name of a Channel, or a list of them\n"},
      {"{channel: emial, template: t}",
       "c:7:15: there is no Channel `emial`; did you mean `email`?\n"},
      {"{channel: [email, sms], template: t}",
       "c:7:23: there is no Channel `sms`; the catalog has email, web\n"},
      {"{channel: email, template: t, after: -1h}", "c:7:42: `after` is negative; 0s or more\n"},
      {"{channel: email, template: t, expires: 0s}", "c:7:44: `expires` is zero; more than 0s\n"},
      {"{channel: email, template: t, data: [a]}",
       "c:7:41: `data` is a list; write a mapping of names to CEL\n"},
      {"{channel: email, template: t, data: {a: [1], b: , c: \"\"}}",
       "c:7:45: `a` is a list; write CEL: text in CEL's own quotes, a number, or an expression\n"
       "c:7:50: `b` is empty; write CEL: text in CEL's own quotes, a number, or an expression\n"
       "c:7:58: `c` is empty; write CEL\n"},
      {"{channel: email, template: t, data: {a: {b: c}}}",
       "c:7:45: `a` is a mapping; write CEL: text in CEL's own quotes, a number, or an "
       "expression\n"},
      {"email",
       "c:7:5: an entry of `actions` is text; write a mapping of after, channel, data, expires, "
       "if, template, or a list of them\n"},
  });
}

TEST(CatalogErrorsTest, Names) {
  check_name({
      {"Feature", "orders-30d",
       "c:3:18: `orders-30d` cannot name a Feature; CEL must be able to say it: orders_30d, at "
       "most 63 of a-z, 0-9, _\n"},
      {"Feature", "Orders",
       "c:3:18: `Orders` cannot name a Feature; CEL must be able to say it: orders_30d, at most 63 "
       "of a-z, 0-9, _\n"},
      {"Feature", "in", "c:3:18: `in` cannot name a Feature; it is a word of CEL\n"},
      {"Feature", "30d",
       "c:3:18: `30d` cannot name a Feature; CEL must be able to say it: orders_30d, at most 63 of "
       "a-z, 0-9, _\n"},
      {"Model", "churn-risk",
       "c:3:18: `churn-risk` cannot name a Model; CEL must be able to say it: orders_30d, at most "
       "63 of a-z, 0-9, _\n"},
      {"Trigger", "cart_abandoned",
       "c:3:18: `cart_abandoned` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of "
       "a-z, 0-9, -\n"},
      {"Trigger", "-a",
       "c:3:18: `-a` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, "
       "-\n"},
      {"Trigger", "a/b",
       "c:3:18: `a/b` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, "
       "-\n"},
      {"Session", "Visit",
       "c:3:18: `Visit` cannot name a Session; an identifier or DNS label: cart, web_visit\n"},
      {"Session", "true",
       "c:3:18: `true` cannot name a Session; an identifier or DNS label: cart, web_visit\n"},
      {"Channel", "e mail",
       "c:3:18: `e mail` cannot name a Channel; a DNS label: cart-abandoned, at most 63 of a-z, "
       "0-9, -\n"},
      {"Segment", std::string(64, 'x'),
       "c:3:18: `" + std::string(64, 'x') +
           "` cannot name a Segment; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, -\n"},
      {"Segment", "[a]", "c:3:18: `name` is a list; write one text\n"},
      {"Segment", "\"\"", "c:3:12: `name` is empty; every resource has one\n"},
  });
}

TEST(CatalogErrorsTest, Twice) {
  check({
      {document("Segment", "{when: a, when: b}"),
       "c:4:17: `when` stands here twice; it is already at line 4, column 8\n"},
      {document("Segment", "{when: a}") + "---\n" + document("Segment", "{when: b}") + "---\n" +
           document("Segment", "{whem: b}"),
       "c:8:18: there are two Segments named `x`; names are unique per kind\n"
       "c:13:18: there are two Segments named `x`; names are unique per kind\n"
       "c:14:8: unknown key `whem` in spec of Segment; did you mean `when`?\n"},
      {document("Policy", "{}", "a") + "---\n" + document("Policy", "{}", "b"),
       "c:6:1: a second Policy; a catalog has one\n"},
      {document("Policy", "{}", "a") + "---\n" + document("Policy", "{}", "a") + "---\n" +
           document("Policy", "{lateness: -1s}", "a"),
       "c:6:1: a second Policy; a catalog has one\n"
       "c:11:1: a second Policy; a catalog has one\n"
       "c:14:18: `lateness` is negative; 0s or more\n"},
      {document("Segment", "{when: a}") + "---\n" + document("Channel", "{}"), ""},
  });
}

TEST(CatalogErrorsTest, Syntax) {
  check({
      {document("Segment", "{when: a: b}"),
       "c:4:15: YAML: end of map flow not found; close the bracket, or put quotes around text that "
       "holds any of : , ? [ ] { }\n"},
      {document("Segment", "\n  when: a: b"),
       "c:5:10: YAML: illegal map value; put quotes around text that holds `: `\n"},
      {document("Segment", "\n  when: !features.a"),
       "c:5:9: `!features.a` is a YAML tag and means nothing here; put quotes around text that "
       "begins with `!`\n"},
      {document("Segment", "\n  when: \"abc\n"), "c:5:9: the quote \" is never closed\n"},
      {document("Segment", "\n  when: 'it''s\n"), "c:5:9: the quote ' is never closed\n"},
      {document("Segment", "\n  when: [a"),
       "c:6:1: YAML: end of sequence flow not found; close the bracket, or put quotes around text "
       "that holds any of : , ? [ ] { }\n"},
      {document("Segment", "\n  when: 'a' == b"),
       "c:5:13: YAML: end of map not found; check the indentation, and put quotes around text that "
       "begins with a quote or bracket\n"},
      {document("Segment", "\n\twhen: a"),
       "c:5:6: YAML: illegal map value; indent with spaces, not with tabs\n"},
      {document("Segment", "\n  when: `a`"),
       "c:5:9: YAML: unknown token; put quotes around text that begins with ` or @ or %\n"},
      {document("Segment", "\n  when: *a"),
       "c:5:9: YAML: the referenced anchor is not defined; put quotes around text that begins with "
       "`*`: \"*\"\n"},
      {document("Segment", "\n  when: &a\n    x: [*a]"),
       "c:6:5: `when` is a mapping; write one text\n"
       "c:6:9: an alias stands inside its own anchor; write the value out\n"},
      {document("Segment", "\n  ? [a]\n  : b\n  when: a"), "c:5:5: a key must be plain text\n"},
      {document("Segment", "{when: a}") + "---\n" + "x: [\n" + "---\n" + "y: `\n" + "---\n" +
           document("Segment", "{wen: a}", "y"),
       "c:7:1: YAML: end of sequence flow not found; close the bracket, or put quotes around text "
       "that holds any of : , ? [ ] { }\n"
       "c:8:4: YAML: unknown token; put quotes around text that begins with ` or @ or %\n"
       "c:13:8: unknown key `wen` in spec of Segment; did you mean `when`?\n"},
      {"a: \x01\n", "c:1:4: a control character; YAML is plain UTF-8 text\n"},
      {document("Segment", "\n  when: \"a\\_b\""),
       "c:5:9: an escape that is not UTF-8; write \\u00a0 for \\_ and \\u0085 for \\N\n"},
      {",\n---\n" + document("Segment", "{wen: a}"),
       "c:1:1: YAML: unexpected `,`\n"
       "c:6:8: unknown key `wen` in spec of Segment; did you mean `when`?\n"},
      {"a: \xff\n", "c:1:4: not UTF-8; save the file as UTF-8\n"},
      {document("Segment", "\n  when: \"a\\q\""),
       "c:5:13: YAML: unknown escape character: q; inside \" a backslash is written \\\\; inside ' "
       "it is itself\n"},
      {document("Segment", "\n  when: " + std::string(70, '[') + std::string(70, ']')),
       "c:5:71: YAML: nested deeper than 64 levels\n"},
  });
}

TEST(CatalogErrorsTest, AllAtOnceInTheOrderOfTheText) {
  const std::string yaml =
      "apiVersion: spur/v1\n"
      "kind: Trigger\n"
      "metadata: {name: Cart}\n"
      "spec:\n"
      "  absence:\n"
      "    opens: {on: Product Added, wher: a}\n"
      "    grace: -1s\n"
      "  priority: high\n"
      "  cooldown: 0s\n"
      "  actions:\n"
      "    - {channel: sms, template: t}\n"
      "    - {channel: email}\n"
      "---\n"
      "kind: Feature\n"
      "metadata: {name: orders}\n"
      "spec: {on: A, aggregate: sum, window: 0d, window: 1d}\n"
      "---\n"
      "x: [\n";
  EXPECT_EQ(
      errors(yaml),
      "c:3:18: `Cart` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, "
      "-\n"
      "c:5:3: `after` is missing in `absence`; a duration such as 1h, or `until` with a timestamp\n"
      "c:6:32: unknown key `wher` in `opens`; did you mean `where`?\n"
      "c:7:12: `grace` is negative; 0s or more\n"
      "c:8:13: `priority` is `high`, not a whole number; write it as 3\n"
      "c:9:13: `cooldown` is zero or empty; 7d, or {key: 7d}, or leave it out\n"
      // Channels are not missed while a document could not be read: they may stand there.
      "c:12:7: `template` is missing in `actions`; the name of what the channel sends\n"
      "c:14:1: apiVersion is missing; write `apiVersion: spur/v1`\n"
      "c:16:1: `of` is missing in `spec`; sum needs the value to aggregate\n"
      "c:16:39: `window` is zero; more than 0s\n"
      "c:16:43: `window` stands here twice; it is already at line 16, column 31\n"
      "c:19:1: YAML: end of sequence flow not found; close the bracket, or put quotes around text "
      "that holds any "
      "of : , ? [ ] { }\n");
}

// A catalog that came as protobuf has no lines; the path stands in their place.
TEST(CatalogErrorsTest, OfProtobufWithoutPositions) {
  spur::v1::Catalog catalog;
  auto& trigger = *catalog.add_triggers();
  trigger.set_name("t");
  trigger.mutable_absence()->add_opens()->add_on("A");
  trigger.mutable_absence()->set_grace_ms(-1);
  trigger.set_shadow(true);
  trigger.add_actions()->add_channels("email");
  catalog.add_triggers()->set_name("u");
  catalog.mutable_triggers(1)->mutable_unsupported()->set_name("business");
  catalog.add_references()->set_name("products");
  catalog.add_policies()->set_max_action_age_ms(-2);
  EXPECT_EQ(to_text(validate(catalog, SourceMap()).errors),
            "Trigger t: spec.shadow: `shadow` is known, not in this version; remove it, or use "
            "`enabled: false`\n"
            "Trigger t: spec.absence.grace: `grace` is negative; 0s or more\n"
            "Trigger t: spec.absence: `after` is missing in `absence`; a duration such as 1h, or "
            "`until` with a timestamp\n"
            "Trigger t: spec.actions[0].channels[0]: there is no Channel `email`; the catalog has "
            "no Channel\n"
            "Trigger t: spec.actions[0]: `template` is missing in `actions`; the name of what the "
            "channel sends\n"
            "Trigger u: spec.operator: operator `business` is known, not in this version\n"
            "Policy : metadata: `name` is missing in `metadata`; every resource has one\n"
            "Policy : spec.max_action_age: `max_action_age` is negative; 0s or more\n"
            "Reference products: kind `Reference` is known, not in this version\n");
}

// As the tool tells them: what the files say wrong and what does not compile, each once.
std::string all_errors(const std::string& yaml) {
  const Loaded loaded = load_text("c", yaml);
  return to_text(merged(loaded.errors, compile(loaded.catalog, loaded.positions).errors));
}

TEST(CatalogErrorsTest, ACircleIsToldBesideOtherErrors) {
  EXPECT_EQ(
      all_errors(document("Feature", "{on: A, aggregate: sum, of: features.b}", "a") + "---\n" +
                 document("Feature", "{on: A, aggregate: sum, of: features.a}", "b") + "---\n" +
                 document("Segment", "{when: features.c > 1}", "s")),
      "c:4:7: a circle of definitions: features.a → features.b → features.a; one of them must do "
      "without the others\n"
      "c:14:23: `c` is not declared in `features`; did you mean `features.a`?\n");
}

TEST(CatalogErrorsTest, AnUnknownSegmentIsOneEvenInsideACondition) {
  EXPECT_EQ(
      all_errors(
          document("Segment", "{when: features.n > 1}", "vip") + "---\n" +
          document("Feature", "{on: A, aggregate: count}", "n") + "---\n" +
          document("Trigger",
                   "{threshold: {when: \"'vp' in segments || segments['big']\"}, actions: []}")),
      "c:14:27: there is no Segment `vp`; did you mean `vip`?\n"
      "c:14:56: there is no Segment `big`\n");
}

TEST(CatalogErrorsTest, WhatTwoChecksMindIsOneError) {
  EXPECT_EQ(all_errors(document(
                "Trigger", "{schedule: {cron: \"0 25 * * *\", zone: Mars/Base}, actions: []}")),
            "c:4:28: hour 25 is out of range; 0 to 23\n"
            "c:4:45: there is no time zone `Mars/Base`; an IANA name such as Europe/Stockholm, or "
            "customer\n");
}

TEST(CatalogErrorsTest, OfFieldsFromAnotherVersion) {
  spur::v1::Catalog catalog;
  auto& segment = *catalog.add_segments();
  segment.set_name("vip");
  segment.set_when("true");
  segment.GetReflection()->MutableUnknownFields(&segment)->AddVarint(900, 1);
  EXPECT_EQ(to_text(validate(catalog, SourceMap()).errors),
            "Segment vip: spec: it has fields that this version does not know; apply it with a "
            "tool of the same version\n");
}

}  // namespace
}  // namespace spur::catalog
