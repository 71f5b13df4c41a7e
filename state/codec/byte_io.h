// ByteWriter and ByteReader: how every stored layout of ours is written and read.
//
// Little-endian, unaligned, no padding. Whole numbers are varints (7 bits a byte, low bits first)
// because most are small; signed ones go through zigzag so that small negatives stay small. A
// varint has exactly one spelling: an overlong one is refused, so that equal content has equal
// bytes and goldens and digests can compare them.
//
// A reader's failure is sticky: after the first bad byte every read answers zero or empty text, and
// the caller asks once, at the end, whether ok() or done(). Nothing read is larger than the bytes
// that are there, so a reader never allocates on the word of its input. What it hands out as text
// points into the bytes it was given.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace spur {

// Appends to a string that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t byte) { out_.push_back(static_cast<char>(byte)); }
  void fixed32(std::uint32_t value) { fixed(value); }
  void fixed64(std::uint64_t value) { fixed(value); }
  // The bits of the double, also of NaN and -0.0.
  void real(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
  void boolean(bool value) { u8(value ? 1 : 0); }

  // 1 to 10 bytes.
  void varint(std::uint64_t value) {
    char bytes[10];
    std::size_t n = 0;
    for (; value >= 0x80; value >>= 7) bytes[n++] = static_cast<char>(value | 0x80);
    bytes[n++] = static_cast<char>(value);
    out_.append(bytes, n);
  }
  void zigzag(std::int64_t value) {
    varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }

  // A length and the bytes.
  void text(std::string_view bytes) {
    varint(bytes.size());
    out_.append(bytes);
  }
  // The bytes alone; the reader has to know how many.
  void raw(std::string_view bytes) { out_.append(bytes); }

  std::size_t size() const { return out_.size(); }

 private:
  template <typename T>
  void fixed(T value) {
    static_assert(std::endian::native == std::endian::little, "the layouts are little-endian");
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof value);
  }

  std::string& out_;
};

// Reads a view that must outlive it (and any text it handed out).
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint8_t u8() { return left() == 0 ? fail() : static_cast<std::uint8_t>(*next_++); }
  std::uint32_t fixed32() { return fixed<std::uint32_t>(); }
  std::uint64_t fixed64() { return fixed<std::uint64_t>(); }
  double real() { return std::bit_cast<double>(fixed64()); }
  // 0 or 1; another byte is a failure.
  bool boolean() {
    const std::uint8_t byte = u8();
    if (byte > 1) fail();
    return byte == 1;
  }

  std::uint64_t varint() {
    if (next_ != end_ && static_cast<std::uint8_t>(*next_) < 0x80)
      return static_cast<std::uint8_t>(*next_++);
    return varint_slow();
  }
  // A varint of at most `max`; a larger one is a failure. For counts and enums.
  std::uint64_t varint_max(std::uint64_t max) {
    const std::uint64_t value = varint();
    return value <= max ? value : fail();
  }
  // A number of things of which each takes at least `bytes_min` of the bytes that are left: safe to
  // allocate for.
  std::size_t count(std::size_t bytes_min = 1) {
    const std::uint64_t number = varint();
    return number <= left() / bytes_min ? number : fail();
  }
  std::int64_t zigzag() {
    const std::uint64_t bits = varint();
    return static_cast<std::int64_t>(bits >> 1 ^ (0 - (bits & 1)));
  }

  std::string_view text() { return raw(varint_max(left())); }
  std::string_view raw(std::size_t size) {
    if (size > left()) {
      fail();
      return {};
    }
    const std::string_view bytes(next_, size);
    next_ += size;
    return bytes;
  }
  // All that is left.
  std::string_view rest() { return raw(left()); }

  // Marks the bytes as bad, e.g. because a number is out of its range. Always answers 0.
  std::uint8_t fail() {
    ok_ = false;
    next_ = end_;
    return 0;
  }
  // Nothing was bad so far.
  bool ok() const { return ok_; }
  // Nothing was bad and nothing is left over: how a whole record ends.
  bool done() const { return ok_ && next_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - next_); }

 private:
  template <typename T>
  T fixed() {
    if (left() < sizeof(T)) return fail();
    T value;
    std::memcpy(&value, next_, sizeof value);
    next_ += sizeof value;
    return value;
  }

  std::uint64_t varint_slow() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (next_ == end_) return fail();
      const auto byte = static_cast<std::uint8_t>(*next_++);
      if (shift == 63 && byte > 1) return fail();  // beyond 64 bits
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80)
        return byte == 0 && shift != 0 ? fail() : value;  // a last byte of 0: overlong
    }
    return fail();
  }

  const char* next_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace spur
