#include "state/codec/byte_io.h"

#include <gtest/gtest.h>

#include <limits>

namespace spur {
namespace {

TEST(ByteIoTest, WhatIsWrittenIsReadBack) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(200);
  out.fixed32(0xdeadbeef);
  out.fixed64(0x0123456789abcdefULL);
  out.real(-0.5);
  out.boolean(true);
  out.text("hello");
  for (const std::uint64_t n : {0ULL, 127ULL, 128ULL, 1ULL << 63, ~0ULL}) out.varint(n);
  for (const std::int64_t n :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
    out.zigzag(n);

  ByteReader in(bytes);
  EXPECT_EQ(in.u8(), 200);
  EXPECT_EQ(in.fixed32(), 0xdeadbeef);
  EXPECT_EQ(in.fixed64(), 0x0123456789abcdefULL);
  EXPECT_EQ(in.real(), -0.5);
  EXPECT_TRUE(in.boolean());
  EXPECT_EQ(in.text(), "hello");
  for (const std::uint64_t n : {0ULL, 127ULL, 128ULL, 1ULL << 63, ~0ULL}) EXPECT_EQ(in.varint(), n);
  for (const std::int64_t n :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
    EXPECT_EQ(in.zigzag(), n);
  EXPECT_TRUE(in.done());
}

TEST(ByteIoTest, AFailureSticks) {
  ByteReader in(
      "\x05"
      "ab");
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.varint(), 0u);
  EXPECT_FALSE(in.done());
}

TEST(ByteIoTest, AnOverlongVarintAndOneBeyond64BitsAreRefused) {
  for (const std::string_view bytes :
       {std::string_view("\x80\x00", 2),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"),
        std::string_view("\x80")}) {
    ByteReader in(bytes);
    in.varint();
    EXPECT_FALSE(in.ok());
  }
}

TEST(ByteIoTest, ACountLargerThanTheBytesLeftIsRefused) {
  ByteReader in(
      "\x04"
      "abc");
  EXPECT_EQ(in.count(), 0u);
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace spur
