// What it costs to make an Event of one call: the shop's track of 450 bytes with what a
// cart-abandonment catalog reads.
//
// BM_OnDemand is the floor to compare with: simdjson's own front end taking out the same fields,
// unchecked elsewhere.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <simdjson.h>

#include <cstring>
#include <string>
#include <vector>

#include "daemon/inputs/segment.h"

namespace spur {
namespace {

// Calls that differ as real ones do, so that the branch predictor does not learn one by heart.
std::vector<std::string> shop_calls(int count) {
  static constexpr const char* kNames[] = {"Product Viewed", "Product Added", "Product Removed",
                                           "Checkout Started", "Order Completed"};
  std::vector<std::string> calls;
  for (int i = 0; i < count; ++i) {
    const unsigned mixed = static_cast<unsigned>(i) * 2654435761u;
    const unsigned customer = mixed % 100'000, product = mixed / 7 % 5'000,
                   cents = 100 + mixed / 3 % 9'900;
    const bool order = mixed % 5 == 4;
    calls.push_back(fmt::format(
        R"({{"type":"track","messageId":"{:08x}-9015-4280-8e09-{:012x}","userId":"user-{:08}",)"
        R"("event":"{}","timestamp":"2026-01-05T12:{:02}:{:02}.{:03}Z","properties":{{)"
        R"("cart_id":"cart-{:08}","product_id":"prod-{:06}","category":"category-{:02}",)"
        R"("price":{}.{:02},"quantity":{},"store_id":"store-{:03}","currency":"EUR"{}}},)"
        R"("context":{{"ip":"10.0.{}.{}","locale":"de-DE",)"
        R"("library":{{"name":"analytics.js","version":"2.11.1"}},)"
        R"("page":{{"path":"/p/prod-{:06}"}}}}}})",
        mixed, i, customer, kNames[mixed % 5], i / 60 % 60, i % 60, i % 1000, customer, product,
        product % 40, cents / 100, cents % 100, 1 + mixed % 3, customer % 200,
        order ? fmt::format(R"(,"order_id":"order-{:010}","revenue":{}.{:02})", i, cents / 100,
                            cents % 100)
              : "",
        customer >> 8 & 255, customer & 255, product));
  }
  return calls;
}

EventSchema shop_schema() {
  EventSchema schema;
  for (const char* name : {"Product Viewed", "Product Added", "Product Removed", "Checkout Started",
                           "Order Completed"}) {
    schema.add_name(name);
  }
  for (const char* key : {"cart_id", "product_id", "category", "quantity", "revenue", "price"}) {
    schema.add_field({"properties", key});
  }
  return schema;
}

void set_rates(benchmark::State& state, const std::vector<std::string>& calls) {
  std::size_t bytes = 0;
  for (const std::string& call : calls) bytes += call.size();
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes_per_call"] = static_cast<double>(bytes) / static_cast<double>(calls.size());
}

void run(benchmark::State& state, const std::vector<std::string>& calls,
         const EventSchema& schema) {
  SegmentDecoder decoder;
  Arena arena;
  std::size_t i = 0;
  for (auto _ : state) {
    arena.reset();
    const Decoded decoded = decoder.decode(calls[i], schema, 0, arena);
    benchmark::DoNotOptimize(std::get<Event>(decoded).content_hash);
    if (++i == calls.size()) i = 0;
  }
  set_rates(state, calls);
}

void BM_ShopTrack(benchmark::State& state) { run(state, shop_calls(4096), shop_schema()); }
BENCHMARK(BM_ShopTrack);

void BM_ShopTrackNothingWanted(benchmark::State& state) {
  run(state, shop_calls(4096), EventSchema());
}
BENCHMARK(BM_ShopTrackNothingWanted);

void BM_ShopTrackAllProperties(benchmark::State& state) {
  EventSchema schema = shop_schema();
  schema.add_field({"properties"});
  run(state, shop_calls(4096), schema);
}
BENCHMARK(BM_ShopTrackAllProperties);

// A catalog that reads fifty other paths as well.
void BM_ShopTrackManyPaths(benchmark::State& state) {
  EventSchema schema;
  for (int i = 0; i < 50; ++i) schema.add_field({"properties", fmt::format("field_{}", i)});
  for (const char* key : {"cart_id", "product_id", "category", "quantity", "revenue", "price"}) {
    schema.add_field({"properties", key});
  }
  run(state, shop_calls(4096), schema);
}
BENCHMARK(BM_ShopTrackManyPaths);

// A text with escapes in each property: the slow way through strings.
void BM_ShopTrackEscapes(benchmark::State& state) {
  std::vector<std::string> calls = shop_calls(4096);
  for (std::string& call : calls) {
    for (std::size_t at = call.find("prod-"); at != std::string::npos;
         at = call.find("prod-", at + 9)) {
      call.replace(at, 5, R"(\u00e9\n-)");
    }
  }
  run(state, calls, shop_schema());
}
BENCHMARK(BM_ShopTrackEscapes);

void BM_OnDemand(benchmark::State& state) {
  const std::vector<std::string> calls = shop_calls(4096);
  simdjson::ondemand::parser parser;
  std::vector<char> padded(64 * 1024);
  std::uint64_t sum = 0;
  std::size_t i = 0;
  const auto text = [](auto value) { return std::string_view(value.get_string()).size(); };
  for (auto _ : state) {
    const std::string& call = calls[i];
    std::memcpy(padded.data(), call.data(), call.size());
    auto document = parser.iterate(padded.data(), call.size(), padded.size());
    for (auto field : document.get_object()) {
      const std::string_view key = field.unescaped_key();
      if (key == "type" || key == "messageId" || key == "userId" || key == "event" ||
          key == "timestamp") {
        sum += text(field.value());
      } else if (key == "properties") {
        for (auto property : field.value().get_object()) {
          const std::string_view name = property.unescaped_key();
          if (name == "cart_id" || name == "product_id" || name == "category")
            sum += text(property.value());
          if (name == "quantity" || name == "revenue" || name == "price") {
            sum += static_cast<std::uint64_t>(double(property.value().get_double()));
          }
        }
      }
    }
    benchmark::DoNotOptimize(sum);
    if (++i == calls.size()) i = 0;
  }
  set_rates(state, calls);
}
BENCHMARK(BM_OnDemand);

}  // namespace
}  // namespace spur
