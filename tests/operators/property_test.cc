// What must hold for every history and every catalog: the order of arrival within the lateness, duplicates, the number
// of shards and restarts change nothing; and the plain evaluation of the specification agrees.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "fmt/format.h"
#include "tests/operators/brute_business.h"
#include "tests/operators/brute_force.h"
#include "tests/operators/random_catalog.h"
#include "tests/operators/random_history.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

constexpr int kCases = 250;

std::string line_of(const Decision& d) {
  return fmt::format("{} {} {}[{}] {} {}/{} {} {} {}", text_of(d.time), d.customer, d.trigger, d.instance, d.step,
                     d.channel, d.template_name, to_text(d.verdict), d.reason, d.data);
}

std::vector<std::string> lines_of(std::vector<Decision> decisions) {
  std::stable_sort(decisions.begin(), decisions.end(), [](const Decision& a, const Decision& b) {
    return std::tie(a.time, a.customer, a.trigger, a.instance, a.step, a.id.run, a.id.input, a.id.ordinal) <
           std::tie(b.time, b.customer, b.trigger, b.instance, b.step, b.id.run, b.id.input, b.id.ordinal);
  });
  std::vector<std::string> lines;
  for (const Decision& d : decisions) lines.push_back(line_of(d));
  return lines;
}

Instant end_of(const std::vector<RandomEvent>& history) { return history.back().time + kDay; }

TEST(Property, AnyOrderWithinTheLatenessAndAnyDuplicatesDecideTheSame) {
  for (int seed = 0; seed < kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const int lateness = 5 + random.below(60);
    const std::string yaml = random_catalog(random, fmt::format(", lateness: {}m", lateness));
    const std::vector<RandomEvent> history = random_history(random, 50, 2);
    // By arrival, which is at most the lateness after the event.
    std::vector<std::pair<std::int64_t, const RandomEvent*>> deliveries;
    for (const RandomEvent& e : history) {
      const int copies = random.one_in(8) ? 2 : 1;
      for (int c = 0; c < copies; ++c) deliveries.emplace_back(e.time.ms + random.below(lateness * 60'000 + 1), &e);
    }
    std::stable_sort(deliveries.begin(), deliveries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Story in_order(yaml), shuffled(yaml);
    for (const RandomEvent& e : history) in_order.feed(to_json(e));
    for (const auto& [arrival, e] : deliveries) {
      if (random.one_in(3)) shuffled.tick(Instant{std::min(arrival, end_of(history).ms)});
      shuffled.feed(to_json(*e));
    }
    in_order.run_until(end_of(history));
    shuffled.run_until(end_of(history));
    ASSERT_EQ(lines_of(in_order.take()), lines_of(shuffled.take())) << yaml;
  }
}

TEST(Property, TheNumberOfShardsChangesNothing) {
  for (int seed = 1000; seed < 1000 + kCases / 3; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const std::string yaml = random_catalog(random, "");
    const std::vector<RandomEvent> history = random_history(random, 80, 12);
    std::vector<std::string> first;
    for (const std::uint32_t shards : {1u, 4u, 16u}) {
      std::vector<std::unique_ptr<Story>> parts;
      for (std::uint32_t s = 0; s < shards; ++s) parts.push_back(std::make_unique<Story>(yaml, shards, s));
      for (const RandomEvent& e : history) parts[shard_of(e.customer, shards)]->feed(to_json(e));
      std::vector<Decision> all;
      for (const auto& part : parts) {
        part->run_until(end_of(history));
        for (Decision& d : part->take()) all.push_back(std::move(d));
      }
      const std::vector<std::string> lines = lines_of(std::move(all));
      if (shards == 1) first = lines;
      ASSERT_EQ(lines, first) << shards << yaml;
    }
  }
}

TEST(Property, ARestartAfterEachInputChangesNotEvenTheDigest) {
  for (int seed = 2000; seed < 2000 + kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const std::string yaml = random_catalog(random, random.one_in(2) ? ", lateness: 20m" : "");
    const std::vector<RandomEvent> history = random_history(random, 40, 2);
    Story without(yaml), with(yaml);
    with.restart_after_each_input();
    for (Story* story : {&without, &with}) {
      for (const RandomEvent& e : history) story->feed(to_json(e));
      story->run_until(end_of(history));
    }
    std::vector<Decision> a = without.take(), b = with.take();
    ASSERT_EQ(lines_of(a), lines_of(b)) << yaml;
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(to_text(a[i].id), to_text(b[i].id));
    ASSERT_EQ(without.digest(), with.digest()) << yaml;
  }
}

// The same of catalogs with everything in them.
TEST(Property, EveryOperatorAggregateAndGuardDecidesTheSameInAnyOrderWithAnyDuplicatesShardsAndRestarts) {
  for (int seed = 4000; seed < 4000 + kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const int lateness = 5 + random.below(60);
    const std::string yaml = wide_catalog(random, fmt::format("lateness: {}m", lateness));
    const std::vector<RandomEvent> history = random_history(random, 50, 3);
    std::vector<std::pair<std::int64_t, const RandomEvent*>> deliveries;
    for (const RandomEvent& e : history) {
      const int copies = random.one_in(8) ? 2 : 1;
      for (int c = 0; c < copies; ++c) deliveries.emplace_back(e.time.ms + random.below(lateness * 60'000 + 1), &e);
    }
    std::stable_sort(deliveries.begin(), deliveries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Story in_order(yaml);
    for (const RandomEvent& e : history) in_order.feed(to_json(e));
    in_order.run_until(end_of(history));
    const std::vector<std::string> expected = lines_of(in_order.take());
    for (const std::uint32_t shards : {1u, 3u}) {
      std::vector<std::unique_ptr<Story>> parts;
      for (std::uint32_t s = 0; s < shards; ++s) parts.push_back(std::make_unique<Story>(yaml, shards, s));
      for (const auto& [arrival, e] : deliveries) {
        Story& part = *parts[shard_of(e->customer, shards)];
        if (random.one_in(3)) part.tick(Instant{std::min(arrival, end_of(history).ms)});
        part.feed(to_json(*e));
        if (random.one_in(4)) part.restart();
      }
      std::vector<Decision> all;
      for (const auto& part : parts) {
        part->run_until(end_of(history));
        for (Decision& d : part->take()) all.push_back(std::move(d));
      }
      ASSERT_EQ(lines_of(std::move(all)), expected) << shards << " shards\n" << yaml;
    }
  }
}

TEST(Property, ARestartAfterEachInputChangesNotEvenTheDigestWhateverTheCatalog) {
  for (int seed = 5000; seed < 5000 + kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const std::string yaml = wide_catalog(random, random.one_in(2) ? "lateness: 20m" : "");
    std::vector<RandomEvent> history = random_history(random, 40, 2);
    // Some arrive later than any lateness allows: retractions, and what is folded where it belongs.
    for (std::size_t i = 0; i + 8 < history.size(); i += 7) std::swap(history[i], history[i + 7]);
    Story without(yaml), with(yaml);
    with.restart_after_each_input();
    Instant end = Instant::distant_past();
    for (const RandomEvent& e : history) end = std::max(end, e.time + kDay);
    for (Story* story : {&without, &with}) {
      for (const RandomEvent& e : history) story->feed(to_json(e));
      story->run_until(end);
    }
    ASSERT_EQ(lines_of(without.take()), lines_of(with.take())) << yaml;
    ASSERT_EQ(without.digest(), with.digest()) << yaml;
  }
}

// What only one of them has, a line each.
std::string differences(const std::multiset<std::string>& found,
                        const std::multiset<std::string>& expected) {
  std::string lines;
  std::vector<std::string> only;
  std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) lines += "found only: " + line + "\n";
  only.clear();
  std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) lines += "expected only: " + line + "\n";
  return lines;
}

// One thing after the other, as it comes: an event up to the lateness after its time, a record when
// it says.
struct Arrival {
  Instant at;
  const RandomEvent* event = nullptr;
  const RandomRecord* record = nullptr;
};

void take(Story& story, const Arrival& arrival) {
  if (arrival.event != nullptr) return story.feed(to_json(*arrival.event));
  const RandomRecord& record = *arrival.record;
  const std::string when = text_of(record.comes);
  if (record.deleted) return story.no_record(when, "products", std::to_string(record.key));
  story.record(when, "products", to_json(record));
}

std::vector<Arrival> arrivals_of(Random& random, const std::vector<RandomEvent>& history,
                                 const std::vector<RandomRecord>& records, Millis lateness) {
  std::vector<Arrival> all;
  for (const RandomEvent& e : history) {
    for (int copies = random.one_in(8) ? 2 : 1; copies > 0; --copies)
      all.push_back(
          {e.time + Millis{random.below(static_cast<int>(lateness.count) + 1)}, &e, nullptr});
  }
  for (const RandomRecord& r : records) all.push_back({r.comes, nullptr, &r});
  std::stable_sort(all.begin(), all.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  return all;
}

TEST(Property, BusinessDataDecidesTheSameInAnyOrderOfEventsWithAnyShardsAndRestarts) {
  for (int seed = 6000; seed < 6000 + kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const Millis lateness = kMinute * (5 + random.below(60));
    const std::string yaml = wide_catalog(random, fmt::format("lateness: {}ms", lateness.count));
    const std::vector<RandomEvent> history = random_history(random, 50, 3);
    const std::vector<RandomRecord> records = random_records(random, history, 20, Millis{0});
    const Instant end = end_of(history);
    Story in_order(yaml);
    for (const Arrival& a : arrivals_of(random, history, records, Millis{0})) take(in_order, a);
    in_order.run_until(end);
    const std::vector<std::string> expected = lines_of(in_order.take());
    const std::vector<Arrival> arrivals = arrivals_of(random, history, records, lateness);
    for (const std::uint32_t shards : {1u, 3u}) {
      std::vector<Decision> all;
      for (std::uint32_t s = 0; s < shards; ++s) {
        Story part(yaml, shards, s);
        for (const Arrival& a : arrivals) {
          if (a.event != nullptr && shard_of(a.event->customer, shards) != s) continue;
          if (random.one_in(3)) part.tick(std::min(a.at, end));
          take(part, a);
          if (random.one_in(4)) part.restart();
        }
        part.run_until(end);
        for (Decision& d : part.take()) all.push_back(std::move(d));
      }
      ASSERT_EQ(lines_of(std::move(all)), expected) << shards << " shards\n" << yaml;
    }
  }
}

TEST(Property, BusinessDataAgreesWithThePlainEvaluationOfTheSpecification) {
  for (int seed = 7000; seed < 7000 + 2 * kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    BusinessRules rules;
    rules.lateness = random.one_in(2) ? Millis{0} : kMinute * (5 + random.below(60));
    rules.within = kMinute * (10 * (1 + random.below(20)));
    rules.closes = random.one_in(2);
    rules.once_a_view = random.one_in(2);
    const std::vector<RandomEvent> history = random_history(random, 60, 3);
    const std::vector<RandomRecord> records = random_records(random, history, 40, rules.lateness);
    Story story(catalog_of(rules));
    for (const Arrival& a : arrivals_of(random, history, records, rules.lateness)) {
      if (random.one_in(4)) story.tick(a.at);
      take(story, a);
      if (random.one_in(8)) story.restart();
    }
    const Instant until = history.back().time + rules.lateness + kMinute * random.below(120);
    story.run_until(until);
    std::multiset<std::string> sent;
    for (const Decision& d : story.take()) {
      if (d.verdict == Verdict::kSent)
        sent.insert(fmt::format("{} {} {} {} {}", d.time.ms, d.customer.substr(8), d.trigger,
                                d.instance, d.data));
    }
    ASSERT_EQ(differences(sent, brute_business(history, records, rules, until)), "")
        << catalog_of(rules);
  }
}

TEST(Property, AgreesWithThePlainEvaluationOfTheSpecification) {
  for (int seed = 3000; seed < 3000 + 2 * kCases; ++seed) {
    SCOPED_TRACE(seed);
    Random random(static_cast<std::uint64_t>(seed));
    const auto length = [&] { return kMinute * (10 * (1 + random.below(9))); };
    Rules rules;
    rules.wait = length();
    rules.window = length();
    rules.at_least = 1 + random.below(4);
    rules.needed = random.below(4);
    rules.cooldown = length();
    rules.idle = length();
    rules.kth = random.one_in(3) ? 1 + random.below(4) : 0;
    rules.after_first = random.one_in(3);
    const std::vector<RandomEvent> history = random_history(random, 60, 2);
    Story story(catalog_of(rules));
    for (const RandomEvent& e : history) {
      story.feed(to_json(e));
      if (random.one_in(4)) story.tick(e.time);
    }
    const Instant until = history.back().time + kMinute * random.below(120);
    story.run_until(until);
    std::multiset<std::string> sent;
    for (const Decision& d : story.take()) {
      if (d.verdict == Verdict::kSent)
        sent.insert(fmt::format("{} {} {} {}", d.time.ms, d.customer.substr(8), d.trigger, d.instance));
    }
    ASSERT_EQ(sent, brute_force(history, rules, until)) << catalog_of(rules);
  }
}

}  // namespace
}  // namespace spur::testing
