// CustomerSnapshot: a customer as it is at one moment, with what the gate knows of it, copied.
// Questions that take long (explain) are answered from it on another thread while the shard goes
// on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/guards/guard.h"
#include "operators/references.h"
#include "operators/turn.h"
#include "state/customer.h"
#include "state/memory_store.h"
#include "state/rows_behind.h"

namespace spur {

class CustomerSnapshot {
 public:
  // `state` has a catalog, and `customer` is laid out by it.
  CustomerSnapshot(const ShardState& state, const Customer& customer);

  const Customer& customer() const { return customer_; }
  const std::shared_ptr<const catalog::Compiled>& catalog() const { return state_.catalog; }
  // Of the business data what the conditions of this customer's triggers have read at the moment of
  // the copy. What they had not read is an error: it is not known here.
  References& references() { return records_; }

  // What the gate would say, guard by guard in their order, if the trigger of that index fired at
  // `now`; of the guards on a channel, for each channel of its first step.
  std::vector<GuardSaid> ask_guards(Instant now, std::uint32_t trigger, std::string_view key);

 private:
  void copy_records(References& all, Instant now);

  ShardState state_;  // of it what guards read
  Customer customer_;
  MemoryStore store_;
  RowsBehind rows_;
  References records_;
  References::Asked copied_;
};

}  // namespace spur
