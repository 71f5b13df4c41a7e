// Where each reference's value comes from. A reference to a field of the event also tells the
// decoder to read it.
#include "operators/catalog/compile_context.h"
#include "state/check.h"

namespace spur::catalog {
namespace {

using expression::Reference;

template <typename T>
std::uint32_t index_of(const std::vector<T>& all, std::string_view name) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return static_cast<std::uint32_t>(i);
  }
  SPUR_CHECK(false && "a declared name that the catalog does not have");
  return 0;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Member member_of(std::string_view name) {
  if (name == "count") return Member::kCount;
  if (name == "mean") return Member::kMean;
  if (name == "last") return Member::kLast;
  if (name == "median") return Member::kMedian;
  if (name == "p90") return Member::kP90;
  if (name == "newest") return Member::kNewest;
  return Member::kValue;
}

SlotSource feature_slot(const Compiled& catalog, std::string_view rest, bool before) {
  const std::size_t dot = rest.find('.');
  SlotSource slot;
  slot.index = index_of(catalog.features, rest.substr(0, dot));
  if (dot != std::string_view::npos) slot.member = member_of(rest.substr(dot + 1));
  const Feature& feature = catalog.features[slot.index];
  const bool keyed = feature.by.has_value();
  slot.kind = before                ? keyed ? SlotKind::kBeforeByKey : SlotKind::kBefore
              : keyed               ? SlotKind::kFeatureByKey
              : feature.per_session ? SlotKind::kFeatureOfSession
                                    : SlotKind::kFeature;
  return slot;
}

// `event.` or `instance.opened.`: envelope fields, or a path that the decoder must keep.
SlotSource event_slot(Compiled& catalog, std::string_view rest,
                      const std::vector<std::string>& path, bool opened) {
  SlotSource slot;
  if (rest == "id")
    slot.kind = opened ? SlotKind::kOpenedId : SlotKind::kEventId;
  else if (rest == "name")
    slot.kind = opened ? SlotKind::kOpenedName : SlotKind::kEventName;
  else if (rest == "type")
    slot.kind = opened ? SlotKind::kOpenedType : SlotKind::kEventType;
  else if (rest == "time")
    slot.kind = opened ? SlotKind::kOpenedTime : SlotKind::kEventTime;
  else {
    std::vector<std::string> below{std::string(rest)};
    below.insert(below.end(), path.begin(), path.end());
    slot.kind = opened ? SlotKind::kOpenedField : SlotKind::kEventField;
    slot.index = catalog.schema.add_field(below);
  }
  return slot;
}

SlotSource session_slot(const Compiled& catalog, std::string_view rest) {
  const std::size_t dot = rest.rfind('.');
  const std::string_view member = rest.substr(dot + 1);
  SlotSource slot;
  slot.index = index_of(catalog.sessions, rest.substr(0, dot));
  slot.kind = member == "open"      ? SlotKind::kSessionOpen
              : member == "count"   ? SlotKind::kSessionCount
              : member == "events"  ? SlotKind::kSessionEvents
              : member == "started" ? SlotKind::kSessionStarted
                                    : SlotKind::kSessionLast;
  return slot;
}

SlotSource model_slot(const Compiled& catalog, std::string_view rest) {
  const std::size_t dot = rest.rfind('.');
  const std::string_view member = rest.substr(dot + 1);
  SlotSource slot;
  slot.index = index_of(catalog.models, rest.substr(0, dot));
  slot.kind = member == "score"      ? SlotKind::kModelScore
              : member == "p_alive"  ? SlotKind::kModelPAlive
              : member == "expected" ? SlotKind::kModelExpected
              : member == "version"  ? SlotKind::kModelVersion
                                     : SlotKind::kModelAt;
  return slot;
}

SlotSource resolve(Compiled& catalog, const Reference& reference) {
  std::string_view rest = reference.variable;
  SlotSource slot;
  if (rest == "now") {
    slot.kind = SlotKind::kNow;
  } else if (rest == "item") {
    slot.kind = SlotKind::kItem;
    slot.path = reference.path;
  } else if (rest == "traits") {
    slot.kind = reference.path.empty() ? SlotKind::kTraits : SlotKind::kTrait;
    slot.path = reference.path;
  } else if (rest == "segments") {
    slot.kind = SlotKind::kSegments;
  } else if (take_prefix(rest, "event.")) {
    slot = event_slot(catalog, rest, reference.path, false);
  } else if (take_prefix(rest, "features.")) {
    slot = feature_slot(catalog, rest, false);
  } else if (take_prefix(rest, "before.")) {
    slot = feature_slot(catalog, rest, true);
  } else if (take_prefix(rest, "sessions.")) {
    slot = session_slot(catalog, rest);
  } else if (take_prefix(rest, "models.")) {
    slot = model_slot(catalog, rest);
  } else if (rest == "instance.key") {
    slot.kind = SlotKind::kInstanceKey;
  } else if (rest == "instance.opened_at") {
    slot.kind = SlotKind::kInstanceOpenedAt;
  } else if (rest == "instance.count") {
    slot.kind = SlotKind::kInstanceCount;
  } else if (rest == "instance.last") {
    slot.kind = SlotKind::kLastAt;
    slot.index = 1;  // the whole: at and data
    slot.path = reference.path;
  } else if (rest == "instance.last.at") {
    slot.kind = SlotKind::kLastAt;
  } else if (rest == "instance.last.data") {
    slot.kind = SlotKind::kLastData;
    slot.path = reference.path;
  } else if (rest == "record" || rest == "previous" || rest == "body") {
    slot.kind = rest == "record"     ? SlotKind::kRecord
                : rest == "previous" ? SlotKind::kPrevious
                                     : SlotKind::kBody;
    slot.path = reference.path;
  } else if (take_prefix(rest, "reference.")) {
    slot.kind = SlotKind::kReference;
    slot.index = index_of(catalog.business_data, rest);
  } else if (take_prefix(rest, "instance.opened.")) {
    slot = event_slot(catalog, rest, reference.path, true);
  } else {
    SPUR_CHECK(false && "a declared variable that no slot answers");
  }
  return slot;
}

}  // namespace

void resolve_slots(CompileContext& context) {
  Compiled& catalog = context.out;
  for (std::size_t i = catalog.slots.size(); i < catalog.references.size(); ++i) {
    catalog.slots.push_back(resolve(catalog, catalog.references[static_cast<std::uint32_t>(i)]));
  }
}

void reach_of(const Compiled& catalog, const Program& program, Reach& reach) {
  const auto feature = [&](std::uint32_t index) {
    reach.features.insert(index);
    const Feature& f = catalog.features[index];
    if (f.spec.kind == AggregateKind::kDecayed) reach.decayed = true;
    if (f.session != kNone) reach.sessions.insert(static_cast<std::uint32_t>(f.session));
  };
  for (const std::uint32_t s : program.slots()) {
    const SlotSource& slot = catalog.slots[s];
    switch (slot.kind) {
      case SlotKind::kFeature:
      case SlotKind::kFeatureByKey:
      case SlotKind::kFeatureOfSession:
      case SlotKind::kBefore:
      case SlotKind::kBeforeByKey:
        feature(slot.index);
        break;
      case SlotKind::kTrait:
      case SlotKind::kTraits:
        reach.traits = true;
        break;
      case SlotKind::kSegments:
        // Any may be asked for, by a name computed when run.
        for (std::uint32_t i = 0; i < catalog.segments.size(); ++i) {
          if (!reach.segments.insert(i).second) continue;
          if (catalog.segments[i].when) reach_of(catalog, *catalog.segments[i].when, reach);
        }
        break;
      case SlotKind::kSessionOpen:
      case SlotKind::kSessionCount:
      case SlotKind::kSessionEvents:
      case SlotKind::kSessionStarted:
      case SlotKind::kSessionLast:
        reach.sessions.insert(slot.index);
        break;
      case SlotKind::kModelScore:
      case SlotKind::kModelPAlive:
      case SlotKind::kModelExpected:
      case SlotKind::kModelVersion:
      case SlotKind::kModelAt:
        reach.models.insert(slot.index);
        break;
      case SlotKind::kNow:
        reach.now = true;
        break;
      case SlotKind::kReference:
        reach.business_data = true;
        break;
      default:
        break;
    }
  }
}

Reach reach_of_level(const Compiled& catalog, const Trigger& threshold) {
  Reach reach;
  if (threshold.segment != kNone) {
    const auto segment = static_cast<std::uint32_t>(threshold.segment);
    reach.segments.insert(segment);
    if (catalog.segments[segment].when) reach_of(catalog, *catalog.segments[segment].when, reach);
    return reach;
  }
  if (threshold.when) reach_of(catalog, *threshold.when, reach);
  if (threshold.rearm) reach_of(catalog, *threshold.rearm, reach);
  return reach;
}

}  // namespace spur::catalog
