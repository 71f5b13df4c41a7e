// What the other formats cost beside a Segment call: the same order as a receipt with a map, as a
// CloudEvent and as protobuf, and in a batch of a hundred.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "daemon/inputs/decoder.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "spur/v1/event.pb.h"

namespace spur {
namespace {

std::shared_ptr<const catalog::Compiled> catalog_of(const std::string& spec) {
  const catalog::Loaded loaded = catalog::load_text(
      "c", "apiVersion: spur/v1\nkind: Source\nmetadata: {name: s}\nspec: " + spec +
               "\n---\napiVersion: spur/v1\nkind: Feature\nmetadata: {name: f}\n"
               "spec: {on: Order Completed, aggregate: sum, of: event.properties.total}\n");
  catalog::CompileResult compiled = catalog::compile(loaded.catalog, loaded.positions);
  if (!loaded.errors.empty() || compiled.compiled == nullptr) std::abort();
  return std::move(compiled.compiled);
}

void run(benchmark::State& state, const std::string& spec, const std::string& record) {
  const auto catalog = catalog_of(spec);
  Decoder decoder;
  std::int64_t events = 0;
  for (auto _ : state) {
    decoder.decode({record, {}, Instant{1}}, *catalog, 0,
                   [&](const Decoded& decoded, std::string_view) {
                     benchmark::DoNotOptimize(std::get<Event>(decoded).content_hash);
                     ++events;
                   });
  }
  state.SetItemsProcessed(events);
  state.counters["bytes"] = static_cast<double>(record.size());
}

constexpr const char* kLines =
    R"([{"sku":"a-100","category":"shoes","price":19.99,"quantity":1},{"sku":"b-200","category":"toys","price":5,"quantity":2}])";

std::string call() {
  return fmt::format(R"({{"type":"track","event":"Order Completed","userId":"user-1",)"
                     R"("messageId":"m-1","timestamp":"2026-03-01T08:30:00.250Z",)"
                     R"("properties":{{"total":25.5,"products":{}}}}})",
                     kLines);
}

void BM_SegmentCall(benchmark::State& state) { run(state, "{format: segment}", call()); }
BENCHMARK(BM_SegmentCall);

void BM_SegmentBatchOf100(benchmark::State& state) {
  std::string record = R"({"sentAt":"2026-03-01T08:30:00.250Z","context":{"ip":"1"},"batch":[)";
  for (int i = 0; i < 100; ++i) record += (i > 0 ? "," : "") + call();
  run(state, "{format: segment}", record + "]}");
}
BENCHMARK(BM_SegmentBatchOf100);

void BM_MappedReceipt(benchmark::State& state) {
  run(state, R"(
  format: json
  map:
    id: body.receipt_no
    name: "'Order Completed'"
    time: timestamp(body.closed_at)
    identities: {user_id: body.card}
    properties: {total: body.sum_cents / 100, products: body.lines})",
      fmt::format(R"({{"receipt_no":"m-1","closed_at":"2026-03-01T08:30:00.250Z","till":7,)"
                  R"("shop":"s-17","card":"user-1","sum_cents":2550,"lines":{}}})",
                  kLines));
}
BENCHMARK(BM_MappedReceipt);

void BM_CloudEvent(benchmark::State& state) {
  run(state, "{format: cloudevents}",
      fmt::format(R"({{"specversion":"1.0","type":"Order Completed","subject":"user-1",)"
                  R"("source":"/shop","id":"m-1","time":"2026-03-01T08:30:00.250Z",)"
                  R"("data":{{"total":25.5,"products":{}}}}})",
                  kLines));
}
BENCHMARK(BM_CloudEvent);

void BM_Protobuf(benchmark::State& state) {
  spur::v1::Event event;
  spur::v1::Call& call = *event.mutable_call();
  call.set_type(spur::v1::Call::TRACK);
  call.set_name("Order Completed");
  call.set_user_id("user-1");
  call.set_message_id("m-1");
  call.mutable_timestamp()->set_seconds(1'772'353'800);
  auto& properties = *call.mutable_properties()->mutable_fields();
  properties["total"].set_number_value(25.5);
  for (int i = 0; i < 2; ++i) {
    auto& line = *properties["products"].mutable_list_value()->add_values()->mutable_struct_value();
    (*line.mutable_fields())["sku"].set_string_value("a-100");
    (*line.mutable_fields())["category"].set_string_value("shoes");
    (*line.mutable_fields())["price"].set_number_value(19.99);
    (*line.mutable_fields())["quantity"].set_number_value(1);
  }
  run(state, "{format: protobuf}", event.SerializeAsString());
}
BENCHMARK(BM_Protobuf);

}  // namespace
}  // namespace spur
