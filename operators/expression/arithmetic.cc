#include "operators/expression/arithmetic.h"

#include <cmath>

#include "operators/expression/calendar.h"

namespace spur::expression {
namespace {

// Kinds as pairs, so that an operator is one switch.
constexpr unsigned pair(Kind a, Kind b) {
  return static_cast<unsigned>(a) << 8 | static_cast<unsigned>(b);
}
unsigned pair_of(const Value& a, const Value& b) { return pair(a.kind(), b.kind()); }

constexpr unsigned kInts = pair(Kind::kInt, Kind::kInt);
constexpr unsigned kUints = pair(Kind::kUint, Kind::kUint);
constexpr unsigned kDoubles = pair(Kind::kDouble, Kind::kDouble);
constexpr unsigned kDurations = pair(Kind::kDuration, Kind::kDuration);

double to_double(const Value& v) {
  if (v.is(Kind::kInt)) return static_cast<double>(v.as_int());
  if (v.is(Kind::kUint)) return static_cast<double>(v.as_uint());
  return v.as_double();
}

// Spur's addition: a number with a double is calculated in doubles.
bool meet_in_double(const Evaluation& e, const Value& a, const Value& b) {
  if (e.strict || !a.is_number() || !b.is_number()) return false;
  return a.is(Kind::kDouble) || b.is(Kind::kDouble);
}

constexpr char kDurationRange[] = "duration out of range: more than 292 years";

Value add_durations(const Value& a, const Value& b, int sign) {
  const auto x = duration_nanos(a);
  const auto y = duration_nanos(b);
  if (!x || !y) return Value::error(kDurationRange);
  return make_duration(static_cast<WideNanos>(*x) + static_cast<WideNanos>(*y) * sign);
}

Value add_to_timestamp(const Value& t, const Value& d, int sign) {
  const auto nanos = duration_nanos(d);
  if (!nanos) return Value::error(kDurationRange);
  return make_timestamp(t.seconds() + sign * (*nanos / kNanosPerSecond),
                        t.nanos() + sign * (*nanos % kNanosPerSecond));
}

// nanos × factor, to the nearest nanosecond.
Value scaled(const Value& duration, double factor) {
  const auto nanos = duration_nanos(duration);
  if (!nanos) return Value::error(kDurationRange);
  const double product = std::round(static_cast<double>(*nanos) * factor);
  if (!(std::fabs(product) < 9.2e18)) return Value::error(kDurationRange);
  return make_duration(static_cast<std::int64_t>(product));
}

Value multiply_duration(const Value& duration, const Value& number) {
  if (number.is(Kind::kDouble)) return scaled(duration, number.as_double());
  const auto nanos = duration_nanos(duration);
  if (!nanos) return Value::error(kDurationRange);
  return make_duration(static_cast<WideNanos>(*nanos) * number.as_int());
}

Value divide_duration(const Value& a, const Value& b) {
  const auto nanos = duration_nanos(a);
  if (!nanos) return Value::error(kDurationRange);
  switch (b.kind()) {
    case Kind::kInt:
      if (b.as_int() == 0) return Value::error(kDivideByZero);
      return make_duration(static_cast<WideNanos>(*nanos) / b.as_int());
    case Kind::kDouble:
      if (b.as_double() == 0) return Value::error(kDivideByZero);
      return scaled(a, 1 / b.as_double());
    default: {
      const auto by = duration_nanos(b);
      if (!by) return Value::error(kDurationRange);
      if (*by == 0) return Value::error(kDivideByZero);
      return Value::real(static_cast<double>(*nanos) / static_cast<double>(*by));
    }
  }
}

Value concatenate_lists(Evaluation& e, std::span<const Value> a, std::span<const Value> b) {
  const std::size_t size = a.size() + b.size();
  if (size > e.limits.elements_max) return Value::error(kTooManyElements);
  if (!e.spend(size)) return Value::error(kTooManySteps);
  const std::span<Value> joined = e.arena.array<Value>(size);
  std::copy(a.begin(), a.end(), joined.begin());
  std::copy(b.begin(), b.end(), joined.begin() + static_cast<std::ptrdiff_t>(a.size()));
  return Value::list(joined);
}

}  // namespace

Value first_error(const Value& a, const Value& b) {
  if (a.is_error()) return a;
  if (b.is_error()) return b;
  return Value::error(kNoSuchOverload);
}

Value add(Evaluation& e, const Value& a, const Value& b) {
  switch (pair_of(a, b)) {
    case kInts: {
      std::int64_t sum = 0;
      if (__builtin_add_overflow(a.as_int(), b.as_int(), &sum)) return Value::error(kOverflow);
      return Value::integer(sum);
    }
    case kUints: {
      std::uint64_t sum = 0;
      if (__builtin_add_overflow(a.as_uint(), b.as_uint(), &sum)) return Value::error(kOverflow);
      return Value::unsigned_integer(sum);
    }
    case kDoubles:
      return Value::real(a.as_double() + b.as_double());
    case pair(Kind::kString, Kind::kString):
      return e.concatenation(Kind::kString, a.as_text(), b.as_text());
    case pair(Kind::kBytes, Kind::kBytes):
      return e.concatenation(Kind::kBytes, a.as_text(), b.as_text());
    case pair(Kind::kList, Kind::kList):
      return concatenate_lists(e, a.elements(), b.elements());
    case kDurations:
      return add_durations(a, b, 1);
    case pair(Kind::kTimestamp, Kind::kDuration):
      return add_to_timestamp(a, b, 1);
    case pair(Kind::kDuration, Kind::kTimestamp):
      return add_to_timestamp(b, a, 1);
    default:
      if (meet_in_double(e, a, b)) return Value::real(to_double(a) + to_double(b));
      return first_error(a, b);
  }
}

Value subtract(Evaluation& e, const Value& a, const Value& b) {
  switch (pair_of(a, b)) {
    case kInts: {
      std::int64_t difference = 0;
      if (__builtin_sub_overflow(a.as_int(), b.as_int(), &difference)) {
        return Value::error(kOverflow);
      }
      return Value::integer(difference);
    }
    case kUints:
      if (a.as_uint() < b.as_uint()) return Value::error(kOverflow);
      return Value::unsigned_integer(a.as_uint() - b.as_uint());
    case kDoubles:
      return Value::real(a.as_double() - b.as_double());
    case kDurations:
      return add_durations(a, b, -1);
    case pair(Kind::kTimestamp, Kind::kDuration):
      return add_to_timestamp(a, b, -1);
    case pair(Kind::kTimestamp, Kind::kTimestamp):
      return make_duration(static_cast<WideNanos>(a.seconds() - b.seconds()) * kNanosPerSecond +
                           (a.nanos() - b.nanos()));
    default:
      if (meet_in_double(e, a, b)) return Value::real(to_double(a) - to_double(b));
      return first_error(a, b);
  }
}

Value multiply(Evaluation& e, const Value& a, const Value& b) {
  switch (pair_of(a, b)) {
    case kInts: {
      std::int64_t product = 0;
      if (__builtin_mul_overflow(a.as_int(), b.as_int(), &product)) return Value::error(kOverflow);
      return Value::integer(product);
    }
    case kUints: {
      std::uint64_t product = 0;
      if (__builtin_mul_overflow(a.as_uint(), b.as_uint(), &product)) {
        return Value::error(kOverflow);
      }
      return Value::unsigned_integer(product);
    }
    case kDoubles:
      return Value::real(a.as_double() * b.as_double());
    case pair(Kind::kDuration, Kind::kInt):
    case pair(Kind::kDuration, Kind::kDouble):
      return e.strict ? Value::error(kNoSuchOverload) : multiply_duration(a, b);
    case pair(Kind::kInt, Kind::kDuration):
    case pair(Kind::kDouble, Kind::kDuration):
      return e.strict ? Value::error(kNoSuchOverload) : multiply_duration(b, a);
    default:
      if (meet_in_double(e, a, b)) return Value::real(to_double(a) * to_double(b));
      return first_error(a, b);
  }
}

Value divide(Evaluation& e, const Value& a, const Value& b) {
  switch (pair_of(a, b)) {
    case kInts:
      if (b.as_int() == 0) return Value::error(kDivideByZero);
      if (a.as_int() == INT64_MIN && b.as_int() == -1) return Value::error(kOverflow);
      return Value::integer(a.as_int() / b.as_int());
    case kUints:
      if (b.as_uint() == 0) return Value::error(kDivideByZero);
      return Value::unsigned_integer(a.as_uint() / b.as_uint());
    case kDoubles:
      return Value::real(a.as_double() / b.as_double());
    case kDurations:
    case pair(Kind::kDuration, Kind::kInt):
    case pair(Kind::kDuration, Kind::kDouble):
      return e.strict ? Value::error(kNoSuchOverload) : divide_duration(a, b);
    default:
      if (meet_in_double(e, a, b)) return Value::real(to_double(a) / to_double(b));
      return first_error(a, b);
  }
}

Value modulo(const Value& a, const Value& b) {
  switch (pair_of(a, b)) {
    case kInts:
      if (b.as_int() == 0) return Value::error(kDivideByZero);
      if (b.as_int() == -1) return Value::integer(0);  // the smallest int would trap
      return Value::integer(a.as_int() % b.as_int());
    case kUints:
      if (b.as_uint() == 0) return Value::error(kDivideByZero);
      return Value::unsigned_integer(a.as_uint() % b.as_uint());
    default:
      return first_error(a, b);
  }
}

Value negate(const Value& a) {
  if (a.is(Kind::kDouble)) return Value::real(-a.as_double());
  if (!a.is(Kind::kInt)) return first_error(a, a);
  if (a.as_int() == INT64_MIN) return Value::error(kOverflow);
  return Value::integer(-a.as_int());
}

}  // namespace spur::expression
