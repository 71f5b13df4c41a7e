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
    std::uint32_t size;
    std::memcpy(&size, bytes_.get(), sizeof size);
    return {bytes_.get() + sizeof size, size};
  }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)
  bool empty() const { return bytes_ == nullptr; }
  void clear() { bytes_.reset(); }
  std::string str() const { return std::string(view()); }
  std::size_t memory_bytes() const { return bytes_ == nullptr ? 0 : sizeof(std::uint32_t) + view().size(); }

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
    auto fresh = std::unique_ptr<char[]>(new char[sizeof size + text.size()]);
    std::memcpy(fresh.get(), &size, sizeof size);
    std::memcpy(fresh.get() + sizeof size, text.data(), text.size());
    bytes_ = std::move(fresh);
  }

  std::unique_ptr<char[]> bytes_;  // size (4 bytes), then the text
};
static_assert(sizeof(CompactText) == 8);

}  // namespace spur
