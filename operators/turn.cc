#include "operators/turn.h"

namespace spur {

bool Turn::holds(const std::optional<expression::Program>& condition, std::uint32_t trigger) {
  if (!condition) return true;
  const Value answer = condition->evaluate(slots, shard.arena);
  if (shard.watcher != nullptr) shard.watcher->asked(*this, trigger, *condition, answer);
  if (answer.is(Kind::kBool)) return answer.as_bool();
  ++shard.counters.conditions_in_error;
  ++shard.trigger_counters[trigger].errors;
  return false;
}

}  // namespace spur
