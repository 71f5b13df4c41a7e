// CompactBytes: an owned run of bytes in 8 bytes, for what a customer packs into one block. Its
// capacity is what the allocator gives anyway (16 n + 8 with the size in front), so that growing by
// a few bytes costs no more than it must.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "state/check.h"

namespace spur {

class CompactBytes {
 public:
  CompactBytes() = default;
  CompactBytes(CompactBytes&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  CompactBytes& operator=(CompactBytes&& other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  CompactBytes(const CompactBytes&) = delete;
  CompactBytes& operator=(const CompactBytes&) = delete;
  ~CompactBytes() { ::operator delete(head_); }

  std::size_t size() const { return head_ == nullptr ? 0 : head_->size; }
  char* data() { return reinterpret_cast<char*>(head_ + 1); }
  const char* data() const { return reinterpret_cast<const char*>(head_ + 1); }

  // The block behind it, for prefetching; nullptr: none.
  const void* block() const { return head_; }
  std::size_t heap_bytes() const { return head_ == nullptr ? 0 : sizeof(Head) + capacity(); }

  // Puts `fresh` in the place of the `count` bytes from `at` on. `fresh` lies elsewhere.
  void replace(std::size_t at, std::size_t count, std::string_view fresh) {
    char* const place = resize(at, count, fresh.size());
    if (!fresh.empty()) std::memcpy(place, fresh.data(), fresh.size());
  }
  // Makes the `count` bytes from `at` on `wanted` bytes, which are the caller's to write: of those
  // that are new, what they hold is anything. Answers where they are.
  char* resize(std::size_t at, std::size_t count, std::size_t wanted) {
    const std::size_t before = size();
    SPUR_CHECK(at + count <= before);
    if (wanted != count) move_tail(at + count, at + wanted, before);
    return head_ == nullptr ? nullptr : data() + at;
  }
  void clear() { ::operator delete(std::exchange(head_, nullptr)); }

 private:
  struct Head {
    std::uint64_t size : 38;
    std::uint64_t slack : 26;  // behind them
  };
  static constexpr std::size_t kSizeMax = (std::size_t{1} << 38) - 1;
  static constexpr std::size_t kSlackMax = (std::size_t{1} << 26) - 16;

  // A large block grows by an eighth, so that growing costs O(1) a byte.
  static constexpr std::size_t capacity_for(std::size_t bytes) {
    const std::size_t wanted = bytes < 1024 ? bytes : bytes + std::min(bytes / 8, kSlackMax);
    return (sizeof(Head) + wanted + 7) / 16 * 16 + 8 - sizeof(Head);
  }
  std::size_t capacity() const {
    return head_ == nullptr ? 0 : std::size_t{head_->size} + head_->slack;
  }

  // What begins at `from` begins at `to`; what lies between is not initialised.
  void move_tail(std::size_t from, std::size_t to, std::size_t before) {
    const std::size_t after = before + to - from;
    if (after == 0) return clear();
    // A block of which more than half is free gives way to a smaller one, so that what has been
    // large once is not so for ever.
    std::size_t room = capacity();
    if (after <= room && (room <= 120 || after >= room / 2)) {
      std::memmove(data() + to, data() + from, before - from);
    } else {
      SPUR_CHECK(after <= kSizeMax);
      room = capacity_for(after);
      Head* const fresh = static_cast<Head*>(::operator new(sizeof(Head) + room));
      if (head_ != nullptr) {
        std::memcpy(reinterpret_cast<char*>(fresh + 1), data(), from < to ? from : to);
        std::memcpy(reinterpret_cast<char*>(fresh + 1) + to, data() + from, before - from);
        ::operator delete(head_);
      }
      head_ = fresh;
    }
    head_->size = after;
    head_->slack = room - after;
  }

  Head* head_ = nullptr;
};
static_assert(sizeof(CompactBytes) == 8);

}  // namespace spur
