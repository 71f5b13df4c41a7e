// The fixture for the formats that need a catalog: a catalog in YAML, and records of its Sources.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/inputs/decoder.h"
#include "tests/inputs/decoding.h"
#include "tests/inputs/one_source.h"

namespace spur {

class Formats : public testing::Test {
 protected:
  // A catalog whose one Source has `spec`; its features read properties.total and all properties.
  void source(const std::string& spec) {
    catalog_ =
        one_source(spec,
                   "apiVersion: spur/v1\nkind: Feature\nmetadata: {name: f}\n"
                   "spec: {on: Order Completed, aggregate: sum, of: event.properties.total}\n"
                   "---\napiVersion: spur/v1\nkind: Feature\nmetadata: {name: g}\n"
                   "spec: {on: Order Completed, aggregate: distinct, of: "
                   "\"event.properties.?other.orValue(size(event.properties))\"}\n");
  }

  struct Seen {
    std::string reason, detail;  // empty: an event
    std::string bytes;
    std::string id, name, type, user, anonymous, customer, traits, properties, total;
    Instant time;
    std::uint64_t content = 0;
  };

  // Everything that the record holds. The bytes are copied to the end of a heap block of their own
  // size, where a sanitizer sees any step beyond.
  std::vector<Seen> all(std::string_view bytes, std::string_view headers = {},
                        std::optional<Instant> received = std::nullopt) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    std::vector<Seen> seen;
    decoder_.decode(
        {{block.data(), block.size()}, headers, received}, *catalog_, 0,
        [&](const Decoded& decoded, std::string_view one) { seen.push_back(look(decoded, one)); });
    return seen;
  }
  Seen one(std::string_view bytes, std::string_view headers = {},
           std::optional<Instant> received = std::nullopt) {
    const std::vector<Seen> seen = all(bytes, headers, received);
    EXPECT_EQ(seen.size(), 1u);
    return seen.front();
  }
  std::string reason(std::string_view bytes, std::string_view headers = {}) {
    return one(bytes, headers, Instant{1}).reason;
  }

  Decoder decoder_;
  std::shared_ptr<const catalog::Compiled> catalog_;

 private:
  Seen look(const Decoded& decoded, std::string_view bytes) {
    Seen seen;
    seen.bytes = bytes;
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
      seen.reason = to_text(malformed->reason);
      seen.detail = malformed->detail;
      EXPECT_FALSE(seen.detail.empty());
      return seen;
    }
    const Event& event = std::get<Event>(decoded);
    seen.id = event.id;
    seen.name = event.name;
    seen.type = to_text(event.type);
    seen.user = event.user_id;
    seen.anonymous = event.anonymous_id;
    seen.customer = to_text(event.customer());
    seen.traits = show(event.traits);
    seen.time = event.time;
    seen.content = event.content_hash;
    for (std::size_t i = 0; i < event.fields.size(); ++i) {
      const std::vector<std::string>& path =
          catalog_->schema.path(static_cast<EventSchema::FieldIndex>(i));
      if (path == std::vector<std::string>{"properties"}) seen.properties = show(event.fields[i]);
      if (path == std::vector<std::string>{"properties", "total"})
        seen.total = show(event.fields[i]);
    }
    return seen;
  }
};

}  // namespace spur
