#include "state/arena.h"

#include <algorithm>

namespace spur {

void* Arena::allocate_slow(std::size_t bytes) {
  const std::size_t size = std::max(bytes, kBlockBytes);
  blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
  capacity_ += size;
  next_ = blocks_.back().bytes.get() + bytes;
  left_ = size - bytes;
  return blocks_.back().bytes.get();
}

void Arena::reset() {
  if (blocks_.empty()) return;
  blocks_.resize(1);  // a single huge input must not hold its memory for ever
  if (blocks_[0].size > kBlockBytes) {
    blocks_.clear();
    next_ = nullptr;
    left_ = capacity_ = 0;
    return;
  }
  next_ = blocks_[0].bytes.get();
  left_ = capacity_ = blocks_[0].size;
}

}  // namespace spur
