// Any bytes are an Event or a Malformed, the same one whatever the catalog reads; and views stay
// within what they may point to, which the address sanitizer sees because the bytes lie in a block
// of exactly their size.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

#include "daemon/inputs/segment.h"
#include "state/check.h"

namespace {

// Touches every byte that a value points to.
std::uint64_t touch(const spur::Value& value) {
  std::uint64_t sum = 0;
  if (value.is(spur::Kind::kString)) {
    for (const char c : value.as_text()) sum += static_cast<unsigned char>(c);
  } else if (value.is(spur::Kind::kList)) {
    for (const spur::Value& element : value.elements()) sum += touch(element);
  } else if (value.is(spur::Kind::kMap)) {
    for (const spur::MapEntry& entry : value.entries())
      sum += touch(entry.key) + touch(entry.value);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const spur::EventSchema kReadsAll = [] {
    spur::EventSchema schema;
    schema.add_name("Order Completed");
    schema.add_field({"properties"});
    schema.add_field({"properties", "total"});
    schema.add_field({"context", "page", "path"});
    schema.add_field({"traits", "email"});
    schema.add_field({"groupId"});
    schema.add_field({"x"});
    return schema;
  }();
  static const spur::EventSchema kReadsNothing;
  static spur::SegmentDecoder decoder;
  static spur::Arena arena;
  arena.reset();

  const std::unique_ptr<char[]> block(new char[size]);
  for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<char>(data[i]);
  const std::string_view bytes(block.get(), size);
  const spur::Decoded all = decoder.decode(bytes, kReadsAll, 0, arena);
  const spur::Decoded nothing = decoder.decode(bytes, kReadsNothing, 0, arena);
  SPUR_CHECK(all.index() == nothing.index());
  if (const auto* malformed = std::get_if<spur::Malformed>(&all)) {
    SPUR_CHECK(malformed->reason == std::get<spur::Malformed>(nothing).reason);
    SPUR_CHECK(malformed->detail == std::get<spur::Malformed>(nothing).detail);
    return 0;
  }
  const spur::Event& event = std::get<spur::Event>(all);
  SPUR_CHECK(!event.id.empty() && event.id == std::get<spur::Event>(nothing).id);
  SPUR_CHECK(!event.customer().key().empty());
  SPUR_CHECK(event.time >= spur::kInstantMin && event.time <= spur::kInstantMax);
  SPUR_CHECK(event.content_hash == std::get<spur::Event>(nothing).content_hash);
  std::uint64_t sum = touch(event.traits);
  for (const spur::Value& value : event.fields) sum += touch(value);
  static volatile std::uint64_t sink;
  sink = sum;
  return 0;
}
