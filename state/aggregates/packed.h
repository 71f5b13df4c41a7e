// The packed form of a small aggregate: what one customer's block keeps of it
// (state/feature_states.h).
//
// A block of its own costs an aggregate a pointer, the allocator's header and rounding, a header of
// ours, and room for what few ever have (merged values, a hash index, text on the heap): 24 to 96
// bytes around mostly one to five values. Packed it is those values: times in 6 bytes, whole
// numbers in as many as they need, text in place. It lives in memory only and is never stored, so
// it may change with any version. What does not fit kPackedMax, or has anything of what few have,
// stays in a block of its own.
//
// Bytes of 0 are one that has taken nothing in, for the kinds that begins_empty() names: it too
// needs no block.
//
// For a call it is unpacked into a Scratch, on the stack, where the code of its kind finds the
// state that it knows. Text is borrowed there from the packed bytes (Scalar::borrowed).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "state/aggregates/aggregate_state.h"
#include "state/aggregates/int128.h"
#include "state/check.h"

namespace spur {

inline constexpr std::size_t kPackedMax = 127;

// Where an aggregate is unpacked to: room for what kPackedMax bytes can hold, and for one entry
// more.
class Scratch {
 public:
  // A block with Fixed and no entries, which nobody frees.
  template <typename B>
  StatePtr make() {
    StatePtr state(borrow_block(bytes_, B::kLayout));
    B::begin(*state);
    return state;
  }

 private:
  alignas(8) std::byte bytes_[kBlockBytes[kScratchClass]];
};

// Writes a packed form; what does not fit is left out, and fits() says so.
class PackedWriter {
 public:
  void u8(std::uint8_t byte) {
    if (room(1)) bytes_[size_++] = static_cast<char>(byte);
  }
  // An instant in [kInstantMin, kInstantMax], or 0.
  void time(std::int64_t ms) { put(static_cast<std::uint64_t>(ms), 6); }
  void fixed16(std::uint16_t value) { put(value, 2); }
  void fixed64(std::uint64_t value) { put(value, 8); }
  // How many bytes it needs, and those.
  void number(std::uint64_t value) {
    const auto needed = static_cast<std::size_t>(std::bit_width(value) + 7) / 8;
    u8(static_cast<std::uint8_t>(needed));
    put(value, needed);
  }
  void signed_number(std::int64_t value) {
    number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void wide(int128 value) {
    const uint128 bits = static_cast<uint128>(value) << 1 ^ static_cast<uint128>(value >> 127);
    const auto high = static_cast<std::uint64_t>(bits >> 64);
    if (high == 0) return number(static_cast<std::uint64_t>(bits));
    const auto needed = static_cast<std::size_t>(std::bit_width(high) + 7) / 8;
    u8(static_cast<std::uint8_t>(8 + needed));
    put(static_cast<std::uint64_t>(bits), 8);
    put(high, needed);
  }
  void text(std::string_view text) {
    if (text.size() > kPackedMax) return give_up();
    u8(static_cast<std::uint8_t>(text.size()));
    if (!room(text.size())) return;
    std::memcpy(bytes_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  // This state has no packed form.
  void give_up() { fits_ = false; }

  bool fits() const { return fits_; }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  bool room(std::size_t bytes) {
    if (size_ + bytes > kPackedMax) fits_ = false;
    return fits_;
  }
  void put(std::uint64_t value, std::size_t bytes) {
    if (!room(bytes)) return;
    std::memcpy(bytes_ + size_, &value, sizeof value);
    size_ += bytes;
  }

  char bytes_[kPackedMax + sizeof(std::uint64_t)];
  std::size_t size_ = 0;
  bool fits_ = true;
};

// Reads what a PackedWriter has written in this process: nothing is checked. Holds a copy, so that
// what is borrowed from it outlives a change of the block it came from.
class PackedReader {
 public:
  // Of bytes of 0, as many as begins_empty() looks at.
  PackedReader() { std::memset(bytes_, 0, 16); }
  explicit PackedReader(std::string_view packed) {
    SPUR_CHECK(packed.size() <= kPackedMax);
    if (!packed.empty()) std::memcpy(bytes_, packed.data(), packed.size());
  }
  PackedReader(const PackedReader&) = delete;
  PackedReader& operator=(const PackedReader&) = delete;

  std::uint8_t u8() { return static_cast<std::uint8_t>(*next_++); }
  std::int64_t time() { return static_cast<std::int64_t>(get(6)); }
  std::uint16_t fixed16() { return static_cast<std::uint16_t>(get(2)); }
  std::uint64_t fixed64() { return get(8); }
  std::uint64_t number() { return get(u8()); }
  std::int64_t signed_number() { return zigzag(number()); }
  int128 wide() {
    const std::uint8_t bytes = u8();
    if (bytes <= 8) {
      const std::uint64_t bits = get(bytes);
      return static_cast<int128>(bits >> 1) ^ -static_cast<int128>(bits & 1);
    }
    const std::uint64_t low = get(8);
    const uint128 bits = static_cast<uint128>(get(bytes - std::size_t{8})) << 64 | low;
    return static_cast<int128>(bits >> 1 ^ (0 - (bits & 1)));
  }
  // Points into the reader.
  std::string_view text() {
    const std::size_t size = u8();
    return {std::exchange(next_, next_ + size), size};
  }

 private:
  std::uint64_t get(std::size_t bytes) {
    if (bytes == 0) return 0;
    std::uint64_t value;
    std::memcpy(&value, next_, sizeof value);  // there is room behind the last one
    next_ += bytes;
    return value << (64 - 8 * bytes) >> (64 - 8 * bytes);
  }
  static std::int64_t zigzag(std::uint64_t bits) {
    return static_cast<std::int64_t>(bits >> 1 ^ (0 - (bits & 1)));
  }

  char bytes_[kPackedMax + sizeof(std::uint64_t)];
  const char* next_ = bytes_;
};

}  // namespace spur
