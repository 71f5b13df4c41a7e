#include "daemon/grpc/past.h"

#include <algorithm>
#include <utility>

#include "daemon/explain/standing.h"
#include "operators/catalog/compiled.h"

namespace spur::services {
namespace {

// How far the clock must be past an instant before everything about it is decided.
Millis patience(const catalog::Compiled& catalog) {
  Millis longest{0};
  for (const catalog::Trigger& trigger : catalog.triggers)
    longest = std::max(longest, trigger.grace);
  return catalog.policy.lateness + longest;
}

}  // namespace

Past::Past(CustomerName name, const spur::v1::ExplainRequest& request,
           std::function<bool()> cancelled, spur::v1::ExplainResponse& out)
    : name_(std::move(name)),
      trigger_(request.trigger()),
      at_{request.at_ms()},
      cancelled_(std::move(cancelled)),
      out_(out),
      recording_({name_.identity(), trigger_, at_, kMomentsMax, [this] { return definitions(); },
                  [this](const Customer& customer) { stand(customer); }}) {}

HistoryQuestion Past::question(std::uint32_t shard) {
  return {shard, at_, &recording_, [this](const HistoryView& view) { return go_on(view); }};
}

spur::v1::Catalog Past::definitions() const {
  spur::v1::Catalog catalog;
  if (catalog_ == nullptr || !catalog.ParseFromString(*catalog_)) return {};
  return catalog;
}

bool Past::go_on(const HistoryView& view) {
  shard_ = &view.shard;
  catalog_ = &view.catalog;
  if (stood_ || (cancelled_ && cancelled_())) return false;
  if (!is_past(view.shard) && !view.at_end) return true;
  if (compiled_ == nullptr) return false;
  const absl::StatusOr<const Customer*> customer = view.customers.peek(name_.identity());
  if (customer.ok() && *customer != nullptr) stand(**customer);
  return false;
}

bool Past::is_past(Shard& shard) {
  if (compiled_ != shard.catalog()) {
    compiled_ = shard.catalog();
    patience_ = patience(*compiled_);
  }
  return compiled_ != nullptr && shard.clock() > at_ + patience_;
}

void Past::stand(const Customer& customer) {
  stood_ = true;
  out_.set_replayed(true);
  const std::unique_ptr<CustomerSnapshot> copy = shard_->snapshot(customer);
  out_.set_as_of_ms(
      explain::add_standings(*copy, at_, definitions(), trigger_, *out_.mutable_triggers()).ms);
}

bool Past::finish() {
  for (const spur::v1::Moment& moment : recording_.moments()) *out_.add_moments() = moment;
  return stood_;
}

}  // namespace spur::services
