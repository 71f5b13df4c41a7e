// Any bytes as a CloudEvent: what is before the first line end is the packed headers of a record,
// the rest its value; with a map and without.
#include "tests/fuzz/format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kPlain = spur::fuzz::catalog_of("{format: cloudevents}");
  static const auto kMapped = spur::fuzz::catalog_of(
      "{format: cloudevents, map: {identities: {user_id: \"body.data.?u\", anonymous_id: "
      "\"body.?subject\"}, "
      "properties: {total: \"body.?data\", all: body}}}");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\n');
  const std::string_view headers =
      end == std::string_view::npos ? std::string_view() : bytes.substr(0, end);
  const std::string_view value = end == std::string_view::npos ? bytes : bytes.substr(end + 1);
  spur::fuzz::decode(*kPlain, value, headers);
  return spur::fuzz::decode(*kMapped, value, headers);
}
