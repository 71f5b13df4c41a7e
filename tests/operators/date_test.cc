// Date: a date of the customer comes, once or each year or month.
#include "operators/triggers/date.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using triggers::next_occurrence;
using triggers::parse_given_date;

std::string dated(std::string_view settings) {
  return "Policy all: {zone: Europe/Stockholm}\nTrigger d: {date: {" + std::string(settings) +
         "}, actions: [{channel: email, template: t, data: {n: instance.count}}]}\n";
}

constexpr const char* kBirthday =
    R"(of: traits.birthday, every: year, offset: -3d, at: "09:00", zone: customer)";

TEST(Date, ABirthdayComesEachYearAtItsHourInTheCustomersZone) {
  Story story(dated(kBirthday));
  story.at("10:00", "ann", "$identify", "",
           R"({"birthday":"1990-05-12","timezone":"America/New_York"})");
  story.run_until("2027-12-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(05-09 13:00 d[2026-05-12] sent {"n":36})",
                                             R"(05-09 13:00 d[2027-05-12] sent {"n":37})"));
}

TEST(Date, OfACustomerWithoutAZoneItIsThePolicys) {
  Story story(dated(kBirthday));
  story.at("10:00", "ann", "$identify", "", R"({"birthday":"1990-05-12"})");
  story.run_until("06-01 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(05-09 07:00 d[2026-05-12] sent {"n":36})"));
}

TEST(Date, ANewZoneIsAnotherInstant) {
  for (const char* of : {"traits.birthday", "'1990-05-12'"}) {
    Story story(
        dated(std::string("of: \"") + of + "\", every: year, at: \"09:00\", zone: customer"));
    story.at("10:00", "ann", "$identify", "", R"({"birthday":"1990-05-12"})");
    story.at("11:00", "ann", "$identify", "", R"({"timezone":"Asia/Tokyo"})");
    story.run_until("06-01 00:00");
    EXPECT_THAT(story.decisions(), ElementsAre(R"(05-12 00:00 d[2026-05-12] sent {"n":36})"));
  }
}

TEST(Date, TheTwentyNinthOfFebruaryFallsOnTheTwentyEighth) {
  Story story(dated(R"(of: traits.birthday, every: year, at: "12:00", zone: UTC)"));
  story.at("10:00", "ann", "$identify", "", R"({"birthday":"2000-02-29"})");
  story.run_until("2028-12-31 00:00");
  std::vector<std::string> days;
  for (const Decision& d : story.take()) days.push_back(d.instance);
  EXPECT_THAT(days, ElementsAre("2027-02-28", "2028-02-29"));
}

TEST(Date, EachMonthTheThirtyFirstFallsOnTheLast) {
  Story story(dated("of: traits.renews, every: month, zone: UTC"));
  story.at("10:00", "ann", "$identify", "", R"({"renews":"2026-01-31"})");
  story.run_until("05-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-31 00:00 d[2026-03-31] sent {"n":2})",
                                             R"(04-30 00:00 d[2026-04-30] sent {"n":3})",
                                             R"(05-31 00:00 d[2026-05-31] sent {"n":4})"));
}

TEST(Date, ATimeThatTheChangeOfClocksSkipsIsTheEndOfTheGapAndADoubleOneItsFirst) {
  Story story(dated(R"(of: traits.on, at: "02:30")"));
  story.at("10:00", "ann", "$identify", "", R"({"on":"2026-03-29"})");
  story.at("10:00", "bob", "$identify", "", R"({"on":"2026-10-25"})");
  story.run_until("12-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-29 01:00 d[2026-03-29] sent {"n":0})",
                                             R"(10-25 00:30 d[2026-10-25] sent {"n":0})"));
}

TEST(Date, WithoutEveryItComesOncePerDate) {
  Story story(dated(R"(of: traits.ends, offset: -1d, at: "08:00", zone: UTC)"));
  story.at("10:00", "ann", "$identify", "", R"({"ends":"2026-03-05"})");
  story.at("03-04 09:00", "ann", "$identify", "", R"({"ends":"2026-03-05"})");  // said again
  story.at("03-06 09:00", "ann", "$identify", "", R"({"ends":"2027-03-05"})");
  story.run_until("2027-12-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-04 08:00 d[2026-03-05] sent {"n":0})",
                                             R"(03-04 08:00 d[2027-03-05] sent {"n":0})"));
}

TEST(Date, ADateThatIsMovedIsForgotten) {
  Story story(dated("of: traits.ends, zone: UTC"));
  story.at("10:00", "ann", "$identify", "", R"({"ends":"2026-03-05"})");
  story.at("11:00", "ann", "$identify", "", R"({"ends":"2026-03-10"})");
  story.at("10:30", "ann", "$identify", "", R"({"ends":"2026-03-07"})");  // late: not the last word
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-10 00:00 d[2026-03-10] sent {"n":0})"));
  story.at("04-01 10:00", "ann", "$identify", "", R"({"ends":"2026-04-05"})");
  story.at("04-02 10:00", "ann", "$identify", "", R"({"ends":null})");
  story.run_until("05-01 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Date, KnownAtTheVeryInstantItIsInTimeAndAMillisecondLaterItIsOver) {
  const std::string yaml = dated(R"(of: traits.ends, at: "10:00", zone: UTC)");
  Story story(yaml);
  story.at("10:00", "ann", "$identify", "", R"({"ends":"2026-03-01"})");
  story.at("10:00:00.001", "bob", "$identify", "", R"({"ends":"2026-03-01"})");
  story.run_until("03-31 00:00");
  const std::vector<Decision> all = story.take();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].customer, "user_id:ann");
}

TEST(Date, WhatItHasToldItDoesNotTellAgainWhateverComesAtThatInstant) {
  Story story(dated(R"(of: traits.ends, at: "10:00", zone: UTC)"));
  story.at("09:00", "ann", "$identify", "", R"({"ends":"2026-03-01"})");
  story.tick("10:00:00.001");
  EXPECT_EQ(story.decisions().size(), 1u);
  story.restart();
  story.at("10:00", "ann", "$identify", "", R"({"ends":"2026-03-01"})");
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Date, AnAnniversaryOfAnEventIsReadFromAFeature) {
  Story story(
      "Feature first_order: {on: Ordered, aggregate: first, of: event.time}\n"
      "Trigger a: {date: {of: features.first_order, every: year, at: \"12:00\", zone: UTC}, "
      "if: instance.count > 0, actions: [{channel: email, template: t, data: {n: "
      "instance.count}}]}\n");
  story.at("10:00", "ann", "Ordered");
  story.at("03-05 10:00", "ann", "Ordered");
  story.run_until("2028-03-01 12:00");
  std::vector<std::string> days;
  for (const Decision& d : story.take()) days.push_back(d.instance + d.data);
  EXPECT_THAT(days, ElementsAre(R"(2027-03-01{"n":1})", R"(2028-03-01{"n":2})"));
}

TEST(Date, AnEarlierFirstOrderThatComesLateMovesTheAnniversary) {
  Story story(
      "Feature first_order: {on: Ordered, aggregate: first, of: event.time}\n"
      "Trigger a: {date: {of: features.first_order, every: year, zone: UTC}, "
      "actions: [{channel: email, template: t}]}\n");
  story.at("03-05 10:00", "ann", "Ordered");
  story.at("02-03 10:00", "ann", "Ordered");
  story.run_until("2027-03-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("02-03 00:00 a[2027-02-03] sent"));
}

TEST(Date, ANewTriggerFindsTheDatesOfCustomersKnownBefore) {
  Story story("Trigger x: {event: {on: X}, actions: [{channel: email, template: t}]}\n");
  story.at("10:00", "ann", "$identify", "", R"({"ends":"2026-03-05"})");
  story.change_catalog(dated("of: traits.ends, zone: UTC"));
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(03-05 00:00 d[2026-03-05] sent {"n":0})"));
}

TEST(Date, IsReadFromTheBeginningOfATextWithOrWithoutAYear) {
  const auto text_of = [](std::string_view text) {
    const auto date = parse_given_date(text);
    return date ? std::to_string(date->year.value_or(0)) + "/" + std::to_string(date->month) + "/" +
                      std::to_string(date->day)
                : std::string("none");
  };
  EXPECT_EQ(text_of("1990-05-12"), "1990/5/12");
  EXPECT_EQ(text_of("1990-05-12T23:59:59Z"), "1990/5/12");
  EXPECT_EQ(text_of("1990-05-12 00:00"), "1990/5/12");
  EXPECT_EQ(text_of("--05-12"), "0/5/12");
  EXPECT_EQ(text_of("0000-02-29"), "0/2/29");
  EXPECT_EQ(text_of("2000-02-29"), "2000/2/29");
  for (const char* bad : {"", "1990", "1990-5-12", "1990-13-01", "1990-02-30", "1999-02-29",
                          "0999-01-01", "12.05.1990", "1990-05-12x", "-990-05-12", "1990-05-1"})
    EXPECT_EQ(text_of(bad), "none") << bad;
}

TEST(Date, WithoutAYearItComesEachYearAndNeverOnce) {
  const auto date = parse_given_date("--02-29");
  const auto next = [&](catalog::Every every) {
    return next_occurrence(*date, {every, 0, 0, Zone::utc()}, instant("2026-03-01 00:00"));
  };
  EXPECT_EQ(text_of(next(catalog::Every::kYear).at), "02-28 00:00");
  EXPECT_EQ(next(catalog::Every::kNever).at, Instant::never());
}

TEST(Date, TheNextOccurrenceIsTheFirstNotBeforeWhateverTheOffset) {
  // Held against going through all of them.
  for (const std::int64_t offset : {-3000, -365, -31, -1, 0, 1, 45, 400, 3000}) {
    for (const catalog::Every every : {catalog::Every::kYear, catalog::Every::kMonth}) {
      const triggers::GivenDate date{1996, 2, 29};
      const triggers::DateRule rule{every, offset, 90, *Zone::load("America/New_York")};
      Instant from = instant("2026-01-31 00:00");
      Instant last = Instant::distant_past();
      for (int i = 0; i < 30; ++i) {
        const triggers::Occurrence next = next_occurrence(date, rule, from);
        ASSERT_GE(next.at, from);
        const triggers::Occurrence again = next_occurrence(date, rule, next.at);
        ASSERT_EQ(again.at, next.at);
        if (last != Instant::distant_past()) {
          const std::int64_t days = (next.at - last).count / kDay.count;
          ASSERT_TRUE(every == catalog::Every::kYear ? days >= 364 && days <= 366
                                                     : days >= 27 && days <= 31)
              << days;
        }
        last = next.at;
        from = next.at + Millis{1};
      }
    }
  }
}

}  // namespace
}  // namespace spur::testing
