// CompactText: an owned text in 8 bytes. For what there are millions of and what is mostly short or empty; a
// std::string takes 32 and another allocation's rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace spur {

class CompactText {
 public:
  CompactText() = default;
  CompactText(std::string_view text) { assign(text); }  // NOLINT(google-explicit-constructor): it is a text
  CompactText(const std::string& text) : CompactText(std::string_view(text)) {}  // NOLINT
  CompactText(const CompactText& other) : CompactText(other.view()) {}
  CompactText(CompactText&&) noexcept = default;
  CompactText& operator=(const CompactText& other) {
    if (this != &other) assign(other.view());
    return *this;
  }
  CompactText& operator=(CompactText&&) noexcept = default;

  std::string_view view() const {
    if (bytes_ == nullptr) return {};
    const auto first = static_cast<std::uint8_t>(bytes_[0]);
    if (first < kLong) return {bytes_.get() + 1, first};
    std::uint32_t size;
    std::memcpy(&size, bytes_.get() + 1, sizeof size);
    return {bytes_.get() + 1 + sizeof size, size};
  }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)
  bool empty() const { return bytes_ == nullptr; }
  void clear() { bytes_.reset(); }
  std::string str() const { return std::string(view()); }
  // The block behind it, for prefetching; nullptr: none.
  const void* block() const { return bytes_.get(); }
  std::size_t memory_bytes() const { return bytes_ == nullptr ? 0 : head_of(view().size()) + view().size(); }

  friend bool operator==(const CompactText& a, const CompactText& b) { return a.view() == b.view(); }
  friend bool operator==(const CompactText& a, std::string_view b) { return a.view() == b; }  // without a copy
  friend auto operator<=>(const CompactText& a, const CompactText& b) { return a.view() <=> b.view(); }

 private:
  void assign(std::string_view text) {
    if (text.empty()) {
      bytes_.reset();
      return;
    }
    const auto size = static_cast<std::uint32_t>(text.size());
    const std::size_t head = head_of(size);
    auto fresh = std::unique_ptr<char[]>(new char[head + size]);
    fresh[0] = static_cast<char>(size < kLong ? size : kLong);
    if (size >= kLong) std::memcpy(fresh.get() + 1, &size, sizeof size);
    std::memcpy(fresh.get() + head, text.data(), size);
    bytes_ = std::move(fresh);
  }

  // The size stands in front: 1 byte, of a long one 4 more behind kLong.
  static constexpr std::uint8_t kLong = 255;
  static std::size_t head_of(std::size_t size) { return size < kLong ? 1 : 1 + sizeof(std::uint32_t); }

  std::unique_ptr<char[]> bytes_;
};
static_assert(sizeof(CompactText) == 8);

}  // namespace spur
