// References and Changes by themselves: versions of a record, what is forgotten, and their bounds.
#include "operators/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "operators/business_data.h"
#include "state/codec/keys.h"
#include "state/codec/value_codec.h"
#include "state/memory_store.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using Taken = References::Taken;

constexpr std::uint64_t kDefinition = 7;

class ReferencesTest : public ::testing::Test {
 protected:
  Taken take(std::string_view when, std::string_view key, std::string_view text,
             bool dated = false) {
    return take(instant(when), key, text, dated);
  }
  // A record that is the text; empty: deleted. The clock is there when it comes.
  Taken take(Instant since, std::string_view key, std::string_view text, bool dated = false) {
    clock_ = std::max(clock_, since);
    std::string value;
    if (!text.empty()) encode_value(Value::string(text), value);
    return records_.take(kDefinition, key, since, value, clock_, dated, previous_);
  }
  std::string at(std::string_view when, std::string_view key) { return at(instant(when), key); }
  std::string at(Instant when, std::string_view key) {
    const Value found = records_.at(kDefinition, key, when, arena_);
    return found.is_absent() ? "" : std::string(found.as_text());
  }
  std::size_t rows() {
    std::size_t count = 0;
    rows_.scan(kind_prefix(KeyKind::kRecord), kind_prefix(KeyKind::kRecord),
               [&](std::string_view, std::string_view) { return ++count > 0; });
    return count;
  }
  std::uint64_t& count() { return records_.counts()[kDefinition]; }

  MemoryStore store_;
  RowsBehind rows_{store_};
  References records_{rows_};
  Arena arena_;
  Instant clock_ = Instant::distant_past();
  std::string previous_;
};

TEST_F(ReferencesTest, OneMoreThanThereMayBeIsNotTakenAndOneDeletedMakesRoom) {
  count() = kRecordsMax - 1;
  EXPECT_EQ(take("09:00", "a", "1"), Taken::kChanged);
  EXPECT_EQ(take("09:01", "b", "1"), Taken::kFull);
  EXPECT_EQ(take("09:02", "a", "2"), Taken::kChanged) << "it is there already";
  EXPECT_EQ(take("09:03", "b", ""), Taken::kSame) << "that it is not there is known";
  take("09:04", "a", "");
  EXPECT_EQ(count(), kRecordsMax - 1);
  EXPECT_EQ(take("09:05", "b", "1"), Taken::kChanged);
  EXPECT_EQ(take("09:06", "a", "1"), Taken::kFull);
}

TEST_F(ReferencesTest, DeletedRecordsDoNotPileUp) {
  const Instant begin = instant("09:00");
  for (int day = 0; day < 60; ++day) {
    const std::string key = absl::StrCat("order", day % 7, "-", day);
    take(begin + kDay * day, key, "1");
    take(begin + kDay * day + kHour, key, "");
  }
  EXPECT_LE(rows(), 8u);
  EXPECT_EQ(count(), 0u);
}

TEST_F(ReferencesTest, WhoAsksAboutYesterdaySeesWhatIsDeletedToday) {
  take("09:00", "a", "1");
  take("10:00", "a", "");
  for (int i = 0; i < 20; ++i) take("11:00", absl::StrCat("b", i), "1");
  EXPECT_EQ(at("09:30", "a"), "1");
  EXPECT_EQ(at("10:30", "a"), "");
}

TEST_F(ReferencesTest, OfTooManyVersionsTheOldestGoes) {
  for (std::size_t i = 0; i <= kRecordVersionsMax; ++i)
    take(instant("09:00") + Millis{static_cast<std::int64_t>(i)}, "a", absl::StrCat(i));
  EXPECT_EQ(at("09:00", "a"), "1") << "the oldest that is left";
  EXPECT_EQ(at("09:01", "a"), absl::StrCat(kRecordVersionsMax));
}

TEST_F(ReferencesTest, AVersionStaysADayAfterTheNextCame) {
  const Instant first = instant("09:00"), second = instant("10:00");
  take(first, "a", "1");
  take(second, "a", "2");
  take(second + kRecordVersionFor, "a", "3");
  EXPECT_EQ(at(first, "a"), "1");
  take(second + kRecordVersionFor + Millis{1}, "a", "4");
  EXPECT_EQ(at(first, "a"), "2");
}

// What was said again at 11:00 holds from then on, whatever is learnt later of the time before.
TEST_F(ReferencesTest, ARecordThatComesBackIsNotUndoneByOneBetween) {
  take("09:00", "a", "A", true);
  EXPECT_EQ(take("11:00", "a", "A", true), Taken::kSame);
  EXPECT_EQ(take("10:00", "a", "B", true), Taken::kHistory);
  EXPECT_EQ(at("09:30", "a"), "A");
  EXPECT_EQ(at("10:30", "a"), "B");
  EXPECT_EQ(at("11:30", "a"), "A");
}

TEST_F(ReferencesTest, SayingTheSameOverAndOverCostsNoVersions) {
  take("09:00", "a", "A", true);
  take("09:01", "a", "B", true);
  for (std::size_t i = 0; i < 2 * kRecordVersionsMax; ++i)
    take(instant("10:00") + Millis{static_cast<std::int64_t>(i)}, "a", "B", true);
  EXPECT_EQ(at("09:00", "a"), "A");
}

TEST_F(ReferencesTest, ARecordTakenBackAtItsInstantIsNoChange) {
  take("09:00", "a", "A");
  EXPECT_EQ(take("10:00", "a", "B"), Taken::kChanged);
  EXPECT_EQ(take("10:00", "a", "A"), Taken::kSame);
  EXPECT_EQ(at("10:00", "a"), "A");
}

TEST_F(ReferencesTest, ACopyHasWhatItWasGivenAndSaysWhereItDoesNotKnow) {
  take("09:00", "a", "A");
  References::Asked asked;
  records_.note(&asked);
  at("10:00", "a");
  at("10:00", "nothing");
  records_.note(nullptr);
  MemoryStore other;
  RowsBehind rows(other);
  References copy(rows);
  copy.know_only(&asked);
  for (const std::string& row : asked) copy.copy(records_, row);
  EXPECT_EQ(copy.at(kDefinition, "a", instant("10:00"), arena_).as_text(), "A");
  EXPECT_TRUE(copy.at(kDefinition, "nothing", instant("10:00"), arena_).is_absent());
  EXPECT_TRUE(copy.at(kDefinition, "b", instant("10:00"), arena_).is_error());
}

class ChangesTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const catalog::Compiled> told(const char* rate = "") {
    return catalog_from(absl::StrCat(R"(
Reference products: {topic: products, key: body.id}
Trigger told: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1d})",
                                     rate, "}, actions: [{channel: email, template: t}]}\n"));
  }
  void use(std::shared_ptr<const catalog::Compiled> next) {
    catalog_ = std::move(next);
    changes_.use(*catalog_);
  }

  std::shared_ptr<const catalog::Compiled> catalog_;
  MemoryStore store_;
  RowsBehind rows_{store_};
  Changes changes_{rows_, 1};
};

TEST_F(ChangesTest, OneMoreThanMayBeToldIsNotTold) {
  use(told());
  for (std::size_t i = 0; i < kChangesMax; ++i)
    ASSERT_TRUE(changes_.add(0, absl::StrCat(i), Instant{1}, ""));
  EXPECT_FALSE(changes_.add(0, "one more", Instant{1}, ""));
  EXPECT_TRUE(changes_.add(0, "0", Instant{1}, "")) << "that one is being told";
  changes_.finish(*changes_.next().telling);
  EXPECT_TRUE(changes_.add(0, "one more", Instant{1}, ""));
}

TEST_F(ChangesTest, WhatRecordsWereTakesSoMuchMemoryAndNoMore) {
  use(told());
  const std::string was(8u << 20, 'x');
  for (std::size_t i = 0; i < kPreviousBytesMax / was.size(); ++i)
    ASSERT_TRUE(changes_.add(0, absl::StrCat(i), Instant{1}, was));
  EXPECT_FALSE(changes_.add(0, "one more", Instant{1}, "x"));
  EXPECT_TRUE(changes_.add(0, "new", Instant{1}, "")) << "there was none before";
  changes_.finish(*changes_.next().telling);
  EXPECT_TRUE(changes_.add(0, "one more", Instant{1}, was));
}

TEST_F(ChangesTest, OneMoreThanMayCareIsNotKept) {
  use(told());
  const std::string place = interest_place(Instant{1}, {IdentityKind::kUserId, "ann"});
  changes_.counts()[catalog_->triggers[0].version] = kInterestedMax - 1;
  EXPECT_TRUE(changes_.open(0, "a", place));
  EXPECT_FALSE(changes_.open(0, "b", place));
  EXPECT_TRUE(changes_.open(0, "a", place)) << "it stands there";
  changes_.close(0, "a", place);
  EXPECT_TRUE(changes_.open(0, "b", place));
}

TEST_F(ChangesTest, NobodyIsToldOutOfTurnOfWhatHasARate) {
  use(told());
  EXPECT_FALSE(changes_.any());
  changes_.add(0, "a", Instant{1}, "");
  EXPECT_TRUE(changes_.any());
  EXPECT_TRUE(changes_.any(0));
  changes_.finish(*changes_.next().telling);
  EXPECT_FALSE(changes_.any(0));
  use(told(", rate: {max: 1, per: 1h}"));
  changes_.add(0, "a", Instant{1}, "");
  EXPECT_FALSE(changes_.any());
  EXPECT_FALSE(changes_.any(0));
  EXPECT_NE(changes_.next().telling, nullptr);
}

TEST_F(ChangesTest, TheWindowOfARateGoesWithIt) {
  use(told(", rate: {max: 1, per: 1h}"));
  changes_.add(0, "a", Instant{1}, "");
  changes_.count_rate(*changes_.next().telling, Instant{1});
  ReferencesState state;
  changes_.save(state);
  EXPECT_EQ(state.windows.size(), 1u);
  use(told());
  changes_.save(state);
  EXPECT_EQ(state.windows.size(), 0u);
}

constexpr const char* kTold = R"(
Reference products: {topic: products, key: body.id}
Trigger told: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1d}}, actions: [{channel: email, template: t}]}
)";

TEST(BusinessBoundsTest, ARecordBeyondABoundIsADeadLetter) {
  Story story(kTold);
  const auto id = [](std::size_t bytes) {
    return absl::StrCat(R"({"id":")", std::string(bytes, 'k'), R"("})");
  };
  story.record("09:00", "products", id(kRecordKeyBytesMax));
  EXPECT_EQ(story.dead_letters().size(), 0u);
  story.record("09:00", "products", id(kRecordKeyBytesMax + 1));
  story.record("09:00", "products",
               absl::StrCat(R"({"id":1,"x":")", std::string(kRecordBytesMax, 'x'), R"("})"));
  const std::uint64_t products = story.shard().catalog()->business_data[0].definition;
  story.shard().references().counts()[products] = kRecordsMax;
  story.record("09:00", "products", R"({"id":2})");
  std::vector<std::string> reasons;
  for (const DeadLetter& letter : story.dead_letters()) reasons.push_back(letter.reason);
  EXPECT_THAT(reasons, ElementsAre("STRING_TOO_LONG", "TOO_LARGE", "REFERENCE_FULL"));
}

TEST(BusinessBoundsTest, OfTooManyInterestsTheOneThatEndsFirstGoes) {
  Story story(kTold);
  for (std::size_t i = 0; i < kInterestsMax; ++i)
    story.at("09:00", "ann", "V", absl::StrCat(R"({"id":)", i, "}"));
  story.at("09:10", "ann", "V", R"({"id":0})");  // shown again: it ends later than the others
  story.at("09:20", "ann", "V", R"({"id":"new"})");
  EXPECT_EQ(story.counters().dropped_over_limit, 1u);
  for (const char* id : {"0", "1", "\"new\""})
    story.record("10:00", "products", absl::StrCat("{\"id\":", id, "}"));
  story.run_until("11:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 told[0] sent", "10:00 told[new] sent"));
}

TEST(BusinessBoundsTest, ARunTellsSoManyAndTheNextOnesTheOthers) {
  Story story(kTold);
  constexpr std::uint32_t kAll = kToldPerRun + 10;
  for (std::uint32_t i = 0; i < kAll; ++i)
    story.at("09:00", absl::StrCat("c", i), "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7})");
  story.at("10:01", "somebody", "Other");  // the clock goes on
  ScoreTape scores;
  Effects effects;
  const auto run = [&](std::uint64_t seq) {
    effects.clear();
    story.shard().begin_run({seq, story.shard().clock(), Instant::never(), ClockMode::kRecords},
                            scores);
    const std::uint32_t steps = story.shard().fire_due({}, effects).all;
    story.shard().end_run();
    EXPECT_LE(steps, kToldPerRun + 1);
    return effects.decisions.size();
  };
  EXPECT_EQ(run(1'000), kToldPerRun);
  EXPECT_EQ(run(1'001), kAll - kToldPerRun);
}

TEST(BusinessBoundsTest, WhatHasGoneLeavesByTheSlice) {
  Story story(kTold);
  constexpr std::size_t kAll = 3 * kLeavingRowsPerStep + 1;
  for (std::size_t i = 0; i < kAll; ++i)
    story.record("09:00", "products", absl::StrCat(R"({"id":"gone)", i, "\"}"));
  story.change_catalog(
      "Trigger thanks: {class: service, event: {on: V}, actions: [{channel: email, template: "
      "t}]}\n");
  const auto left = [&] {
    std::size_t count = 0;
    for (const std::string& row : story.rows()) count += row.find("gone") != std::string::npos;
    return count;
  };
  ScoreTape scores;
  Effects effects;
  const auto step = [&] {
    story.shard().begin_run({1'000, story.shard().clock(), Instant::never(), ClockMode::kRecords},
                            scores);
    story.shard().fire_due({.all = 1}, effects);
    story.shard().end_run();
    return left();
  };
  EXPECT_EQ(left(), kAll);
  EXPECT_EQ(step(), kAll - kLeavingRowsPerStep);
  EXPECT_EQ(step(), kAll - 2 * kLeavingRowsPerStep);
}

// A copy of an event brings a new catalog to its customer too, and what that changes is stored.
TEST(BusinessBoundsTest, HowManyCareIsStoredThoughTheEventWasACopy) {
  const auto tell = [](bool restarts) {
    Story story(kTold);
    story.at_with_id("m", "09:00", "ann", "V", R"({"id":7})");
    story.change_catalog(
        "Trigger thanks: {class: service, event: {on: X}, actions: [{channel: email, template: "
        "t}]}\n");
    story.change_catalog(kTold);
    story.at_with_id("m", "09:00", "ann", "V", R"({"id":7})");
    if (restarts) story.restart();
    story.at("09:10", "ann", "V", R"({"id":8})");
    story.tick("03-02 09:00:01");  // the interest in 7 ends
    story.at("03-02 09:01", "ann", "V", R"({"id":9})");
    story.record("03-02 10:00", "products", R"({"id":9})");
    story.run_until("03-02 11:00");
    return story.decisions();
  };
  EXPECT_THAT(tell(false), ElementsAre("03-02 10:00 told[9] sent"));
  EXPECT_THAT(tell(true), ElementsAre("03-02 10:00 told[9] sent"));
}

}  // namespace
}  // namespace spur::testing
