// Messages between shards, numbered by their senders.
#include "daemon/audit/message_check.h"

#include <gtest/gtest.h>

namespace spur::audit {
namespace {

std::uint64_t holes(const MessageCheck& check) {
  Findings findings;
  check.finish(findings);
  return findings.count(Kind::kNumberHole);
}

TEST(MessageCheck, SendersAreNumberedApart) {
  MessageCheck check("messages[0]", true);
  Offset at = 0;
  for (const auto& [sender, number] : {std::pair(1U, 1U), {2U, 1U}, {1U, 2U}, {2U, 2U}})
    check.message(at++, sender, number);
  EXPECT_EQ(check.records(), 4U);
  EXPECT_EQ(check.repeats(), 0U);
  EXPECT_EQ(holes(check), 0U);
}

TEST(MessageCheck, AHoleThatIsFilledLaterIsNone) {
  MessageCheck check("messages[0]", true);
  Offset at = 0;
  for (const std::uint64_t number : {1U, 3U, 2U, 3U}) check.message(at++, 1, number);
  EXPECT_EQ(holes(check), 0U);
}

TEST(MessageCheck, AHoleThatStaysIsFound) {
  MessageCheck check("messages[0]", true);
  check.message(0, 1, 1);
  check.message(1, 1, 3);
  EXPECT_EQ(holes(check), 1U);
}

TEST(MessageCheck, TheFirstOfAWholePartitionIsNumberOne) {
  MessageCheck whole("messages[0]", true), trimmed("messages[0]", false);
  whole.message(0, 1, 5);
  trimmed.message(7, 1, 5);
  EXPECT_EQ(holes(whole), 1U);
  EXPECT_EQ(holes(trimmed), 0U);
}

TEST(MessageCheck, ARepeatIsCounted) {
  MessageCheck check("messages[0]", true);
  for (const std::uint64_t number : {1U, 2U, 1U, 2U, 3U}) check.message(0, 1, number);
  EXPECT_EQ(check.repeats(), 2U);
  EXPECT_EQ(holes(check), 0U);
}

}  // namespace
}  // namespace spur::audit
