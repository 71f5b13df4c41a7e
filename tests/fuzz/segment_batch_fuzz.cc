// Any bytes as a batch of Segment calls: each call is an Event or a Malformed, and with what the
// batch adds it decodes alone as it did in the batch.
#include <utility>
#include <vector>

#include "tests/fuzz/format_fuzz.h"

namespace {

std::string outcome_of(const spur::Decoded& decoded) {
  if (const auto* malformed = std::get_if<spur::Malformed>(&decoded))
    return std::string(spur::to_text(malformed->reason)) + malformed->detail;
  const spur::Event& event = std::get<spur::Event>(decoded);
  std::uint64_t sum = spur::fuzz::touch(event.traits);
  for (const spur::Value& value : event.fields) sum += spur::fuzz::touch(value);
  return std::string(event.id) + ' ' + std::to_string(event.time.ms) + ' ' +
         std::to_string(sum + event.content_hash);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kCatalog = spur::fuzz::catalog_of("{format: segment}");
  static spur::SegmentBatch batch;
  static spur::Decoder decoder, alone;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<std::pair<std::string, std::string>> seen;  // bytes, outcome
  decoder.decode({bytes}, *kCatalog, 0, [&](const spur::Decoded& decoded, std::string_view one) {
    seen.emplace_back(one, outcome_of(decoded));
  });
  if (batch.open(bytes) == spur::SegmentBatch::Outcome::kBatch) {
    SPUR_CHECK(batch.size() > 0 && batch.size() == seen.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::string call(batch.call(i));
      SPUR_CHECK(call.size() <= 2 * bytes.size());
      if (call != seen[i].first) {  // refused, and handed on so that it is refused again
        SPUR_CHECK(batch.is_batch(call) && seen[i].first == spur::SegmentBatch::alone(call));
        continue;
      }
      SPUR_CHECK(outcome_of(alone.decode_call(call, *kCatalog, 0)) == seen[i].second);
    }
  }
  return spur::fuzz::decode(*kCatalog, bytes);
}
