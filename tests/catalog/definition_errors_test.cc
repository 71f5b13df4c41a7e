// What is wrong with what is counted and sent through: each kind of definition but triggers.
#include "tests/catalog/errors_fixture.h"

namespace spur::catalog {
namespace {

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

TEST(CatalogErrorsTest, TheGate) {
  check_kind(
      "Channel",
      {{"{purpose: Marketing Mail}",
        "c:4:17: `Marketing Mail` cannot name a purpose; marketing-email, at most 63 of a-z, "
        "0-9, -\n"}});
  check_kind(
      "Policy",
      {
          {"{holdout: {percent: 5}}",
           "c:4:8: `salt` is missing in `holdout`; a text that stays the same as long as the same "
           "customers are to be held out\n"},
          {"{holdout: {percent: 101, salt: x}}",
           "c:4:27: `percent` is out of range; more than 0, at most 100, or leave the holdout "
           "out\n"},
          {"{ladders: [a]}", "c:4:17: `ladders` is a list; write a mapping of names to ladders\n"},
          {"{ladders: {a: [x, y]}}", "c:4:21: `a` is a list; write a mapping of for, order\n"},
          {"{ladders: {a: {order: [x], for: -1h}}}",
           "c:4:18: a ladder needs two triggers; order: [checkout-abandoned, cart-abandoned]\n"
           "c:4:30: there is no Trigger `x`; the catalog has no Trigger\n"
           "c:4:39: `for` is negative; 0s or more\n"},
          {"{consent: {granted: {on: A}}}",
           "c:4:18: `key` is missing in `granted`; the purpose, such as "
           "event.properties.purpose\n"},
          {"{arbitration: all}", "c:4:21: `arbitration` is `all`; one of channel, customer\n"},
      });
  EXPECT_EQ(
      errors(
          document("Policy",
                   "{ladders: {a: {order: [t, u], for: 1h}, b: {order: [u, t], for: 1h}}}") +
          "---\n" +
          document("Trigger", "{event: {on: A}, actions: [{channel: email, template: t}]}", "t") +
          "---\n" +
          document("Trigger", "{event: {on: A}, actions: [{channel: email, template: t}]}", "u") +
          kOthers),
      "c:4:59: `u` stands on `a` already; a trigger stands on one ladder, once\n"
      "c:4:62: `t` stands on `a` already; a trigger stands on one ladder, once\n");
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

}  // namespace
}  // namespace spur::catalog
