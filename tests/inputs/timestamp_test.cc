#include "daemon/inputs/timestamp.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace spur {
namespace {

TEST(TimestampTest, WhatRfc3339AllowsIsRead) {
  const struct {
    const char* text;
    std::int64_t ms;
  } kTimes[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-03-01T08:30:00.250Z", 1772353800250},
      {"2026-03-01 08:30:00.250Z", 1772353800250},
      {"2026-03-01t08:30:00.250z", 1772353800250},
      {"2026-03-01T10:30:00.250+02:00", 1772353800250},
      {"2026-03-01T10:30:00.250+0200", 1772353800250},
      {"2026-03-01T03:00:00.250-05:30", 1772353800250},
      {"2026-03-01T08:30:00.250-00:00", 1772353800250},
      {"2026-03-02T08:29:00.250+23:59", 1772353800250},
      {"2026-03-01T08:30:00.2Z", 1772353800200},
      {"2026-03-01T08:30:00.25Z", 1772353800250},
      {"2026-03-01T08:30:00.2509Z", 1772353800250},
      {"2026-03-01T08:30:00.250999999Z", 1772353800250},
      {"2026-03-01T08:30:00.000999Z", 1772353800000},
      {"2024-02-29T00:00:00Z", 1709164800000},
      {"2000-02-29T23:59:59Z", 951868799000},
      {"1969-12-31T23:59:59.9999Z", -1},
      {"0000-01-01T00:00:00Z", -62167219200000},
      {"0001-01-01T00:00:00Z", -62135596800000},
      {"9999-12-31T23:59:59.999Z", 253402300799999},
      {"2969-05-03T00:00:00Z", kInstantMax.ms},
  };
  for (const auto& c : kTimes) {
    const std::optional<Instant> time = parse_timestamp(c.text);
    ASSERT_TRUE(time.has_value()) << c.text;
    EXPECT_EQ(time->ms, c.ms) << c.text;
  }
}

TEST(TimestampTest, AllElseIsRefused) {
  for (const char* text : {"",
                           "2026",
                           "2026-03-01",
                           "2026-03-01T08:30Z",
                           "2026-03-01T08:30:00",
                           "2026-03-01T08:30:00.",
                           "2026-03-01T08:30:00.Z",
                           "2026-03-01T08:30:00.1234567890Z",
                           "2026-03-01T08:30:00,5Z",
                           "2026-03-01T08:30:00+2",
                           "2026-03-01T08:30:00+02",
                           "2026-03-01T08:30:00+24:00",
                           "2026-03-01T08:30:00+02:60",
                           "2026-03-01T08:30:00+2:00",
                           "2026-03-01T08:30:00 Z",
                           "2026-03-01T08:30:00ZZ",
                           "2026-03-01T08:30:00Z ",
                           " 2026-03-01T08:30:00Z",
                           "2026-03-01T08:30:00+02:00x",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-01-32T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2026-03-01T24:00:00Z",
                           "2026-03-01T08:60:00Z",
                           "2016-12-31T23:59:60Z",
                           "2026-03-01T08:30:61Z",
                           "2026-3-01T08:30:00Z",
                           "2026/03/01T08:30:00Z",
                           "20260301T083000Z",
                           "+2026-03-01T08:30:00Z",
                           "2026-03-01_08:30:00Z",
                           "2026-03-01T08:30:0xZ",
                           "2026-03-01T-8:30:00Z",
                           "1772353800",
                           "1772353800250",
                           "Sun Mar 01 2026",
                           "２０２６-03-01T08:30:00Z"}) {
    EXPECT_FALSE(parse_timestamp(text).has_value()) << text;
  }
}

// Counting days one by one through ten thousand years finds no difference to the formula.
TEST(TimestampTest, EveryDayFollowsTheDayBefore) {
  const int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  std::int64_t expected = -62167219200000;
  for (int year = 0; year <= 9999; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    for (int month = 1; month <= 12; ++month) {
      const int days = month == 2 && leap ? 29 : kDays[month - 1];
      for (int day = 1; day <= days + 1; ++day) {
        char text[32];
        std::snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
        const std::optional<Instant> time = parse_timestamp(text);
        ASSERT_EQ(time.has_value(), day <= days) << text;
        if (day > days) continue;
        ASSERT_EQ(time->ms, expected) << text;
        expected += kDay.count;
      }
    }
  }
}

}  // namespace
}  // namespace spur
