#include "tests/operators/brute_force.h"

#include <optional>

#include "fmt/format.h"

namespace spur::testing {
namespace {

using History = std::vector<RandomEvent>;

// How many Added lie in (t − window, t] among the first `count` events.
int added_in(const History& all, std::size_t count, Instant t, Millis window) {
  int n = 0;
  for (std::size_t j = 0; j < count; ++j) {
    if (all[j].name == "Added" && all[j].time.ms <= t.ms && all[j].time.ms > t.ms - window.count) ++n;
  }
  return n;
}

// One customer's events; answers (instant, trigger, key).
struct OneCustomer {
  const History& all;
  const Rules& rules;
  Instant until;
  std::multiset<std::string>& sent;

  void fires(std::int64_t ms, const char* trigger, const std::string& key) {
    if (ms <= until.ms) sent.insert(fmt::format("{} {} {} {}", ms, all[0].customer, trigger, key));
  }

  void absence() {
    for (int key = 1; key <= 3; ++key) {
      std::optional<std::int64_t> due;
      for (const RandomEvent& e : all) {
        if (e.key != key) continue;
        if (due && *due < e.time.ms) {
          fires(*due, "absence", std::to_string(key));
          due.reset();
        }
        if (e.name == "Ordered") due.reset();
        if (e.name == "Added" || (e.name == "Removed" && due)) due = e.time.ms + rules.wait.count;
      }
      if (due) fires(*due, "absence", std::to_string(key));
    }
  }

  void threshold() {
    // What can change the answer: each Added when it happens and when it leaves; events of an instant come first.
    std::multiset<std::pair<std::int64_t, std::size_t>> instants;
    constexpr std::size_t kLeaves = 1'000'000;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name != "Added") continue;
      instants.insert({all[i].time.ms, i});
      instants.insert({all[i].time.ms + rules.window.count, kLeaves});
    }
    bool level = false;
    for (const auto& [t, i] : instants) {
      const bool now = added_in(all, i == kLeaves ? all.size() : i + 1, {t}, rules.window) >= rules.at_least;
      if (now && !level) fires(t, "threshold", "");
      level = now;
    }
  }

  void event() {
    std::optional<std::int64_t> last;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name != "Viewed" || added_in(all, i + 1, all[i].time, rules.window) < rules.needed) continue;
      if (last && all[i].time.ms - *last < rules.cooldown.count) continue;
      last = all[i].time.ms;
      fires(*last, "event", "");
    }
  }

  void session() {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool ends = i + 1 == all.size() || all[i + 1].time.ms - all[i].time.ms > rules.idle.count;
      if (ends) fires(all[i].time.ms + rules.idle.count, "session", "");
    }
  }

  void novelty() {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name != "Viewed") continue;
      std::set<int> earlier;
      for (std::size_t j = 0; j < i; ++j) {
        if (all[j].name == "Viewed") earlier.insert(all[j].value);
      }
      if (earlier.count(all[i].value) > 0) continue;
      if (rules.after_first && earlier.empty()) continue;
      if (rules.kth > 0 && earlier.size() + 1 != static_cast<std::size_t>(rules.kth)) continue;
      fires(all[i].time.ms, "novelty", std::to_string(all[i].value));
    }
  }
};

}  // namespace

std::multiset<std::string> brute_force(const History& history, const Rules& rules, Instant until) {
  std::multiset<std::string> sent;
  std::set<std::string> customers;
  for (const RandomEvent& e : history) customers.insert(e.customer);
  for (const std::string& customer : customers) {
    History own;
    for (const RandomEvent& e : history) {
      if (e.customer == customer) own.push_back(e);
    }
    OneCustomer one{own, rules, until, sent};
    one.absence();
    one.threshold();
    one.event();
    one.session();
    one.novelty();
  }
  return sent;
}

std::string catalog_of(const Rules& rules) {
  return fmt::format(R"(
Feature adds: {{on: Added, aggregate: count, window: {1}ms}}
Session all: {{keeps: {{on: "*"}}, idle: {5}ms}}
Trigger absence:
  absence: {{key: event.properties.k, opens: {{on: Added}}, resets: {{on: [Added, Removed]}}, closes: {{on: Ordered}}, after: {0}ms}}
  actions: [{{channel: email, template: t}}]
Trigger threshold: {{threshold: {{when: features.adds >= {2}}}, actions: [{{channel: email, template: t}}]}}
Trigger event: {{event: {{on: Viewed}}, if: features.adds >= {3}, cooldown: {4}ms, actions: [{{channel: email, template: t}}]}}
Trigger session: {{session: {{of: all, on: idle}}, actions: [{{channel: email, template: t}}]}}
Trigger novelty: {{novelty: {{on: Viewed, of: event.properties.v{6}{7}}}, actions: [{{channel: email, template: t}}]}}
)",
                     rules.wait.count, rules.window.count, rules.at_least, rules.needed, rules.cooldown.count,
                     rules.idle.count, rules.kth > 0 ? fmt::format(", kth: {}", rules.kth) : "",
                     rules.after_first ? ", after_first: true" : "");
}

}  // namespace spur::testing
