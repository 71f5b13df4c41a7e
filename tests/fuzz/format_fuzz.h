// What the fuzz targets of the formats share: a catalog with one Source, and a look at all that
// comes out of a record, so that a view that points astray is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/inputs/decoder.h"
#include "state/check.h"
#include "tests/inputs/one_source.h"

namespace spur::fuzz {

// Reads all properties and one of them, by a Source with `spec`.
inline std::shared_ptr<const catalog::Compiled> catalog_of(const std::string& spec) {
  return one_source(spec,
                    "apiVersion: spur/v1\nkind: Feature\nmetadata: {name: f}\n"
                    "spec: {on: A, aggregate: count, where: \"size(event.properties) > "
                    "event.properties.total\"}\n");
}

// Touches every byte that a value points to.
inline std::uint64_t touch(const Value& value) {
  std::uint64_t sum = 0;
  if (value.is(Kind::kString)) {
    for (const char c : value.as_text()) sum += static_cast<unsigned char>(c);
  } else if (value.is(Kind::kList)) {
    for (const Value& element : value.elements()) sum += touch(element);
  } else if (value.is(Kind::kMap)) {
    for (const MapEntry& entry : value.entries()) sum += touch(entry.key) + touch(entry.value);
  } else {
    // What JSON cannot say is in no event.
    SPUR_CHECK(value.is_number() || value.is(Kind::kBool) || value.is(Kind::kNull) ||
               value.is_absent());
  }
  return sum;
}

// Decodes and looks. An event has what every event has; twice the same record is twice the same.
inline int decode(const catalog::Compiled& catalog, std::string_view bytes,
                  std::string_view headers = {}) {
  static Decoder decoder;
  const std::unique_ptr<char[]> block(new char[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), block.get());
  std::string outcomes[2];
  for (std::string& outcome : outcomes) {
    decoder.decode({{block.get(), bytes.size()}, headers, Instant{1}}, catalog, 0,
                   [&](const Decoded& decoded, std::string_view one) {
                     outcome += std::to_string(one.size()) + ' ';
                     if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
                       outcome += std::string(to_text(malformed->reason)) + malformed->detail;
                       return;
                     }
                     const Event& event = std::get<Event>(decoded);
                     SPUR_CHECK(!event.id.empty() && event.id.size() <= InputLimits().id_bytes_max);
                     SPUR_CHECK(!event.customer().key().empty());
                     SPUR_CHECK(event.time >= kInstantMin && event.time <= kInstantMax);
                     std::uint64_t sum = touch(event.traits);
                     for (const Value& value : event.fields) sum += touch(value);
                     outcome.append(event.id).append(std::to_string(sum + event.content_hash));
                   });
    SPUR_CHECK(!outcome.empty());
  }
  SPUR_CHECK(outcomes[0] == outcomes[1]);
  return 0;
}

}  // namespace spur::fuzz
