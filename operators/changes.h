// Changes: who cares about which record, and which changes are still to be told to whom.
//
// The index leads from a record to those who care, the one that has cared longest first. It lies in
// rows (state/rows_behind.h): a million of them for one record cost no memory. A change is told by
// going through the index, a stretch at a time, and remembers the last place that was told; what is
// left is state like any other, so a restart goes on where it was.
//
// A customer who has something of its own to do before its turn comes is told first (timeline.h),
// so that the stretches decide nothing. Only with a `rate` everybody waits for their turn.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/catalog/compiled.h"
#include "state/codec/reference_codec.h"
#include "state/customer.h"
#include "state/rows_behind.h"

namespace spur {

// Bounds that are part of the fold version.
inline constexpr std::size_t kInterestsMax =
    1'000;  // of a customer, of one trigger; then the one that ends first goes
inline constexpr std::uint64_t kInterestedMax = 20'000'000;  // of a shard, of one trigger
inline constexpr std::size_t kChangesMax = 100'000;          // of a shard, that are being told
// Of the records before them, in memory.
inline constexpr std::size_t kPreviousBytesMax = 256u << 20;

class Changes {
 public:
  // A change under way, for one trigger.
  struct Telling {
    std::uint64_t number = 0;
    Change change;
    std::uint32_t trigger = 0;  // index in the catalog
    bool rated = false;
    std::set<std::string, std::less<>> told;  // places behind `change.told` that it is no news to
  };

  // `rows` outlives it. `shards` share a rate.
  Changes(RowsBehind& rows, std::uint32_t shards) : rows_(rows), shards_(shards) {}

  // Another catalog: what is told of triggers that it has not is over.
  void use(const catalog::Compiled& catalog);

  // --- the index ---
  // False: there are too many. One that stands there already stays.
  bool open(std::uint32_t trigger, std::string_view key, std::string_view place);
  void close(std::uint32_t trigger, std::string_view key, std::string_view place);

  // --- changes ---
  // Whether somebody may have to be told of one out of turn; and of one for this trigger. Those
  // with a rate are told in their turn alone.
  bool any() const { return !order_.empty(); }
  bool any(std::uint32_t trigger) const { return unrated_[trigger] > 0; }
  // False: there are too many. Two of one key at one instant are one, as far as they are not told
  // yet.
  bool add(std::uint32_t trigger, std::string_view key, Instant at, std::string_view previous);
  // The earliest change that `place`, which cares about `key`, has to be told of out of turn, with
  // at < `limit`; nullptr: none.
  Telling* untold(std::uint32_t trigger, std::string_view key, std::string_view place,
                  Instant limit);
  // It is told now, out of turn or in it.
  void told(Telling& telling, std::string_view place);
  // An interest that has just begun: changes with at < `limit` are no news to it.
  void no_news(std::uint32_t trigger, std::string_view key, std::string_view place, Instant limit);

  // The change to go on with and the instant that its next customer is told at: never() if nothing
  // is under way.
  struct Next {
    Instant at = Instant::never();
    Telling* telling = nullptr;
  };
  Next next();
  // The instant of the next turn that a rate gives; never(): none.
  Instant next_rated() const;
  // When the next one may be told of `telling`: of a rated one, when its window has room.
  Instant turn_of(const Telling& telling) const;
  // Up to `max` places of those who come next in `telling`.
  std::vector<std::string> stretch(const Telling& telling, std::size_t max);
  // `place` comes next, and has been told out of turn already: true, and it is behind us.
  bool passes(Telling& telling, std::string_view place);
  // `place` has its turn now; and it is over.
  void begin_turn(Telling& telling, std::string_view place);
  void end_turn(Telling& telling, std::string_view place);
  // One more has fired at `at`.
  void count_rate(const Telling& telling, Instant at);
  // What was moved since is stored.
  void keep(const Telling& telling);
  void finish(Telling& telling);

  // --- what is stored beside the rows ---
  void load(ReferencesState& state);
  void save(ReferencesState& state) const;
  std::map<std::uint64_t, std::uint64_t>& counts() { return counts_; }
  // Something of it has changed since this was asked.
  bool moved() { return std::exchange(moved_, false); }

 private:
  using Order = std::set<std::pair<Instant, std::uint64_t>>;

  Telling& insert(std::uint64_t number, Change change);
  void begin(Telling& telling, std::uint32_t trigger);
  void forget(std::map<std::uint64_t, Telling>::iterator at);
  std::uint64_t version_of(std::uint32_t trigger) const {
    return catalog_->triggers[trigger].version;
  }

  RowsBehind& rows_;
  const std::uint32_t shards_;
  const catalog::Compiled* catalog_ = nullptr;
  std::uint64_t numbers_ = 0;
  bool moved_ = false;
  std::map<std::uint64_t, Telling> all_;  // by number
  std::map<std::string, std::vector<Telling*>, std::less<>>
      by_key_;                                                // by the prefix of their index
  Order order_;                                               // of those without a rate
  std::vector<std::uint32_t> unrated_;                        // how many of them, by trigger
  std::size_t previous_bytes_ = 0;                            // of all
  std::map<std::uint32_t, Order> rated_;                      // by trigger: one after the other
  std::map<std::uint64_t, std::uint64_t> counts_;             // of the index, by version
  std::map<std::uint64_t, ReferencesState::Window> windows_;  // by a trigger's name
  // Whose turn it is.
  const Telling* turn_ = nullptr;
  std::string turn_place_;
  bool turn_told_ = false;
};

}  // namespace spur
