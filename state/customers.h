// Customers: the customers of one shard, in memory, over a Store that they are written behind to.
//
// A customer is read from the store when first asked for, lives in memory, and is dirty from its first change until a
// cut that contains the change has been written. A cut is the state at the end of one run, frozen: what is touched
// afterwards is first encoded as it was (copy on write), the rest is encoded in slices, and the whole leaves as one
// batch (docs/protocol.md rule 12, H4). Only clean customers are evicted.
//
// Also keeps the wake index: for each customer that waits for time to pass, the instant at which to look at it again.
//
// One thread at a time, but for the batch that take_cut() hands out, which another thread may write.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "state/customer.h"
#include "state/digest.h"
#include "state/layout.h"
#include "state/rows_behind.h"
#include "state/store.h"

namespace spur {

class Customers {
 public:
  // `memory_limit_bytes`: above it clean customers are evicted, those longest untouched first (0: never).
  explicit Customers(Store& store, std::size_t memory_limit_bytes = 0);
  ~Customers();
  Customers(const Customers&) = delete;
  Customers& operator=(const Customers&) = delete;

  // The version of the catalog that customers are laid out by from now on. Those in memory move when next asked for.
  // Generations only grow.
  void set_layout(std::uint32_t generation, std::shared_ptr<const Layout> layout);

  // For questions: the customer as the present version of the catalog lays it out, nullptr if it was never seen. A look
  // changes nothing, not even who is in memory and how: what a customer keeps from one version to the next is decided
  // by the fold alone. Good until the next call of any kind. An error is the store's; it is not sticky.
  absl::StatusOr<const Customer*> peek(const Identity& identity);
  // Its place in the table: of the key alone, since that is what the record of an event says before it is decoded.
  static std::uint64_t hash_of(const Identity& identity) { return hash64(identity.key()); }
  // The customer, created if it was never seen (`created` says so); dirty from now on.
  Customer& touch(const Identity& identity, bool& created) { return touch(identity, hash_of(identity), created); }
  // The same for a caller who has hash_of(identity) already.
  Customer& touch(const Identity& identity, std::uint64_t hash, bool& created);
  // The customer, if it was ever seen, dirty from now on; else nullptr.
  Customer* touch_known(const Identity& identity);
  // Dirty from now on; call before changing what is in memory.
  void touch(Customer& customer);

  // A hint, without any effect on the state: this customer will be asked for kHintsAhead hints from now. Each hint
  // moves those before it one step nearer to the cache: its place in the table, the customer, what hangs from it.
  // `key` of an identity of whatever kind.
  void expect(std::string_view key);
  static constexpr std::size_t kHintsAhead = 16;

  // Plans to look at `customer` once the clock passes `wake`; replaces the earlier plan. never(): no plan.
  void schedule(Customer& customer, Instant wake);
  // The earliest plan, never() if there is none.
  Instant next_wake() const;
  // Takes the earliest plan out and gives its customer; plans of one instant go in the order of identities. Requires
  // next_wake() != never().
  Customer* pop_wake();
  // Plans a look at every known customer at `wake`, those only in the store too: a new catalog has timers for all.
  void schedule_all(Instant wake);

  // --- write-behind ---
  // Freezes the state as it is: call between two runs, and only when no cut is in progress.
  void begin_cut();
  // Encodes up to `rows_max` more of what is frozen, customers and other rows; true when all is.
  bool encode_cut(std::size_t rows_max);
  // All encoded rows of the cut, to be written with the position in one batch. Requires encode_cut() == true.
  StoreBatch take_cut();
  // The batch is durable enough to read back: those rows are clean unless touched since. Requires a taken cut.
  void cut_written();
  // The same for up to `rows_max` of them; true when the cut is over, which is in progress until then.
  bool settle_cut(std::size_t rows_max);
  bool cut_in_progress() const;
  // What is no one customer's, and leaves in the same cuts.
  RowsBehind& rows();
  std::size_t dirty_count() const;

  // Frees clean customers until the memory limit holds. Call between two runs, and once a cut has been written. What it
  // costs is spread: it counts anew after as many changes as there are customers, and above the limit after each cut.
  void evict();
  // As last counted: more is in memory than the limit allows, because it is dirty.
  bool over_limit() const;

  // Reads the wake index from the store. Call once, before anything else, on a store that holds rows.
  absl::Status load();

  // Calls `visit` for every customer in memory, in the order of identities. For inspection and tests.
  void for_each(const std::function<void(const Customer&)>& visit) const;

  // The first I/O error or unreadable row. Sticky. After it nothing that was computed may leave: drop everything and
  // recover (the fold goes on with an empty customer only so that it need not handle this in a hundred places).
  const absl::Status& status() const;

  std::size_t in_memory() const;
  std::size_t memory_bytes() const;
  std::size_t planned() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spur
