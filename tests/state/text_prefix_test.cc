#include "state/text_prefix.h"

#include <gtest/gtest.h>

namespace spur {
namespace {

TEST(TextPrefix, AShortTextStaysWhole) {
  EXPECT_EQ(text_prefix("", 0), "");
  EXPECT_EQ(text_prefix("h\u00e9", 3), "h\u00e9");
}

TEST(TextPrefix, ALongTextIsNotCutWithinACharacter) {
  EXPECT_EQ(text_prefix("h\u00e9llo", 4), "h\u00e9l");
  EXPECT_EQ(text_prefix("h\u00e9llo", 3), "h\u00e9");
  EXPECT_EQ(text_prefix("h\u00e9llo", 2), "h");
  EXPECT_EQ(text_prefix("\u20ac\u20ac", 5), "\u20ac");
  EXPECT_EQ(text_prefix("\u20ac\u20ac", 2), "");
}

}  // namespace
}  // namespace spur
