// What is wrong with a trigger: its operator, its settings, its steps.
#include "tests/catalog/errors_fixture.h"

namespace spur::catalog {
namespace {

TEST(CatalogErrorsTest, Operators) {
  check_trigger({
      {"priority: 1",
       "c:4:1: the trigger has no operator; one of event, threshold, absence, session, novelty, "
       "schedule, prediction, rhythm, sequence, intent, date, segment, business\n"},
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

TEST(CatalogErrorsTest, BackfillWhereSomethingCanBeOver) {
  const auto nothing = [](const char* why) {
    return "c:5:3: there is nothing to `backfill`; " + std::string(why) + "\n";
  };
  check_trigger({
      {"backfill: true\n  absence: {opens: {on: A}, after: 1h}",
       "c:5:13: `backfill` is `true`; the only value is once\n"},
      {"backfill: once\n  absence: {opens: {on: A}, after: 1h}", ""},
      {"backfill: once\n  threshold: {when: a}", ""},
      {"backfill: once\n  rhythm: {on: A, change: drop}", ""},
      {"backfill: once\n  rhythm: {on: A, change: rise}", nothing("a rise is told by an event")},
      {"backfill: once\n  sequence: {steps: [{on: A}], then_silent: {on: B, for: 1h}}", ""},
      {"backfill: once\n  sequence: {steps: [{on: A}, {on: B}]}",
       nothing("without `then_silent` it fires at its last step")},
      {"backfill: once\n  event: {on: A}", nothing("it fires at an event, and waits for nothing")},
      {"backfill: once\n  novelty: {on: A, of: event.properties.a}",
       nothing("it fires at an event, and waits for nothing")},
      {"backfill: once\n  session: {of: cart, on: idle}",
       nothing("a session ends whether the trigger is there or not; write an absence")},
      {"backfill: once\n  schedule: {cron: \"@daily\", when: a}",
       nothing("a time of the cron that has passed is none to wait for")},
      {"backfill: once\n  date: {of: traits.birthday}", nothing("a date that lies behind is over")},
      {"backfill: once\n  intent: {scores: [{on: A, add: 1}], half_life: 1h, at_least: 2}",
       nothing("nothing is known of the score before the trigger came")},
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

}  // namespace
}  // namespace spur::catalog
