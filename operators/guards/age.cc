#include "operators/guards/age.h"

#include "fmt/format.h"

namespace spur::guards {

Answer age(const Turn& turn, Instant at) {
  const auto& limit = turn.catalog().policy.max_action_age;
  const Instant wall = turn.shard.run.wall;
  if (!limit || wall == Instant::never() || wall - at <= *limit) return Answer::yes();
  return Answer::no("age", fmt::format("{} s old, max_action_age {} s", (wall - at).count / 1000, limit->count / 1000));
}

}  // namespace spur::guards
