#include "state/customers.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "state/check.h"
#include "state/codec/customer_codec.h"
#include "state/codec/keys.h"
#include "state/digest.h"

namespace spur {
namespace {

// A place in the table. Its hash stands beside the pointer, so that a look-up reads one customer and growing none: with
// a million of them a growing table would otherwise wait for a million cache misses.
struct Place {
  std::uint64_t hash;  // Customers::hash_of(identity)
  std::unique_ptr<Customer> customer;
};
struct Wanted {
  std::uint64_t hash;
  Identity identity;
};
// Any customer with this hash: good enough for a hint.
struct Hint {
  std::uint64_t hash;
};

// Customers by identity. The table is never iterated for anything that decides.
struct HashOf {
  using is_transparent = void;
  template <typename T>
  std::size_t operator()(const T& t) const {
    return t.hash;
  }
};
struct SameCustomer {
  using is_transparent = void;
  bool operator()(const Place& a, const Place& b) const { return a.customer == b.customer; }
  bool operator()(const Place& a, const Wanted& b) const { return a.hash == b.hash && a.customer->id() == b.identity; }
  bool operator()(const Wanted& a, const Place& b) const { return (*this)(b, a); }
  bool operator()(const Place& a, const Hint& b) const { return a.hash == b.hash; }
  bool operator()(const Hint& a, const Place& b) const { return (*this)(b, a); }
};

// The wake index: the plans of customers in memory, which name them by pointer (16 bytes; the order is never that of
// pointers), and the plans of those that are, or were when it was made, in the store only, which own the identity.
struct Plan {
  Instant wake;
  const Customer* customer;
};
struct StoredPlan {
  Instant wake;
  IdentityKind kind;
  std::string identity;
};
struct PlanView {
  Instant wake;
  Identity identity;
};
Identity identity_of(const Plan& p) { return p.customer->id(); }
Identity identity_of(const StoredPlan& p) { return {p.kind, p.identity}; }
Identity identity_of(const PlanView& p) { return p.identity; }
struct Earlier {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return a.wake != b.wake ? a.wake < b.wake : identity_of(a) < identity_of(b);
  }
};

// Prefetches what lies in the `lines` cache lines from `at` on; nothing at nullptr, the block of an empty list.
void prefetch(const void* at, std::size_t lines = 1) {
  if (at == nullptr) return;
  for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(static_cast<const char*>(at) + 64 * i, 1);
  // A function that does nothing but prefetch is pure to GCC 12 (ipa-pure-const), and calls of it are dropped.
  asm volatile("");
}

void prefetch_lists(const Customer& c) {
  prefetch(c.identity.block());
  prefetch(c.features.block());
  prefetch(c.sessions.block(), 2);
  prefetch(c.instances.block());
  prefetch(c.triggers.block(), 2);
  prefetch(c.rare.get(), (sizeof(Customer::Rare) + 63) / 64);
}

constexpr std::size_t kLinesMax = 6;

// What does not lie in the lines fetched before, of the blocks whose sizes stand in the first.
void prefetch_rest(const Customer& c) {
  const auto rest = [](const void* block, std::size_t bytes, std::size_t before = 1) {
    if (bytes <= 64 * before) return;
    prefetch(static_cast<const char*>(block) + 64 * before,
             std::min(kLinesMax, (bytes - 1) / 64 + 1 - before));
  };
  rest(c.features.block(), c.features.block_bytes());
  rest(c.instances.block(), c.instances.heap_bytes());
  rest(c.sessions.block(), c.sessions.heap_bytes(), 2);
  rest(c.triggers.block(), c.triggers.heap_bytes(), 2);
}

// The value of a wake row whose customer's own row names another wake.
constexpr std::string_view kMoved = "m";

}  // namespace

struct Customers::Impl {
  Impl(Store& backing, std::size_t limit) : store(backing), rows(backing), memory_limit(limit) {}

  Store& store;
  RowsBehind rows;
  const std::size_t memory_limit;
  absl::Status status;

  absl::flat_hash_set<Place, HashOf, SameCustomer> customers;
  absl::btree_set<Plan, Earlier> plans;
  absl::btree_set<StoredPlan, Earlier> stored_plans;
  std::vector<std::shared_ptr<const Layout>> layouts;  // by generation; unused ones are nullptr
  std::uint32_t generation = 0;
  std::uint64_t touches = 0;
  std::uint64_t touches_counted = 0;  // when evict() last counted
  bool cut_since_evict = false;
  static constexpr std::size_t kSampleEvery = 16, kSampledFrom = 16'384;
  std::size_t sampled_bytes() const;
  std::size_t bytes = 0;  // of those in memory as of the last count, and loaded since

  std::vector<Customer*> dirty;
  std::vector<Customer*> frozen;   // of the cut in progress
  std::size_t frozen_done = 0;
  std::vector<Customer*> writing;
  StoreBatch batch;
  bool cutting = false;
  // Customers that schedule_all() planned anew while they were not in memory, so that their rows name another wake than
  // their plan. Marked in the wake index, so that it is known after a restart too.
  struct Moved {
    Instant wake;
    bool written = false;
  };
  std::map<std::pair<IdentityKind, std::string>, Moved, std::less<>> moved;
  std::vector<std::string> wake_deletes;  // of theirs
  std::unique_ptr<Customer> peeked;       // what peek() gave last, if it is not the one in memory

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

  // Customers that are about to be asked for, the newest hint first; see expect().
  static constexpr std::size_t kHints = kHintsAhead;
  struct Hinted {
    std::uint64_t hash = 0;
    Customer* customer = nullptr;
  };
  std::array<Hinted, kHints> hinted{};
  std::size_t hints = 0;

  Customer* find(const Identity& identity, std::uint64_t hash) {
    const auto it = customers.find(Wanted{hash, identity});
    if (it != customers.end()) return ready(it->customer.get());
    Customer* const customer = load(identity, hash);
    return customer == nullptr ? nullptr : ready(customer);
  }

  // Laid out by the present version.
  absl::StatusOr<std::unique_ptr<Customer>> decoded(std::string_view row, const Identity& identity) const {
    auto customer = std::make_unique<Customer>();
    if (!decode_customer(row, *layouts[generation], *customer) || customer->id() != identity)
      return absl::DataLossError("a customer's stored row cannot be read; restore a snapshot or delete the "
                                 "shard's state folder to rebuild it from the journal");
    customer->layout = generation;
    return customer;
  }

  Customer* load(const Identity& identity, std::uint64_t hash) {
    const absl::StatusOr<std::optional<std::string>> row = store.get(customer_key(identity));
    if (!row.ok()) {
      fail(row.status());
      return nullptr;
    }
    if (!row->has_value()) return nullptr;
    absl::StatusOr<std::unique_ptr<Customer>> read = decoded(**row, identity);
    if (!read.ok()) {
      fail(read.status());
      return nullptr;
    }
    std::unique_ptr<Customer> customer = *std::move(read);
    if (const auto it = moved.find(std::pair(identity.kind, std::string(identity.value))); it != moved.end()) {
      customer->wake = it->second.wake;
      customer->stored_wake = it->second.written ? it->second.wake : Instant::never();
      customer->cut = Customer::Cut::kDirty;
      dirty.push_back(customer.get());
      moved.erase(it);
    }
    bytes += customer->memory_bytes();
    return &add(std::move(customer), hash);
  }

  Customer& add(std::unique_ptr<Customer> customer, std::uint64_t hash) {
    Customer& added = *customer;
    customers.insert(Place{hash, std::move(customer)});
    return added;
  }

  void erase_plan(const Customer& c) {
    if (plans.erase(Plan{c.wake, &c}) == 0) stored_plans.erase(PlanView{c.wake, c.id()});
  }
  // One that schedule_all() has made already stays the only one.
  void insert_plan(const Customer& c) {
    if (stored_plans.empty() || !stored_plans.contains(PlanView{c.wake, c.id()})) plans.insert(Plan{c.wake, &c});
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

absl::StatusOr<const Customer*> Customers::peek(const Identity& identity) {
  const auto it = impl_->customers.find(Wanted{hash_of(identity), identity});
  if (it != impl_->customers.end() && it->customer->layout == impl_->generation) return it->customer.get();
  std::optional<std::string> row;
  if (it != impl_->customers.end()) {
    row = encode_customer(*it->customer, impl_->layout_of(*it->customer));
  } else {
    absl::StatusOr<std::optional<std::string>> stored = impl_->store.get(customer_key(identity));
    if (!stored.ok()) return stored.status();
    row = *std::move(stored);
  }
  if (!row) return nullptr;
  absl::StatusOr<std::unique_ptr<Customer>> customer = impl_->decoded(*row, identity);
  if (!customer.ok()) return customer.status();
  impl_->peeked = *std::move(customer);
  return impl_->peeked.get();
}

void Customers::expect(std::string_view key) {
  Impl& impl = *impl_;
  constexpr std::size_t kHints = Impl::kHints;
  const std::size_t n = impl.hints++;
  Impl::Hinted& newest = impl.hinted[n % kHints];
  newest = {hash64(key), nullptr};
  impl.customers.prefetch(Hint{newest.hash});
  // Distances in hints, so that each step finds in the cache what the one before has fetched.
  constexpr std::size_t kToCustomer = 4, kToLists = 8, kToRest = 12;
  Impl::Hinted& second = impl.hinted[(n - kToCustomer) % kHints];
  if (const auto it = impl.customers.find(Hint{second.hash}); it != impl.customers.end()) {
    second.customer = it->customer.get();
    prefetch(second.customer, (sizeof(Customer) + 63) / 64);
  }
  if (const Customer* const c = impl.hinted[(n - kToLists) % kHints].customer) prefetch_lists(*c);
  if (const Customer* const c = impl.hinted[(n - kToRest) % kHints].customer) prefetch_rest(*c);
}

Customer& Customers::touch(const Identity& identity, std::uint64_t hash, bool& created) {
  Customer* customer = impl_->find(identity, hash);
  created = customer == nullptr;
  if (created) {
    auto fresh = std::make_unique<Customer>();
    fresh->kind = identity.kind;
    fresh->identity = identity.value;
    fresh->layout = impl_->generation;
    impl_->bytes += sizeof(Customer);
    customer = &impl_->add(std::move(fresh), hash);
    customer->touched = ++impl_->touches;
  }
  touch(*customer);
  return *customer;
}

Customer* Customers::touch_known(const Identity& identity) {
  Customer* const customer = impl_->find(identity, hash_of(identity));
  if (customer != nullptr) touch(*customer);
  return customer;
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
  if (customer.wake != Instant::never()) impl_->erase_plan(customer);
  customer.wake = wake;
  if (wake != Instant::never()) impl_->insert_plan(customer);
}

Instant Customers::next_wake() const {
  Instant wake = impl_->plans.empty() ? Instant::never() : impl_->plans.begin()->wake;
  if (!impl_->stored_plans.empty()) wake = std::min(wake, impl_->stored_plans.begin()->wake);
  return wake;
}

Customer* Customers::pop_wake() {
  auto& plans = impl_->plans;
  auto& stored = impl_->stored_plans;
  SPUR_CHECK(!plans.empty() || !stored.empty());
  if (stored.empty() || (!plans.empty() && Earlier()(*plans.begin(), *stored.begin()))) {
    Customer* const customer = impl_->ready(const_cast<Customer*>(plans.begin()->customer));
    auto next = plans.erase(plans.begin());
    // In a storm the customers that wake next are far from the cache.
    constexpr int kToRest = 1, kToLists = 2, kToCustomer = 4;
    for (int n = 1; n <= kToCustomer && next != plans.end(); ++n, ++next) {
      if (n == kToRest) prefetch_rest(*next->customer);
      if (n == kToLists) prefetch_lists(*next->customer);
      if (n == kToCustomer) prefetch(next->customer, (sizeof(Customer) + 63) / 64);
    }
    touch(*customer);
    customer->wake = Instant::never();
    return customer;
  }
  const StoredPlan plan = *stored.begin();
  stored.erase(stored.begin());
  Customer* const customer = impl_->find(identity_of(plan), hash_of(identity_of(plan)));
  // Unreadable, now or before in this run, when an empty one took its place: status() says why.
  if (customer == nullptr || !impl_->status.ok()) return nullptr;
  touch(*customer);
  SPUR_CHECK(customer->wake == plan.wake);
  customer->wake = Instant::never();
  return customer;
}

void Customers::schedule_all(Instant wake) {
  std::vector<Customer*> in_memory;
  for (const Place& p : impl_->customers) in_memory.push_back(p.customer.get());  // order does not matter: a sorted set
  for (Customer* customer : in_memory) {
    if (wake < customer->wake) schedule(*customer, wake);
  }
  // The others exactly so: a customer has one plan, whether it is in memory or not, or a replay that has others of them
  // in memory would look at them at other times.
  std::map<std::pair<IdentityKind, std::string>, Instant> away;
  for (const StoredPlan& plan : impl_->stored_plans) {
    if (!impl_->customers.contains(Wanted{hash_of(identity_of(plan)), identity_of(plan)}))
      away[{plan.kind, plan.identity}] = plan.wake;
  }
  impl_->fail(impl_->store.scan(kind_prefix(KeyKind::kCustomer), [&](std::string_view key, std::string_view) {
    Identity identity;
    if (!parse_customer_key(key, identity)) return true;
    if (impl_->customers.contains(Wanted{hash_of(identity), identity})) return true;
    const std::pair who(identity.kind, std::string(identity.value));
    const auto planned = away.find(who);
    const auto moved = impl_->moved.find(who);
    if (planned != away.end()) {
      if (planned->second <= wake) return true;
      impl_->stored_plans.erase(PlanView{planned->second, identity});
      if (moved == impl_->moved.end() || moved->second.written)
        impl_->wake_deletes.push_back(wake_key(planned->second, identity));
    }
    impl_->stored_plans.insert(StoredPlan{wake, who.first, who.second});
    impl_->moved[who] = {wake};
    return true;
  }));
}

void Customers::begin_cut() {
  SPUR_CHECK(!impl_->cutting);
  impl_->cutting = true;
  impl_->rows.freeze();
  impl_->frozen = std::move(impl_->dirty);
  impl_->dirty.clear();
  impl_->frozen_done = 0;
  impl_->batch = {};
  // A row and a wake of each. A list of a million that grows is copied for as long as a run takes.
  impl_->batch.puts.reserve(2 * impl_->frozen.size() + impl_->moved.size() + impl_->rows.frozen_count());
  impl_->writing.reserve(impl_->frozen.size());
  for (Customer* customer : impl_->frozen) {
    SPUR_CHECK(customer->cut == Customer::Cut::kDirty);
    customer->cut = Customer::Cut::kFrozen;
  }
  impl_->batch.deletes = std::exchange(impl_->wake_deletes, {});
  for (auto& [who, moved] : impl_->moved) {
    if (moved.written) continue;
    impl_->batch.puts.emplace_back(wake_key(moved.wake, {who.first, who.second}), kMoved);
    moved.written = true;
  }
}

bool Customers::encode_cut(std::size_t rows_max) {
  SPUR_CHECK(impl_->cutting);
  for (; rows_max > 0 && impl_->frozen_done < impl_->frozen.size(); ++impl_->frozen_done, --rows_max) {
    Customer& customer = *impl_->frozen[impl_->frozen_done];
    if (customer.cut == Customer::Cut::kFrozen) impl_->encode(customer);
  }
  return impl_->frozen_done == impl_->frozen.size() && impl_->rows.add_to(impl_->batch, rows_max);
}

StoreBatch Customers::take_cut() {
  SPUR_CHECK(impl_->cutting && impl_->frozen_done == impl_->frozen.size());
  return std::move(impl_->batch);
}

void Customers::cut_written() {
  while (!settle_cut(~std::size_t{0})) {
  }
}

bool Customers::settle_cut(std::size_t rows_max) {
  SPUR_CHECK(impl_->cutting);
  for (; rows_max > 0 && !impl_->writing.empty(); impl_->writing.pop_back(), --rows_max) {
    Customer& customer = *impl_->writing.back();
    customer.cut = customer.dirty_again ? Customer::Cut::kDirty : Customer::Cut::kClean;
    customer.dirty_again = false;
  }
  if (!impl_->writing.empty() || !impl_->rows.let_go(rows_max)) return false;
  impl_->frozen.clear();
  impl_->cutting = false;
  impl_->cut_since_evict = true;
  return true;
}

bool Customers::cut_in_progress() const { return impl_->cutting; }
RowsBehind& Customers::rows() { return impl_->rows; }
std::size_t Customers::dirty_count() const { return impl_->dirty.size(); }

// From the size of one in kSampleEvery: looking at a customer is a miss of the cache or more, and far below the limit
// nobody needs to know better.
std::size_t Customers::Impl::sampled_bytes() const {
  std::size_t place = 0, bytes = 0;
  for (const Place& at : customers) {  // order does not matter: an estimate, and of nothing that is folded
    if (place++ % kSampleEvery == 0) bytes += at.customer->memory_bytes();
  }
  return bytes * kSampleEvery;
}

void Customers::evict() {
  if (impl_->memory_limit == 0) return;
  // Counting all is linear, so only once as many have been touched as are in memory.
  const bool can_free = over_limit() && std::exchange(impl_->cut_since_evict, false);
  const std::size_t touches = impl_->touches - impl_->touches_counted;
  if (!can_free && touches < std::max<std::size_t>(1024, impl_->customers.size())) return;
  impl_->touches_counted = impl_->touches;
  if (impl_->customers.size() >= Impl::kSampledFrom) {
    impl_->bytes = impl_->sampled_bytes();
    if (impl_->bytes <= impl_->memory_limit / 4 * 3) return;
  }
  struct Candidate {
    std::uint64_t touched;
    Customer* customer;
    std::size_t bytes;
  };
  std::vector<Candidate> clean;
  std::size_t total = 0;
  for (const Place& place : impl_->customers) {  // order does not matter: a sum, and candidates that are sorted below
    Customer* const customer = place.customer.get();
    const std::size_t size = customer->memory_bytes();
    total += size;
    if (customer->cut == Customer::Cut::kClean) clean.push_back({customer->touched, customer, size});
  }
  impl_->bytes = total;
  if (total <= impl_->memory_limit) return;
  impl_->hinted = {};  // they may be about to go
  // Down to seven eighths, so that the next call has nothing to do for a while.
  const std::size_t target = impl_->memory_limit / 8 * 7;
  std::sort(clean.begin(), clean.end(), [](const Candidate& a, const Candidate& b) { return a.touched < b.touched; });
  for (const Candidate& candidate : clean) {
    if (impl_->bytes <= target) break;
    impl_->bytes -= std::min(impl_->bytes, candidate.bytes);
    Customer& leaving = *candidate.customer;
    if (leaving.wake != Instant::never() && impl_->plans.erase(Plan{leaving.wake, &leaving}) > 0) {
      impl_->stored_plans.insert(StoredPlan{leaving.wake, leaving.kind, leaving.identity.str()});
    }
    const auto it = impl_->customers.find(Wanted{hash_of(leaving.id()), leaving.id()});
    SPUR_CHECK(it != impl_->customers.end());
    impl_->customers.erase(it);
  }
}

absl::Status Customers::load() {
  bool valid = true;
  const std::string index = kind_prefix(KeyKind::kWake);
  absl::Status read = impl_->store.scan(index, [&](std::string_view key, std::string_view value) {
    WakeKey row;
    if (!parse_wake_key(key, row)) {
      valid = false;
      return false;
    }
    impl_->stored_plans.insert(StoredPlan{row.wake, row.identity.kind, std::string(row.identity.value)});
    if (!value.empty()) impl_->moved[{row.identity.kind, std::string(row.identity.value)}] = {row.wake, true};
    return true;
  });
  if (read.ok() && !valid) read = absl::DataLossError("a row of the wake index cannot be read");
  impl_->fail(read);
  return read;
}

void Customers::for_each(const std::function<void(const Customer&)>& visit) const {
  std::vector<const Customer*> all;
  all.reserve(impl_->customers.size());
  for (const Place& p : impl_->customers) all.push_back(p.customer.get());  // order does not matter: sorted below
  std::sort(all.begin(), all.end(), [](const Customer* a, const Customer* b) { return a->id() < b->id(); });
  for (const Customer* customer : all) visit(*customer);
}

const absl::Status& Customers::status() const {
  return impl_->status.ok() ? impl_->rows.status() : impl_->status;
}
std::size_t Customers::in_memory() const { return impl_->customers.size(); }
std::size_t Customers::memory_bytes() const { return impl_->bytes; }
bool Customers::over_limit() const {
  return impl_->memory_limit > 0 && impl_->bytes + impl_->rows.unwritten_bytes() > impl_->memory_limit;
}
std::size_t Customers::planned() const { return impl_->plans.size() + impl_->stored_plans.size(); }

}  // namespace spur
