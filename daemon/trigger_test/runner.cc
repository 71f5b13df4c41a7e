#include "daemon/trigger_test/runner.h"

#include <algorithm>
#include <map>
#include <random>

#include "daemon/backtest/backtest.h"
#include "daemon/trigger_test/compare.h"
#include "operators/catalog/customer_name.h"
#include "operators/catalog/nearest.h"
#include "state/digest.h"

namespace spur::trigger_test {
namespace {

using Order = std::vector<std::size_t>;  // places of the test's events, as they arrive

struct Run {
  std::vector<Decision> decisions;
  std::vector<std::string> refused;  // events that became dead letters
  std::uint64_t errors = 0;          // conditions in error
  std::vector<Shard::TriggerCounters> triggers;
};

std::string place_text(const catalog::Position& at) {
  return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

// `steps`: the clock moves to each of these too, with a restart after each step and each event.
Run run_once(const std::shared_ptr<const catalog::Compiled>& catalog,
             const std::vector<std::string>& consents, const Test& test, const Order& order, std::uint32_t shards,
             const std::vector<Instant>* steps) {
  Backtest::Options options;
  options.shards = shards;
  options.until = test.run_until;
  options.assumed = {consents, /*holdout=*/false};
  options.restart_after_each_input = steps != nullptr;
  Backtest backtest(catalog, options);
  std::size_t step = 0;
  const auto tick_to = [&](Instant t) {
    while (steps != nullptr && step < steps->size() && (*steps)[step] <= t)
      backtest.tick((*steps)[step++]);
  };
  Run run;
  std::uint64_t refused = 0, after_until = 0;
  Instant newest = Instant::distant_past();
  for (const std::size_t place : order) {
    const TestEvent& event = test.events[place];
    newest = std::max(newest, event.time);
    tick_to(newest);
    if (!event.reference.empty()) {
      Backtest::Record record{static_cast<std::uint32_t>(catalog->find_reference(event.reference)),
                              event.json, event.time};
      backtest.read_record(record);
      backtest.feed_record(record);
    } else if (event.source.empty()) {
      const auto name = catalog::parse_customer(event.customer, catalog.get());
      backtest.feed_call(event.json, name ? std::optional(name->identity()) : std::nullopt);
    } else {
      backtest.tick(newest);  // `at` is when it arrives, whatever its body says
      backtest.feed_to(static_cast<std::uint32_t>(catalog->find_source(event.source)), event.json,
                       event.time);
    }
    const std::uint64_t letters = backtest.counts().dead_letters,
                        later = backtest.counts().after_until;
    if (later != after_until)
      run.refused.push_back(place_text(event.at) + ": its body says a time after `run_until`");
    after_until = later;
    if (letters != refused)
      run.refused.push_back(place_text(event.at) + ": the daemon would refuse this event");
    refused = letters;
  }
  tick_to(test.run_until);
  backtest.finish();
  for (const std::string& sample : backtest.dead_letter_samples()) run.refused.push_back(sample);
  run.errors = backtest.counts().shards.conditions_in_error;
  run.triggers = backtest.trigger_counters();
  run.decisions = std::move(backtest.decisions());
  sort_decisions(run.decisions);
  return run;
}

bool has_rate(const catalog::Compiled& catalog) {
  return std::any_of(catalog.triggers.begin(), catalog.triggers.end(),
                     [](const catalog::Trigger& t) { return t.rate_max > 0; });
}

Order as_written(const Test& test) {
  Order order(test.events.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  return order;
}

bool may_be_shuffled(const Test& test, Millis lateness) {
  if (lateness.count == 0 || test.events.size() < 2) return false;
  std::map<std::string_view, std::string_view> copies;
  Instant newest = Instant::distant_past();
  for (const TestEvent& event : test.events) {
    newest = std::max(newest, event.time);
    if (event.time < newest - lateness) return false;
    if (!event.source.empty()) return false;  // its time is in its body
    const auto [first, is_new] = copies.emplace(event.id, event.json);
    if (!is_new && first->second != event.json) return false;
  }
  return true;
}

// Each event arrives up to `lateness` after its time. The generator and the arithmetic are given by
// the standard, so every machine shuffles alike.
Order shuffled(const Test& test, Millis lateness, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::pair<std::int64_t, std::size_t>> arrivals;
  for (std::size_t i = 0; i < test.events.size(); ++i) {
    const auto delay =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(lateness.count + 1));
    // Business data comes in its order: of a key the newest counts.
    const bool waits = test.events[i].reference.empty();
    arrivals.emplace_back(test.events[i].time.ms + (waits ? delay : 0), i);
  }
  std::sort(arrivals.begin(), arrivals.end());
  Order order;
  for (const auto& [at, place] : arrivals) order.push_back(place);
  return order;
}

// What may help where a decision is missing: how often its trigger fired at all.
void add_counters(const catalog::Compiled& catalog, const Test& test, const Run& run,
                  std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < catalog.triggers.size(); ++i) {
    const std::string& name = catalog.triggers[i].name;
    const Shard::TriggerCounters& c = run.triggers[i];
    const bool expected = std::any_of(test.expect.begin(), test.expect.end(),
                                      [&](const Expectation& e) { return e.trigger == name; });
    const bool decided = std::any_of(run.decisions.begin(), run.decisions.end(),
                                     [&](const Decision& d) { return d.trigger == name; });
    if (!expected || decided) continue;
    std::string line = "  " + name + ": fired " + std::to_string(c.fired) + " times";
    if (c.if_false > 0) line += ", `if` was false " + std::to_string(c.if_false) + " times";
    lines.push_back(std::move(line));
  }
  if (run.errors > 0) {
    lines.push_back("  " + std::to_string(run.errors) +
                    " conditions or values were in error (a field that is missing or of another "
                    "type): they count as false");
  }
}

void keep_only(std::vector<Decision>& decisions, const std::set<Verdict>& only) {
  if (only.empty()) return;
  std::erase_if(decisions, [&](const Decision& d) { return !only.contains(d.verdict); });
}

}  // namespace

Result run_test(const std::shared_ptr<const catalog::Compiled>& catalog, const TestFile& file,
                const Test& test) {
  Result result;
  const Order written = as_written(test);
  Run first = run_once(catalog, file.consents, test, written, 1, nullptr);
  result.runs = 1;
  result.lines = first.refused;

  std::vector<Decision> compared = first.decisions;
  keep_only(compared, test.only);
  if (const std::vector<std::string> diff = difference(test.expect, compared, file.start);
      !diff.empty()) {
    for (const std::string& line : diff) result.lines.push_back("  " + line);
    add_counters(*catalog, test, first, result.lines);
  }

  const auto must_agree = [&](const std::string& how, const Run& run) {
    ++result.runs;
    const std::vector<std::string> diff = difference(first.decisions, run.decisions, file.start);
    if (diff.empty()) return;
    result.lines.push_back(
        how + " decides otherwise; this is a fault of Spur, please report it with this test:");
    for (const std::string& line : diff) result.lines.push_back("  " + line);
  };
  if (!has_rate(*catalog))  // of which each shard has a part
    must_agree("a run on 4 shards", run_once(catalog, file.consents, test, written, 4, nullptr));

  std::vector<Instant> steps;
  for (const TestEvent& event : test.events) steps.push_back(event.time);
  for (const Decision& decision : first.decisions) steps.push_back(decision.time);
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  must_agree("a run with restarts", run_once(catalog, file.consents, test, written, 1, &steps));

  const Millis lateness = catalog->policy.lateness;
  for (int i = 0; i < kShuffles && may_be_shuffled(test, lateness); ++i) {
    const std::uint64_t seed = hash64(test.name) + static_cast<std::uint64_t>(i);
    must_agree("another order of arrival",
               run_once(catalog, file.consents, test, shuffled(test, lateness, seed), 1, nullptr));
  }
  result.passed = result.lines.empty();
  result.decisions = std::move(compared);
  return result;
}

std::vector<Decision> decide(const std::shared_ptr<const catalog::Compiled>& catalog,
                             const TestCase& one) {
  Run run = run_once(catalog, one.consents, one.test, as_written(one.test), 1, nullptr);
  keep_only(run.decisions, one.test.only);
  return std::move(run.decisions);
}

std::vector<catalog::Error> check_names(const catalog::Compiled& catalog, const TestFile& file) {
  std::set<std::string> triggers, channels;
  for (const catalog::Trigger& t : catalog.triggers) triggers.insert(t.name);
  for (const catalog::Channel& c : catalog.channels) channels.insert(c.name);
  std::vector<catalog::Error> errors;
  const auto check = [&](const auto& e, const std::optional<std::string>& name,
                         const std::set<std::string>& known, std::string_view kind) {
    if (!name || name->empty() || known.contains(*name)) return;
    errors.push_back({e.at, "the catalog has no " + std::string(kind) + " `" + *name + "`",
                      catalog::did_you_mean(*name, known)});
  };
  const auto check_customer = [&](const catalog::Position& at, const std::string& name) {
    if (name.empty() || catalog::parse_customer(name, &catalog)) return;
    errors.push_back({at, "`" + name + "` names nobody", std::string(catalog::kCustomerHint)});
  };
  std::set<std::string> sources, references;
  for (const catalog::Source& s : catalog.sources) sources.insert(s.name);
  for (const catalog::Reference& r : catalog.business_data) references.insert(r.name);
  for (const Test& test : file.tests) {
    for (const TestEvent& event : test.events) {
      check_customer(event.at, event.customer);
      check(event, event.source, sources, "Source");
      check(event, event.reference, references, "Reference");
    }
    for (const Expectation& e : test.expect) {
      check_customer(e.at, e.customer.value_or(""));
      check(e, e.trigger, triggers, "Trigger");
      check(e, e.channel, channels, "Channel");
    }
  }
  return errors;
}

}  // namespace spur::trigger_test
