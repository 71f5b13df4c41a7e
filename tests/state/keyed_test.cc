#include "state/aggregates/keyed.h"

#include <gtest/gtest.h>

#include "state/aggregates/key_text.h"
#include "tests/state/aggregate_fixture.h"

namespace spur::testing {
namespace {

class KeyedAggregatesTest : public ::testing::Test {
 protected:
  KeyedAggregatesTest() {
    spec_.kind = AggregateKind::kSum;
    spec_.window = kDay;
  }
  void add(const std::string& key, Instant time, double amount) {
    now_ = std::max(now_, time);
    keyed_.add(spec_, key, time, now_, Value::real(amount), digest_);
  }
  double read(const std::string& key, Instant now) {
    return keyed_.read(spec_, key, Member::kValue, now, arena_).as_double();
  }
  std::string bytes_of(const KeyedAggregates& keyed) {
    std::string bytes;
    keyed.encode(spec_, bytes);
    return bytes;
  }

  AggregateSpec spec_;
  KeyedAggregates keyed_;
  Arena arena_;
  Digest digest_;
  Instant now_ = kStart;
};

TEST_F(KeyedAggregatesTest, EachKeyHasItsOwnAndAnUnseenOneIsZero) {
  add("shoes", kStart, 10);
  add("hats", kStart + kHour, 5);
  add("shoes", kStart + kHour, 1);
  EXPECT_EQ(read("shoes", now_), 11);
  EXPECT_EQ(read("hats", now_), 5);
  EXPECT_EQ(read("coats", now_), 0);
  EXPECT_EQ(keyed_.find("coats"), nullptr);
  EXPECT_NE(keyed_.find("hats"), nullptr);
}

TEST_F(KeyedAggregatesTest, KeysAreInTheOrderOfTheirBytesAndGoWhenTheirWindowIsEmpty) {
  add("shoes", kStart, 10);
  add("hats", kStart + kHour, 5);
  ASSERT_EQ(keyed_.keys(arena_).size(), 2u);
  EXPECT_EQ(keyed_.keys(arena_)[0].as_text(), "hats");
  EXPECT_EQ(keyed_.next_change(spec_, now_), kStart + kDay);
  keyed_.advance(spec_, kStart + kDay);
  ASSERT_EQ(keyed_.keys(arena_).size(), 1u);
  EXPECT_EQ(keyed_.next_change(spec_, kStart + kDay), kStart + kHour + kDay);
  keyed_.advance(spec_, kStart + kDay * 2);
  EXPECT_TRUE(keyed_.empty());
  EXPECT_EQ(keyed_.memory_bytes(), 0u);
}

TEST_F(KeyedAggregatesTest, AnEventThatIsSkippedMakesNoKey) {
  EXPECT_EQ(keyed_.add(spec_, "shoes", kStart, kStart, Value::string("ten"), digest_),
            Aggregate::Added::kError);
  EXPECT_EQ(keyed_.add(spec_, "shoes", kStart, kStart + kDay, Value::real(1), digest_),
            Aggregate::Added::kOutside);
  EXPECT_TRUE(keyed_.empty());
  EXPECT_EQ(digest_.value(), 0u);
}

TEST_F(KeyedAggregatesTest, BeyondTheLimitTheKeyUntouchedLongestGoes) {
  spec_.window = Millis{0};
  for (std::size_t i = 0; i < KeyedAggregates::kKeysMax; ++i)
    add(std::to_string(i), kStart + Millis{static_cast<std::int64_t>(i)}, 1);
  add("0", now_, 1);
  add("one more", now_, 1);
  EXPECT_EQ(keyed_.size(), KeyedAggregates::kKeysMax);
  EXPECT_EQ(keyed_.overflowed(), 1u);
  EXPECT_EQ(keyed_.find("1"), nullptr);
  EXPECT_EQ(read("0", now_), 2);
}

TEST_F(KeyedAggregatesTest, ACopyAndWhatIsDecodedAreEqualAndPrefixesAreRefused) {
  add("shoes", kStart, 10);
  add("a key that is too long to lie inside", kStart + kHour, 5);
  const std::string bytes = bytes_of(keyed_);
  const KeyedAggregates copy = keyed_;
  EXPECT_EQ(bytes_of(copy), bytes);
  KeyedAggregates decoded;
  ASSERT_TRUE(decoded.decode(spec_, bytes));
  EXPECT_EQ(bytes_of(decoded), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decoded.decode(spec_, std::string_view(bytes).substr(0, size))) << size;
    EXPECT_TRUE(decoded.empty());
  }
}

}  // namespace
}  // namespace spur::testing
