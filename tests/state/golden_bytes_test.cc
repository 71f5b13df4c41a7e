// Stored bytes are frozen: what an older version wrote is read for ever. A line that no longer
// matches is a new version, not a new golden. SPUR_UPDATE_GOLDENS=1 writes lines for samples that
// are new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "state/codec/event_codec.h"
#include "state/codec/keys.h"
#include "state/codec/reference_codec.h"
#include "state/codec/value_codec.h"
#include "tests/state/aggregate_samples.h"
#include "tests/state/codec_samples.h"

namespace spur::testing {
namespace {

// Lines of "name = hex", in the order of the samples.
void expect_golden(const std::string& file,
                   const std::vector<std::pair<std::string, std::string>>& samples) {
  const std::string path = "tests/golden/state/" + file;
  std::string actual = "version 1\n";
  for (const auto& [name, bytes] : samples) actual += name + " = " + hex(bytes) + "\n";
  if (std::getenv("SPUR_UPDATE_GOLDENS") != nullptr) std::ofstream(path) << actual;
  std::ifstream in(path);
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(expected, actual);
}

TEST(GoldenBytesTest, Values) {
  Arena arena;
  std::vector<std::pair<std::string, std::string>> samples;
  for (const auto& [name, value] : sample_values(arena)) {
    std::string bytes;
    encode_value(value, bytes);
    samples.emplace_back(name, bytes);
  }
  expect_golden("values.txt", samples);
}

TEST(GoldenBytesTest, BusinessData) {
  const Identity ann{IdentityKind::kUserId, "ann"};
  const std::string place = interest_place(kStart, ann);
  std::string price;
  Arena arena;
  const MapEntry entries[] = {{Value::string("price"), Value::real(80)}};
  encode_value(Value::map(entries), price);
  RecordVersions record;
  record.versions = {{kStart, price}, {kStart + kHour, ""}};
  record.forgotten = true;
  ReferencesState state;
  state.changes = 3;
  state.records = {{0x1122334455667788, 2}};
  state.interests = {{0x99aabbccddeeff00, 1}};
  state.windows = {{0x1234, {kStart, 5}}};
  state.leaving = {definition_prefix(KeyKind::kRecord, 7)};
  expect_golden("references.txt", {{"record key", record_key(0x1122334455667788, "p1")},
                                   {"record", encode_record(record)},
                                   {"interest key", interest_prefix(0x99aabbccddeeff00, "p1") + place},
                                   {"change key", change_key(3)},
                                   {"change", encode_change({0x99aabbccddeeff00, "p1", kStart, price, place})},
                                   {"told key", told_prefix(3) + place},
                                   {"references key", references_key()},
                                   {"references", encode_references(state)}});
}

TEST(GoldenBytesTest, WhatIsNotWholeIsRefused) {
  RecordVersions record;
  record.versions = {{kStart, "value"}};
  ReferencesState state;
  state.records = {{1, 2}};
  state.leaving = {"prefix"};
  const std::string bytes[] = {encode_record(record), encode_change({1, "key", kStart, "previous", "told"}),
                               encode_references(state)};
  const auto decodes = [&](std::size_t which, std::string_view part) {
    return which == 0   ? decode_record(part).has_value()
           : which == 1 ? decode_change(part).has_value()
                        : decode_references(part).has_value();
  };
  for (std::size_t which = 0; which < 3; ++which) {
    EXPECT_TRUE(decodes(which, bytes[which]));
    for (std::size_t size = 0; size < bytes[which].size(); ++size)
      EXPECT_FALSE(decodes(which, bytes[which].substr(0, size))) << which << " " << size;
  }
}

TEST(GoldenBytesTest, Identities) {
  std::vector<std::pair<std::string, std::string>> samples;
  for (const Identity& identity :
       {Identity{IdentityKind::kUserId, "4711"}, Identity{IdentityKind::kAnonymousId, "a-1"},
        Identity{IdentityKind::kNamed, "loyalty_id:4711"}}) {
    samples.emplace_back("customer key of " + to_text(identity), customer_key(identity));
    samples.emplace_back("wake key of " + to_text(identity), wake_key(kStart, identity));
  }
  expect_golden("identities.txt", samples);
}

TEST(GoldenBytesTest, Aggregates) {
  std::vector<std::pair<std::string, std::string>> samples;
  for (const AggregateSample& sample : sample_aggregates())
    samples.emplace_back(sample.name, encoded(sample.aggregate, sample.spec));
  expect_golden("aggregates.txt", samples);
}

TEST(GoldenBytesTest, Events) {
  EventSchema schema;
  schema.add_field({"properties", "total"});
  schema.add_field({"context", "page", "url"});
  const Value fields[] = {Value::real(19.99), Value::string("https://example.com/")};
  const MapEntry traits[] = {{Value::string("email"), Value::string("ann@example.com")}};
  Event event;
  event.name = "Order Completed";
  event.id = "m-1";
  event.user_id = "ann";
  event.anonymous_id = "a-1";
  event.time = kStart;
  event.fields = fields;
  event.traits = Value::map(traits);
  event.content_hash = 0x0123456789abcdef;
  std::vector<std::pair<std::string, std::string>> samples(4);
  samples[0].first = "all";
  encode_event(event, schema, 7, samples[0].second);
  samples[1].first = "brief, only the total";
  const EventSchema::FieldIndex only[] = {0};
  encode_brief(event, schema, only, samples[1].second);
  samples[2].first = "a page";
  event.type = CallType::kPage;
  event.fields = {};
  event.traits = Value::absent();
  encode_event(event, schema, 7, samples[2].second);
  samples[3].first = "a page, of a customer known by a card too";
  event.named_id = "loyalty_id:4711";
  encode_event(event, schema, 7, samples[3].second);
  expect_golden("events.txt", samples);
}

}  // namespace
}  // namespace spur::testing
