// The gate: steps and their times, and each guard at its boundary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "operators/gate.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Steps, CountFromTheFiringAndAskTheirIfThen) {
  Story story(R"(
Feature n: {on: Y, aggregate: count}
Trigger t:
  event: {on: X}
  actions:
    - {channel: email, template: a}
    - {channel: email, template: b, after: 1h, if: features.n == 0}
    - {channel: email, template: c, after: 2h, data: {x: event.properties.x, n: features.n}}
)");
  story.at("09:00", "ann", "X", R"({"x":5})");
  story.at("09:30", "ann", "Y");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t email/a sent", "10:00 t email/b suppressed if",
                                             R"(11:00 t email/c sent {"x":5,"n":1})"));
}

TEST(Steps, WhileIsAskedAgainBeforeEach) {
  Story story(R"(
Feature n: {on: Y, aggregate: count}
Trigger t: {event: {on: X}, while: features.n == 0, actions: [{channel: email, template: a}, {channel: email, template: b, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  story.at("10:00", "ann", "Y");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t email/a sent", "10:00 t email/b suppressed while"));
}

TEST(Steps, OfAChannelListTheFirstThatIsLetThrough) {
  Story story(R"(
Channel sms: {topic: s, reach: has(traits.phone)}
Channel email: {topic: e, reach: has(traits.email)}
Trigger t: {event: {on: X}, actions: [{channel: [sms, email], template: a}]}
)");
  story.at("09:00", "ann", "X");
  story.at("09:01", "ann", "X", "{}", R"({"email":"a@example.com"})");
  story.at("09:02", "ann", "X", "{}", R"({"phone":"1"})");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 t sms/a suppressed reachable", "09:01 t email/a sent", "09:02 t sms/a sent"));
}

TEST(Cooldown, AtExactlyItsLengthItMayFireAgain) {
  Story story(R"(
Trigger t: {event: {on: X}, cooldown: 1h, actions: [{channel: email, template: t}]}
)");
  for (const char* const when : {"09:00", "09:30", "09:59:59.999", "10:00", "10:30"}) story.at(when, "ann", "X");
  // The first that is silenced is recorded, its repeats are not.
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent", "09:30 t suppressed cooldown", "10:00 t sent",
                                             "10:30 t suppressed cooldown"));
  EXPECT_EQ(story.counters().silenced_repeats, 1u);
}

TEST(Cooldown, ByKey) {
  Story story(R"(
Trigger t: {event: {on: X, key: event.properties.k}, cooldown: {key: 1h}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X", R"({"k":"a"})");
  story.at("09:30", "ann", "X", R"({"k":"b"})");
  story.at("09:59", "ann", "X", R"({"k":"a"})");
  story.at("10:00", "ann", "X", R"({"k":"a"})");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 t[a] sent", "09:30 t[b] sent", "09:59 t[a] suppressed cooldown", "10:00 t[a] sent"));
}

TEST(Cooldown, CountsOnlyWhatWentThrough) {
  Story story(R"(
Trigger t: {event: {on: X}, while: has(traits.ok), cooldown: 1h, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  story.at("09:10", "ann", "X", "{}", R"({"ok":true})");
  story.at("10:09", "ann", "X");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 t suppressed while", "09:10 t sent", "10:09 t suppressed cooldown"));
}

TEST(Cooldown, OfAWaitThatWasOverWhenItOpenedCountsFromItsFiring) {
  Story story(R"(
Trigger due:
  cooldown: 1h
  absence: {key: event.properties.id, opens: {on: Issued}, until: timestamp(event.properties.due)}
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Issued", R"({"id":1,"due":"2026-02-01T06:00:00Z"})");
  story.at("09:30", "ann", "Issued", R"({"id":2,"due":"2026-02-01T06:00:00Z"})");
  story.at("10:00", "ann", "Issued", R"({"id":3,"due":"2026-02-01T06:00:00Z"})");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 due[1] sent", "09:30 due[2] suppressed cooldown", "10:00 due[3] sent"));
}

TEST(Once, ByCustomerAndByKey) {
  Story story(R"(
Trigger c: {event: {on: X}, once: customer, actions: [{channel: email, template: t}]}
Trigger k: {event: {on: X, key: event.properties.k}, once: key, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X", R"({"k":"a"})");
  story.at("03-20 09:00", "ann", "X", R"({"k":"a"})");
  story.at("04-20 09:00", "ann", "X", R"({"k":"b"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 c sent", "09:00 k[a] sent", "03-20 09:00 c suppressed once",
                                             "03-20 09:00 k[a] suppressed once", "04-20 09:00 k[b] sent"));
}

constexpr const char* kNights = R"(
Channel email: {topic: e, quiet_hours: {from: "21:00", to: "08:00", zone: customer, then: defer}}
Channel web: {topic: w, quiet_hours: {from: "21:00", to: "08:00", zone: Europe/Stockholm, then: drop}}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
Trigger w: {event: {on: X}, actions: [{channel: web, template: t}]}
)";

TEST(QuietHours, DeferToTheirEndOrDropOverMidnight) {
  Story story(kNights);
  story.at("00:00", "ann", "$identify", "", R"({"timezone":"America/New_York"})");
  story.at("19:59:59.999", "ann", "X");  // 20:59:59.999 in Stockholm, 14:59 in New York
  story.at("20:00", "ann", "X");
  story.at("03-02 07:00", "ann", "X");   // 08:00 in Stockholm; 02:00 in New York
  story.run_until("03-03 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("19:59:59.999 t sent", "19:59:59.999 w web/t sent", "20:00 t sent",
                          "20:00 w web/t suppressed quiet_hours", "03-02 07:00 t deferred quiet_hours",
                          "03-02 07:00 w web/t sent", "03-02 13:00 t sent"));
}

TEST(QuietHours, EndByTheClockOnTheWallWhenItChanges) {
  Story story(kNights);
  story.at("03-28 22:00", "ann", "X", "{}", R"({"timezone":"Europe/Stockholm"})");  // the night to summer time
  story.at("10-24 21:00", "ann", "X");                                               // the night back
  story.run_until("10-26 00:00");
  std::vector<std::string> sent;
  for (const std::string& line : story.decisions()) {
    if (line.ends_with(" t sent")) sent.push_back(line);
  }
  EXPECT_THAT(sent, ElementsAre("03-29 06:00 t sent", "10-25 07:00 t sent"));
}

TEST(QuietHours, ADeferredStepAsksWhileAgainAndMayExpire) {
  Story story(R"(
Channel email: {topic: e, quiet_hours: {from: "21:00", to: "08:00", zone: UTC, then: defer}}
Trigger w: {event: {on: X}, while: "!has(traits.no) ", actions: [{channel: email, template: t}]}
Trigger e: {event: {on: X}, actions: [{channel: email, template: t, expires: 2h}]}
Trigger f: {event: {on: X}, actions: [{channel: email, template: t, expires: 10h}]}
)");
  story.at("22:00", "ann", "X");
  story.at("23:00", "ann", "$identify", "", R"({"no":1})");
  story.run_until("03-03 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("22:00 e deferred quiet_hours", "22:00 f deferred quiet_hours",
                                             "22:00 w deferred quiet_hours", "03-02 08:00 e suppressed expired",
                                             "03-02 08:00 f sent", "03-02 08:00 w suppressed while"));
}

TEST(QuietHours, AStepStillDeferredGivesWayToTheNextOfItsChannel) {
  Story story(R"(
Channel email: {topic: e, quiet_hours: {from: "21:00", to: "08:00", zone: UTC, then: defer}}
Trigger t: {event: {on: X}, actions: [{channel: email, template: a}, {channel: email, template: b, after: 5h}]}
)");
  story.at("22:00", "ann", "X");
  story.run_until("03-03 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("22:00 t email/a deferred quiet_hours", "03-02 03:00 t email/a suppressed superseded",
                          "03-02 03:00 t email/b deferred quiet_hours", "03-02 08:00 t email/b sent"));
}

TEST(QuietHours, AnExitDropsWhatIsDeferred) {
  Story story(R"(
Channel email: {topic: e, quiet_hours: {from: "21:00", to: "08:00", zone: UTC, then: defer}}
Trigger t: {event: {on: X}, exit: {on: Bought}, actions: [{channel: email, template: a}]}
)");
  story.at("22:00", "ann", "X");
  story.at("23:00", "ann", "Bought");
  story.run_until("03-03 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("22:00 t email/a deferred quiet_hours", "23:00 t email/a suppressed exit"));
}

TEST(Caps, OfAChannelInARollingWindow) {
  Story story(R"(
Channel email: {topic: e, caps: [{max: 1, per: 1h}, {max: 2, per: 1d}]}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  for (const char* const when : {"09:00", "09:59:59.999", "10:00", "12:00", "03-02 09:00"}) story.at(when, "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent", "09:59:59.999 t suppressed cap", "10:00 t sent",
                                             "12:00 t suppressed cap", "03-02 09:00 t sent"));
}

TEST(Caps, BindByClass) {
  Story story(R"(
Policy all: {zone: UTC, caps: [{max: 2, per: 1d}]}
Channel email: {topic: e, caps: [{max: 3, per: 1d}]}
Channel web: {topic: w}
Trigger m: {event: {on: M}, actions: [{channel: email, template: t}]}
Trigger n: {event: {on: N}, actions: [{channel: web, template: t}]}
Trigger s: {class: service, event: {on: S}, actions: [{channel: email, template: t}]}
Trigger x: {class: transactional, event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");  // counts nowhere
  story.at("09:01", "ann", "S");  // counts on its channel
  story.at("09:02", "ann", "M");
  story.at("09:03", "ann", "N");
  story.at("09:04", "ann", "M");  // the third of marketing
  story.at("09:05", "ann", "N");
  story.at("09:06", "ann", "S");
  story.at("09:07", "ann", "S");  // the fourth on its channel
  story.at("09:08", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 x sent", "09:01 s sent", "09:02 m sent", "09:03 n web/t sent",
                                             "09:04 m suppressed cap", "09:05 n web/t suppressed cap", "09:06 s sent",
                                             "09:07 s suppressed cap", "09:08 x sent"));
}

TEST(Age, ByTheWallClockAndOnlyWhereThereIsOne) {
  constexpr const char* kCatalog = R"(
Policy all: {zone: UTC, max_action_age: 1h}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
)";
  Story backtest(kCatalog);
  backtest.at("09:00", "ann", "X");
  EXPECT_THAT(backtest.decisions(), ElementsAre("09:00 t sent"));
  Story live(kCatalog);
  live.wall("12:00");
  live.at("11:00", "ann", "X");
  live.at("10:59:59.999", "bob", "X");
  EXPECT_THAT(live.decisions(), ElementsAre("10:59:59.999 t suppressed age", "11:00 t sent"));
}

TEST(LastData, IsThisKeysFiringBefore) {
  Story story(R"(
Trigger cheaper:
  event: {on: Price, key: event.properties.sku}
  if: "!has(instance.last.at) || event.properties.p < instance.last.data.p"
  actions: [{channel: email, template: t, data: {p: event.properties.p}}]
)");
  story.at("09:00", "ann", "Price", R"({"sku":"a","p":10})");
  story.at("09:01", "ann", "Price", R"({"sku":"a","p":10})");
  story.at("09:02", "ann", "Price", R"({"sku":"b","p":20})");
  story.at("09:03", "ann", "Price", R"({"sku":"a","p":9})");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 cheaper[a] sent {"p":10})", R"(09:02 cheaper[b] sent {"p":20})",
                                             R"(09:03 cheaper[a] sent {"p":9})"));
}

TEST(Gate, KeysThatWereOnlySilencedTakeNoMoreRoomThanTheLimit) {
  Story story(R"(
Trigger t: {event: {on: X, key: event.properties.k}, cooldown: 1d, once: key, actions: [{channel: email, template: t}]}
)");
  const auto fire = [&](std::string_view when, int key) {
    story.at(when, "ann", "X", fmt::format(R"({{"k":"key {:06}"}})", key));
  };
  const auto bytes = [&] {
    std::size_t size = 0;
    for (const std::string& row : story.rows()) size += row.size();
    return size;
  };
  fire("09:00", 0);
  const int full = static_cast<int>(kKeyTimesMax);
  for (int key = 1; key < full; ++key) fire("09:00", key);
  const std::size_t at_the_limit = bytes();
  for (int key = full; key < full + 500; ++key) fire("09:00", key);
  EXPECT_EQ(story.counters().dropped_over_limit, 1000u) << "as many message ids too";
  EXPECT_EQ(bytes(), at_the_limit);
  story.take();
  fire("03-02 10:00", 0);
  EXPECT_THAT(story.decisions(), ElementsAre("03-02 10:00 t[key 000000] suppressed once"))
      << "what fired is remembered before what was silenced";
}

TEST(Gate, KeysThatHaveAllFiredKeepTheirPlaceBeforeOneThatIsSilenced) {
  Story story(R"(
Trigger t:
  event: {on: X, key: event.properties.k}
  cooldown: 1s
  once: key
  actions: [{channel: email, template: t}]
)");
  const Instant begin = instant("09:00");
  const auto fire = [&](std::int64_t ms, int key) {
    story.feed(fmt::format(R"({{"messageId":"{}-{}","userId":"ann","type":"track","event":"X","timestamp":"{}",)"
                           R"("properties":{{"k":"{}"}}}})",
                           ms, key,
                           absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(begin.ms + ms),
                                            absl::UTCTimeZone()),
                           key));
  };
  const int full = static_cast<int>(kKeyTimesMax);
  for (int key = 0; key < full; ++key) fire(key * 1000, key);
  const std::int64_t end = (full - 1) * 1000;
  EXPECT_EQ(story.take().size(), kKeyTimesMax);
  fire(end + 1, full);
  fire(end + 2, full);
  EXPECT_EQ(story.take().size(), 2u) << "silenced, and there is no place to remember that it was";
  fire(end + 3000, 0);
  EXPECT_EQ(story.take()[0].reason, "once");
  fire(end + 6000, full);  // fires, in the place of the one that fired longest ago
  fire(end + 9000, 0);
  const auto decided = story.take();
  ASSERT_EQ(decided.size(), 2u);
  EXPECT_EQ(decided[1].verdict, Verdict::kSent);
}

}  // namespace
}  // namespace spur::testing
