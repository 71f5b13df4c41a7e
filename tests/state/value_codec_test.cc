#include "state/codec/value_codec.h"

#include <gtest/gtest.h>

#include "tests/state/codec_samples.h"

namespace spur {
namespace {

using testing::sample_values;

std::string encoded(const Value& value) {
  std::string bytes;
  encode_value(value, bytes);
  return bytes;
}

TEST(ValueCodecTest, EveryKindComesBackAsTheSameBytesAndTheSameKind) {
  Arena arena;
  for (const auto& [name, value] : sample_values(arena)) {
    const std::string bytes = encoded(value);
    const std::optional<Value> back = decode_value(bytes, arena);
    ASSERT_TRUE(back.has_value()) << name;
    EXPECT_EQ(back->kind(), value.kind()) << name;
    EXPECT_EQ(encoded(*back), bytes) << name;
  }
}

TEST(ValueCodecTest, ContentComesBack) {
  Arena arena;
  const auto samples = sample_values(arena);
  for (const auto& [name, value] : samples) {
    const Value back = *decode_value(encoded(value), arena);
    if (value.is(Kind::kDouble)) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(back.as_double()),
                std::bit_cast<std::uint64_t>(value.as_double()));
    }
    if (value.is(Kind::kInt)) {
      EXPECT_EQ(back.as_int(), value.as_int());
    }
    if (value.is(Kind::kString)) {
      EXPECT_EQ(back.as_text(), value.as_text());
    }
    if (value.is(Kind::kTimestamp)) {
      EXPECT_EQ(back.nanos(), value.nanos());
    }
    if (value.is(Kind::kMap)) {
      EXPECT_EQ(field(back, "total").as_double(), 19.99);
      EXPECT_EQ(back.entries()[1].value.elements()[1].as_text(), "two");
    }
  }
}

TEST(ValueCodecTest, EveryPrefixAndAnythingBehindIsRefused) {
  Arena arena;
  for (const auto& [name, value] : sample_values(arena)) {
    const std::string bytes = encoded(value);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_value(std::string_view(bytes).substr(0, size), arena).has_value())
          << name << " " << size;
    }
    EXPECT_FALSE(decode_value(bytes + '\0', arena).has_value()) << name;
  }
}

TEST(ValueCodecTest, AnotherVersionAnUnknownKindAndBadTextAreRefused) {
  Arena arena;
  for (const std::string_view bytes :
       {std::string_view("\x02\x01"), std::string_view("\x01\x0f"), std::string_view("\x01\x22"),
        std::string_view("\x01\x16\xff"), std::string_view("\x01\x1b\x0a\x01", 4)}) {
    EXPECT_FALSE(decode_value(bytes, arena).has_value()) << testing::hex(bytes);
  }
}

TEST(ValueCodecTest, DeepNestingIsCutWhenWrittenAndRefusedWhenRead) {
  Arena arena;
  Value value = Value::integer(1);
  for (int i = 0; i < 200; ++i) {
    const auto list = arena.array<Value>(1);
    list[0] = value;
    value = Value::list(list);
  }
  const std::string bytes = encoded(value);
  std::optional<Value> back = decode_value(bytes, arena);
  ASSERT_TRUE(back.has_value());
  int depth = 0;
  for (; back->is(Kind::kList); ++depth) back = back->elements()[0];
  EXPECT_EQ(depth, kValueDepthMax + 1);
  EXPECT_TRUE(back->is_error());
  EXPECT_FALSE(
      decode_value(std::string(1, '\x01') + std::string(200, '\x1a') + '\x01', arena).has_value());
}

TEST(ValueCodecTest, Utf8IsCheckedAsUnicodeDefinesIt) {
  for (const char* good :
       {"", "a", "\xc3\xa5", "\xe2\x82\xac", "\xf0\x9f\x9b\x92", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace spur
