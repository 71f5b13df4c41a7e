// What an expression sees of a firing or of an open wait, as every asker gives it: the fold, the
// gate, explain.
#pragma once

#include "operators/activation.h"

namespace spur {

// `bare`, and what its trigger adds: the Reference that `record` is of, and `instance.last`.
InstanceView view_of(const catalog::Compiled& catalog, const Customer& customer,
                     std::uint32_t trigger, InstanceView bare);
// The view of an open wait or interest, if it fired now. Its texts lie in `arena`, as does what is
// read of it.
InstanceView view_of(const catalog::Compiled& catalog, const Customer& customer,
                     const Instances::View& instance, Arena& arena);

// Gives evaluations their instance for as long as it lives.
class InstanceScope {
 public:
  InstanceScope(Activation& slots, const InstanceView& view) : slots_(slots) {
    slots_.set_instance(&view);
  }
  ~InstanceScope() { slots_.set_instance(nullptr); }
  InstanceScope(const InstanceScope&) = delete;
  InstanceScope& operator=(const InstanceScope&) = delete;

 private:
  Activation& slots_;
};

}  // namespace spur
