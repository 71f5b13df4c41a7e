#include "daemon/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spur::testing {
namespace {

const DeploymentId kMine{1, 2, 3, 4, 5};
const DeploymentId kOther{9, 2, 3, 4, 5};

TEST(CursorTest, IsReadBackAsItWas) {
  const std::vector<std::uint64_t> next{1, 300, ~0ULL, 0};
  EXPECT_EQ(decode_cursor(kMine, 4, encode_cursor(kMine, next)), next);
}

TEST(CursorTest, OfAnotherDeploymentOrNumberOfShardsIsRefused) {
  const std::string cursor = encode_cursor(kMine, {1, 2});
  EXPECT_EQ(decode_cursor(kOther, 2, cursor), std::nullopt);
  EXPECT_EQ(decode_cursor(kMine, 3, cursor), std::nullopt);
  EXPECT_EQ(decode_cursor(kMine, 1, cursor), std::nullopt);
}

TEST(CursorTest, RubbishIsRefused) {
  const std::string cursor = encode_cursor(kMine, {1, 2});
  for (std::size_t size = 0; size < cursor.size(); ++size) {
    EXPECT_EQ(decode_cursor(kMine, 2, cursor.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(decode_cursor(kMine, 2, cursor + "x"), std::nullopt);
}

}  // namespace
}  // namespace spur::testing
