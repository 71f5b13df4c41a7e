#include "state/aggregates/aggregate_state.h"

namespace spur {

StatePtr new_state(Layout layout, std::size_t bytes) {
  const auto fits = std::lower_bound(kBlockBytes.begin(), kBlockBytes.end(), bytes);
  SPUR_CHECK(fits != kBlockBytes.end());
  void* memory = ::operator new(*fits);
  std::memset(memory, 0, sizeof(Aggregate::State));
  auto* state = static_cast<Aggregate::State*>(memory);
  state->layout = layout;
  state->size_class = static_cast<std::uint8_t>(fits - kBlockBytes.begin());
  return StatePtr(state);
}

Aggregate::State* borrow_block(void* memory, Layout layout) {
  std::memset(memory, 0, sizeof(Aggregate::State));
  auto* state = static_cast<Aggregate::State*>(memory);
  state->layout = layout;
  state->size_class = kScratchClass | kBorrowed;
  return state;
}

void free_block(Aggregate::State* state) {
  if (!is_borrowed(*state)) ::operator delete(state);
}

}  // namespace spur
