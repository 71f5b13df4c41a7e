// What the aggregate tests share: specs by kind and window, values by kind, and when two readings
// are the same.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "state/aggregates/aggregate.h"
#include "state/aggregates/scalar.h"

namespace spur::testing {

inline constexpr Instant kStart{1'767'225'600'000};  // 2026-01-01T00:00:00Z

inline std::vector<AggregateKind> all_kinds() {
  std::vector<AggregateKind> kinds;
  for (int i = 1; i <= 10; ++i) kinds.push_back(static_cast<AggregateKind>(i));
  return kinds;
}

inline std::vector<Member> members_of(AggregateKind kind) {
  if (kind != AggregateKind::kGaps) return {Member::kValue};
  return {Member::kCount, Member::kMean, Member::kLast, Member::kMedian, Member::kP90};
}

inline bool takes_numbers(AggregateKind kind) {
  return kind == AggregateKind::kSum || kind == AggregateKind::kMean ||
         kind == AggregateKind::kDecayed;
}

// Few different values, so that ties are common; of all scalar types where the kind takes them.
inline Value some_value(AggregateKind kind, std::mt19937_64& random) {
  static const Value kScalars[] = {Value::integer(7),
                                   Value::real(7),
                                   Value::unsigned_integer(7),
                                   Value::real(7.5),
                                   Value::real(-3),
                                   Value::integer(-3),
                                   Value::real(0.0),
                                   Value::real(-0.0),
                                   Value::string("7"),
                                   Value::string("shoes"),
                                   Value::string("a text that is longer than eight bytes"),
                                   Value::string("a text that is longer, too"),
                                   Value::string(""),
                                   Value::bytes("shoes"),
                                   Value::boolean(true),
                                   Value::boolean(false),
                                   Value::timestamp(Instant{1000}),
                                   Value::timestamp(5, 3),
                                   Value::duration(Millis{1000}),
                                   Value::integer(1LL << 60),
                                   Value::real(1e300),
                                   Value::integer(12),
                                   Value::integer(13),
                                   Value::integer(14),
                                   Value::integer(15)};
  if (takes_numbers(kind)) return Value::real(static_cast<double>(random() % 2000) / 8 - 100);
  return kScalars[random() % std::size(kScalars)];
}

inline std::string text_of(const Value& v) {
  switch (v.kind()) {
    case Kind::kAbsent:
      return "absent";
    case Kind::kInt:
      return "int " + std::to_string(v.as_int());
    case Kind::kUint:
      return "uint " + std::to_string(v.as_uint());
    case Kind::kDouble: {
      char text[40];
      std::snprintf(text, sizeof text, "double %.17g", v.as_double());
      return text;
    }
    case Kind::kBool:
      return v.as_bool() ? "true" : "false";
    case Kind::kString:
      return "string '" + std::string(v.as_text()) + "'";
    case Kind::kBytes:
      return "bytes '" + std::string(v.as_text()) + "'";
    case Kind::kTimestamp:
      return "timestamp " + std::to_string(v.seconds()) + "+" + std::to_string(v.nanos());
    case Kind::kDuration:
      return "duration " + std::to_string(v.seconds()) + "+" + std::to_string(v.nanos());
    default:
      return "kind " + std::to_string(static_cast<int>(v.kind()));
  }
}

// The same to the last bit; of decayed to the nearest whole millionth.
inline ::testing::AssertionResult same(AggregateKind kind, const Value& expected,
                                       const Value& actual) {
  bool equal = text_of(expected) == text_of(actual);
  if (kind == AggregateKind::kDecayed && expected.is(Kind::kDouble) && actual.is(Kind::kDouble)) {
    const double difference = expected.as_double() - actual.as_double();
    equal = difference < 6e-7 && difference > -6e-7;
  }
  if (equal) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "expected " << text_of(expected) << ", is " << text_of(actual);
}

inline std::string name_of(const AggregateSpec& spec) {
  return "kind " + std::to_string(static_cast<int>(spec.kind)) +
         (spec.distinct_days ? " by day" : "") + ", window " + std::to_string(spec.window.count) +
         ", offset " + std::to_string(spec.offset.count);
}

inline std::string encoded(const Aggregate& aggregate, const AggregateSpec& spec) {
  std::string bytes;
  aggregate.encode(spec, bytes);
  return bytes;
}

}  // namespace spur::testing
