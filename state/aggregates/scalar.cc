#include "state/aggregates/scalar.h"

#include <bit>
#include <limits>
#include <new>

#include "state/aggregates/int128.h"
#include "state/aggregates/packed.h"
#include "state/codec/value_codec.h"
#include "state/digest.h"

namespace spur {
namespace {

bool is_text(Kind kind) { return kind == Kind::kString || kind == Kind::kBytes; }
bool is_outside(const Scalar& scalar) {
  return is_text(scalar.kind) && scalar.size > sizeof scalar.inside;
}

template <typename T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// Which values are comparable with each other, in the order of the classes.
int order_class(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return 1;
    case Kind::kInt:
    case Kind::kUint:
    case Kind::kDouble:
      return 2;
    case Kind::kString:
      return 3;
    case Kind::kBytes:
      return 4;
    case Kind::kTimestamp:
      return 5;
    case Kind::kDuration:
      return 6;
    default:
      return 7;
  }
}

int compare_int_double(int128 i, double d) {
  if (d >= 18446744073709551616.0) return -1;  // 2^64: above every int and uint
  if (d < -9223372036854775808.0) return 1;    // below every int
  const auto whole = static_cast<int128>(d);   // towards zero
  if (i != whole) return i < whole ? -1 : 1;
  return three_way(0.0, d - static_cast<double>(whole));
}

int128 whole_of(const Value& v) {
  return v.is(Kind::kInt) ? int128{v.as_int()} : int128{v.as_uint()};
}

int compare_numbers(const Value& a, const Value& b) {
  const bool a_real = a.is(Kind::kDouble);
  const bool b_real = b.is(Kind::kDouble);
  if (a_real && b_real) return three_way(a.as_double(), b.as_double());
  if (a_real) return -compare_int_double(whole_of(b), a.as_double());
  if (b_real) return compare_int_double(whole_of(a), b.as_double());
  return three_way(whole_of(a), whole_of(b));
}

bool is_negative_zero(const Value& v) {
  return v.is(Kind::kDouble) && std::bit_cast<std::uint64_t>(v.as_double()) == std::uint64_t{1}
                                                                                   << 63;
}

}  // namespace

bool is_scalar(const Value& value) {
  if (value.is(Kind::kDouble)) return value.as_double() == value.as_double();
  return order_class(value.kind()) != 7;
}

Scalar make_scalar(const Value& value) {
  Scalar scalar;
  scalar.kind = value.kind();
  switch (value.kind()) {
    case Kind::kBool:
      scalar.integer = value.as_bool() ? 1 : 0;
      break;
    case Kind::kInt:
      scalar.integer = value.as_int();
      break;
    case Kind::kUint:
      scalar.bits = value.as_uint();
      break;
    case Kind::kDouble:
      scalar.real = value.as_double();
      break;
    case Kind::kTimestamp:
    case Kind::kDuration:
      scalar.integer = value.seconds();
      scalar.size = static_cast<std::uint32_t>(value.nanos());
      break;
    default: {
      SPUR_CHECK(is_text(value.kind()));
      const std::string_view text = value.as_text();
      scalar.size = static_cast<std::uint32_t>(text.size());
      if (is_outside(scalar)) scalar.outside = static_cast<char*>(::operator new(text.size()));
      if (!text.empty())
        std::memcpy(is_outside(scalar) ? scalar.outside : scalar.inside, text.data(), text.size());
    }
  }
  return scalar;
}

Scalar clone(const Scalar& scalar) {
  Scalar copy = scalar;
  copy.borrowed = false;
  if (is_outside(scalar)) {
    copy.outside = static_cast<char*>(::operator new(scalar.size));
    std::memcpy(copy.outside, scalar.outside, scalar.size);
  }
  return copy;
}

void release(Scalar& scalar) {
  if (is_outside(scalar) && !scalar.borrowed) ::operator delete(scalar.outside);
  scalar.kind = Kind::kNull;
}

void own(Scalar& scalar) {
  if (scalar.borrowed) scalar = clone(scalar);
}

std::size_t heap_bytes(const Scalar& scalar) {
  return is_outside(scalar) && !scalar.borrowed ? scalar.size : 0;
}

Value view(const Scalar& scalar) {
  switch (scalar.kind) {
    case Kind::kBool:
      return Value::boolean(scalar.integer != 0);
    case Kind::kInt:
      return Value::integer(scalar.integer);
    case Kind::kUint:
      return Value::unsigned_integer(scalar.bits);
    case Kind::kDouble:
      return Value::real(scalar.real);
    case Kind::kTimestamp:
      return Value::timestamp(scalar.integer, static_cast<std::int32_t>(scalar.size));
    case Kind::kDuration:
      return Value::duration(scalar.integer, static_cast<std::int32_t>(scalar.size));
    default:
      break;
  }
  const std::string_view text(is_outside(scalar) ? scalar.outside : scalar.inside, scalar.size);
  return scalar.kind == Kind::kString ? Value::string(text) : Value::bytes(text);
}

Value to_value(const Scalar& scalar, Arena& arena) {
  const Value value = view(scalar);
  if (scalar.kind == Kind::kString) return Value::string(arena.copy(value.as_text()));
  if (scalar.kind == Kind::kBytes) return Value::bytes(arena.copy(value.as_text()));
  return value;
}

int order(const Value& a, const Value& b) {
  const int a_class = order_class(a.kind());
  if (a_class != order_class(b.kind())) return three_way(a_class, order_class(b.kind()));
  switch (a_class) {
    case 1:
      return three_way(a.as_bool(), b.as_bool());
    case 2:
      if (const int by_value = compare_numbers(a, b); by_value != 0) return by_value;
      if (a.kind() != b.kind()) return three_way(a.kind(), b.kind());
      return three_way(is_negative_zero(b), is_negative_zero(a));
    case 3:
    case 4:
      return three_way(a.as_text(), b.as_text());
    default:
      if (a.seconds() != b.seconds()) return three_way(a.seconds(), b.seconds());
      return three_way(a.nanos(), b.nanos());
  }
}

Value normalized(const Value& value) {
  constexpr auto kIntMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is(Kind::kUint) && value.as_uint() <= kIntMax) {
    return Value::integer(static_cast<std::int64_t>(value.as_uint()));
  }
  if (!value.is(Kind::kDouble)) return value;
  const double d = value.as_double();
  if (d >= -9223372036854775808.0 && d < 9223372036854775808.0) {
    const auto whole = static_cast<std::int64_t>(d);
    return static_cast<double>(whole) == d ? Value::integer(whole) : value;
  }
  if (d > 0 && d < 18446744073709551616.0)
    return Value::unsigned_integer(static_cast<std::uint64_t>(d));  // whole
  return value;
}

std::uint64_t hash(const Value& normalized) {
  Digest digest;
  const auto tag = static_cast<std::uint64_t>(normalized.kind());
  switch (normalized.kind()) {
    case Kind::kBool:
      digest.add(tag, normalized.as_bool() ? 1 : 0);
      break;
    case Kind::kInt:
    case Kind::kUint:
      digest.add(tag, normalized.as_uint());
      break;
    case Kind::kDouble:
      digest.add(tag, std::bit_cast<std::uint64_t>(normalized.as_double()));
      break;
    case Kind::kTimestamp:
    case Kind::kDuration:
      digest.add(tag | static_cast<std::uint64_t>(static_cast<std::uint32_t>(normalized.nanos()))
                           << 8,
                 static_cast<std::uint64_t>(normalized.seconds()));
      break;
    default:
      digest.add(tag, normalized.as_text());
  }
  return digest.value();
}

namespace {

// Beside the kind (4 bits) and the unit (2).
constexpr std::uint8_t kWholeMillis = 0x40;

bool is_whole_millis(const Scalar& s) {
  const auto nanos = static_cast<std::int32_t>(s.size);
  constexpr std::int64_t kSecondsMax = std::int64_t{1} << 50;
  return nanos >= 0 && nanos % 1'000'000 == 0 && s.integer > -kSecondsMax &&
         s.integer < kSecondsMax;
}

}  // namespace

void pack_scalar(const Scalar& scalar, PackedWriter& out) {
  const auto head =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(scalar.kind) | scalar.unit << 4);
  switch (scalar.kind) {
    case Kind::kDouble:
      out.u8(head);
      return out.fixed64(scalar.bits);
    case Kind::kTimestamp:
    case Kind::kDuration:
      if (is_whole_millis(scalar)) {
        out.u8(head | kWholeMillis);
        return out.signed_number(scalar.integer * 1000 + scalar.size / 1'000'000);
      }
      out.u8(head);
      out.signed_number(scalar.integer);
      return out.number(scalar.size);
    case Kind::kString:
    case Kind::kBytes:
      out.u8(head);
      return out.text({is_outside(scalar) ? scalar.outside : scalar.inside, scalar.size});
    default:
      out.u8(head);
      return out.signed_number(scalar.integer);
  }
}

Scalar unpack_scalar(PackedReader& in) {
  Scalar scalar;
  const std::uint8_t head = in.u8();
  scalar.kind = static_cast<Kind>(head & 15);
  scalar.unit = head >> 4 & 3;
  switch (scalar.kind) {
    case Kind::kDouble:
      scalar.bits = in.fixed64();
      break;
    case Kind::kTimestamp:
    case Kind::kDuration:
      scalar.integer = in.signed_number();
      if ((head & kWholeMillis) != 0) {
        const std::int64_t rest = (scalar.integer % 1000 + 1000) % 1000;
        scalar.size = static_cast<std::uint32_t>(rest * 1'000'000);
        scalar.integer = (scalar.integer - rest) / 1000;
      } else {
        scalar.size = static_cast<std::uint32_t>(in.number());
      }
      break;
    case Kind::kString:
    case Kind::kBytes: {
      const std::string_view text = in.text();
      scalar.size = static_cast<std::uint32_t>(text.size());
      scalar.borrowed = is_outside(scalar);
      if (scalar.borrowed) {
        scalar.outside = const_cast<char*>(text.data());  // never written to, never freed
      } else if (!text.empty()) {
        std::memcpy(scalar.inside, text.data(), text.size());
      }
      break;
    }
    default:
      scalar.integer = in.signed_number();
  }
  return scalar;
}

void write_scalar(const Scalar& scalar, ByteWriter& out) { write_value(view(scalar), out); }

Scalar read_scalar(ByteReader& in) {
  Arena arena;  // no list or map gets this far, so nothing is allocated
  ByteReader peek = in;
  const auto kind = static_cast<Kind>(peek.u8() & 15);
  if (order_class(kind) == 7) {
    in.fail();
    return {};
  }
  const Value value = read_value(in, arena);
  if (!in.ok() || !is_scalar(value)) {
    in.fail();
    return {};
  }
  return make_scalar(value);
}

}  // namespace spur
