// What a guard answers about one step (or one firing): let through, suppressed with a reason,
// deferred to an instant, held out, or let through but for the sending.
#pragma once

#include <string>
#include <string_view>

#include "state/time.h"

namespace spur::guards {

struct Answer {
  enum class Kind : std::uint8_t {
    kThrough,
    kSuppressed,
    kDeferred,
    kHeldOut,
    kShadow
  } kind = Kind::kThrough;
  std::string_view reason;  // stable text: what a decision records
  std::string detail;       // the values that decided, for people
  Instant until;            // of a deferred one

  bool through() const { return kind == Kind::kThrough; }
  static Answer yes() { return {}; }
  static Answer no(std::string_view reason, std::string detail = "") {
    return {Kind::kSuppressed, reason, std::move(detail), {}};
  }
  static Answer held_out() { return {Kind::kHeldOut, "holdout", "", {}}; }
  static Answer shadow() { return {Kind::kShadow, "shadow", "", {}}; }
  static Answer later(std::string_view reason, Instant until) {
    return {Kind::kDeferred, reason, "", until};
  }
};

}  // namespace spur::guards

namespace spur {

// What a guard says to somebody who asks before there is a firing.
struct GuardSaid {
  std::string guard;     // the reason that a decision would have
  std::string channel;   // empty: the firing as a whole
  bool through = true;   // also where that is not known yet
  bool unknown = false;  // it depends on what only the firing will have; `detail` says what
  bool held_out = false;
  std::string detail;
  Instant until = Instant::never();  // of a deferring one
};

}  // namespace spur
