// What the parts of the compiler share: the catalog in, the Compiled out, and how an expression is
// compiled at a place. Private to operators/catalog/compile*.cc, and daemon/eval asks it for the
// names of a place.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operators/catalog/compiled.h"
#include "operators/catalog/position.h"
#include "operators/catalog/tracking_plan.h"
#include "operators/expression/environment.h"
#include "operators/expression/program.h"
#include "spur/v1/catalog.pb.h"
#include "state/digest.h"

namespace spur::catalog {

// What may stand at a place of the catalog; the base of all is features, traits, segments,
// sessions, models and now.
struct Place {
  bool event = false;  // event.*, before.*
  bool item = false;
  bool instance = false;  // key, opened_at, count
  bool opened = false;    // instance.opened.*
  bool before = true;     // with event: before.* too
  std::int32_t record = kNone;  // of this Reference: record, an object
  bool previous = false;        // with record: previous too
  bool customer = true;         // what is known of a customer
  const char* why_no_event = "`event` is not known here: nothing has just happened";
  // The names that the event here may have; nullptr: any. For what tracking plans say of them.
  const std::vector<std::string>* events = nullptr;
};

// Where only conditions stand that time alone can make true.
inline constexpr const char* kNoEventAtCondition =
    "`event` is not known here, since time alone can make this true; write a Feature for what it "
    "needs";

// The place of a definition's field, as SourceMap knows it.
std::string spec_path(std::string_view kind, std::string_view name, std::string_view field = "");

// Where the definition of that name stands, or kNone.
template <typename Messages>
std::int32_t index_of(const Messages& all, std::string_view name) {
  for (int i = 0; i < all.size(); ++i) {
    if (all.Get(i).name() == name) return i;
  }
  return kNone;
}

struct CompileContext {
  const spur::v1::Catalog& in;
  const SourceMap& positions;
  Compiled& out;
  std::vector<Error>& errors;
  std::vector<Error>& warnings;

  // By feature: what features.x is. Filled before anything else is compiled.
  std::vector<expression::Type> feature_types;

  const TrackingPlans plans{in};
  // Something is wrong that the reader has told already: no error of ours, and yet nothing that could be gone on with.
  bool unreadable = false;

  expression::Environment environment(const Place& place) const;

  // Compiles `source`, which stands at `path`, and wants a `type` (dyn: any). Reports what is wrong
  // and answers nullopt then; an empty source is nullopt too, without a report.
  std::optional<Program> program(const std::string& path, std::string_view source,
                                 const Place& place, const expression::Type& type);
  // The same with the place's environment already made.
  std::optional<Program> program(const std::string& path, std::string_view source,
                                 const expression::Environment& environment,
                                 const expression::Type& type);

  // Where a record of business data is read: `body` alone.
  expression::Environment body_environment() const;

  // Compiles patterns at `path`; `key` stands for patterns without their own. With `each`, the
  // later parts see `item`.
  std::vector<Pattern> patterns(const std::string& path,
                                const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& in,
                                std::string_view key, const std::string& key_path);

  // What tracking plans say of `item`, where `each` is nothing but a list of the event's
  // properties.
  void restrict_item(expression::Environment& environment, std::string_view each,
                     const std::optional<Program>& list,
                     const std::vector<std::string>* events) const;

  // A named zone; an unknown one is reported and read as UTC.
  Zone zone(const std::string& path, std::string_view name);
  // For what goes by the clock: the Policy's zone where none is named, nullopt for the customer's
  // own.
  std::optional<Zone> zone_or_customer(const std::string& path, std::string_view name);

  void error(const std::string& path, std::string message, std::string hint = "");
};

// A definition without its name: what an unchanged one keeps its state by.
template <typename Message>
std::uint64_t definition_hash(Message message, std::string_view kind) {
  message.clear_name();
  return hash64(std::string(kind) + '\0' + message.SerializeAsString());
}

// The `map` of a Source (compile_mapping.cc); nullptr: it has none.
std::shared_ptr<const Mapping> compile_mapping(CompileContext& context,
                                               const spur::v1::Source& from);

// All triggers (compile_triggers.cc).
void compile_triggers(CompileContext& context);

// Consent and erasure (compile_gate.cc); after the triggers, who silences whom.
void compile_gate(CompileContext& context);
void compile_ladders(CompileContext& context);

// Operators of a trigger, `path` being that of the operator (compile_operators.cc). `at_once`
// becomes what `if` and `data` may see.
void compile_rhythm(CompileContext& context, const spur::v1::RhythmOperator& from,
                    const std::string& path, Trigger& trigger, Place& at_once);
void compile_intent(CompileContext& context, const spur::v1::IntentOperator& from,
                    const std::string& path, Trigger& trigger);
void compile_segment(CompileContext& context, const spur::v1::SegmentOperator& from,
                     const std::string& path, Trigger& trigger);
void compile_sequence(CompileContext& context, const spur::v1::SequenceOperator& from,
                      const std::string& path, Trigger& trigger);
void compile_date(CompileContext& context, const spur::v1::DateOperator& from,
                  const std::string& path, Trigger& trigger);

// What tells a trigger with `backfill` of customers known before it (compile_backfill.cc). After
// its operator.
void compile_backfill(CompileContext& context, const spur::v1::Trigger& from, Trigger& trigger);

// Business data (compile_business.cc): kind Reference, and the operator that tells of its changes.
void compile_references(CompileContext& context);
void compile_business(CompileContext& context, const spur::v1::BusinessOperator& from,
                      const std::string& path, Trigger& trigger, Place& at_once);

// Turns every reference into where its value comes from. After all programs are compiled.
void resolve_slots(CompileContext& context);

// What the reading of a program reaches, through segments as well.
struct Reach {
  std::set<std::uint32_t> features, sessions, models, segments;
  bool traits = false, now = false, decayed = false, business_data = false;
};
void reach_of(const Compiled& catalog, const Program& program, Reach& reach);
// Of what decides the level of a threshold.
Reach reach_of_level(const Compiled& catalog, const Trigger& threshold);

// Once all is compiled and its references resolved (compile_checks.cc). The order in which features
// are folded, each after those it reads; a circle is an error.
void order_features(CompileContext& context);
// What changes with time alone and not at instants that can be computed must be asked for at
// intervals.
void check_times(CompileContext& context);

// What is remembered of a customer (compile_state.cc).
void keep_opened(CompileContext& context);
void lay_out(CompileContext& context);

// Fills by_name, other and the lists of thresholds and sessions; orders features by what they read.
void index_listeners(CompileContext& context);

}  // namespace spur::catalog
