// What an event costs in the fold: events per second of Shard::apply, decoded before, on the events of the peers' job
// (55 % views, 25 % added, 8 % removed, 7 % checkouts, 5 % orders; a Zipf-like choice of customers).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "daemon/inputs/segment.h"
#include "fmt/format.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "operators/shard.h"
#include "state/memory_store.h"

namespace spur {
namespace {

// Four decisions of the peers' job and sixteen more, as a shop would have them.
constexpr const char* kShop = R"(
Session cart: {opens: {on: Product Added}, keeps: {on: [Product Viewed, Product Added, Product Removed, Checkout Started]}, closes: [{on: Order Completed}, {on: Product Removed, where: features.cart_items <= 0}], idle: 30m}
Session visit: {keeps: {on: "*"}, idle: 30m}
Feature cart_items: {on: [Product Added, Product Removed], within: cart, aggregate: sum, of: "event.name == 'Product Added' ? event.properties.quantity : -event.properties.quantity"}
Feature orders_30d: {on: Order Completed, aggregate: count, window: 30d}
Feature revenue_30d: {on: Order Completed, aggregate: sum, of: event.properties.revenue, window: 30d}
Feature last_order: {on: Order Completed, aggregate: last, of: event.time}
Feature order_gaps: {on: Order Completed, aggregate: gaps}
Feature orders: {on: Order Completed, aggregate: count}
Feature revenue: {on: Order Completed, aggregate: sum, of: event.properties.revenue}
Feature adds_1h: {on: Product Added, aggregate: count, window: 1h}
Feature checkouts_7d: {on: Checkout Started, aggregate: count, window: 7d}
Trigger a01: {class: transactional, session: {of: cart, on: idle}, actions: [{channel: email, template: t, data: {items: features.cart_items, orders: features.orders_30d}}]}
Trigger a02: {class: transactional, threshold: {when: features.cart_items >= 3}, actions: [{channel: email, template: t, data: {items: features.cart_items}}]}
Trigger a03: {class: transactional, novelty: {on: Order Completed, of: event.properties.category}, actions: [{channel: email, template: t, data: {category: instance.key}}]}
Trigger a04: {class: transactional, threshold: {when: features.revenue_30d >= 500}, actions: [{channel: email, template: t, data: {revenue: features.revenue_30d}}]}
Trigger a05: {absence: {opens: {on: Checkout Started}, closes: {on: Order Completed}, after: 1h}, cooldown: 7d, actions: [{channel: email, template: t}, {channel: email, template: u, after: 24h}]}
Trigger a06: {absence: {opens: {on: Product Added}, resets: {on: [Product Added, Product Removed]}, closes: {on: Order Completed}, after: 2h}, while: features.orders_30d == 0, cooldown: 7d, actions: [{channel: email, template: t}]}
Trigger a07: {absence: {closes: {on: Order Completed}, opens: {on: Order Completed, where: features.order_gaps.count >= 3}, after: features.order_gaps.mean * 3}, actions: [{channel: email, template: t}]}
Trigger a08: {event: {on: Order Completed}, if: before.orders >= 3 && event.properties.revenue * before.orders >= 3 * before.revenue, actions: [{channel: email, template: t}]}
Trigger a09: {event: {on: Product Added}, if: features.adds_1h >= 5, cooldown: 1h, actions: [{channel: email, template: t}]}
Trigger a10: {event: {on: Order Completed}, if: event.properties.revenue >= 250, actions: [{channel: email, template: t}]}
Trigger a11: {threshold: {when: features.checkouts_7d >= 3 && features.orders_30d == 0}, actions: [{channel: email, template: t}]}
Trigger a12: {threshold: {when: features.orders >= 10}, once: customer, actions: [{channel: email, template: t}]}
Trigger a13: {novelty: {on: Order Completed, of: event.properties.product_id, after_first: true}, if: features.orders >= 5, cooldown: 7d, actions: [{channel: email, template: t}]}
Trigger a14: {session: {of: visit, on: opened}, if: sessions.visit.count == 5, actions: [{channel: email, template: t}]}
Trigger a15: {event: {on: Checkout Started}, if: features.cart_items >= 10, actions: [{channel: email, template: t}]}
Trigger a16: {event: {on: Order Completed}, if: features.orders == 1, actions: [{channel: email, template: t}, {channel: email, template: u, after: 3d}]}
Trigger a17: {absence: {opens: {on: Order Completed}, closes: {on: Order Completed}, after: 60d}, actions: [{channel: email, template: t}]}
Trigger a18: {event: {on: Product Removed}, if: features.cart_items <= 0, cooldown: 1d, actions: [{channel: email, template: t}]}
Trigger a19: {event: {on: Order Refunded}, if: features.orders >= 1, actions: [{channel: email, template: t}]}
Trigger a20: {absence: {key: event.properties.invoice, opens: {on: Invoice Issued}, closes: {on: Invoice Paid}, after: 14d}, actions: [{channel: email, template: t}]}
)";

std::shared_ptr<const catalog::Compiled> compiled(std::string_view yaml) {
  std::string text = "---\napiVersion: spur/v1\nkind: Channel\nmetadata: {name: email}\nspec: {topic: e}\n";
  text +=
      "---\napiVersion: spur/v1\nkind: Source\nmetadata: {name: events}\nspec: {topic: events, format: segment, "
      "deduplicate: 0s}\n";
  for (std::size_t begin = 1; begin < yaml.size();) {
    const std::size_t end = yaml.find('\n', begin);
    const std::string_view line = yaml.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t space = line.find(' '), colon = line.find(':');
    text += fmt::format("---\napiVersion: spur/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:{}\n", line.substr(0, space),
                        line.substr(space + 1, colon - space - 1), line.substr(colon + 1));
  }
  const catalog::Loaded loaded = catalog::load_text("catalog.yaml", text);
  catalog::CompileResult result = catalog::compile(loaded.catalog, loaded.positions);
  for (const std::vector<catalog::Error>* errors :
       {&loaded.errors, static_cast<const std::vector<catalog::Error>*>(&result.errors)}) {
    for (const catalog::Error& error : *errors) fmt::print(stderr, "{}\n", error.to_text());
  }
  if (result.compiled == nullptr) std::abort();
  return result.compiled;
}

struct SplitMix {
  std::uint64_t state;
  std::uint64_t next() {
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
};

// Decoded events that a shard is driven with, round after round, their times moving on.
class Drive {
 public:
  Drive(const std::shared_ptr<const catalog::Compiled>& catalog, std::uint64_t customers, std::size_t count)
      : customers_(store_), shard_(0, 1, customers_) {
    shard_.begin_run({++run_, kInstantMin, Instant::never(), ClockMode::kRecords}, tape_);
    shard_.apply_catalog(catalog);
    SplitMix random{1};
    for (std::size_t i = 0; i < count; ++i) {
      // Half of the events to a tenth of the customers, as shops have them.
      const std::uint64_t who = random.below(2) == 0 ? random.below(customers / 10 + 1) : random.below(customers);
      const std::uint64_t dice = random.below(100);
      const char* const name = dice < 55   ? "Product Viewed"
                               : dice < 80 ? "Product Added"
                               : dice < 88 ? "Product Removed"
                               : dice < 95 ? "Checkout Started"
                                           : "Order Completed";
      const std::uint64_t product = random.below(5000), quantity = random.below(10) < 9 ? 1 : 2,
                          price = 100 + random.below(9900);
      texts_.push_back(fmt::format(
          R"({{"type":"track","messageId":"{:016x}","userId":"user-{:08}","event":"{}","timestamp":"2026-01-05T12:00:00.000Z","properties":{{"product_id":"p{}","category":"category-{:02}","quantity":{},"price":{}.{:02},"revenue":{}.{:02},"order_id":"o{}"}}}})",
          random.next(), who, name, product, product % 40, quantity, price / 100, price % 100, price * quantity / 100,
          price * quantity % 100, i));
      events_.push_back(std::get<Event>(decoder_.decode(texts_.back(), catalog->schema, 0, arena_)));
    }
    at_ = events_.front().time;
  }

  // One run of 256 events, 18 ms apart, and what is due.
  std::size_t run() {
    constexpr std::size_t kRun = 256;
    tape_.clear();
    shard_.begin_run({++run_, shard_.clock(), Instant::never(), ClockMode::kRecords}, tape_);
    Origin origin;
    for (std::size_t i = 0; i < kRun; ++i) {
      Event& event = events_[next_];
      next_ = next_ + 1 == events_.size() ? 0 : next_ + 1;
      at_ = at_ + Millis{18};
      event.time = at_;
      shard_.apply(event, origin, effects_);
    }
    while (shard_.fire_due(kTimersPerRun, effects_) == kTimersPerRun) {
    }
    decisions += effects_.decisions.size();
    effects_.clear();
    benchmark::DoNotOptimize(shard_.end_run());
    return kRun;
  }
  void round() {
    for (std::size_t n = 0; n < events_.size();) n += run();
  }
  const Customers& customers() const { return customers_; }

  std::uint64_t decisions = 0;

 private:
  MemoryStore store_;
  Customers customers_;
  Shard shard_;
  ScoreTape tape_;
  Effects effects_;
  Arena arena_;
  SegmentDecoder decoder_;
  std::deque<std::string> texts_;
  std::vector<Event> events_;
  std::size_t next_ = 0;
  std::uint64_t run_ = 0;
  Instant at_;
};

void measure(benchmark::State& state, Drive& drive) {
  drive.round();
  std::size_t events = 0;
  drive.decisions = 0;
  for (auto _ : state) events += drive.run();
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  state.counters["decisions/event"] = static_cast<double>(drive.decisions) / static_cast<double>(events);
  std::size_t bytes = 0, waits = 0;
  drive.customers().for_each([&](const Customer& customer) {
    bytes += customer.memory_bytes();
    waits += customer.instances.size();
  });
  const auto known = static_cast<double>(drive.customers().in_memory());
  state.counters["bytes/customer"] = static_cast<double>(bytes) / known;
  state.counters["waits/customer"] = static_cast<double>(waits) / known;
  state.counters["planned"] = static_cast<double>(drive.customers().planned());
}

void BM_TwentyTriggers(benchmark::State& state) {
  Drive drive(compiled(kShop), static_cast<std::uint64_t>(state.range(0)), 1 << 17);
  measure(state, drive);
}
BENCHMARK(BM_TwentyTriggers)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// A million customers need more events to be there at all.
void BM_AMillionCustomersWithOpenTimers(benchmark::State& state) {
  Drive drive(compiled(kShop), 1'000'000, 1 << 20);
  for (int i = 0; i < 2; ++i) drive.round();
  measure(state, drive);
}
BENCHMARK(BM_AMillionCustomersWithOpenTimers)->Iterations(1000);

// Triggers on events that do not come: an event must cost only what listens to it.
void BM_TriggersThatDoNotListen(benchmark::State& state) {
  std::string yaml =
      "\nTrigger one: {event: {on: Product Viewed}, if: event.properties.quantity >= 2, actions: [{channel: email, "
      "template: t}]}\n";
  for (int i = 1; i < state.range(0); ++i) {
    yaml += fmt::format(
        "Trigger t{0}: {{absence: {{key: event.properties.k, opens: {{on: Rare {0}}}, after: 1h}}, actions: "
        "[{{channel: email, template: t}}]}}\n",
        i);
  }
  Drive drive(compiled(yaml), 1000, 1 << 14);
  measure(state, drive);
}
BENCHMARK(BM_TriggersThatDoNotListen)->Arg(1)->Arg(20)->Arg(100)->Arg(500);

}  // namespace
}  // namespace spur
