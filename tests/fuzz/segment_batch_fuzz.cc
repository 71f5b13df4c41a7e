// Any bytes as a batch of Segment calls: each call is an Event or a Malformed, and with what the
// batch adds it decodes alone as it did in the batch.
#include "tests/fuzz/format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kCatalog = spur::fuzz::catalog_of("{format: segment}");
  static spur::SegmentBatch batch;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (batch.open(bytes) == spur::SegmentBatch::Outcome::kBatch) {
    SPUR_CHECK(batch.size() > 0);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::string call(batch.call(i));
      SPUR_CHECK(call.size() <= 2 * bytes.size());
      spur::fuzz::decode(*kCatalog, call);
    }
  }
  return spur::fuzz::decode(*kCatalog, bytes);
}
