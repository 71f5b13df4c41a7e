// What an event costs in the fold. Events are those of the peers' job; what a benchmark is about stands at its head.
//
// Time counts from decoded events to decisions, timers included, unless it says otherwise; making and decoding messages
// is left out. Counters: `decisions` and `woken` (customers looked at because time passed) an event, `allocations` of
// an event, `heap` bytes a customer with all that the allocator adds, `planned` wakes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "drive.h"
#include "fmt/format.h"
#include "heap.h"
#include "shoppers.h"
#include "state/check.h"
#include "state/memory_store.h"
#include "state/rocks_store.h"

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

// The peers' job itself.
constexpr const char* kJob = R"(
Policy everything: {zone: UTC, max_action_age: 36500d, lateness: 0s}
Session cart: {opens: {on: Product Added}, keeps: {on: [Product Viewed, Product Added, Product Removed, Checkout Started]}, closes: [{on: Order Completed}, {on: Product Removed, where: features.cart_items <= 0}], idle: 30m}
Feature cart_items: {on: [Product Added, Product Removed], within: cart, aggregate: sum, of: "event.name == 'Product Added' ? event.properties.quantity : -event.properties.quantity"}
Feature orders_30d: {on: [Order Completed, Ping], aggregate: count, window: 30d}
Feature revenue_30d: {on: Order Completed, aggregate: sum, of: event.properties.revenue, window: 30d}
Feature last_order: {on: [Order Completed, Ping], aggregate: last, of: event.time}
Feature order_gaps: {on: [Order Completed, Ping], aggregate: gaps}
Trigger cart-abandoned: {class: transactional, session: {of: cart, on: idle}, actions: [{channel: email, template: cart_abandoned, data: {items: features.cart_items, openedAt: sessions.cart.started, orders30: features.orders_30d, revenue30: features.revenue_30d, lastOrder: features.last_order, gapMs: features.order_gaps.mean}}]}
Trigger cart-items: {class: transactional, threshold: {when: features.cart_items >= 3}, actions: [{channel: email, template: cart_items, data: {messageId: instance.opened.id, category: instance.opened.properties.category, items: features.cart_items, orders30: features.orders_30d, revenue30: features.revenue_30d, lastOrder: features.last_order, gapMs: features.order_gaps.mean}}]}
Trigger category-first: {class: transactional, novelty: {on: Order Completed, of: event.properties.category}, actions: [{channel: email, template: category_first, data: {messageId: event.id, category: instance.key, items: features.cart_items, orders30: features.orders_30d, revenue30: features.revenue_30d, lastOrder: features.last_order, gapMs: features.order_gaps.mean}}]}
Trigger revenue-500: {class: transactional, threshold: {when: features.revenue_30d >= 500}, actions: [{channel: email, template: revenue_500, data: {messageId: instance.opened.id, category: instance.opened.properties.category, orders30: features.orders_30d, revenue30: features.revenue_30d, lastOrder: features.last_order, gapMs: features.order_gaps.mean}}]}
Trigger ping: {class: transactional, event: {on: Ping}, actions: [{channel: email, template: ping, data: {messageId: event.id}}]}
)";

void report(benchmark::State& state, Drive& drive, std::uint64_t events, std::uint64_t decided, std::uint64_t woken) {
  const auto n = static_cast<double>(events);
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  state.counters["decisions"] = static_cast<double>(decided) / n;
  state.counters["woken"] = static_cast<double>(woken) / n;
  state.counters["planned"] = static_cast<double>(drive.customers().planned());
}

// A run an iteration.
void measure(benchmark::State& state, Drive& drive, Shoppers& shoppers) {
  std::uint64_t events = 0, woken = 0, allocated = 0;
  const std::uint64_t decided = drive.decisions();
  for (auto _ : state) {
    state.PauseTiming();
    shoppers.make(drive);
    drive.decode();
    const std::uint64_t before = allocations();
    state.ResumeTiming();
    woken += drive.apply();
    allocated += allocations() - before;
    events += Drive::kRun;
  }
  report(state, drive, events, drive.decisions() - decided, woken);
  state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(events);
}

constexpr Millis kRhythm{300'000};  // between the events of a customer, on average

// Twenty triggers; the arguments are customers and the seconds between the events of one. 1,000 customers and a run of
// events fit the cache of a core, a million are far from fitting any. 18 s is the rhythm of the peers' job with 1,000.
// Before anything is measured half an hour passes, so that sessions and waits come to their ends throughout.
void BM_TwentyTriggers(benchmark::State& state) {
  const auto customers = static_cast<std::uint64_t>(state.range(0));
  const std::size_t before = heap_bytes();
  MemoryStore store;
  Drive drive(compiled(kShop), store);
  Shoppers shoppers(customers, Millis{state.range(1) * 1000});
  shoppers.introduce(drive);
  const std::uint64_t warm_up = customers * 1800 / static_cast<std::uint64_t>(state.range(1)) + 100'000;
  for (std::uint64_t n = 0; n < warm_up; n += Drive::kRun) {
    shoppers.make(drive);
    drive.decode();
    drive.apply();
  }
  measure(state, drive, shoppers);
  state.counters["heap"] = static_cast<double>(heap_bytes() - before) / static_cast<double>(customers);
}
BENCHMARK(BM_TwentyTriggers)
    ->Args({1'000, 18})
    ->Args({1'000, 300})
    ->Args({10'000, 300})
    ->Args({100'000, 300})
    ->Args({1'000'000, 300})
    ->Iterations(4'000);

// The same 1,000 customers, with none or a million others who wait for a time that does not come.
void BM_OpenTimers(benchmark::State& state) {
  const std::string waiting = std::string(kShop) +
      "Trigger z: {absence: {opens: {on: Contract Signed}, after: 365d}, actions: [{channel: email, template: t}]}\n";
  MemoryStore store;
  Drive drive(compiled(waiting), store);
  SplitMix random{2};
  for (std::int64_t who = 0; who < state.range(0);) {
    for (Made& message : drive.messages()) {
      make_event(random, 1'000'000 + static_cast<std::uint64_t>(who++), "Contract Signed", Shoppers::kStart, message);
    }
    drive.decode();
    drive.apply();
  }
  Shoppers shoppers(1000, kRhythm);
  for (int n = 0; n < 400; ++n) {
    shoppers.make(drive);
    drive.decode();
    drive.apply();
  }
  measure(state, drive, shoppers);
}
BENCHMARK(BM_OpenTimers)->Arg(0)->Arg(1'000'000)->Iterations(4'000);

// Triggers on events that do not come: an event must cost only what listens to it.
void BM_TriggersThatDoNotListen(benchmark::State& state) {
  std::string lines =
      "Trigger one: {event: {on: Product Viewed}, if: event.properties.quantity >= 2, actions: [{channel: email, "
      "template: t}]}\n";
  for (int i = 1; i < state.range(0); ++i) {
    lines += fmt::format(
        "Trigger t{0}: {{absence: {{key: event.properties.k, opens: {{on: Rare {0}}}, after: 1h}}, actions: "
        "[{{channel: email, template: t}}]}}\n",
        i);
  }
  MemoryStore store;
  Drive drive(compiled(lines), store);
  Shoppers shoppers(1000, kRhythm);
  shoppers.introduce(drive);
  measure(state, drive, shoppers);
}
BENCHMARK(BM_TriggersThatDoNotListen)->Arg(1)->Arg(20)->Arg(100)->Arg(500)->Iterations(4'000);

// The peers' job: customers by a Zipf law (0.8), ten hours of events four days apart. Decoding counts here, since it
// does there. All of the first hour is warm-up.
void BM_PeersJob(benchmark::State& state) {
  const auto customers = static_cast<std::uint64_t>(state.range(0));
  constexpr std::uint64_t kEvents = 2'000'000, kBlock = kEvents / 10;
  std::vector<double> cdf(customers);
  double sum = 0;
  for (std::uint64_t k = 0; k < customers; ++k) cdf[k] = sum += std::pow(static_cast<double>(k + 1), -0.8);
  for (double& c : cdf) c /= sum;
  MemoryStore store;
  Drive drive(compiled(kJob), store);
  SplitMix random{1};
  std::uint64_t n = 0, measured = 0, woken = 0, decided = 0, allocated = 0;
  const auto make = [&] {
    for (Made& message : drive.messages()) {
      const auto who = std::lower_bound(cdf.begin(), cdf.end(), random.unit()) - cdf.begin();
      const std::uint64_t block = n / kBlock, at = n % kBlock;
      make_event(random, static_cast<std::uint64_t>(std::min<std::int64_t>(who, state.range(0) - 1)),
                 Shoppers::kStart + Millis{static_cast<std::int64_t>(block * 4 * 86'400'000 + at * 3'600'000 / kBlock)}, message);
      ++n;
    }
  };
  while (n < kBlock) {
    make();
    drive.decode();
    drive.apply();
  }
  decided = drive.decisions();
  for (auto _ : state) {
    state.PauseTiming();
    make();
    const std::uint64_t before = allocations();
    state.ResumeTiming();
    drive.decode();
    woken += drive.apply();
    allocated += allocations() - before;
    measured += Drive::kRun;
  }
  report(state, drive, measured, drive.decisions() - decided, woken);
  state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(measured);
}
BENCHMARK(BM_PeersJob)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Iterations(1'800'000 / Drive::kRun);

// Twenty features that all hold something, and five open waits.
constexpr const char* kTwentyFeatures = R"(
Feature f01: {on: Product Viewed, aggregate: count}
Feature f02: {on: Product Viewed, aggregate: count, window: 7d}
Feature f03: {on: Order Completed, aggregate: distinct, of: event.properties.category}
Feature f04: {on: Product Viewed, aggregate: last, of: event.properties.category}
Feature f05: {on: Product Viewed, aggregate: decayed, half_life: 7d}
Feature f06: {on: Product Added, aggregate: count}
Feature f07: {on: Product Added, aggregate: sum, of: event.properties.quantity}
Feature f08: {on: Product Added, aggregate: count, window: 1d}
Feature f09: {on: Product Added, aggregate: max, of: event.properties.price}
Feature f10: {on: Product Added, aggregate: mean, of: event.properties.price}
Feature f11: {on: Checkout Started, aggregate: count}
Feature f12: {on: Checkout Started, aggregate: last, of: event.time}
Feature f13: {on: Order Completed, aggregate: count}
Feature f14: {on: Order Completed, aggregate: sum, of: event.properties.revenue}
Feature f15: {on: Order Completed, aggregate: sum, of: event.properties.revenue, window: 30d}
Feature f16: {on: Order Completed, aggregate: count, window: 90d}
Feature f17: {on: Order Completed, aggregate: gaps}
Feature f18: {on: Order Completed, aggregate: first, of: event.time}
Feature f19: {on: Order Completed, aggregate: last, of: event.time}
Feature f20: {on: Order Completed, aggregate: max, of: event.properties.revenue}
Trigger w1: {absence: {opens: {on: Product Viewed}, resets: {on: Product Viewed}, after: 30d}, actions: [{channel: email, template: t}]}
Trigger w2: {absence: {opens: {on: Product Added}, resets: {on: Product Added}, after: 20d}, actions: [{channel: email, template: t, data: {product: instance.opened.properties.product_id, id: instance.opened.id}}]}
Trigger w3: {absence: {opens: {on: Checkout Started}, after: 20d}, actions: [{channel: email, template: t}]}
Trigger w4: {absence: {opens: {on: Order Completed}, resets: {on: Order Completed}, after: 60d}, actions: [{channel: email, template: t}]}
Trigger w5: {absence: {key: event.properties.order_id, opens: {on: Order Completed}, after: 14d}, actions: [{channel: email, template: t, data: {order: instance.key}}]}
)";

// Memory of a customer with all of that after sixteen events in as many days (ten views, three added, a checkout, two
// orders; five waits are open), read from the allocator: the customer, its features and waits, its plan in the wake
// index, its place in the table. `estimated` is Customer::memory_bytes(), of which `of_features` and `of_waits` hang
// from the two lists. Time is of an event, making the customers included.
void BM_CustomerMemory(benchmark::State& state) {
  static constexpr const char* kNames[] = {
      "Order Completed", "Product Viewed", "Product Viewed", "Product Viewed", "Product Added",    "Product Viewed",
      "Product Viewed",  "Product Viewed", "Product Added",  "Product Viewed", "Checkout Started", "Product Viewed",
      "Product Viewed",  "Product Viewed", "Product Added",  "Order Completed"};
  constexpr std::uint64_t kCustomers = 64 * Drive::kRun;
  for (auto _ : state) {
    state.PauseTiming();
    MemoryStore store;
    const std::shared_ptr<const catalog::Compiled> catalog = compiled(kTwentyFeatures);
    auto drive = std::make_unique<Drive>(catalog, store);
    SplitMix random{1};
    std::size_t before = 0;
    Instant at = Shoppers::kStart;
    for (const char* const name : kNames) {
      for (std::uint64_t who = 0; who < kCustomers;) {
        for (Made& message : drive->messages()) {
          make_event(random, who++, name, at, message);
          // An id as long as a UUID, as many are.
          const std::size_t user = message.json.find("\"user-");
          message.json.insert(user + 6, "0123-4567-89ab-cdef-0123");
        }
        drive->decode();
        if (before == 0) before = heap_bytes();
        state.ResumeTiming();
        drive->apply();
        state.PauseTiming();
      }
      at = at + Millis{86'400'000};
    }
    const std::size_t heap = heap_bytes() - before;
    std::size_t features = 0, waits = 0, estimated = 0, of_features = 0, of_waits = 0;
    drive->customers().for_each([&](const Customer& customer) {
      for (std::size_t i = 0; i < customer.features.size(); ++i) features += customer.features.empty(i) ? 0 : 1;
      waits += customer.instances.size();
      of_features += customer.features.block_bytes() + customer.features.own_bytes();
      of_waits += customer.instances.heap_bytes();
      estimated += customer.memory_bytes();
    });
    constexpr auto kEach = static_cast<double>(kCustomers);
    state.counters["heap"] = static_cast<double>(heap) / kEach;
    state.counters["estimated"] = static_cast<double>(estimated) / kEach;
    state.counters["of_features"] = static_cast<double>(of_features) / kEach;
    state.counters["of_waits"] = static_cast<double>(of_waits) / kEach;
    state.counters["features"] = static_cast<double>(features) / kEach;
    state.counters["waits"] = static_cast<double>(waits) / kEach;
    state.counters["planned"] = static_cast<double>(drive->customers().planned());
    drive.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kCustomers * std::size(kNames)));
}
BENCHMARK(BM_CustomerMemory)->Iterations(1)->Unit(benchmark::kMillisecond);

// A cache ten times smaller than the state: 200,000 customers, half of the events to a tenth of them, written behind
// every 64 runs and evicted, all of which is measured, in one thread (the daemon writes on another). `reads` an event.
class CountingStore final : public Store {
 public:
  explicit CountingStore(Store& below) : below_(below) {}
  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override {
    ++reads;
    return below_.get(key);
  }
  absl::Status write(const StoreBatch& batch) override { return below_.write(batch); }
  absl::Status scan(std::string_view prefix,
                    const std::function<bool(std::string_view, std::string_view)>& row) const override {
    return below_.scan(prefix, row);
  }
  absl::Status scan_from(std::string_view prefix, std::string_view from,
                         const std::function<bool(std::string_view, std::string_view)>& row) const override {
    return below_.scan_from(prefix, from, row);
  }
  absl::Status flush() override { return below_.flush(); }

  mutable std::uint64_t reads = 0;

 private:
  Store& below_;
};

void small_cache(benchmark::State& state, Store& store) {
  constexpr std::uint64_t kCustomers = 200'000;
  constexpr int kRunsACut = 64;
  const auto warm = [](Drive& drive, Shoppers& shoppers) {
    shoppers.introduce(drive);
    for (std::uint64_t n = 0; n < 2 * kCustomers; n += Drive::kRun) {
      shoppers.make(drive);
      drive.decode();
      drive.apply();
      if (n % (kRunsACut * Drive::kRun) == 0) drive.write_behind();
    }
    drive.write_behind();
  };
  std::size_t whole = 0;
  {
    MemoryStore all;
    Drive drive(compiled(kShop), all);
    Shoppers shoppers(kCustomers, kRhythm);
    warm(drive, shoppers);
    drive.customers().for_each([&](const Customer& customer) { whole += customer.memory_bytes(); });
  }
  const auto tenths = static_cast<std::size_t>(state.range(0));
  CountingStore counting(store);
  Drive drive(compiled(kShop), counting, whole / 10 * tenths);
  Shoppers shoppers(kCustomers, kRhythm);
  warm(drive, shoppers);
  std::uint64_t events = 0, woken = 0;
  const std::uint64_t decided = drive.decisions(), reads = counting.reads;
  int runs = 0;
  for (auto _ : state) {
    state.PauseTiming();
    shoppers.make(drive);
    drive.decode();
    state.ResumeTiming();
    woken += drive.apply();
    if (++runs % kRunsACut == 0) drive.write_behind();
    events += Drive::kRun;
  }
  report(state, drive, events, drive.decisions() - decided, woken);
  state.counters["reads"] = static_cast<double>(counting.reads - reads) / static_cast<double>(events);
  state.counters["in_memory"] = static_cast<double>(drive.customers().in_memory());
}

// The argument is the cache in tenths of the state; 20 holds all, and what is left is the cost of writing behind.
void BM_CacheMemoryStore(benchmark::State& state) {
  MemoryStore store;
  small_cache(state, store);
}
BENCHMARK(BM_CacheMemoryStore)->Arg(20)->Arg(1)->Iterations(2'048);

void BM_CacheRocksStore(benchmark::State& state) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "spur_bench_rocks";
  std::filesystem::remove_all(folder);
  {
    const RocksShared shared(64 << 20, 64 << 20);
    absl::StatusOr<std::unique_ptr<RocksStore>> store = RocksStore::open(folder.string(), shared);
    SPUR_CHECK(store.ok());
    small_cache(state, **store);
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_CacheRocksStore)->Arg(20)->Arg(1)->Iterations(2'048);

}  // namespace
}  // namespace spur
