// Any bytes as a spur.v1.Event.
#include "tests/fuzz/format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kCatalog = spur::fuzz::catalog_of("{format: protobuf}");
  return spur::fuzz::decode(*kCatalog, {reinterpret_cast<const char*>(data), size});
}
