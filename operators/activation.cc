#include "operators/activation.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "operators/models/bg_nbd.h"
#include "operators/opened.h"
#include "operators/references.h"
#include "state/aggregates/key_text.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

using catalog::SlotKind;
using catalog::SlotSource;

// Segments asked for by computed names could otherwise go round for ever.
constexpr int kSegmentDepthMax = 16;

// An aggregate that nothing has happened to.
const Aggregate& nothing_yet() {
  static const Aggregate empty;
  return empty;
}

}  // namespace

// 'vip' in segments: each segment is asked when it is asked for.
class Activation::Segments final : public LookupMap {
 public:
  explicit Segments(Activation& activation) : activation_(activation) {}

  Value find(const Value& key) const override {
    if (!key.is(Kind::kString)) return Value::absent();
    const auto& segments = activation_.catalog_->segments;
    for (std::uint32_t i = 0; i < segments.size(); ++i) {
      if (segments[i].name != key.as_text()) continue;
      return activation_.in_segment(i) ? Value::boolean(true) : Value::absent();
    }
    return Value::absent();
  }
  std::span<const Value> keys() const override {
    const auto& segments = activation_.catalog_->segments;
    const std::span<Value> all = activation_.arena_.array<Value>(segments.size());
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < segments.size(); ++i) {
      if (activation_.in_segment(i)) all[count++] = Value::string(segments[i].name);
    }
    return all.first(count);
  }

 private:
  Activation& activation_;
};

// The readings of gaps under one key: features.gaps_by_store['7'].mean. One that is missing is no
// key.
class Activation::Gaps final : public LookupMap {
 public:
  Gaps(const AggregateSpec& spec, const Aggregate& state, Instant now, Arena& arena)
      : spec_(spec), state_(state), now_(now), arena_(arena) {}

  Value find(const Value& key) const override {
    if (!key.is(Kind::kString)) return Value::absent();
    for (const auto& [name, member] : kMembers) {
      if (name == key.as_text()) return state_.read(spec_, member, now_, arena_);
    }
    // For the operator rhythm; no reading of the language, so not among the keys.
    if (key.as_text() == "newest") return state_.read(spec_, Member::kNewest, now_, arena_);
    return Value::absent();
  }
  std::span<const Value> keys() const override {
    const std::span<Value> all = arena_.array<Value>(kMembers.size());
    std::size_t count = 0;
    for (const auto& [name, member] : kMembers) {
      if (!state_.read(spec_, member, now_, arena_).is_absent()) all[count++] = Value::string(name);
    }
    return all.first(count);
  }

 private:
  static constexpr std::array<std::pair<std::string_view, Member>, 5> kMembers = {
      {{"count", Member::kCount},
       {"mean", Member::kMean},
       {"last", Member::kLast},
       {"median", Member::kMedian},
       {"p90", Member::kP90}}};

  const AggregateSpec& spec_;
  const Aggregate& state_;
  Instant now_;
  Arena& arena_;
};

// features.spent_by_category: read key by key. One never seen, or of which the window has nothing
// any more, reads as an aggregate without events, and is not `in` the map.
class Activation::ByKey final : public LookupMap {
 public:
  ByKey(const AggregateSpec& spec, const KeyedAggregates* state, Instant now, Arena& arena)
      : spec_(spec), state_(state), now_(now), arena_(arena) {}

  Value find(const Value& key) const override {
    const std::optional<std::string_view> text = key_text(key, arena_);
    if (!text) return Value::absent();
    const Aggregate* const seen = state_ == nullptr ? nullptr : state_->find(*text);
    const Aggregate& found = seen == nullptr ? nothing_yet() : *seen;
    if (spec_.kind != AggregateKind::kGaps) return found.read(spec_, Member::kValue, now_, arena_);
    return Value::map(new (arena_.allocate(sizeof(Gaps))) Gaps(spec_, found, now_, arena_));
  }
  bool contains(const Value& key) const override {
    const std::optional<std::string_view> text = key_text(key, arena_);
    return text && state_ != nullptr && holds(*text);
  }
  std::span<const Value> keys() const override {
    if (state_ == nullptr) return {};
    const std::span<const Value> all = state_->keys(arena_);
    const std::span<Value> held = arena_.array<Value>(all.size());
    std::size_t count = 0;
    for (const Value& key : all) {
      if (holds(key.as_text())) held[count++] = key;
    }
    return held.first(count);
  }

 private:
  // Keys stay in the state when their window has emptied, so that is asked of a copy.
  bool holds(std::string_view key) const {
    const Aggregate* const seen = state_->find(key);
    if (seen == nullptr) return false;
    if (spec_.window.count == 0) return true;
    Aggregate copy = *seen;
    copy.advance(spec_, now_);
    return !copy.empty();
  }

  const AggregateSpec& spec_;
  const KeyedAggregates* state_;
  Instant now_;
  Arena& arena_;
};

// reference.products: read record by record. There may be more than anybody wants to go through, so
// it has no keys that could be listed.
class Activation::Records final : public LookupMap {
 public:
  Records(Activation& activation, std::uint32_t reference)
      : activation_(activation), reference_(reference) {}

  Value find(const Value& key) const override {
    const std::optional<std::string_view> text = key_text(key, activation_.arena_);
    return text ? activation_.record(reference_, *text) : Value::absent();
  }
  std::span<const Value> keys() const override { return {}; }

 private:
  Activation& activation_;
  const std::uint32_t reference_;
};

void Activation::use(const catalog::Compiled* catalog) {
  catalog_ = catalog;
  values_.assign(catalog->slots.size(), Value());
  stamps_.assign(catalog->slots.size(), 0);
  before_.assign(catalog->slots.size(), Value());
  before_stamps_.assign(catalog->slots.size(), 0);
  epoch_ = 1;
  turn_ = 0;
  record_ = {};
}

void Activation::begin(const Customer& customer, Instant now, const Event* event,
                       ScoreTape* scores) {
  customer_ = &customer;
  now_ = now;
  event_ = event;
  scores_ = scores;
  item_ = Value::absent();
  set_instance(nullptr);
  session_key_ = {};
  ended_ = nullptr;
  frozen_.clear();
  missed_ = false;
  ++epoch_;
  ++turn_;
}

void Activation::set_instance(const InstanceView* instance) {
  instance_ = instance;
  decoded_ = nullptr;
  decoded_known_ = false;
  if (instance != nullptr) session_key_ = instance->key;
}

void Activation::capture_before(const std::vector<std::uint32_t>& slots) {
  for (const std::uint32_t s : slots) {
    const SlotSource& slot = catalog_->slots[s];
    if (slot.kind == SlotKind::kBefore) {
      before_[s] = feature(slot.index, slot.member);
    } else {
      // The state is about to change, so what it held is read out key by key.
      const AggregateSpec& spec = catalog_->features[slot.index].spec;
      frozen_.push_back(std::make_unique<KeyedAggregates>());
      if (const KeyedAggregates* const now = customer_->keyed(slot.index)) *frozen_.back() = *now;
      before_[s] = Value::map(new (arena_.allocate(sizeof(ByKey)))
                                  ByKey(spec, frozen_.back().get(), now_, arena_));
    }
    before_stamps_[s] = turn_;
  }
}

Value Activation::load(std::uint32_t slot) {
  const SlotSource& source = catalog_->slots[slot];
  switch (source.kind) {
    case SlotKind::kNow:
      return Value::timestamp(now_);
    case SlotKind::kEventField:
    case SlotKind::kEventId:
    case SlotKind::kEventName:
    case SlotKind::kEventType:
    case SlotKind::kEventTime:
      // A later step of an event or novelty trigger reads the event that fired it.
      return event_part(source.kind, source.index, event_ != nullptr ? event_ : opened());
    case SlotKind::kItem: {
      Value item = item_;
      if (item.is_absent() && instance_ != nullptr) {
        item = instance_->item;
        if (item.is_absent() && instance_->event == nullptr && opened() != nullptr)
          item = opened_item_;
      }
      return expression::select(item, source.path);
    }
    case SlotKind::kBefore:
    case SlotKind::kBeforeByKey:
      if (before_stamps_[slot] == turn_) return before_[slot];
      return missing("`before` is only known while the event is being taken");
    case SlotKind::kInstanceKey:
    case SlotKind::kInstanceOpenedAt:
    case SlotKind::kInstanceCount:
    case SlotKind::kOpenedId:
    case SlotKind::kOpenedName:
    case SlotKind::kOpenedType:
    case SlotKind::kOpenedTime:
    case SlotKind::kOpenedField:
    case SlotKind::kLastAt:
    case SlotKind::kLastData:
    case SlotKind::kSessionOpen:
    case SlotKind::kSessionCount:
    case SlotKind::kSessionEvents:
    case SlotKind::kSessionStarted:
    case SlotKind::kSessionLast:
    case SlotKind::kFeatureOfSession:
    case SlotKind::kRecord:
    case SlotKind::kPrevious:
      return compute(source);
    default:
      break;
  }
  if (stamps_[slot] != epoch_) {
    values_[slot] = compute(source);
    stamps_[slot] = epoch_;
  }
  return values_[slot];
}

Value Activation::compute(const SlotSource& slot) {
  switch (slot.kind) {
    case SlotKind::kFeature:
    case SlotKind::kFeatureOfSession:
      return feature(slot.index, slot.member);
    case SlotKind::kFeatureByKey:
      return feature_by_key(slot.index);
    case SlotKind::kTrait:
      return trait(slot.path);
    case SlotKind::kTraits:
      return all_traits();
    case SlotKind::kSegments:
      return Value::map(new (arena_.allocate(sizeof(Segments))) Segments(*this));
    case SlotKind::kSessionOpen:
    case SlotKind::kSessionCount:
    case SlotKind::kSessionEvents:
    case SlotKind::kSessionStarted:
    case SlotKind::kSessionLast:
      return session(slot);
    case SlotKind::kModelScore:
    case SlotKind::kModelPAlive:
    case SlotKind::kModelExpected:
    case SlotKind::kModelVersion:
    case SlotKind::kModelAt:
      return model(slot);
    case SlotKind::kReference:
      return Value::map(new (arena_.allocate(sizeof(Records))) Records(*this, slot.index));
    case SlotKind::kRecord: {
      if (instance_ == nullptr || instance_->reference == catalog::kNone) return no_instance();
      const Value found = record(static_cast<std::uint32_t>(instance_->reference), instance_->key);
      return expression::select(found.is_absent() ? Value::map(std::span<const MapEntry>()) : found,
                                slot.path);
    }
    case SlotKind::kPrevious:
      if (instance_ == nullptr || instance_->previous.is_absent())
        return missing("`previous` is only known while the change is being told");
      return expression::select(instance_->previous, slot.path);
    case SlotKind::kInstanceKey:
      return instance_ == nullptr ? no_instance() : Value::string(instance_->key);
    case SlotKind::kInstanceOpenedAt:
      return instance_ == nullptr ? no_instance() : Value::timestamp(instance_->opened_at);
    case SlotKind::kInstanceCount:
      return instance_ == nullptr ? no_instance() : Value::integer(instance_->count);
    case SlotKind::kOpenedId:
      return event_part(SlotKind::kEventId, 0, opened());
    case SlotKind::kOpenedName:
      return event_part(SlotKind::kEventName, 0, opened());
    case SlotKind::kOpenedType:
      return event_part(SlotKind::kEventType, 0, opened());
    case SlotKind::kOpenedTime:
      return event_part(SlotKind::kEventTime, 0, opened());
    case SlotKind::kOpenedField:
      return event_part(SlotKind::kEventField, slot.index, opened());
    case SlotKind::kLastAt:
      if (instance_ == nullptr || instance_->last == nullptr) return Value::absent();
      if (slot.index == 1) {
        const std::span<MapEntry> entries = arena_.array<MapEntry>(2);
        entries[0] = {Value::string("at"), Value::timestamp(instance_->last->at)};
        entries[1] = {Value::string("data"),
                      decode_value(instance_->last->data, arena_).value_or(Value::null())};
        return expression::select(Value::map(entries), slot.path);
      }
      return Value::timestamp(instance_->last->at);
    case SlotKind::kLastData: {
      if (instance_ == nullptr || instance_->last == nullptr) return Value::absent();
      const std::optional<Value> data = decode_value(instance_->last->data, arena_);
      return data ? expression::select(*data, slot.path) : Value::absent();
    }
    default:
      return Value::error("this cannot be read here");
  }
}

Value Activation::feature(std::uint32_t index, Member member) const {
  const catalog::Feature& feature = catalog_->features[index];
  if (!feature.per_session)
    return customer_->features.read(index, feature.spec, member, now_, arena_);
  const SessionState* const session = meant_session(static_cast<std::uint32_t>(feature.session));
  const KeyedAggregates* const keyed = customer_->keyed(index);
  const Aggregate* const state =
      session == nullptr || keyed == nullptr ? nullptr : keyed->find(session->key);
  return (state == nullptr ? nothing_yet() : *state).read(feature.spec, member, now_, arena_);
}

Value Activation::feature_by_key(std::uint32_t index) {
  const AggregateSpec& spec = catalog_->features[index].spec;
  return Value::map(new (arena_.allocate(sizeof(ByKey)))
                        ByKey(spec, customer_->keyed(index), now_, arena_));
}

Value Activation::trait(const std::vector<std::string>& path) {
  if (customer_->rare == nullptr)
    return path.size() == 1 ? Value::absent() : Value::error("no such trait");
  for (const Trait& trait : customer_->rare->traits) {
    if (trait.name != path[0]) continue;
    const std::optional<Value> value = decode_value(trait.value, arena_);
    if (!value) return Value::absent();
    return expression::select(*value, std::span(path).subspan(1));
  }
  return path.size() == 1 ? Value::absent() : Value::error("no such trait");
}

Value Activation::all_traits() {
  if (customer_->rare == nullptr) return Value::map(std::span<const MapEntry>());
  const auto& traits = customer_->rare->traits;
  const std::span<MapEntry> entries = arena_.array<MapEntry>(traits.size());
  for (std::size_t i = 0; i < traits.size(); ++i) {
    entries[i] = {Value::string(traits[i].name),
                  decode_value(traits[i].value, arena_).value_or(Value::null())};
  }
  return Value::map(entries);
}

const SessionState* Activation::meant_session(std::uint32_t index) const {
  if (ended_ != nullptr && ended_->session == index) return ended_;
  const bool keyed = catalog_->sessions[index].keyed;
  const SessionState* found = nullptr;
  for (const SessionState& s : customer_->sessions) {
    if (s.session != index) continue;
    if (keyed && !session_key_.empty() && s.key == session_key_) return &s;
    // Several at once and none is meant: an open one before a closed one, then the one active last.
    if (found == nullptr || std::tuple(s.open, s.last) > std::tuple(found->open, found->last))
      found = &s;
  }
  return found;
}

Value Activation::session(const SlotSource& slot) const {
  const SessionState* const found = meant_session(slot.index);
  switch (slot.kind) {
    case SlotKind::kSessionOpen:
      return Value::boolean(found != nullptr && found->open);
    case SlotKind::kSessionCount:
      return Value::integer(found == nullptr ? 0 : static_cast<std::int64_t>(found->count));
    case SlotKind::kSessionEvents:
      return Value::integer(
          found == nullptr || !found->open ? 0 : static_cast<std::int64_t>(found->events));
    case SlotKind::kSessionStarted:
      return found == nullptr || !found->open ? Value::absent() : Value::timestamp(found->started);
    default:
      return found == nullptr ? Value::absent() : Value::timestamp(found->last);
  }
}

Value Activation::model(const SlotSource& slot) {
  const catalog::Model& model = catalog_->models[slot.index];
  if (slot.kind == SlotKind::kModelVersion) return Value::string(model.version);
  const ModelState* state = nullptr;
  if (customer_->rare != nullptr) {
    for (const ModelState& m : customer_->rare->models) {
      if (m.model == slot.index) state = &m;
    }
  }
  if (state == nullptr) return Value::absent();
  if (slot.kind == SlotKind::kModelAt) return Value::timestamp(now_);
  const std::int64_t millionths = scores_->next([&] {
    switch (slot.kind) {
      case SlotKind::kModelExpected:
        return models::bg_nbd_expected(model, *state, now_);
      case SlotKind::kModelPAlive:
        return models::bg_nbd_p_alive(model, *state, now_);
      default:
        return models::kMillion - models::bg_nbd_p_alive(model, *state, now_);
    }
  });
  return Value::real(static_cast<double>(millionths) / 1e6);
}

Value Activation::event_part(SlotKind kind, std::uint32_t index, const Event* event) const {
  if (event == nullptr) return no_instance();
  switch (kind) {
    case SlotKind::kEventId:
      return Value::string(event->id);
    case SlotKind::kEventName:
      return Value::string(event->name);
    case SlotKind::kEventType:
      return Value::string(to_text(event->type));
    case SlotKind::kEventTime:
      return Value::timestamp(event->time);
    default:
      return index < event->fields.size() ? event->fields[index] : Value::absent();
  }
}

Value Activation::record(std::uint32_t reference, std::string_view key) {
  if (references_ == nullptr) return Value::absent();
  if (record_.epoch == epoch_ && record_.reference == reference && record_.key == key)
    return record_.value;
  const Value found =
      references_->at(catalog_->business_data[reference].definition, key, now_, arena_);
  if (found.is_error()) missed_ = true;
  record_ = {epoch_, reference, arena_.copy(key), found};
  return found;
}

const Event* Activation::opened() {
  if (instance_ == nullptr) return nullptr;
  if (instance_->event != nullptr) return instance_->event;
  if (!decoded_known_) {
    decoded_known_ = true;
    const std::optional<Opened> decoded =
        decode_opened(instance_->opened, catalog_->schema, arena_);
    decoded_ = decoded ? decoded->event : nullptr;
    opened_item_ = decoded ? decoded->item : Value::absent();
  }
  return decoded_;
}

bool Activation::in_segment(std::uint32_t segment) {
  if (segment_depth_ >= kSegmentDepthMax) return false;
  ++segment_depth_;
  const bool in = catalog_->segments[segment].when->evaluate(*this, arena_).is_true();
  --segment_depth_;
  return in;
}

}  // namespace spur
