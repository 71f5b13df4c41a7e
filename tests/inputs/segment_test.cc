#include "daemon/inputs/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spur {
namespace {
TEST(SegmentTest, ATrackIsDecoded) {
  SegmentDecoder decoder;
  Arena arena;
  EventSchema schema;
  const auto total = schema.add_field({"properties", "total"});
  const auto d = decoder.decode(
      R"({"type":"track","event":"Order Completed","userId":7.0,"messageId":"m","timestamp":"2026-03-01T08:30:00.25+01:00","properties":{"total":20.5},"context":{"traits":{"a":"\u00e9\ud83d\ude00"}}})",
      schema, 3, arena);
  ASSERT_TRUE(std::holds_alternative<Event>(d)) << std::get<Malformed>(d).detail;
  const Event& e = std::get<Event>(d);
  EXPECT_EQ(e.user_id, "7");
  EXPECT_EQ(e.fields[total].as_double(), 20.5);
  EXPECT_EQ(field(e.traits, "a").as_text(), "é😀");
}
}  // namespace
}  // namespace spur
