// Compiled: a catalog made ready for the fold. Names are indices, conditions are programs, and for
// each event name there is a list of exactly what listens to it, so that an event costs only what
// it touches.
//
// Immutable once made and shared by all shards. How it is made: compile.h.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/calendar.h"
#include "operators/cron.h"
#include "operators/expression/program.h"
#include "operators/expression/reference.h"
#include "state/aggregates/aggregate.h"
#include "state/event.h"
#include "state/layout.h"
#include "state/time.h"

namespace spur::catalog {

using expression::Program;

inline constexpr std::int32_t kNone = -1;

// {on, where, each, key}: which events, asked once per element with `each`.
struct Pattern {
  std::vector<EventSchema::NameIndex> names;
  bool all_names = false;  // on: "*"
  std::optional<Program> where;
  std::optional<Program> each;
  std::optional<Program> key;
  std::optional<Program> of;  // novelty: the value that is new; intent: what it adds
};

// What the messages of a Source are.
enum class Format : std::uint8_t { kSegment, kJson, kCloudEvents, kProtobuf };

// What a Source's `map` makes of a body. Its programs read no slots of the catalog but those below.
struct Mapping {
  struct Named {
    std::string name;  // empty: a map of all
    Program program;
  };
  std::optional<Program> id, name, time;
  std::optional<Program> user_id, anonymous_id;
  std::vector<Named> named_ids;  // identities of other kinds, the strongest first
  std::vector<Named> properties, traits;
  // The paths that the programs read, all below "body"; and which field each of their slots is.
  EventSchema body;
  std::vector<EventSchema::FieldIndex> slots;
};

struct Source {
  std::string name;
  Millis deduplicate{0};  // 0: off
  // By EventSchema::NameIndex: the place among events of one instant; 0 for names that the order
  // does not list.
  std::vector<std::uint16_t> rank;
  std::uint64_t name_hash = 0;
  std::string topic;  // empty: a catalog without a Source
  Format format = Format::kSegment;
  std::shared_ptr<const Mapping> map;  // of kJson always
};

// Business data by key.
struct Reference {
  std::string name;
  std::string topic;
  std::optional<Program> key;   // over `body`
  std::optional<Program> time;  // over `body`; nullopt: when the log took it
  std::uint64_t definition = 0;
  std::vector<std::uint32_t> triggers;  // that tell of its changes, earlier versions too
};

struct Feature {
  std::string name;
  AggregateSpec spec;
  std::vector<Pattern> patterns;
  std::optional<Program> of;
  std::optional<Program> by;
  std::int32_t session = kNone;  // within
  bool per_session = false;  // within a Session of which several are open by key: a value for each
  std::uint64_t definition = 0;  // hash: what its state is stored under
  bool hidden = false;           // a trigger's operator needs it; conditions cannot name it
  Millis warm_after{
      0};  // on customers of before: how long until a window has passed; 0: for ever warming
};

struct Session {
  std::string name;
  std::vector<Pattern> opens;  // empty: whatever keeps, opens
  std::vector<Pattern> keeps;
  std::vector<Pattern> closes;
  bool keyed = false;
  Millis idle{0};  // 0: never ends by silence
  std::uint64_t definition = 0;
  std::vector<EventSchema::FieldIndex>
      opened_fields;                      // what its triggers name of the event that opened it
  std::vector<std::uint32_t> features;    // counted within it
  std::vector<std::uint32_t> triggers;    // session operators on it
  std::vector<std::uint32_t> thresholds;  // to be asked again when it opens or ends
  std::vector<std::uint32_t>
      thresholds_kept;  // and of them, whose level an event that keeps it may change
};

struct Segment {
  std::string name;
  std::optional<Program> when;  // always set in a compiled catalog
};

struct Cap {
  std::int32_t max = 0;
  Millis per{0};
};

struct QuietHours {
  std::int32_t from_minute = 0;
  std::int32_t to_minute = 0;
  std::optional<Zone> zone;  // nullopt: the customer's
  bool drop = false;
};

struct Channel {
  std::string name;
  std::string topic;
  bool json = false;
  std::string purpose;  // the consent asked for; empty: none
  std::optional<Program> reach;
  std::optional<QuietHours> quiet_hours;
  std::vector<Cap> caps;
  std::uint64_t name_hash = 0;
};

// How the events tell of consent.
struct Consent {
  // The key is the purpose; none of a catalog whose channels ask for none.
  std::vector<Pattern> granted, withdrawn;
  std::optional<Program> source, text_version, legal_basis;
};

enum class Arbitration : std::uint8_t { kNone, kChannel, kCustomer };

struct Policy {
  Zone zone;
  std::vector<Cap> caps;
  std::int32_t holdout_parts = 0;  // of a million
  std::string holdout_salt;
  Consent consent;
  std::vector<Pattern> erasure;
  Arbitration arbitration = Arbitration::kNone;
  std::optional<Millis> max_action_age;  // nullopt: never too old
  Millis lateness{0};
};

struct Model {
  std::string name;
  std::vector<Pattern> patterns;
  bool distinct_days = false;
  Millis horizon{0};
  Millis unit{0};
  double r = 0, alpha = 0, a = 0, b = 0;
  std::uint64_t definition = 0;
  std::string version;  // of the definition: its hash in hex
};

enum class Class : std::uint8_t { kMarketing = 1, kService = 2, kTransactional = 3 };
std::string_view to_text(Class trigger_class);

enum class Operator : std::uint8_t {
  kEvent,
  kThreshold,
  kAbsence,
  kSession,
  kNovelty,
  kSchedule,
  kPrediction,
  kSequence,
  kDate,
  kBusiness,
};

enum class SessionMoment : std::uint8_t { kOpened, kIdle, kClosed };

// How often a date comes back.
enum class Every : std::uint8_t { kNever, kYear, kMonth };

// One step of a sequence after its first.
struct SequenceStep {
  std::vector<Pattern> patterns;
  Millis within{0};  // from the step before; 0: any time
};

struct Step {
  std::vector<std::uint32_t> channels;
  std::string template_name;
  std::vector<std::pair<std::string, Program>> data;
  std::optional<Program> condition;  // `if`
  Millis after{0};
  Millis expires{0};  // 0: never
};

// Features that know when the newest event of a pattern was.
struct Remembered {
  std::string event;  // its name, where the pattern has one alone
  std::vector<std::uint32_t> features;
  std::optional<Program> where;  // still to be asked: they count without it
  bool opens = false;            // of a closing pattern: its events open, too
};

struct Trigger {
  std::string name;
  std::uint64_t name_hash = 0;
  std::uint64_t version = 0;  // hash of all it says: its instances are stored under it
  bool retired = false;  // an earlier version: it opens nothing, what it opened goes on (retire.h)
  std::uint32_t current =
      0;  // the trigger of this name that is in force: whose TriggerState is meant
  std::vector<std::uint32_t> earlier;  // of the one in force: its retired versions
  Class trigger_class = Class::kMarketing;
  std::int32_t priority = 0;
  bool enabled = true;
  bool shadow = false;                     // everything is decided, nothing is sent
  Instant from = Instant::distant_past();  // active in [from, to)
  Instant to = Instant::never();
  bool backfill = false;  // what is over when it becomes active fires then (triggers/backfill.h)

  Operator kind = Operator::kEvent;
  // absence; the pattern of event and novelty; sequence: its first step; business: what shows
  // interest
  std::vector<Pattern> opens;
  std::vector<Pattern> resets;  // absence
  std::vector<Pattern> closes;  // absence, business; sequence: `without`
  std::vector<Pattern> exits;
  bool keyed = false;                  // its instances have keys
  std::optional<Program> after;        // absence: a duration
  std::optional<Program> until;        // absence: a timestamp
  std::optional<Millis> after_always;  // `after`, where it is the same for every wait
  Millis grace{0};
  std::int32_t session = kNone;
  SessionMoment moment = SessionMoment::kIdle;
  std::optional<Program> when;   // threshold, schedule
  std::optional<Program> rearm;  // threshold; nullopt: not `when`
  // threshold: if true just before an event, it has re-armed by then; for what falls with time
  // alone.
  std::optional<Program> rearm_before;
  std::int32_t segment = kNone;  // threshold: `when` asks this Segment and nothing else
  Millis every{0};               // threshold, prediction
  // threshold: what its level depends on
  std::vector<std::uint32_t> windowed_features;
  bool depends_on_traits = false;
  std::optional<Cron> cron;
  std::optional<Zone> zone;  // schedule, date; nullopt: the customer's
  bool rising = false;
  std::int32_t kth = 0;  // novelty

  bool after_first = false;
  std::uint32_t limit = 0;
  std::int32_t model = kNone;
  std::int64_t at_least_millionths = 0;
  std::int64_t rearm_below_millionths = 0;
  std::vector<SequenceStep> later_steps;  // sequence: after its first
  std::vector<Pattern> silences;          // sequence: what must stay away after its last step
  Millis silent_for{0};                   // so long; 0: it fires at its last step
  std::optional<Program> date;
  Every date_every = Every::kNever;
  std::int64_t date_offset_days = 0;
  std::int32_t date_minute = 0;
  std::int32_t reference = kNone;  // business
  std::vector<Millis> interest;    // how long, by pattern of `opens`
  std::optional<Program> change_when;
  std::int32_t rate_max = 0;  // 0: as fast as it goes
  Millis rate_per{0};

  std::optional<Program> condition;  // `if`
  std::optional<Program> while_;
  Millis cooldown{0};
  Millis cooldown_key{0};
  bool once_customer = false;
  bool once_key = false;
  // Its ladder: the triggers on it, retired versions too, that silence it and that it silences.
  std::vector<std::uint32_t> above, below;
  Millis ladder_for{0};
  // absence with `backfill`: what tells, of customers known before it came, whether they wait and
  // since when. By pattern of `opens`, `resets`, and of `closes` and `exits`; the first empty:
  // nothing tells.
  std::vector<Remembered> opened_by, reset_by, ended_by;
  // Of a rhythm that drops: where it keeps its gaps, and whether they are enough for a wait.
  std::int32_t gaps = kNone;
  std::optional<Program> enough;
  bool retractable = false;  // a late event can contradict what it has sent
  std::vector<Step> steps;

  // What an instance keeps of the event that opened it: the fields that its expressions name.
  std::vector<EventSchema::FieldIndex> opened_fields;
  bool keeps_item = false;
  bool keeps_last_data = false;
  bool keeps_previous = false;  // business: its data names the record before the change
  // Features it reads directly: while one is warming for a customer, the trigger is suppressed
  // there.
  std::vector<std::uint32_t> features;
};

// Where a slot's value comes from (expression/reference.h); resolved once.
enum class SlotKind : std::uint8_t {
  kEventId,
  kEventName,
  kEventType,
  kEventTime,
  kEventField,        // index: FieldIndex
  kFeature,           // index: feature; member
  kFeatureByKey,      // index: feature
  kFeatureOfSession,  // index: feature that has a value for each open session; member
  kBefore,
  kBeforeByKey,
  kTrait,   // path[0] names it, the rest lies below
  kTraits,  // all
  kSegments,
  kSessionOpen,
  kSessionCount,
  kSessionEvents,
  kSessionStarted,
  kSessionLast,
  kInstanceKey,
  kInstanceOpenedAt,
  kInstanceCount,
  kOpenedId,
  kOpenedName,
  kOpenedType,
  kOpenedTime,
  kOpenedField,  // index: FieldIndex
  kLastAt,
  kLastData,
  kModelScore,
  kModelPAlive,
  kModelExpected,
  kModelVersion,
  kModelAt,
  kItem,
  kNow,
  kReference,  // index: reference; all its records
  kRecord,     // the instance's, as of now
  kPrevious,   // what it was before the change
  kBody,       // while a record is read
};

struct SlotSource {
  SlotKind kind = SlotKind::kNow;
  Member member = Member::kValue;
  std::uint32_t index = 0;
  std::vector<std::string> path;  // below the value
};

// One use of a pattern: `owner` is the feature, session, trigger or model; `pattern` the place in
// its list.
struct Use {
  std::uint32_t owner = 0;
  const Pattern* pattern = nullptr;
};

// The same of a sequence's later step.
struct StepUse {
  Use use;
  std::uint32_t step = 0;  // in later_steps
};

// What an event of one name can touch, each list in the order of the catalog (by name).
struct Listeners {
  std::vector<Use> session_opens, session_keeps, session_closes;
  std::vector<Use> features;
  std::vector<Use> models;
  std::vector<Use> exits, closes, resets;
  std::vector<Use> opens;      // absence
  std::vector<Use> interests;  // business
  std::vector<Use> events;     // event operators
  std::vector<Use> novelties;
  std::vector<Use> silences;        // sequence
  std::vector<Use> sequence_opens;  // its first step
  std::vector<StepUse> sequence_steps;
  std::vector<std::uint32_t> sequences;            // triggers in the two before, in order
  std::vector<std::uint32_t> thresholds;           // whose level the event may change
  std::vector<std::uint32_t> dates;                // whose date the event may change
  std::vector<Use> grants, withdrawals, erasures;  // the owner means nothing
  std::vector<std::uint32_t> predictions;
  std::vector<std::uint32_t> before;  // features to read before they are folded

  bool nothing() const;
};

class Compiled {
 public:
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  std::vector<Source> sources;
  std::vector<Reference> business_data;  // of kind Reference; `references` are those of programs
  std::vector<Feature> features;
  std::vector<Session> sessions;
  std::vector<Segment> segments;
  std::vector<Channel> channels;
  std::vector<Model> models;
  // By (priority, name), the order in which they act; of one name the one in force, then retired
  // versions.
  std::vector<Trigger> triggers;
  Policy policy;

  EventSchema schema;
  expression::References references;
  // What any expression of it may name, wherever it stands: for those who take one apart (explain).
  std::shared_ptr<const expression::Environment> names;
  std::vector<SlotSource> slots;

  std::vector<std::uint32_t> feature_order;  // each after those it reads
  std::vector<Listeners> by_name;            // by NameIndex
  Listeners other;                           // of a track that no pattern names
  std::vector<std::uint32_t> trait_thresholds;
  std::vector<std::uint32_t> trait_dates;
  std::vector<std::uint32_t> schedules;  // triggers by operator
  std::vector<std::uint32_t> thresholds;
  std::vector<std::uint32_t> dates;
  std::vector<std::uint32_t> backfills;  // with `backfill`, but for retired ones

  std::array<std::uint8_t, 16> hash{};
  std::shared_ptr<const Layout> layout;  // of customers under this version

  // Whether a feature's state is one aggregate per key.
  static bool is_keyed(const Feature& feature) {
    return feature.by.has_value() || feature.per_session;
  }

  const Listeners& listeners(EventSchema::NameIndex name) const {
    return name == EventSchema::kOther ? other : by_name[name];
  }
  // The index of a source by name; 0 if `name` is empty; kNone if there is none.
  std::int32_t find_source(std::string_view name) const;
  // The Source that a topic belongs to.
  std::int32_t find_source_of(std::string_view topic) const;
  // The same of business data; kNone for an empty name or topic too.
  std::int32_t find_reference(std::string_view name) const;
  std::int32_t find_reference_of(std::string_view topic) const;
  // Whether a Source maps identities of that kind, beside user_id and anonymous_id.
  bool has_identity_kind(std::string_view name) const;
};

}  // namespace spur::catalog
