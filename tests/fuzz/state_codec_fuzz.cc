// Arbitrary bytes as a value, an event, an aggregate or keyed aggregates: either refused, or sound
// and written back as the same bytes. The first byte chooses which.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "state/aggregates/keyed.h"
#include "state/codec/event_codec.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

void fuzz_value(std::string_view bytes) {
  Arena arena;
  const std::optional<Value> value = decode_value(bytes, arena);
  if (!value) return;
  std::string again;
  encode_value(*value, again);
  SPUR_CHECK(again == bytes);
}

void fuzz_event(std::string_view bytes) {
  EventSchema schema;
  schema.add_field({"properties", "total"});
  schema.add_field({"context", "page", "url"});
  Arena arena;
  const std::optional<StoredEvent> stored = decode_event(bytes, schema, arena);
  if (!stored) return;
  // Fields of other paths are dropped, so the second writing is the one that must be stable.
  std::string once, twice;
  encode_event(stored->event, schema, stored->source_key, once);
  const std::optional<StoredEvent> again = decode_event(once, schema, arena);
  SPUR_CHECK(again.has_value());
  encode_event(again->event, schema, again->source_key, twice);
  SPUR_CHECK(once == twice);
}

// Which of the specs `choice` stands for.
AggregateSpec spec_of(std::uint8_t choice) {
  AggregateSpec spec;
  spec.kind = static_cast<AggregateKind>(1 + choice % 10);
  spec.window = (choice / 10 & 1) != 0 ? kDay : Millis{0};
  spec.offset = (choice / 10 & 2) != 0 ? kHour : Millis{0};
  spec.distinct_days = (choice / 10 & 4) != 0;
  spec.limit = (choice / 10 & 8) != 0 ? 3 : 0;
  spec.half_life = kHour;
  return spec;
}

void fuzz_aggregate(const AggregateSpec& spec, std::string_view bytes) {
  Aggregate aggregate;
  if (!aggregate.decode(spec, bytes)) return;
  std::string again;
  aggregate.encode(spec, again);
  SPUR_CHECK(again == bytes);
  Arena arena;
  Digest digest;
  const Instant now = kInstantMax;
  aggregate.read(spec, Member::kMedian, now, arena);
  aggregate.next_change(spec, now);
  Aggregate copy = aggregate;
  copy.add(spec, now - kMinute, now, Value::integer(1), digest);
  copy.add(spec, now, now, Value::string("some text"), digest);
  copy.advance(spec, now);
  copy.read(spec, Member::kValue, now, arena);
}

void fuzz_keyed(const AggregateSpec& spec, std::string_view bytes) {
  KeyedAggregates keyed;
  if (!keyed.decode(spec, bytes)) return;
  std::string again;
  keyed.encode(spec, again);
  SPUR_CHECK(again == bytes);
}

}  // namespace
}  // namespace spur

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 4) {
    case 0:
      spur::fuzz_value(bytes);
      break;
    case 1:
      spur::fuzz_event(bytes);
      break;
    case 2:
      spur::fuzz_aggregate(spur::spec_of(data[1]), bytes);
      break;
    case 3:
      spur::fuzz_keyed(spur::spec_of(data[1]), bytes);
      break;
  }
  return 0;
}
