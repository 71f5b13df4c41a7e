// Scalar: a value that an aggregate keeps, for min, max, first, last and distinct.
//
// 16 bytes. Text of up to 8 bytes is inside; longer text is a heap copy that belongs to whoever
// holds the Scalar. It has no destructor, since entries move about as bytes inside a block: the
// holder calls release() when it drops one.
#pragma once

#include <cstdint>
#include <optional>

#include "state/arena.h"
#include "state/codec/byte_io.h"
#include "state/value.h"

namespace spur {

class PackedReader;
class PackedWriter;

struct Scalar {
  Kind kind = Kind::kNull;
  std::uint8_t unit = 0;  // of extremes and distinct: window.h, Unit
  bool borrowed = false;  // its text is somebody else's (packed.h)
  std::uint8_t spare = 0;
  std::uint32_t size = 0;  // of text; nanoseconds of a time
  union {
    std::int64_t integer = 0;
    std::uint64_t bits;
    double real;
    char inside[8];
    char* outside;
  };
};
static_assert(sizeof(Scalar) == 16);

// Whether an aggregate can keep it: bool, numbers but NaN, text, bytes, timestamps and durations.
bool is_scalar(const Value& value);

// Requires is_scalar(value). Copies its text.
Scalar make_scalar(const Value& value);
Scalar clone(const Scalar& scalar);
void release(Scalar& scalar);
// Makes borrowed text its own.
void own(Scalar& scalar);
// Heap bytes of its own.
std::size_t heap_bytes(const Scalar& scalar);

// As a Value whose text points into `scalar`, which must stay where it is.
Value view(const Scalar& scalar);
// The same with its text in `arena`.
Value to_value(const Scalar& scalar, Arena& arena);

// Negative, zero or positive. A total order of scalars that is CEL's where CEL has one: numbers by
// their exact value, text by its bytes. Of different types: bool < numbers < string < bytes <
// timestamp < duration. Zero only for the same value of the same type: among equal numbers int <
// uint < double, and -0.0 < 0.0.
int order(const Value& a, const Value& b);

// `value` in the one form that all CEL values equal to it share: a whole number within 64 bits is
// an int, else a uint.
Value normalized(const Value& value);
// Equal for equal normalized values, the same on every machine.
std::uint64_t hash(const Value& normalized);

// Packed form. `scalar` borrows its text from the reader.
void pack_scalar(const Scalar& scalar, PackedWriter& out);
Scalar unpack_scalar(PackedReader& in);

// Stored form. Reading fails the reader if there is no scalar.
void write_scalar(const Scalar& scalar, ByteWriter& out);
Scalar read_scalar(ByteReader& in);

}  // namespace spur
