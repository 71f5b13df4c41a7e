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

void free_block(Aggregate::State* state) { ::operator delete(state); }

}  // namespace spur
