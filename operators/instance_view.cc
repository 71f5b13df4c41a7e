#include "operators/instance_view.h"

#include "operators/gate.h"

namespace spur {

InstanceView view_of(const catalog::Compiled& catalog, const Customer& customer,
                     std::uint32_t trigger, InstanceView bare) {
  const catalog::Trigger& definition = catalog.triggers[trigger];
  bare.reference = definition.reference;
  if (definition.keeps_last_data) bare.last = last_data(customer, definition.current, bare.key);
  return bare;
}

InstanceView view_of(const catalog::Compiled& catalog, const Customer& customer,
                     const Instances::View& instance, Arena& arena) {
  return view_of(catalog, customer, instance.trigger,
                 {arena.copy(instance.key), instance.opened_at, instance.count, nullptr,
                  arena.copy(Instances::opened(instance, arena)), Value::absent()});
}

}  // namespace spur
