// Activation: what the slots of a catalog's programs answer for one customer at one instant.
//
// Values that cost something are computed when first asked for and kept until forget(): several
// triggers that read one feature pay once. One per shard, reused; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/catalog/compiled.h"
#include "operators/expression/reference.h"
#include "operators/score_tape.h"
#include "state/arena.h"
#include "state/customer.h"
#include "state/event.h"

namespace spur {

// The instance that an evaluation is about.
struct InstanceView {
  std::string_view key;
  Instant opened_at;
  std::uint32_t count = 0;
  const Event* event = nullptr;  // the event that opened or fired it
  std::string_view opened;       // or its encoding; empty: none
  Value item;
  const LastData* last = nullptr;
  std::int32_t reference = catalog::kNone;  // whose record of `key` is meant by `record`
  Value previous = {};
};

class References;

class Activation final : public expression::Slots {
 public:
  // Without `references` there are no records.
  explicit Activation(Arena& arena, References* references = nullptr)
      : arena_(arena), references_(references) {}

  // A new catalog: slots are numbered anew.
  void use(const catalog::Compiled* catalog);
  // A new turn. `event` may be nullptr. The scores of models are asked from `scores`.
  void begin(const Customer& customer, Instant now, const Event* event, ScoreTape* scores);
  // The customer has changed: what was computed is void.
  void forget() { ++epoch_; }

  void set_item(Value item) { item_ = item; }
  // nullptr: none. The view must outlive its use.
  void set_instance(const InstanceView* instance);
  // For a keyed session the one with this key is meant; empty: the one active last.
  void set_session_key(std::string_view key) { session_key_ = key; }
  // Reads before.x of these slots now, for as long as the turn lasts.
  void capture_before(const std::vector<std::uint32_t>& slots);
  // The session as it was, while its end is asked about; nullptr: the customer's own.
  void set_ended_session(const SessionState* session) { ended_ = session; }

  Value load(std::uint32_t slot) override;
  // Whether load() has the answer already: asking again computes nothing and takes no score from
  // the tape.
  bool knows(std::uint32_t slot) const { return stamps_[slot] == epoch_; }

  // Whether something was asked since begin() or this that only a firing has: its event, its
  // instance, the record before a change. Where somebody asks before it fires, an error of such an
  // expression says nothing yet.
  bool take_missed() { return std::exchange(missed_, false); }

  // The segment's condition for this customer now; false for an unknown name.
  bool in_segment(std::uint32_t segment);

 private:
  class Segments;
  class ByKey;
  class Gaps;
  class Records;

  Value compute(const catalog::SlotSource& slot);
  Value feature(std::uint32_t index, Member member) const;
  // The session that is meant: the one with session_key_, else the one active last; nullptr: none
  // ever.
  const SessionState* meant_session(std::uint32_t index) const;
  Value feature_by_key(std::uint32_t index);
  Value trait(const std::vector<std::string>& path);
  Value all_traits();
  Value session(const catalog::SlotSource& slot) const;
  Value model(const catalog::SlotSource& slot);
  Value event_part(catalog::SlotKind kind, std::uint32_t index, const Event* event) const;
  const Event* opened();
  // The record of `key`, as of now. The last one is kept: conditions read field after field of it.
  Value record(std::uint32_t reference, std::string_view key);
  Value missing(const char* what) const {
    missed_ = true;
    return Value::error(what);
  }
  Value no_instance() const { return missing("there is no event that opened or fired this"); }

  Arena& arena_;
  References* const references_;
  const catalog::Compiled* catalog_ = nullptr;
  const Customer* customer_ = nullptr;
  const Event* event_ = nullptr;
  ScoreTape* scores_ = nullptr;
  Instant now_;
  Value item_;
  Value opened_item_;
  const InstanceView* instance_ = nullptr;
  const Event* decoded_ = nullptr;  // of instance_->opened
  bool decoded_known_ = false;
  std::string_view session_key_;
  const SessionState* ended_ = nullptr;
  int segment_depth_ = 0;

  std::uint32_t epoch_ = 0;
  std::vector<Value> values_;                 // by slot
  std::vector<std::uint32_t> stamps_;         // epoch of values_
  std::vector<Value> before_;                 // by slot
  std::vector<std::uint32_t> before_stamps_;  // turn
  std::uint32_t turn_ = 0;
  std::vector<std::unique_ptr<KeyedAggregates>> frozen_;  // of before_, for features with `by`
  mutable bool missed_ = false;
  struct {
    std::uint32_t epoch = 0;  // of `value`
    std::uint32_t reference = 0;
    std::string_view key;  // in the arena
    Value value;
  } record_;
};

}  // namespace spur
