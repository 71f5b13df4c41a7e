#include "daemon/log/embedded_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/hex.h"

namespace spur::testing {
namespace {

using namespace spur::embedded;

std::string an_input_row() {
  InputRowWriter row;
  row.add("shop", "ann", R"({"type":"track"})");
  row.add("", "", "not json");
  return row.finish(Instant{1'772'366'400'000});
}

TEST(EmbeddedRowsTest, BytesAreFrozen) {
  const std::string_view messages[] = {"one", "", "three"};
  expect_golden("tests/golden/journal/embedded_rows.txt",
                {{"key of the deployment", meta_key("deployment")},
                 {"key of inputs", input_key(3, 258)},
                 {"key of an entry", journal_key(3, 258)},
                 {"key of a catalog", embedded::catalog_key(7)},
                 {"key of actions", action_key("actions.email", 3, 258)},
                 {"key of decisions", decision_key(3, 258)},
                 {"key of a customer's decision", customer_decision_key("user_id:ann", 3, 258, 1)},
                 {"key of dead letters", dead_letter_key(3, 258)},
                 {"key of a cursor", cursor_key("mailer", "email")},
                 {"key of what is shown", shown_key("actions.email", 3)},
                 {"what is shown", encode_shown(300)},
                 {"inputs", an_input_row()},
                 {"a stretch", encode_stretch(Instant{1'772'366'400'000}, messages)}});
}

TEST(EmbeddedRowsTest, InputsAreReadBackWithTheirOffsets) {
  const std::string row = an_input_row();
  std::vector<InputRecord> records;
  ASSERT_TRUE(parse_input_row(row, 40, records));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].offset, 40u);
  EXPECT_EQ(records[0].source, "shop");
  EXPECT_EQ(records[0].key, "ann");
  EXPECT_EQ(records[0].value, R"({"type":"track"})");
  EXPECT_EQ(records[1].offset, 41u);
  EXPECT_EQ(records[1].value, "not json");
  EXPECT_EQ(records[1].received, Instant{1'772'366'400'000});
}

TEST(EmbeddedRowsTest, WhatIsShownIsReadBack) {
  std::string_view topic;
  std::uint32_t shard = 0;
  const std::string key = shown_key("actions.email", 3);
  ASSERT_TRUE(parse_shown_key(key, topic, shard));
  EXPECT_EQ(topic, "actions.email");
  EXPECT_EQ(shard, 3u);
  EXPECT_FALSE(parse_shown_key(std::string_view(key).substr(1), topic, shard));
  std::uint64_t next = 0;
  ASSERT_TRUE(parse_shown(encode_shown(300), next));
  EXPECT_EQ(next, 300u);
  EXPECT_FALSE(parse_shown("", next));
}

TEST(EmbeddedRowsTest, TornRowsAreRefused) {
  const std::string row = an_input_row();
  for (std::size_t size = 0; size < row.size(); ++size) {
    std::vector<InputRecord> records;
    EXPECT_FALSE(parse_input_row(std::string_view(row).substr(0, size), 0, records)) << size;
  }
  const std::string_view messages[] = {"one", "two"};
  const std::string stretch = encode_stretch(Instant{1}, messages);
  for (std::size_t size = 0; size < stretch.size(); ++size) {
    Stretch parsed;
    EXPECT_FALSE(parse_stretch(std::string_view(stretch).substr(0, size), parsed)) << size;
  }
}

TEST(EmbeddedRowsTest, KeysOfAKindLieInTheOrderOfTheirNumbers) {
  EXPECT_LT(input_key(1, 255), input_key(1, 256));
  EXPECT_LT(input_key(1, ~0ULL), input_key(2, 0));
  EXPECT_LT(action_key("actions.sms", 1, 9), action_key("actions.sms", 1, 10));
  EXPECT_LT(customer_decision_key("c", 0, 1, 2), customer_decision_key("c", 0, 2, 0));
}

TEST(EmbeddedRowsTest, NoTopicIsTheBeginningOfAnother) {
  EXPECT_FALSE(action_key("actions.email2", 0, 0).starts_with(action_prefix("actions.email")));
  EXPECT_FALSE(customer_decision_key("user_id:11", 0, 0, 0)
                   .starts_with(customer_decision_prefix("user_id:1")));
}

TEST(EmbeddedRowsTest, KeysAreTakenApartAgain) {
  const std::string action = action_key("actions.email", 3, 258);
  ActionKey key;
  ASSERT_TRUE(parse_action_key(action, key));
  EXPECT_EQ(key.topic, "actions.email");
  EXPECT_EQ(key.shard, 3u);
  EXPECT_EQ(key.first, 258u);
  EXPECT_FALSE(parse_action_key(action.substr(0, action.size() - 1), key));
  const std::string index = customer_decision_key("user_id:ann", 3, 258, 1);
  CustomerDecisionKey decision;
  ASSERT_TRUE(parse_customer_decision_key(index, decision));
  EXPECT_EQ(decision.shard, 3u);
  EXPECT_EQ(decision.run, 258u);
  EXPECT_EQ(decision.index, 1u);
}

}  // namespace
}  // namespace spur::testing
