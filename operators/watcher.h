// Watcher: who is told, while the fold goes on, what is asked and what comes of it: explain and the time line of a
// backtest. It sees and changes nothing; where nobody watches, the fold pays for a look at a null pointer.
#pragma once

#include <cstdint>

#include "operators/expression/program.h"

namespace spur {

struct Decision;
struct Turn;

// Of every customer of the shard: who wants one looks at turn.customer.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // An instant of a customer's time line is about to be taken: its event (turn.event), or the timers due then.
  virtual void begins(Turn& turn) = 0;
  // A condition was asked for a trigger (its `if` or `while`, a step's `if`, a channel's `reach`) and has answered.
  // The slots are as the condition saw them.
  virtual void asked(Turn& turn, std::uint32_t trigger, const expression::Program& condition, const Value& answer) = 0;
  // A decision is made known: within the turn that made it, or, of a conclusion that had to wait for its grace, later.
  virtual void decided(const Decision& decision) = 0;
  // It is taken; the slots are still those of the turn.
  virtual void ends(Turn& turn) = 0;
};

}  // namespace spur
