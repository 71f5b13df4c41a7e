// Instances: the open waits of a customer, in one block, in the order of (trigger, key).
//
//     | due | opened at | trigger | count | sizes | key | opened | due | …
//
// A wait is some fifty bytes of numbers and texts; with a block for each text most of what it took
// was the allocator's. What is kept of the event that opened it is shortened (codec/uuid_text.h)
// and given back as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

#include "state/arena.h"
#include "state/compact_bytes.h"
#include "state/time.h"

namespace spur {

class ShortenedUuid;

class Instances {
 public:
  // One of them where it stands. Valid until the next change.
  struct View {
    std::uint32_t trigger = 0;
    std::uint32_t count = 0;
    Instant opened_at;
    Instant due;
    std::string_view key;
    std::string_view shortened;  // `opened`, as kept
  };

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = View;
    using difference_type = std::ptrdiff_t;
    using pointer = const View*;
    using reference = View;

    Iterator() = default;
    explicit Iterator(const char* at) : at_(at) {}
    View operator*() const;
    // For a look at these alone, without the texts.
    std::uint32_t trigger() const { return head().trigger; }
    Instant due() const { return {head().due}; }
    Iterator& operator++();
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    friend class Instances;
    struct Head {
      std::int64_t due, opened_at;
      std::uint32_t trigger, count, key_bytes, shortened_bytes;
    };
    Head head() const {
      Head head;
      std::memcpy(&head, at_, sizeof head);
      return head;
    }

    const char* at_ = nullptr;
  };

  bool empty() const { return bytes_.size() == 0; }
  // Counts them.
  std::size_t size() const;
  Iterator begin() const { return Iterator(bytes_.block() == nullptr ? nullptr : bytes_.data()); }
  Iterator end() const {
    return Iterator(bytes_.block() == nullptr ? nullptr : bytes_.data() + bytes_.size());
  }

  // The first that does not come before (trigger, key).
  Iterator lower_bound(std::uint32_t trigger, std::string_view key) const;
  // The one of (trigger, key), or end().
  Iterator find(std::uint32_t trigger, std::string_view key) const;
  bool contains(std::uint32_t trigger, std::string_view key) const {
    return find(trigger, key) != end();
  }
  // How many a trigger has.
  std::size_t count(std::uint32_t trigger) const;

  // A wait to be; its texts lie elsewhere.
  struct Fresh {
    std::uint32_t trigger = 0;
    std::uint32_t count = 0;  // events that opened or reset it
    Instant opened_at;
    Instant due;
    std::string_view key;
    std::string_view opened;  // operators/opened.h: only the fields that the trigger names
  };
  // All of these, in whatever order they come, at the cost of sorting them. Requires that no two
  // have the same (trigger, key).
  static Instances of(std::vector<Fresh> waits);
  // Requires that none has its (trigger, key).
  void insert(const Fresh& fresh);
  // Answers the one behind it.
  Iterator erase(Iterator at);
  // `at` stays where it is.
  void restart(Iterator at, std::uint32_t count, Instant opened_at, Instant due);
  // What was given as `opened`; in `arena` or in the block.
  static std::string_view opened(const View& view, Arena& arena);

  const void* block() const { return bytes_.block(); }
  std::size_t heap_bytes() const { return bytes_.heap_bytes(); }

 private:
  static std::size_t bytes_of(const Fresh& fresh, const ShortenedUuid& shortened);
  static void write(const Fresh& fresh, const ShortenedUuid& shortened, char* to);

  CompactBytes bytes_;
};
static_assert(sizeof(Instances) == 8);

inline Instances::View Instances::Iterator::operator*() const {
  const Head h = head();
  const char* const texts = at_ + sizeof h;
  return {h.trigger,
          h.count,
          {h.opened_at},
          {h.due},
          {texts, h.key_bytes},
          {texts + h.key_bytes, h.shortened_bytes}};
}

inline Instances::Iterator& Instances::Iterator::operator++() {
  const Head h = head();
  at_ += sizeof h + h.key_bytes + h.shortened_bytes;
  return *this;
}

}  // namespace spur
