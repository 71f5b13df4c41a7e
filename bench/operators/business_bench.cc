// What it costs to tell a change of business data to a million customers, and what an event waits
// for meanwhile: each run takes one event of somebody else and tells as many as a run does.
// `told_ns` a customer; `run_us` is the time of the longest but one in a hundred of those runs,
// `quiet_us` the same without a change under way.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "daemon/inputs/record.h"
#include "drive.h"
#include "fmt/format.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"
#include "state/memory_store.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

constexpr Instant kStart{1'767'614'400'000};  // 2026-01-05T12:00:00Z
constexpr std::uint64_t kCustomers = 1'000'000;

constexpr const char* kPriceDrop = R"(
Reference products: {topic: products, key: body.id}
Trigger price-drop: {class: transactional, business: {reference: products, interest: {on: Product Viewed, key: "'p1'", within: 30d}}, if: record.price <= 0.9 * instance.opened.properties.price && (!has(instance.last) || record.price < instance.last.data.price), actions: [{channel: email, template: t, data: {price: record.price}}]}
)";

using Nanos = std::chrono::nanoseconds;

Nanos now() { return std::chrono::steady_clock::now().time_since_epoch(); }

double percentile_us(std::vector<Nanos>& times) {
  if (times.empty()) return 0;
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
  std::nth_element(times.begin(), at, times.end());
  return static_cast<double>(at->count()) / 1000;
}

struct Running {
  explicit Running(Store& store, std::size_t memory)
      : customers(store, memory), shard(0, 1, customers), store(store) {
    begin();
    shard.apply_catalog(compiled(kPriceDrop));
  }

  void begin() {
    tape.clear();
    effects.clear();
    shard.begin_run({++run, clock, Instant::never(), ClockMode::kWall}, tape);
  }
  void view(std::uint64_t customer) {
    arena.reset();
    json.clear();
    fmt::format_to(
        std::back_inserter(json),
        R"({{"type":"track","event":"Product Viewed","messageId":"m{}","userId":"user-{:08}",)"
        R"("timestamp":"2026-01-05T12:00:00Z","properties":{{"price":100}}}})",
        run, customer);
    const Decoded decoded = decoder.decode(json, shard.catalog()->schema, 0, arena);
    Event event = std::get<Event>(decoded);
    event.time = clock;
    shard.apply(event, {}, effects);
  }
  void change(double price) {
    arena.reset();
    const std::string text = fmt::format(R"({{"id":"p1","price":{}}})", price);
    const auto body = records.decode(text, arena);
    Origin origin;
    origin.received = clock;
    shard.apply_record(0, std::get<Value>(body), origin, effects);
  }
  void write_behind() {
    customers.begin_cut();
    while (!customers.encode_cut(1000)) {
    }
    SPUR_CHECK(store.write(customers.take_cut()).ok());
    customers.cut_written();
    customers.evict();
  }

  Customers customers;
  Shard shard;
  Store& store;
  ScoreTape tape;
  Effects effects;
  SegmentDecoder decoder;
  RecordDecoder records;
  Arena arena;
  std::string json;
  Instant clock = kStart;
  std::uint64_t run = 0;
};

void tell_a_million(benchmark::State& state, Store& store, std::size_t memory) {
  Running running(store, memory);
  for (std::uint64_t i = 0; i < kCustomers; ++i) {
    running.clock = kStart + Millis{static_cast<std::int64_t>(i / 10)};
    running.begin();
    running.view(i);
    if (i % 20'000 == 19'999) running.write_behind();
  }
  running.write_behind();
  SplitMix random{1};
  std::vector<Nanos> quiet, telling;
  std::uint64_t told = 0;
  double price = 100;
  for (auto _ : state) {
    // An event of a customer who has none of it: those are on the way, and must not wait for the
    // others.
    const auto one_run = [&](std::vector<Nanos>& times) {
      running.clock = running.clock + Millis{1};
      running.begin();
      const Nanos begun = now();
      running.view(kCustomers + random.below(1000));
      running.shard.fire_due({}, running.effects);
      running.shard.end_run();
      times.push_back(now() - begun);
    };
    for (int i = 0; i < 10'000; ++i) one_run(quiet);
    running.begin();
    price *= 0.8;
    running.change(price);
    running.clock = running.clock + Millis{1};
    for (std::size_t before = running.run; running.shard.next_due() <= running.clock + Millis{1};
         ++before) {
      one_run(telling);
      told += running.effects.decisions.size();
      if (before % 256 == 255) {
        state.PauseTiming();
        running.write_behind();
        state.ResumeTiming();
      }
    }
  }
  SPUR_CHECK(told >= kCustomers);
  Nanos sum{0};
  for (const Nanos one : telling) sum += one;
  state.counters["told_ns"] = static_cast<double>(sum.count()) / static_cast<double>(told);
  state.counters["run_us"] = percentile_us(telling);
  state.counters["quiet_us"] = percentile_us(quiet);
}

// All customers in memory.
void BM_TellAMillion(benchmark::State& state) {
  MemoryStore store;
  tell_a_million(state, store, 0);
}
BENCHMARK(BM_TellAMillion)->Iterations(1)->Unit(benchmark::kSecond);

// A tenth of them, the others read back from disk.
void BM_TellAMillionFromDisk(benchmark::State& state) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "spur-bench-business";
  std::filesystem::remove_all(path);
  const RocksShared shared(64u << 20, 64u << 20);
  auto store = RocksStore::open(path, shared);
  SPUR_CHECK(store.ok());
  tell_a_million(state, **store, 100u << 20);
  store->reset();
  std::filesystem::remove_all(path);
}
BENCHMARK(BM_TellAMillionFromDisk)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace spur
