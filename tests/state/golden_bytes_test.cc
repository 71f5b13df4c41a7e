// Stored bytes are frozen: what an older version wrote is read for ever. A line that no longer
// matches is a new version, not a new golden. SPUR_UPDATE_GOLDENS=1 writes lines for samples that
// are new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "state/codec/event_codec.h"
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
  std::vector<std::pair<std::string, std::string>> samples(3);
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
  expect_golden("events.txt", samples);
}

}  // namespace
}  // namespace spur::testing
