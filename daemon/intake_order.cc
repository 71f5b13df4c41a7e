#include "daemon/intake_order.h"

#include <algorithm>

namespace spur {

std::optional<IntakeOrder::Turn> IntakeOrder::next(std::span<const SourceHead> heads,
                                                   Instant wall) {
  std::size_t here = 0;
  bool old = false, missing = false;
  std::optional<std::size_t> eldest, first;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const SourceHead& head = heads[i];
    missing |= !head.here && !head.at_end;
    if (!head.here) continue;
    ++here;
    old |= head.received + kCatchUpAge < wall;
    if (!eldest || head.received < heads[*eldest].received) eldest = i;
    if (!first || head.arrived < heads[*first].arrived) first = i;
  }
  if (old)
    catching_up_ = true;
  else if (!missing)
    catching_up_ = false;
  waiting_ = catching_up_ && missing;
  if (waiting_ || here == 0) return std::nullopt;
  if (!catching_up_) return Turn{*first, Instant::never()};
  Turn turn{*eldest, Instant::never()};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (i != *eldest && heads[i].here) turn.until = std::min(turn.until, heads[i].received);
  }
  return turn;
}

}  // namespace spur
