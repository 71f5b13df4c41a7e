// IntakeOrder: which of a shard's sources the next record comes from.
//
// Live it is the order of arrival: whatever came in first goes first, and no source waits for
// another. Catching up it is the order of the records' own times over all sources, so that a topic
// with a year of history does not run ahead of the others (docs/protocol.md H22): then a source counts
// as empty only at its end, and while one has more that is not here yet, nothing is taken. The
// order taken is journaled; replay does not ask again.
//
// Pure: no clock, no log.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "state/time.h"

namespace spur {

struct SourceHead {
  bool here = false;                    // a record can be taken
  bool at_end = true;                   // nothing is known to follow what was taken
  Instant received;                     // of that record
  std::chrono::nanoseconds arrived{0};  // when its batch came in, on the steady scale
};

class IntakeOrder {
 public:
  // A record older than this is history.
  static constexpr Millis kCatchUpAge{2000};

  struct Turn {
    std::size_t source = 0;  // index of the head
    Instant until;           // its records up to this time may follow each other
  };
  // nullopt: there is nothing to take, or it has to wait.
  std::optional<Turn> next(std::span<const SourceHead> heads, Instant wall);
  // There is history that is not here yet: timers must not run ahead of it either.
  bool waiting() const { return waiting_; }

 private:
  bool catching_up_ = true;  // until every source was seen at its end or near it
  bool waiting_ = false;
};

}  // namespace spur
