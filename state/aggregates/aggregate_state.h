// The one heap block behind an Aggregate, and how entries are kept in it.
//
//     +--------+-------------+- - - - -+---------+---------+- - -+- - - -+
//     | header | fixed part  | (gap)   | entry   | entry   | ... | free  |
//     | 8      | by layout   | head    | size of them, in order  |       |
//     +--------+-------------+- - - - -+---------+---------+- - -+- - - -+
//
// One block, not an object with vectors inside: a customer has some twenty features, most with none
// to five entries, and two allocations and three words for each vector would cost more than what is
// kept. Entries leave at the front (a gap that the next insertion at the end reuses) and come at
// the end, so that an event in order costs O(1). Blocks come in the sizes that the system's
// allocator hands out anyway (16 n + 8), growing by 16 bytes at first, later by a quarter.
//
// An all-time count needs no block at all: it is the pointer itself, with its lowest bit set
// (tagged_count).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "state/aggregates/aggregate.h"
#include "state/aggregates/int128.h"

namespace spur {

// What a block holds; decides how it is copied and destroyed.
enum class Layout : std::uint8_t {
  kTotals,
  kTimes,
  kAmounts,
  kExtremes,
  kDistinct,
  kGaps,
  kDecayed
};

struct Aggregate::State {
  Layout layout;
  std::uint8_t size_class;  // index into kBlockBytes; kBorrowed on top: nobody frees it
  std::uint16_t head;       // entries' places left free at the front
  std::uint16_t size;       // entries
  std::uint16_t entered;  // of them, how many the window had reached at the last add() or advance()
};
static_assert(sizeof(Aggregate::State) == 8);

using StatePtr = Aggregate::StatePtr;

inline constexpr auto kBlockBytes = [] {
  std::array<std::uint32_t, 64> sizes{};
  std::uint32_t size = 24;
  for (std::uint32_t& bytes : sizes) {
    bytes = size;
    size = size < 120 ? size + 16 : (size + size / 4) / 16 * 16 + 8;
  }
  return sizes;
}();
static_assert(kBlockBytes.back() > 2'500'000);

// Marks a block that lies in a Scratch (packed.h), which is of the class below.
inline constexpr std::uint8_t kBorrowed = 0x80;
inline constexpr std::uint8_t kScratchClass = [] {
  std::uint8_t place = 0;
  while (kBlockBytes[place] < 512) ++place;
  return place;
}();

inline std::size_t block_bytes(const Aggregate::State& state) {
  return kBlockBytes[state.size_class & ~kBorrowed];
}
inline bool is_borrowed(const Aggregate::State& state) {
  return (state.size_class & kBorrowed) != 0;
}

// A block of at least `bytes`, whose header says that it is empty; the rest is not initialised.
StatePtr new_state(Layout layout, std::size_t bytes);
// The same in memory that is somebody else's and has kBlockBytes[kScratchClass].
Aggregate::State* borrow_block(void* memory, Layout layout);
// Gives the memory back without looking at what is inside; a borrowed block is left alone.
void free_block(Aggregate::State* state);

// The count of an aggregate that is nothing but a count.
inline bool is_tagged(const Aggregate::State* state) {
  return (reinterpret_cast<std::uintptr_t>(state) & 1) != 0;
}
inline std::uint64_t tagged_count(const Aggregate::State* state) {
  return reinterpret_cast<std::uintptr_t>(state) >> 1;
}
inline Aggregate::State* tag_count(std::uint64_t count) {
  return reinterpret_cast<Aggregate::State*>(static_cast<std::uintptr_t>(count << 1 | 1));
}

// A block with a Fixed part and entries of one type, both trivially copyable: what they own is
// moved with their bytes.
template <Layout kLayoutOf, typename Fixed, typename Entry>
struct Block {
  using State = Aggregate::State;
  static constexpr Layout kLayout = kLayoutOf;
  static_assert(alignof(Fixed) <= 8 && alignof(Entry) <= 8);
  static constexpr std::size_t kHead = sizeof(State) + (std::is_empty_v<Fixed> ? 0 : sizeof(Fixed));

  static StatePtr make(std::size_t entries = 1) {
    StatePtr state = new_state(kLayout, kHead + entries * sizeof(Entry));
    begin(*state);
    return state;
  }
  // Makes the fixed part of a block that has none yet.
  static void begin(State& state) {
    if constexpr (!std::is_empty_v<Fixed>) new (&fixed(state)) Fixed();
  }

  static Fixed& fixed(State& state) { return *reinterpret_cast<Fixed*>(&state + 1); }
  static const Fixed& fixed(const State& state) {
    return *reinterpret_cast<const Fixed*>(&state + 1);
  }
  static Entry* base(State& state) {
    return reinterpret_cast<Entry*>(reinterpret_cast<std::byte*>(&state) + kHead);
  }
  static std::span<Entry> entries(State& state) { return {base(state) + state.head, state.size}; }
  static std::span<const Entry> entries(const State& state) {
    return entries(const_cast<State&>(state));
  }
  static std::size_t capacity(const State& state) {
    return (block_bytes(state) - kHead) / sizeof(Entry);
  }

  // Makes room for one more entry before place `at`; its bytes are whatever was there.
  static Entry& insert(StatePtr& state, std::size_t at) {
    if (state->head > 0 && at < state->size / 2u) {
      Entry* first = base(*state) + state->head;
      std::memmove(static_cast<void*>(first - 1), first, at * sizeof(Entry));
      state->head -= 1;
    } else {
      if (std::size_t{state->head} + state->size == capacity(*state)) make_room(state);
      Entry* place = base(*state) + state->head + at;
      std::memmove(static_cast<void*>(place + 1), place, (state->size - at) * sizeof(Entry));
    }
    state->size += 1;
    return entries(*state)[at];
  }

  static void erase(State& state, std::size_t at, std::size_t count = 1) {
    Entry* first = base(state) + state.head;
    if (at == 0) {
      state.head = static_cast<std::uint16_t>(state.head + count);
    } else {
      std::memmove(static_cast<void*>(first + at), first + at + count,
                   (state.size - at - count) * sizeof(Entry));
    }
    state.size = static_cast<std::uint16_t>(state.size - count);
    if (state.size == 0) state.head = 0;
  }

  // Gives back what is not needed once three quarters of a block of some size are empty.
  static void shrink(StatePtr& state) {
    if (block_bytes(*state) > 120 && state->size < capacity(*state) / 4)
      reallocate(state, state->size + 1u);
  }
  // Makes sure that it lies in a block of its own.
  static void settle(StatePtr& state) {
    if (is_borrowed(*state)) reallocate(state, state->size + 1u);
  }

 private:
  static void make_room(StatePtr& state) {
    // Closing the gap costs a move of all entries, so it is done only when a quarter as many have
    // left since.
    if (state->head > 0 && state->head >= state->size / 4) {
      std::memmove(static_cast<void*>(base(*state)), base(*state) + state->head,
                   state->size * sizeof(Entry));
      state->head = 0;
      return;
    }
    const std::size_t needed = kHead + (state->size + 1u) * sizeof(Entry);
    const std::size_t next_class = kBlockBytes[(state->size_class & ~kBorrowed) + 1u];
    reallocate(state, (std::max(needed, next_class) - kHead) / sizeof(Entry));
  }

  static void reallocate(StatePtr& state, std::size_t entry_count) {
    StatePtr bigger = new_state(kLayout, kHead + entry_count * sizeof(Entry));
    if constexpr (!std::is_empty_v<Fixed>) fixed(*bigger) = fixed(*state);
    bigger->size = state->size;
    bigger->entered = state->entered;
    std::memcpy(static_cast<void*>(base(*bigger)), base(*state) + state->head,
                state->size * sizeof(Entry));
    free_block(state.release());
    state = std::move(bigger);
  }
};

}  // namespace spur
