// Rhythm: an event stays away longer than is usual for this customer, or comes earlier.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kDrop = R"(
Trigger lapsed:
  rhythm: {on: Ordered, change: drop, factor: 3, gaps_min: 2}
  actions: [{channel: email, template: t, data: {since: string(instance.opened_at)}}]
)";

TEST(Rhythm, ADropFiresAtTheInstantTheRhythmBreaks) {
  Story story(kDrop);
  story.at("08:00", "ann", "Ordered");
  story.at("09:00", "ann", "Ordered");
  story.at("10:00", "ann", "Ordered");
  story.tick("13:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("13:00:00.001");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(13:00 lapsed sent {"since":"2026-03-01T10:00:00Z"})"));
}

TEST(Rhythm, AnEventAtTheVeryEndIsInTimeAndMovesTheRhythm) {
  Story story(kDrop);
  for (const char* t : {"08:00", "09:00", "10:00", "13:00"}) story.at(t, "ann", "Ordered");
  // Three gaps of 5 h together: the mean is 1 h 40 min.
  story.run_until("18:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(18:00 lapsed sent {"since":"2026-03-01T13:00:00Z"})"));
}

TEST(Rhythm, TooFewGapsAreNoRhythm) {
  Story story(kDrop);
  story.at("08:00", "ann", "Ordered");
  story.at("09:00", "ann", "Ordered");
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Rhythm, EachSilenceIsToldOnce) {
  Story story(kDrop);
  for (const char* t : {"08:00", "09:00", "10:00", "14:00"}) story.at(t, "ann", "Ordered");
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(13:00 lapsed sent {"since":"2026-03-01T10:00:00Z"})",
                          R"(20:00 lapsed sent {"since":"2026-03-01T14:00:00Z"})"));
}

TEST(Rhythm, ItsUsualGapIsTheMeanTheMedianOrTheNinetiethPercentile) {
  // Gaps of 1, 1, 2 and 8 hours: mean 3, median 1, p90 8.
  const auto broken_at = [](const std::string& settings) {
    Story story("Trigger r: {rhythm: {on: O, change: drop, gaps_min: 4, " + settings +
                "}, actions: [{channel: email, template: t}]}\n");
    for (const char* t : {"00:00", "01:00", "02:00", "04:00", "12:00"}) story.at(t, "ann", "O");
    story.run_until("03-02 12:00");
    return story.decisions();
  };
  EXPECT_THAT(broken_at("factor: 2"), ElementsAre("18:00 r sent"));
  EXPECT_THAT(broken_at("usual: mean"), ElementsAre("18:00 r sent"));
  EXPECT_THAT(broken_at("usual: median"), ElementsAre("14:00 r sent"));
  EXPECT_THAT(broken_at("usual: p90"), ElementsAre("20:00 r sent"));
  EXPECT_THAT(broken_at("usual: p90, factor: 1.5"), ElementsAre("03-02 00:00 r sent"));
}

TEST(Rhythm, WithDistinctDaysOrdersOfOneDayAreOne) {
  Story story(R"(
Trigger lapsed:
  rhythm: {on: Ordered, change: drop, gaps_min: 2, distinct_days: true}
  actions: [{channel: email, template: t}]
)");
  for (const char* t :
       {"03-01 10:00", "03-01 11:00", "03-01 12:00", "03-03 10:00", "03-05 10:00", "03-05 20:00"})
    story.at(t, "ann", "Ordered");
  story.run_until("03-31 00:00");
  // The usual gap is two days, and it is counted from the last order, not from the first of its
  // day.
  EXPECT_THAT(story.decisions(), ElementsAre("03-09 20:00 lapsed sent"));
}

TEST(Rhythm, EachKeyHasItsOwn) {
  Story story(R"(
Trigger lapsed:
  rhythm: {on: Visited, key: event.properties.store, change: drop, gaps_min: 1}
  actions: [{channel: email, template: t}]
)");
  story.at("08:00", "ann", "Visited", R"({"store":1})");
  story.at("08:30", "ann", "Visited", R"({"store":2})");
  story.at("09:00", "ann", "Visited", R"({"store":"1"})");
  story.at("12:00", "ann", "Visited", R"({"store":2})");
  story.at("12:10", "ann", "Visited");
  story.run_until("03-02 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("11:00 lapsed[1] sent", "19:00 lapsed[2] sent"));
}

TEST(Rhythm, WithoutEvidenceTheFallbackIsTheUsualGap) {
  Story story(R"y(
Trigger lapsed:
  rhythm:
    on: Ordered
    change: drop
    gaps_min: 2
    fallback: "event.properties.category == 'coffee' ? duration('1h') : duration('4h')"
  actions: [{channel: email, template: t}]
)y");
  story.at("08:00", "ann", "Ordered", R"({"category":"coffee"})");
  story.at("08:00", "bob", "Ordered", R"({"category":"shoes"})");
  story.at("08:00", "eve", "Ordered");  // no category: an error, and no wait
  for (const char* t : {"08:00", "08:10", "08:20"})
    story.at(t, "joe", "Ordered", R"({"category":"shoes"})");
  story.run_until("03-02 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("08:40 lapsed sent", "10:00 lapsed sent", "16:00 lapsed sent"));
}

TEST(Rhythm, APlainFallbackIsADuration) {
  Story story(R"(
Trigger lapsed: {rhythm: {on: O, change: drop, factor: 1.5, fallback: 2h}, actions: [{channel: email, template: t}]}
)");
  story.at("08:00", "ann", "O");
  story.run_until("03-02 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("11:00 lapsed sent"));
}

TEST(Rhythm, ALateOrderDoesNotShortenTheWaitOfANewerOne) {
  Story story(kDrop);
  story.at("08:00", "ann", "Ordered");
  story.at("10:00", "ann", "Ordered");  // one gap: no wait yet
  story.at("09:00", "ann", "Ordered");  // late, and with it there are two gaps of one hour
  story.run_until("03-02 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(13:00 lapsed sent {"since":"2026-03-01T09:00:00Z"})"));
}

TEST(Rhythm, EventsAtOneInstantAreNoRhythm) {
  Story story(
      "Trigger r: {rhythm: {on: O, change: drop, gaps_min: 2}, actions: [{channel: email, "
      "template: t}]}\n");
  for (int i = 0; i < 4; ++i) story.at("08:00", "ann", "O");
  story.run_until("03-02 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Rhythm, ItSharesTheStateOfAFeatureThatSaysTheSame) {
  const auto features = [](const char* yaml) { return catalog_from(yaml)->features.size(); };
  EXPECT_EQ(features(R"(
Feature gaps: {on: Ordered, aggregate: gaps}
Trigger a: {rhythm: {on: Ordered, change: drop}, actions: [{channel: email, template: t}]}
Trigger b: {rhythm: {on: Ordered, change: rise}, actions: [{channel: email, template: t}]}
)"),
            1u);
}

constexpr const char* kRise = R"(
Trigger early:
  rhythm: {on: Ordered, change: rise, factor: 2, gaps_min: 2}
  actions: [{channel: email, template: t, data: {n: event.properties.n}}]
)";

TEST(Rhythm, ARiseFiresWhenOneComesAtLeastSoMuchEarlierThanUsual) {
  Story story(kRise);
  for (const char* t : {"00:00", "02:00", "04:00"}) story.at(t, "ann", "Ordered");
  story.at("05:00:00.001", "ann", "Ordered", R"({"n":1})");  // a millisecond too late
  EXPECT_THAT(story.decisions(), IsEmpty());
  for (const char* t : {"00:00", "02:00", "04:00"}) story.at(t, "bob", "Ordered");
  story.at("05:00", "bob", "Ordered", R"({"n":2})");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(05:00 early sent {"n":2})"));
}

TEST(Rhythm, ARiseIsToldFromTheGapsBeforeIt) {
  Story story(kRise);
  story.at("00:00", "ann", "Ordered");
  story.at("04:00", "ann", "Ordered");
  story.at("05:00", "ann", "Ordered", R"({"n":1})");  // only one gap before
  story.at("06:15", "ann", "Ordered", R"({"n":2})");  // 75 min; before it 4 h and 1 h, mean 2.5 h
  EXPECT_THAT(story.decisions(), ElementsAre(R"(06:15 early sent {"n":2})"));
}

TEST(Rhythm, AnOrderThatComesLateIsNotOneThatComesEarly) {
  Story story(kRise);
  for (const char* t : {"00:00", "02:00", "04:00", "06:00"}) story.at(t, "ann", "Ordered");
  story.at("05:30", "ann", "Ordered", R"({"n":1})");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Rhythm, ARiseWithDistinctDaysMindsNoSecondOrderOfTheDay) {
  Story story(R"(
Trigger early:
  rhythm: {on: Ordered, change: rise, gaps_min: 2, distinct_days: true}
  actions: [{channel: email, template: t}]
)");
  for (const char* t : {"03-01 10:00", "03-05 10:00", "03-09 10:00", "03-10 10:00", "03-10 11:00"})
    story.at(t, "ann", "Ordered");
  EXPECT_THAT(story.decisions(), ElementsAre("03-10 10:00 early sent"));
}

TEST(Rhythm, OfATriggerThatIsOffFoldsNothing) {
  Story story(R"(
Trigger off: {enabled: false, rhythm: {on: Ordered, change: drop}, actions: [{channel: email, template: t}]}
)");
  EXPECT_TRUE(story.shard()
                  .catalog()
                  ->listeners(story.shard().catalog()->schema.find_name("Ordered"))
                  .nothing());
}

}  // namespace
}  // namespace spur::testing
