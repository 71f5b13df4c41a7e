#include "state/customers.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "state/check.h"
#include "state/codec/customer_codec.h"
#include "state/codec/keys.h"
#include "state/digest.h"

namespace spur {
namespace {

// Customers by identity. The hash is never iterated for anything that decides.
struct HashIdentity {
  using is_transparent = void;
  std::size_t operator()(const Identity& id) const {
    return hash64(id.value) + static_cast<std::size_t>(id.kind);
  }
  std::size_t operator()(const std::unique_ptr<Customer>& c) const { return (*this)(c->id()); }
};
struct SameIdentity {
  using is_transparent = void;
  static Identity id(const Identity& id) { return id; }
  static Identity id(const std::unique_ptr<Customer>& c) { return c->id(); }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return id(a) == id(b);
  }
};

// One plan of the wake index. Owns its identity: the customer may be evicted while it waits.
struct Plan {
  Instant wake;
  IdentityKind kind;
  std::string identity;

  friend auto operator<=>(const Plan&, const Plan&) = default;
};

}  // namespace

struct Customers::Impl {
  Impl(Store& backing, std::size_t limit) : store(backing), memory_limit(limit) {}

  Store& store;
  const std::size_t memory_limit;
  absl::Status status;

  absl::flat_hash_set<std::unique_ptr<Customer>, HashIdentity, SameIdentity> customers;
  absl::btree_set<Plan> plans;
  std::vector<std::shared_ptr<const Layout>> layouts;  // by generation; unused ones are nullptr
  std::uint32_t generation = 0;
  std::uint64_t touches = 0;
  std::uint64_t touches_counted = 0;  // when evict() last counted
  std::size_t bytes = 0;  // of those in memory as of the last count, and loaded since

  std::vector<Customer*> dirty;
  std::vector<Customer*> frozen;   // of the cut in progress
  std::size_t frozen_done = 0;
  std::vector<Customer*> writing;
  StoreBatch batch;
  bool cutting = false;
  // Changes of wake rows that belong to no customer in memory.
  std::vector<std::string> wake_puts, wake_deletes;

  const Layout& layout_of(const Customer& c) const {
    SPUR_CHECK(c.layout < layouts.size() && layouts[c.layout] != nullptr);
    return *layouts[c.layout];
  }

  void fail(absl::Status why) {
    if (status.ok()) status = std::move(why);
  }

  // Brings `c` to the present layout.
  Customer* ready(Customer* c) {
    c->touched = ++touches;
    if (c->layout != generation) {
      // A frozen row is encoded as it was, before its indices change.
      if (c->cut == Customer::Cut::kFrozen) encode(*c);
      remap(*c, layout_of(*c), *layouts[generation]);
      c->layout = generation;
    }
    return c;
  }

  Customer* load(const Identity& identity) {
    const absl::StatusOr<std::optional<std::string>> row = store.get(customer_key(identity));
    if (!row.ok()) {
      fail(row.status());
      return nullptr;
    }
    if (!row->has_value()) return nullptr;
    auto customer = std::make_unique<Customer>();
    if (!decode_customer(**row, *layouts[generation], *customer) || customer->id() != identity) {
      fail(absl::DataLossError("a customer's stored row cannot be read; restore a snapshot or delete the "
                               "shard's state folder to rebuild it from the journal"));
      return nullptr;
    }
    customer->layout = generation;
    bytes += customer->memory_bytes();
    return customers.insert(std::move(customer)).first->get();
  }

  // Writes the row of a frozen customer into the batch.
  void encode(Customer& c) {
    SPUR_CHECK(c.cut == Customer::Cut::kFrozen);
    batch.puts.emplace_back(customer_key(c.id()), encode_customer(c, layout_of(c)));
    if (c.stored_wake != c.wake) {
      if (c.stored_wake != Instant::never()) batch.deletes.push_back(wake_key(c.stored_wake, c.id()));
      if (c.wake != Instant::never()) batch.puts.emplace_back(wake_key(c.wake, c.id()), std::string());
      c.stored_wake = c.wake;
    }
    c.cut = Customer::Cut::kWriting;
    writing.push_back(&c);
  }
};

Customers::Customers(Store& store, std::size_t memory_limit_bytes)
    : impl_(std::make_unique<Impl>(store, memory_limit_bytes)) {}
Customers::~Customers() = default;

void Customers::set_layout(std::uint32_t generation, std::shared_ptr<const Layout> layout) {
  SPUR_CHECK(generation >= impl_->generation);
  if (impl_->layouts.size() <= generation) impl_->layouts.resize(generation + 1);
  impl_->layouts[generation] = std::move(layout);
  impl_->generation = generation;
}

Customer* Customers::find(const Identity& identity) {
  const auto it = impl_->customers.find(identity);
  if (it != impl_->customers.end()) return impl_->ready(it->get());
  Customer* const customer = impl_->load(identity);
  return customer == nullptr ? nullptr : impl_->ready(customer);
}

Customer& Customers::touch(const Identity& identity, bool& created) {
  Customer* customer = find(identity);
  created = customer == nullptr;
  if (created) {
    auto fresh = std::make_unique<Customer>();
    fresh->kind = identity.kind;
    fresh->identity = std::string(identity.value);
    fresh->layout = impl_->generation;
    impl_->bytes += sizeof(Customer);
    customer = impl_->customers.insert(std::move(fresh)).first->get();
    customer->touched = ++impl_->touches;
  }
  touch(*customer);
  return *customer;
}

void Customers::touch(Customer& customer) {
  switch (customer.cut) {
    case Customer::Cut::kDirty:
      return;
    case Customer::Cut::kFrozen:
      impl_->encode(customer);
      [[fallthrough]];
    case Customer::Cut::kWriting:
      if (customer.dirty_again) return;
      customer.dirty_again = true;
      impl_->dirty.push_back(&customer);
      return;
    case Customer::Cut::kClean:
      customer.cut = Customer::Cut::kDirty;
      impl_->dirty.push_back(&customer);
      return;
  }
}

void Customers::schedule(Customer& customer, Instant wake) {
  if (customer.wake == wake) return;
  touch(customer);
  if (customer.wake != Instant::never()) {
    impl_->plans.erase(Plan{customer.wake, customer.kind, customer.identity});
  }
  customer.wake = wake;
  if (wake != Instant::never()) impl_->plans.insert(Plan{wake, customer.kind, customer.identity});
}

Instant Customers::next_wake() const {
  return impl_->plans.empty() ? Instant::never() : impl_->plans.begin()->wake;
}

Customer* Customers::pop_wake() {
  SPUR_CHECK(!impl_->plans.empty());
  const Plan plan = *impl_->plans.begin();
  impl_->plans.erase(impl_->plans.begin());
  Customer* const customer = find({plan.kind, plan.identity});
  if (customer == nullptr) return nullptr;  // unreadable: status() says why
  touch(*customer);
  if (customer->wake == plan.wake) {
    customer->wake = Instant::never();
  } else {
    // Planned by schedule_all() while it was not in memory: its row in the store is not the customer's own.
    impl_->wake_deletes.push_back(wake_key(plan.wake, customer->id()));
  }
  return customer;
}

void Customers::schedule_all(Instant wake) {
  std::vector<Customer*> in_memory;
  for (const auto& c : impl_->customers) in_memory.push_back(c.get());  // order does not matter: plans are a sorted set
  for (Customer* customer : in_memory) {
    if (wake < customer->wake) schedule(*customer, wake);
  }
  impl_->fail(impl_->store.scan(kind_prefix(KeyKind::kCustomer), [&](std::string_view key, std::string_view) {
    Identity identity;
    if (!parse_customer_key(key, identity) || impl_->customers.contains(identity)) return true;
    if (impl_->plans.insert(Plan{wake, identity.kind, std::string(identity.value)}).second) {
      impl_->wake_puts.push_back(wake_key(wake, identity));
    }
    return true;
  }));
}

void Customers::begin_cut() {
  SPUR_CHECK(!impl_->cutting);
  impl_->cutting = true;
  impl_->frozen = std::move(impl_->dirty);
  impl_->dirty.clear();
  impl_->frozen_done = 0;
  impl_->batch = {};
  for (Customer* customer : impl_->frozen) {
    SPUR_CHECK(customer->cut == Customer::Cut::kDirty);
    customer->cut = Customer::Cut::kFrozen;
  }
  impl_->batch.deletes = std::exchange(impl_->wake_deletes, {});
  for (std::string& key : impl_->wake_puts) impl_->batch.puts.emplace_back(std::move(key), std::string());
  impl_->wake_puts.clear();
}

bool Customers::encode_cut(std::size_t customers_max) {
  SPUR_CHECK(impl_->cutting);
  for (; customers_max > 0 && impl_->frozen_done < impl_->frozen.size(); ++impl_->frozen_done, --customers_max) {
    Customer& customer = *impl_->frozen[impl_->frozen_done];
    if (customer.cut == Customer::Cut::kFrozen) impl_->encode(customer);
  }
  return impl_->frozen_done == impl_->frozen.size();
}

StoreBatch Customers::take_cut() {
  SPUR_CHECK(impl_->cutting && impl_->frozen_done == impl_->frozen.size());
  return std::move(impl_->batch);
}

void Customers::cut_written() {
  SPUR_CHECK(impl_->cutting);
  for (Customer* customer : impl_->writing) {
    customer->cut = customer->dirty_again ? Customer::Cut::kDirty : Customer::Cut::kClean;
    customer->dirty_again = false;
  }
  impl_->writing.clear();
  impl_->frozen.clear();
  impl_->cutting = false;
}

bool Customers::cut_in_progress() const { return impl_->cutting; }
std::size_t Customers::dirty_count() const { return impl_->dirty.size(); }

void Customers::evict() {
  if (impl_->memory_limit == 0) return;
  // Counting all is linear, so only once as many have been touched as are in memory.
  if (impl_->touches - impl_->touches_counted < std::max<std::size_t>(1024, impl_->customers.size())) return;
  impl_->touches_counted = impl_->touches;
  struct Candidate {
    std::uint64_t touched;
    Customer* customer;
    std::size_t bytes;
  };
  std::vector<Candidate> clean;
  std::size_t total = 0;
  for (const auto& customer : impl_->customers) {  // order does not matter: a sum, and candidates that are sorted below
    const std::size_t size = customer->memory_bytes();
    total += size;
    if (customer->cut == Customer::Cut::kClean) clean.push_back({customer->touched, customer.get(), size});
  }
  impl_->bytes = total;
  if (total <= impl_->memory_limit) return;
  // Down to seven eighths, so that the next call has nothing to do for a while.
  const std::size_t target = impl_->memory_limit / 8 * 7;
  std::sort(clean.begin(), clean.end(), [](const Candidate& a, const Candidate& b) { return a.touched < b.touched; });
  for (const Candidate& candidate : clean) {
    if (impl_->bytes <= target) break;
    impl_->bytes -= std::min(impl_->bytes, candidate.bytes);
    const auto it = impl_->customers.find(candidate.customer->id());
    SPUR_CHECK(it != impl_->customers.end());
    impl_->customers.erase(it);
  }
}

absl::Status Customers::load() {
  bool valid = true;
  absl::Status read = impl_->store.scan(kind_prefix(KeyKind::kWake), [&](std::string_view key, std::string_view) {
    WakeKey row;
    if (!parse_wake_key(key, row)) {
      valid = false;
      return false;
    }
    impl_->plans.insert(Plan{row.wake, row.identity.kind, std::string(row.identity.value)});
    return true;
  });
  if (read.ok() && !valid) read = absl::DataLossError("a row of the wake index cannot be read");
  impl_->fail(read);
  return read;
}

void Customers::for_each(const std::function<void(const Customer&)>& visit) const {
  std::vector<const Customer*> all;
  all.reserve(impl_->customers.size());
  for (const auto& c : impl_->customers) all.push_back(c.get());  // order does not matter: sorted below
  std::sort(all.begin(), all.end(), [](const Customer* a, const Customer* b) { return a->id() < b->id(); });
  for (const Customer* customer : all) visit(*customer);
}

const absl::Status& Customers::status() const { return impl_->status; }
std::size_t Customers::in_memory() const { return impl_->customers.size(); }
std::size_t Customers::memory_bytes() const { return impl_->bytes; }
std::size_t Customers::planned() const { return impl_->plans.size(); }

}  // namespace spur
