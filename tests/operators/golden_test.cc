// The fold is frozen: the same inputs give the same digest and the same rows, for ever. A digest
// that differs is another fold: raise kFoldVersion and write a new golden. A row that differs is a
// row that older versions cannot read.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "fmt/format.h"
#include "tests/operators/random_history.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

constexpr const char* kCatalog = R"(
Policy all: {zone: Europe/Stockholm, caps: [{max: 50, per: 1d}]}
Channel email: {topic: e, caps: [{max: 3, per: 2h}]}
Channel sms: {topic: s, quiet_hours: {from: "19:00", to: "08:00", zone: customer, then: defer}}
Feature adds: {on: Added, aggregate: count, window: 1h}
Feature sum: {on: [Added, Ordered], aggregate: sum, of: event.properties.v, window: 40m, offset: 20m}
Feature by_key: {on: Added, by: event.properties.k, aggregate: count}
Feature gaps: {on: Ordered, aggregate: gaps}
Session cart: {opens: {on: Added}, keeps: {on: [Added, Removed]}, closes: {on: Ordered}, idle: 30m}
Model churn:
  bg_nbd: {on: Ordered, distinct_days: true, horizon: 39w}
  parameters: {r: 0.2426, alpha: 4.4137, a: 0.7930, b: 2.4262, unit: 1w}
Trigger left:
  absence: {key: event.properties.k, opens: {on: Added}, resets: {on: Removed}, closes: {on: Ordered}, after: 1h, grace: 10s}
  cooldown: {key: 3h}
  actions: [{channel: sms, template: t, data: {v: instance.opened.properties.v}}, {channel: email, template: u, after: 2h}]
Trigger many: {threshold: {when: features.adds >= 2}, actions: [{channel: email, template: t, data: {n: features.adds, s: features.sum}}]}
Trigger seen: {event: {on: Viewed}, if: before.adds > 0, once: customer, actions: [{channel: email, template: t}]}
Trigger idle: {session: {of: cart, on: idle}, actions: [{channel: email, template: t}]}
Trigger new-value: {novelty: {on: Viewed, of: event.properties.v}, actions: [{channel: email, template: t}]}
Trigger hourly: {schedule: {cron: "0 * * * *", zone: customer, when: features.adds >= 1, edge: rising}, actions: [{channel: email, template: t}]}
)";

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

// What stands there must be what `story` comes to.
void expect_golden(Story& story, const std::string& path) {
  const std::size_t decided = story.take().size();
  std::string actual = fmt::format("fold version = {}\ndigest = {:016x}\ndecisions = {}\n",
                                   kFoldVersion, story.digest(), decided);
  for (const std::string& row : story.rows()) actual += hex(row) + "\n";
  if (std::getenv("SPUR_UPDATE_GOLDENS") != nullptr) std::ofstream(path) << actual;
  std::ifstream in(path);
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(expected, actual);
}

TEST(Golden, TheDigestAndTheRowsOfAScript) {
  Story story(kCatalog);
  story.at("08:00", "c0", "$identify", "", R"({"timezone":"America/New_York","plan":"gold"})");
  Random random(7);
  const std::vector<RandomEvent> history = random_history(random, 120, 3);
  for (const RandomEvent& e : history) story.feed(to_json(e));
  story.tick(history.back().time + kMinute * 45);
  expect_golden(story, "tests/golden/operators/script.txt");
}

constexpr const char* kGate = R"(
Policy all:
  ladders: {intent: {order: [cart, browse], for: 2h}}
  erasure: {on: Erased}
  arbitration: channel
Channel email: {topic: e, purpose: mail}
Channel web: {topic: w}
Trigger browse: {absence: {opens: {on: Viewed}, resets: {on: Viewed}, after: 1h}, actions: [{channel: web, template: t}]}
Trigger cart: {absence: {key: event.properties.k, opens: {on: Added}, closes: {on: Ordered}, after: 1h, grace: 10s}, actions: [{channel: [email, web], template: t}]}
Trigger flow: {sequence: {steps: [{on: Added}, {on: Started, within: 30m}], then_silent: {on: Ordered, for: 5m}}, actions: [{channel: web, template: t}]}
Trigger hot: {intent: {scores: [{on: Viewed, add: 1}, {on: Added, add: 5}], half_life: 20m, at_least: 6}, actions: [{channel: web, template: t}]}
Trigger lapsed: {rhythm: {on: Ordered, change: drop, gaps_min: 1}, actions: [{channel: web, template: t}]}
Trigger day: {date: {of: traits.day, every: month, at: "09:00"}, actions: [{channel: web, template: t}]}
)";

TEST(Golden, TheDigestAndTheRowsOfTheGateAndOfWhatIsMadeOfOthers) {
  Story story(kGate);
  story.at("08:00", "ann", "$identify", "", R"({"day":"2026-01-01"})");
  story.at("08:01", "ann", "Consent Granted",
           R"({"purpose":"mail","source":"form","text_version":"3","legal_basis":"consent"})");
  story.at("08:02", "ann", "Consent Withdrawn", R"({"purpose":"calls","source":"phone"})");
  story.at("08:03", "bob", "Added", R"({"k":1})");
  story.at("08:04", "bob", "Erased");
  story.at("08:10", "ann", "Viewed");
  story.at("08:11", "ann", "Added", R"({"k":1})");
  story.at("08:12", "ann", "Started");
  for (const char* t : {"08:30", "09:00"}) story.at(t, "eve", "Ordered");
  story.tick("09:30");
  story.at("09:05", "ann", "Ordered", R"({"k":2})");
  story.at("09:31", "ann", "Added", R"({"k":3})");
  story.at("10:05", "eve", "Viewed");
  story.tick("11:30");
  story.at("11:40", "ann", "Added", R"({"k":4})");
  expect_golden(story, "tests/golden/operators/gate.txt");
}

}  // namespace
}  // namespace spur::testing
