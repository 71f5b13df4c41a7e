// One event to read from: what an expression sees in the `if` of a trigger that has just taken it.
//
// There is no catalog and no history: `traits` are those that the event sets, `now` is its time,
// nothing was sent before, and features, segments, sessions and models are not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/inputs/segment.h"
#include "operators/expression/environment.h"
#include "operators/expression/reference.h"
#include "state/arena.h"

namespace spur::eval {

// The names of a trigger's `if`; `with_event` says whether `event` is among them.
expression::Environment trigger_environment(bool with_event);

// Neither copied nor moved: values point into it.
class EventBinding final : public expression::Slots {
 public:
  // Reads slots of `references`, which may still grow.
  explicit EventBinding(const expression::References& references) : references_(references) {}
  EventBinding(const EventBinding&) = delete;
  EventBinding& operator=(const EventBinding&) = delete;

  // Takes one Segment call. Empty, or why it is none.
  std::string take(std::string bytes);

  Value load(std::uint32_t slot) override;

 private:
  const expression::References& references_;
  std::string bytes_;
  Arena arena_;
  EventSchema schema_;
  Event event_;
  bool taken_ = false;
};

}  // namespace spur::eval
