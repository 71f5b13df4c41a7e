// One look at one customer: the catalog, the instant, and the memory that answers live in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "operators/activation.h"
#include "operators/catalog/compiled.h"
#include "operators/score_tape.h"
#include "spur/v1/service.pb.h"
#include "state/arena.h"
#include "state/customer.h"

namespace spur::explain {

// Of a customer between two of its instants. What it is given outlives it. Without `references`
// there are no records of business data.
class CustomerReading {
 public:
  CustomerReading(const catalog::Compiled& compiled, const Customer& customer, Instant now,
                  References* references = nullptr);
  CustomerReading(const CustomerReading&) = delete;
  CustomerReading& operator=(const CustomerReading&) = delete;

  const catalog::Compiled& catalog;
  const Customer& customer;
  const Instant now;  // never before what was decided for it: windows do not move back
  Arena arena;
  ScoreTape scores;
  Activation activation;
};

// The value of a feature as JSON: of gaps an object of its readings, with `by` one of its keys, 100
// at most.
std::string feature_json(const catalog::Compiled& catalog, const Customer& customer,
                         std::uint32_t feature, Instant now, Arena& arena);

// A wait as a question shows it.
void fill(const Instances::View& instance, const catalog::Compiled& catalog, Arena& arena,
          spur::v1::OpenInstance& out);

// Whether the condition reads the record that changed: there is none before the change that fires.
bool rests_on_change(const catalog::Compiled& catalog,
                     const std::optional<expression::Program>& condition);

const TriggerState* state_of(const Customer& customer, std::uint32_t trigger);

// nullptr: the catalog has no trigger of that name.
const spur::v1::Trigger* definition_of(const spur::v1::Catalog& definitions, std::string_view name);

}  // namespace spur::explain
