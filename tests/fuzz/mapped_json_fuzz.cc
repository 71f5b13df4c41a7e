// Any bytes as JSON of a Source with a map that does something of each kind.
#include "tests/fuzz/format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kCatalog = spur::fuzz::catalog_of(R"yaml(
  format: json
  map:
    id: "body.?id"
    name: body.?name.orValue('A')
    time: "has(body.at) ? timestamp(body.at) : timestamp(0) + duration('1s') * body.ts"
    identities: {card: "body.?c", user_id: "body.?u", anonymous_id: "body.?a", mail: "body.?m"}
    properties:
      total: "body.?cents.orValue(0) / 100.0"
      all: body
      list: "[body.?x, {body.?k.orValue('k'): size(body)}]"
    traits: "body.?traits.orValue({'email': body.?mail})")yaml");
  return spur::fuzz::decode(*kCatalog, {reinterpret_cast<const char*>(data), size});
}
