// What each operator costs: one trigger of it on the events of the peers' job, 1,000 customers that
// have one event in 300 seconds each. `none` has a trigger that never hears anything: the
// difference is the operator's. `allocations` and `decisions` an event, `heap` bytes a customer.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drive.h"
#include "fmt/format.h"
#include "heap.h"
#include "shoppers.h"
#include "state/memory_store.h"

namespace spur {
namespace {

constexpr std::uint64_t kCustomers = 1'000;
constexpr std::int64_t kRhythmMillis = 300'000;
// So that sessions, waits and silences come to their ends throughout: an hour of everybody's.
constexpr std::uint64_t kWarmEvents = kCustomers * 12;

// The name, what it needs beside the trigger, and the operator.
struct Row {
  const char* name;
  const char* beside;
  const char* trigger;
};
constexpr Row kRows[] = {
    {"none", "", "event: {on: Never}"},
    {"event", "", "event: {on: Product Viewed}"},
    {"event_if", "Feature f: {on: Product Added, aggregate: count, window: 1h}",
     "event: {on: Product Viewed}, if: features.f >= 1000"},
    {"threshold", "Feature f: {on: Product Added, aggregate: count, window: 1h}",
     "threshold: {when: features.f >= 10}"},
    {"absence", "",
     "absence: {opens: {on: Product Added}, resets: {on: [Product Added, Product Removed]}, "
     "closes: {on: Order "
     "Completed}, after: 1h}"},
    {"absence_by_key", "",
     "absence: {key: event.properties.product_id, opens: {on: Product Added}, closes: {on: Order "
     "Completed}, after: 1h}"},
    {"session", "Session s: {keeps: {on: '*'}, idle: 30m}", "session: {of: s, on: idle}"},
    {"novelty", "", "novelty: {on: Product Viewed, of: event.properties.category}"},
    {"schedule", "Feature f: {on: Product Added, aggregate: count, window: 1h}",
     "schedule: {cron: '0 * * * *', zone: UTC, when: features.f >= 10}"},
    {"rhythm", "", "rhythm: {on: Product Added, change: drop, factor: 3}"},
    {"sequence", "",
     "sequence: {steps: [{on: Product Viewed}, {on: Product Added, within: 30m}], then_silent: "
     "{on: Order Completed, "
     "for: 10m}}"},
    {"intent", "",
     "intent: {scores: [{on: Product Viewed, add: 1}, {on: Product Added, add: 5}], half_life: "
     "20m, at_least: 15, "
     "rearm_below: 5}"},
    {"date", "Feature first: {on: Product Added, aggregate: first, of: event.time}",
     "date: {of: features.first, every: month, at: '09:00', zone: UTC}"},
    {"segment",
     "Feature f: {on: Product Added, aggregate: count, window: 1h}\nSegment v: {when: features.f "
     ">= 10}",
     "segment: {of: v, on: entered}"},
    {"prediction",
     "Model m: {bg_nbd: {on: Order Completed}, parameters: {r: 0.24, alpha: 4.41, a: 0.79, b: "
     "2.43, unit: 1h}}",
     "prediction: {model: m, at_least: 0.6, rearm_below: 0.4, every: 1h}"},
    // What it costs to know who cares; business_bench.cc tells them.
    {"business", "Reference products: {topic: products, key: body.id}",
     "business: {reference: products, interest: {on: Product Viewed, key: "
     "event.properties.product_id, within: 1h}}"},
};

void run(benchmark::State& state, const Row& row) {
  const auto catalog = compiled(fmt::format(
      "{}\nTrigger t: {{class: transactional, {}, actions: [{{channel: email, template: t}}]}}\n",
      row.beside, row.trigger));
  MemoryStore store;
  const std::size_t before = heap_bytes();
  auto drive = std::make_unique<Drive>(catalog, store);
  Shoppers shoppers(kCustomers, Millis{kRhythmMillis});
  for (std::uint64_t n = 0; n < kWarmEvents; n += Drive::kRun) {
    shoppers.make(*drive);
    drive->decode();
    drive->apply();
  }
  std::uint64_t events = 0, allocated = 0;
  const std::uint64_t decided = drive->decisions();
  for (auto _ : state) {
    state.PauseTiming();
    shoppers.make(*drive);
    drive->decode();
    const std::uint64_t calls = allocations();
    state.ResumeTiming();
    drive->apply();
    allocated += allocations() - calls;
    events += Drive::kRun;
  }
  const auto n = static_cast<double>(events);
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  state.counters["allocations"] = static_cast<double>(allocated) / n;
  state.counters["decisions"] = static_cast<double>(drive->decisions() - decided) / n;
  state.counters["heap"] =
      static_cast<double>(heap_bytes() - before) / static_cast<double>(kCustomers);
}

const bool kRegistered = [] {
  for (const Row& row : kRows) {
    benchmark::RegisterBenchmark(("BM_Operator/" + std::string(row.name)).c_str(),
                                 [&row](benchmark::State& state) { run(state, row); })
        ->Iterations(2'000);
  }
  return true;
}();

}  // namespace
}  // namespace spur
