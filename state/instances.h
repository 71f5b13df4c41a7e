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
#include <string>
#include <string_view>

#include "state/arena.h"
#include "state/compact_bytes.h"
#include "state/time.h"

namespace spur {

// An open wait of an absence trigger, on its own.
struct Instance {
  std::uint32_t trigger = 0;
  std::uint32_t count = 0;  // events that opened or reset it
  Instant opened_at;
  Instant due;
  std::string key;
  std::string opened;  // operators/opened.h: only the fields that the trigger names
};

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
  bool contains(std::uint32_t trigger, std::string_view key) const;
  // Requires that none has its (trigger, key).
  void insert(const Instance& instance);
  // The same of texts that lie elsewhere.
  struct Fresh {
    std::uint32_t trigger = 0;
    std::uint32_t count = 0;
    Instant opened_at;
    Instant due;
    std::string_view key;
    std::string_view opened;
  };
  void insert(const Fresh& fresh);
  // Answers the one behind it.
  Iterator erase(Iterator at);
  // `at` stays where it is.
  void restart(Iterator at, std::uint32_t count, Instant due);
  // What was given as `opened`; in `arena` or in the block.
  static std::string_view opened(const View& view, Arena& arena);
  // A copy on its own.
  static Instance copy(const View& view);

  const void* block() const { return bytes_.block(); }
  std::size_t heap_bytes() const { return bytes_.heap_bytes(); }

 private:
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
