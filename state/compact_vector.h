// CompactVector: a vector in 8 bytes, for the lists of a customer: there are millions, each short or empty. Size and
// capacity stand in front of the elements, and it grows by one place at first, later by a quarter; a std::vector takes
// 24 bytes and doubles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <utility>

#include "state/check.h"

namespace spur {

// As std::vector, with what the fold needs of it. T moves without throwing.
template <typename T>
class CompactVector {
  static_assert(alignof(T) <= 8);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  CompactVector() = default;
  explicit CompactVector(std::size_t size) { resize(size); }
  CompactVector(std::initializer_list<T> elements) {
    reserve(elements.size());
    for (const T& element : elements) push_back(element);
  }
  CompactVector(CompactVector&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  CompactVector& operator=(CompactVector&& other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  CompactVector(const CompactVector&) = delete;
  CompactVector& operator=(const CompactVector&) = delete;
  ~CompactVector() {
    clear();
    ::operator delete(head_);
  }

  std::size_t size() const { return head_ == nullptr ? 0 : head_->size; }
  std::size_t capacity() const { return head_ == nullptr ? 0 : head_->capacity; }
  bool empty() const { return size() == 0; }
  T* data() { return reinterpret_cast<T*>(head_ + 1); }
  const T* data() const { return reinterpret_cast<const T*>(head_ + 1); }
  T* begin() { return head_ == nullptr ? nullptr : data(); }
  T* end() { return begin() + size(); }
  const T* begin() const { return head_ == nullptr ? nullptr : data(); }
  const T* end() const { return begin() + size(); }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  T& back() { return data()[size() - 1]; }
  const T& back() const { return data()[size() - 1]; }

  // The block behind it, for prefetching; nullptr: none.
  const void* block() const { return head_; }
  // Heap bytes of the block itself.
  std::size_t heap_bytes() const { return head_ == nullptr ? 0 : sizeof(Head) + head_->capacity * sizeof(T); }

  void reserve(std::size_t places) {
    if (places <= capacity()) return;
    SPUR_CHECK(places <= 0xffffffff);
    Head* const fresh = static_cast<Head*>(::operator new(sizeof(Head) + places * sizeof(T)));
    fresh->size = static_cast<std::uint32_t>(size());
    fresh->capacity = static_cast<std::uint32_t>(places);
    std::uninitialized_move(begin(), end(), reinterpret_cast<T*>(fresh + 1));
    std::destroy(begin(), end());
    ::operator delete(std::exchange(head_, fresh));
  }
  void resize(std::size_t wanted) {
    reserve(wanted);
    while (size() > wanted) pop_back();
    while (size() < wanted) emplace_back();
  }
  template <typename... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (size() == capacity()) reserve(size() + 1 + size() / 4);
    T* const place = new (static_cast<void*>(data() + head_->size)) T(std::forward<Arguments>(arguments)...);
    ++head_->size;
    return *place;
  }
  void push_back(T element) { emplace_back(std::move(element)); }
  T* insert(const T* before, T element) {
    const auto at = before - begin();
    emplace_back(std::move(element));
    std::rotate(begin() + at, end() - 1, end());
    return begin() + at;
  }
  void pop_back() {
    --head_->size;
    std::destroy_at(data() + head_->size);
  }
  T* erase(const T* at) { return erase(at, at + 1); }
  T* erase(const T* first, const T* last) {
    T* const from = begin() + (first - begin());
    if (first == last) return from;
    T* const left = std::move(from + (last - first), end(), from);
    std::destroy(left, end());
    head_->size = static_cast<std::uint32_t>(left - begin());
    return from;
  }
  void clear() {
    std::destroy(begin(), end());
    if (head_ != nullptr) head_->size = 0;
  }

 private:
  struct alignas(8) Head {
    std::uint32_t size;
    std::uint32_t capacity;
  };
  Head* head_ = nullptr;
};

}  // namespace spur
