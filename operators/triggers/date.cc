#include "operators/triggers/date.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "operators/triggers/collect.h"
#include "operators/triggers/schedule.h"

namespace spur::triggers {
namespace {

using catalog::Every;

// Years that calendars here know.
constexpr int kYearMin = 1000;
constexpr int kYearMax = 3900;

std::optional<int> number(std::string_view digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || digits[0] == '-' || error != std::errc() ||
      end != digits.data() + digits.size())
    return std::nullopt;
  return value;
}

Occurrence occurrence(const GivenDate& date, const DateRule& rule, int year, int month,
                      std::int64_t count) {
  const Day day = day_of({year, month, std::min(date.day, days_in_month(year, month))});
  return {day, count, rule.zone.instant(day + rule.offset_days, rule.minute_of_day)};
}

// The date that the trigger's expression gives now; nothing: there is none.
std::optional<GivenDate> date_of(Turn& turn, std::uint32_t index, const Zone& zone) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  const Value value = turn.evaluate(*trigger.date);
  std::optional<GivenDate> date;
  if (value.is(Kind::kString)) date = parse_given_date(value.as_text());
  if (value.is(Kind::kTimestamp)) {
    const Date local = spur::date_of(zone.local(value.as_instant()).day);
    date = GivenDate{local.year, local.month, local.day};
  }
  // A customer without the trait is no error.
  if (!date && !value.is_absent() && !value.is_error() && !value.is(Kind::kNull)) {
    ++turn.shard.trigger_counters[index].errors;
    ++turn.shard.counters.conditions_in_error;
  }
  return date;
}

// The first occurrence at or after `from`, as things stand.
Occurrence next_of(Turn& turn, std::uint32_t index, Instant from) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  const DateRule rule{trigger.date_every, trigger.date_offset_days, trigger.date_minute,
                      trigger.zone ? *trigger.zone : customer_zone(turn)};
  const std::optional<GivenDate> date = date_of(turn, index, rule.zone);
  return date ? next_occurrence(*date, rule, std::max(from, trigger.from)) : Occurrence{};
}

// `seen` of a date trigger holds one number: the instant that was last asked about.
bool asked_about(const TriggerState* state, Instant at) {
  return state != nullptr && state->more != nullptr && !state->more->seen.empty() &&
         state->more->seen[0] == static_cast<std::uint64_t>(at.ms);
}

}  // namespace

std::optional<GivenDate> parse_given_date(std::string_view text) {
  GivenDate date;
  std::string_view rest = text;
  if (rest.substr(0, 2) == "--") {
    rest.remove_prefix(2);
  } else {
    if (rest.size() < 5 || rest[4] != '-') return std::nullopt;
    const std::optional<int> year = number(rest.substr(0, 4));
    if (!year || (*year != 0 && (*year < kYearMin || *year > kYearMax))) return std::nullopt;
    if (*year != 0) date.year = *year;
    rest.remove_prefix(5);
  }
  if (rest.size() < 5 || rest[2] != '-') return std::nullopt;
  const std::optional<int> month = number(rest.substr(0, 2));
  const std::optional<int> day = number(rest.substr(3, 2));
  if (!month || !day || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  if (*day > days_in_month(date.year.value_or(2000), *month)) return std::nullopt;
  // A time of day may follow; it says nothing.
  if (rest.size() > 5 && rest[5] != 'T' && rest[5] != ' ') return std::nullopt;
  date.month = *month;
  date.day = *day;
  return date;
}

Occurrence next_occurrence(const GivenDate& date, const DateRule& rule, Instant from) {
  if (from == Instant::never()) return {};
  if (rule.every == Every::kNever) {
    if (!date.year) return {};
    const Occurrence once = occurrence(date, rule, *date.year, date.month, 0);
    return once.at >= from ? once : Occurrence{};
  }
  // Some way back of where it must be, so that neither offset nor zone matters.
  const Day near = rule.zone.local(std::max(from, kInstantMin)).day - rule.offset_days;
  const Date begin = spur::date_of(near);
  const std::int64_t unit = rule.every == Every::kYear ? 12 : 1;
  const std::int64_t given =
      (date.year ? *date.year : begin.year - 2) * std::int64_t{12} + date.month - 1;
  const std::int64_t target = begin.year * std::int64_t{12} + begin.month - 1;
  for (std::int64_t n = std::max<std::int64_t>(0, (target - given) / unit - 2);; ++n) {
    const std::int64_t month = given + n * unit;
    const int year = static_cast<int>(month / 12);
    if (year > kYearMax) return {};
    const Occurrence next =
        occurrence(date, rule, year, static_cast<int>(month % 12) + 1, date.year ? n : 0);
    if (next.at >= from) return next;
  }
}

void plan_date(Turn& turn, std::uint32_t index, Instant from) {
  TriggerState* const state = find_state(turn.customer, index);
  Occurrence next = next_of(turn, index, from);
  if (asked_about(state, next.at)) next = next_of(turn, index, next.at + Millis{1});
  if (state != nullptr) {
    state->next = next.at;
  } else if (next.at != Instant::never()) {
    state_of(turn, index).next = next.at;
  }
}

void ask_date(Turn& turn, std::uint32_t index) {
  ++turn.shard.counters.evaluations;
  const Occurrence now = next_of(turn, index, turn.now);
  TriggerState& state = state_of(turn, index);
  if (now.at != turn.now) {
    state.next = now.at;
    return;
  }
  state.rest().seen.assign(1, static_cast<std::uint64_t>(turn.now.ms));
  state.next = next_of(turn, index, turn.now + Millis{1}).at;
  mutate(turn, Tag::kLevel, std::uint64_t{index} << 1 | 1);
  const Date date = spur::date_of(now.day);
  Firing firing;
  firing.trigger = index;
  firing.key = turn.arena().copy(fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day));
  firing.base = firing.opened_at = turn.now;
  firing.count = static_cast<std::uint32_t>(now.count);
  collect(turn, std::move(firing));
}

}  // namespace spur::triggers
