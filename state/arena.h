// A bump allocator for values that live for one evaluation or one input.
//
// Memory is handed out from blocks and given back all at once by reset(), which keeps the first block, so that a warm
// arena allocates nothing. Holds only trivially destructible things; no destructor ever runs. One thread at a time.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace spur {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Uninitialised memory, aligned for any scalar. Never fails but by std::bad_alloc.
  void* allocate(std::size_t bytes) {
    bytes = (bytes + 15) & ~std::size_t{15};
    if (bytes > left_) return allocate_slow(bytes);
    std::byte* at = next_;
    next_ += bytes;
    left_ -= bytes;
    return at;
  }

  // An array of `count` value-initialised Ts.
  template <typename T>
  std::span<T> array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* at = static_cast<T*>(allocate(count * sizeof(T)));
    for (std::size_t i = 0; i < count; ++i) new (at + i) T();
    return {at, count};
  }

  // A copy of `text` that lives as long as the arena is not reset.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* at = static_cast<char*>(allocate(text.size()));
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }

  // Forgets everything allocated since construction; all pointers into the arena die.
  void reset();

  // Bytes obtained from the system, for memory limits.
  std::size_t capacity() const { return capacity_; }

 private:
  static constexpr std::size_t kBlockBytes = 16 * 1024;

  void* allocate_slow(std::size_t bytes);

  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace spur
