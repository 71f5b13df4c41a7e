#include "tests/operators/random_history.h"

#include <algorithm>

#include "absl/time/time.h"
#include "fmt/format.h"

namespace spur::testing {

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::vector<RandomEvent> random_history(Random& random, int events, int customers) {
  constexpr const char* kNames[] = {"Added", "Added", "Removed", "Ordered", "Viewed", "Viewed"};
  constexpr std::int64_t kStart = 1'772'355'600'000;  // 2026-03-01 09:00
  std::vector<RandomEvent> all;
  std::int64_t minute = 0;
  for (int i = 0; i < events; ++i) {
    // Bursts, pauses, and now and then a night.
    minute += random.one_in(25) ? 300 + random.below(900) : random.one_in(4) ? 10 * random.below(8) : random.below(4);
    RandomEvent event;
    event.time = {kStart + minute * 60'000};
    event.id = fmt::format("e{:04}", i);
    event.customer = fmt::format("c{}", random.below(customers));
    event.name = kNames[random.below(6)];
    event.key = random.below(4);
    event.value = random.below(6);
    all.push_back(std::move(event));
  }
  return all;
}

std::string to_json(const RandomEvent& event) {
  return fmt::format(
      R"({{"type":"track","messageId":"{}","userId":"{}","event":"{}","timestamp":"{}","properties":{{{}"v":{},"items":[{{"v":{}}},{{"v":{}}}]}}}})",
      event.id, event.customer, event.name,
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(event.time.ms), absl::UTCTimeZone()),
      event.key == 0 ? "" : fmt::format("\"k\":{},", event.key), event.value, event.value, event.value + 1);
}

std::vector<RandomRecord> random_records(Random& random, const std::vector<RandomEvent>& history,
                                         int records, Millis lateness) {
  constexpr std::int64_t kGrid = 60'000;
  const std::int64_t begin = history.front().time.ms,
                     length = history.back().time.ms - begin + kGrid;
  std::vector<RandomRecord> all;
  for (int i = 0; i < records; ++i) {
    RandomRecord record;
    // No two at one instant, and none at an event's.
    record.since = record.comes = {begin + random.below(static_cast<int>(length / kGrid)) * kGrid +
                                   30'000 + i};
    record.key = 1 + random.below(3);
    record.price = 10 * (1 + random.below(5));
    record.stock = random.one_in(2) ? random.below(3) : 0;
    record.deleted = random.one_in(8);
    all.push_back(record);
  }
  std::sort(all.begin(), all.end(),
            [](const RandomRecord& a, const RandomRecord& b) { return a.since < b.since; });
  // From the end, so that what makes another one late is there by then.
  for (std::size_t i = all.size(); i-- > 0;) {
    const auto next =
        std::find_if(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(),
                     [&](const RandomRecord& later) { return later.key == all[i].key; });
    // A deletion has no time but when it comes.
    if (next == all.end() || all[i].deleted || next->deleted || next->comes != next->since)
      continue;
    if (!random.one_in(3)) continue;
    if (next->since < all[i].since + lateness) all[i].comes = next->since + Millis{100};
  }
  return all;
}

std::string to_json(const RandomRecord& record) {
  return fmt::format(R"({{"id":"{}","price":{},"stock":{},"v":{},"since":"{}"}})", record.key,
                     record.price, record.stock, record.stock,
                     absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(record.since.ms),
                                      absl::UTCTimeZone()));
}

std::string random_catalog(Random& random, const std::string& policy) {
  const auto minutes = [&] { return fmt::format("{}m", 10 * (1 + random.below(9))); };
  std::string yaml = "Policy all: {zone: Europe/Stockholm" + policy + "}\n";
  yaml += fmt::format(R"(Channel email: {{topic: e, caps: [{{max: {}, per: {}}}]}}
Channel sms: {{topic: s, quiet_hours: {{from: "1{}:00", to: "0{}:00", zone: customer, then: {}}}}}
Channel web: {{topic: w}}
)", 1 + random.below(4), minutes(), random.below(8), random.below(10), random.one_in(3) ? "drop" : "defer");
  yaml += fmt::format(R"(Feature adds: {{on: Added, aggregate: count, window: {}}}
Feature sum: {{on: [Added, Ordered], aggregate: sum, of: event.properties.v, window: {}, offset: {}}}
Feature values: {{on: Viewed, aggregate: distinct, of: event.properties.v, window: {}}}
Feature by_key: {{on: Added, by: event.properties.k, aggregate: count}}
Feature orders: {{on: Ordered, aggregate: count}}
Session visit: {{keeps: {{on: "*"}}, idle: {}}}
Session cart: {{opens: {{on: Added}}, keeps: {{on: [Added, Removed]}}, closes: [{{on: Ordered}}, {{on: Removed, where: features.items <= 0}}], idle: {}}}
Feature items: {{on: [Added, Removed], within: cart, aggregate: sum, of: "event.name == 'Added' ? 1 : -1"}}
Model churn:
  bg_nbd: {{on: Ordered, horizon: 39w}}
  parameters: {{r: 0.25, alpha: 4, a: 0.8, b: 2.4, unit: 1h}}
)",
                      minutes(), minutes(), minutes(), minutes(), minutes(), minutes());
  const auto channel = [&] { return std::string(random.one_in(3) ? "email" : random.one_in(2) ? "sms" : "web"); };
  const auto rest = [&](const std::string& data) {
    std::string text;
    if (random.one_in(3)) text += fmt::format("  priority: {}\n", random.below(3));
    if (random.one_in(3))
      text += fmt::format("  cooldown: {}\n", random.one_in(2) ? minutes() : "{key: " + minutes() + "}");
    else if (random.one_in(4)) text += random.one_in(2) ? "  once: key\n" : "  once: customer\n";
    if (random.one_in(3)) text += "  while: features.orders < 3\n";
    if (random.one_in(3))
      text += random.one_in(2) ? "  exit: {on: Ordered}\n" : "  exit: {on: Removed, key: event.properties.k}\n";
    text += fmt::format(
        "  actions:\n    - {{channel: {}, template: t, data: {{{}, visits: sessions.visit.count, orders: "
        "features.orders}}}}\n",
        channel(), data);
    if (random.one_in(2))
      text += fmt::format("    - {{channel: {}, template: u, after: {}, data: {{{}}}}}\n", channel(), minutes(), data);
    if (random.one_in(4))
      text += fmt::format("    - {{channel: [{}, {}], template: x, after: 5h, expires: {}, if: features.adds == 0}}\n",
                          channel(), channel(), minutes());
    return text;
  };
  const std::string grace = random.one_in(3) ? ", grace: 10s" : "";
  const std::string templates[] = {
      fmt::format("  absence: {{key: event.properties.k, opens: {{on: Added}}, resets: {{on: [Added, Removed]}}, "
                  "closes: {{on: Ordered}}, after: {}{}}}\n",
                  minutes(), grace) +
          rest("n: instance.count, v: instance.opened.properties.v"),
      fmt::format("  absence: {{opens: {{on: Viewed, key: event.properties.k}}, closes: {{on: [Ordered, Added]}}, "
                  "after: {}{}}}\n",
                  minutes(), grace) +
          rest("n: instance.count"),
      fmt::format("  absence: {{opens: {{on: Ordered}}, closes: {{on: Ordered}}, after: duration('10m') * (1 + "
                  "features.orders)}}\n") +
          rest("n: instance.count"),
      fmt::format("  threshold: {{when: features.adds >= {}{}}}\n", 1 + random.below(4),
                  random.one_in(2) ? ", rearm: features.adds == 0" : "") +
          rest("a: features.adds"),
      fmt::format("  threshold: {{when: features.sum {} {}}}\n", random.one_in(2) ? ">=" : "<", 1 + random.below(9)) +
          rest("a: features.sum"),
      fmt::format("  threshold: {{when: features.items >= {}}}\n", 1 + random.below(3)) + rest("a: features.items"),
      fmt::format("  event: {{on: Viewed, key: event.properties.k}}\n  if: features.values >= {} && before.adds == 0\n",
                  1 + random.below(3)) +
          rest("v: event.properties.v, s: features.sum"),
      fmt::format("  event: {{on: \"*\"}}\n  if: before.sum <= {}\n", random.below(9)) +
          rest("n: \"features.by_key['1']\", s: features.sum"),
      fmt::format("  session: {{of: {}, on: {}}}\n", random.one_in(2) ? "visit" : "cart",
                  random.one_in(3)   ? "opened"
                  : random.one_in(2) ? "idle"
                                     : "closed") +
          rest("i: features.items, e: sessions.cart.events"),
      fmt::format("  novelty: {{on: [Viewed, Added], each: event.properties.items, of: item.v{}}}\n",
                  random.one_in(3)   ? ", after_first: true"
                  : random.one_in(2) ? ", kth: 3"
                                     : "") +
          rest("k: instance.key"),
      fmt::format("  schedule: {{cron: \"{} * * * *\", zone: customer, when: features.adds {} 1{}}}\n",
                  random.one_in(2) ? "*/20" : "0", random.one_in(2) ? ">=" : "<",
                  random.one_in(2) ? ", edge: rising" : "") +
          rest("a: features.adds"),
      fmt::format("  prediction: {{model: churn, at_least: 0.{}, rearm_below: 0.2, every: {}}}\n", 3 + random.below(4),
                  minutes()) +
          rest("high: models.churn.score >= 0.5"),
  };
  const int count = 2 + random.below(7);
  for (int i = 0; i < count; ++i) yaml += fmt::format("Trigger t{}:\n{}", i, templates[random.below(12)]);
  return yaml;
}

}  // namespace spur::testing
