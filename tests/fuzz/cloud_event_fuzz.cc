// Any bytes as a CloudEvent, with a map and without: the first two say, the lower first, how many
// of the rest are the packed headers of a record; what is left is its value.
#include <algorithm>

#include "tests/fuzz/format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kPlain = spur::fuzz::catalog_of("{format: cloudevents}");
  static const auto kMapped = spur::fuzz::catalog_of(
      "{format: cloudevents, map: {identities: {user_id: \"body.data.?u\", anonymous_id: "
      "\"body.?subject\"}, "
      "properties: {total: \"body.?data\", all: body}}}");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size < 2) return 0;
  const std::size_t headers_size = std::min<std::size_t>(data[0] | data[1] << 8, size - 2);
  const std::string_view headers = bytes.substr(2, headers_size);
  const std::string_view value = bytes.substr(2 + headers_size);
  spur::fuzz::decode(*kPlain, value, headers);
  return spur::fuzz::decode(*kMapped, value, headers);
}
