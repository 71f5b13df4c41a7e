#include "state/codec/customer_codec.h"

#include <algorithm>

#include "spur/v1/state.pb.h"

namespace spur {
namespace {

constexpr char kVersion = 1;

void encode_features(const Customer& customer, const Layout& layout, v1::CustomerRow& row) {
  for (std::size_t i = 0; i < layout.features.size(); ++i) {
    const Layout::Feature& feature = layout.features[i];
    const KeyedAggregates* const keyed =
        feature.keyed ? customer.keyed(static_cast<std::uint32_t>(i)) : nullptr;
    const bool single =
        !feature.keyed && i < customer.features.size() && !customer.features.empty(i);
    if (!single && (keyed == nullptr || keyed->empty())) continue;
    v1::FeatureRow* out = row.add_features();
    out->set_definition(feature.definition);
    if (feature.keyed) {
      keyed->encode(feature.spec, *out->mutable_state());
    } else {
      customer.features.encode(i, feature.spec, *out->mutable_state());
    }
  }
}

void encode_triggers(const Customer& customer, const Layout& layout, v1::CustomerRow& row) {
  for (const TriggerState& t : customer.triggers) {
    v1::TriggerRow* out = row.add_triggers();
    out->set_trigger(layout.triggers[t.trigger]);
    out->set_level(t.level);
    out->set_next_ms(t.next.ms);
    out->set_fired(t.fired);
    out->set_last_fired_ms(t.last_fired.ms);
    out->set_silenced(t.silenced);
    if (t.more == nullptr) continue;
    out->mutable_seen()->Add(t.more->seen.begin(), t.more->seen.end());
    out->set_seen_dropped(t.more->seen_dropped);
    if (t.more->last_sent != Instant::distant_past()) out->set_last_sent_ms(t.more->last_sent.ms);
    for (const KeyTime& k : t.more->by_key) {
      v1::KeyTimeRow* key = out->add_last_fired_by_key();
      key->set_key(k.key);
      key->set_time_ms(k.time.ms);
      key->set_silenced(k.silenced);
    }
    for (const LastData& l : t.more->last) {
      v1::LastDataRow* last = out->add_last_data();
      last->set_key(l.key);
      last->set_at_ms(l.at.ms);
      last->set_data(l.data);
    }
  }
  Arena arena;
  for (const Instances::View& i : customer.instances) {
    v1::InstanceRow* out = row.add_instances();
    out->set_trigger(layout.versions[i.trigger]);
    out->set_key(std::string(i.key));
    out->set_opened_at_ms(i.opened_at.ms);
    out->set_count(i.count);
    out->set_due_ms(i.due.ms);
    out->set_opened(std::string(Instances::opened(i, arena)));
  }
}

void encode_rare(const Customer::Rare& rare, const Layout& layout, v1::CustomerRow& row) {
  for (const Trait& t : rare.traits) {
    v1::TraitRow* out = row.add_traits();
    out->set_name(t.name);
    out->set_value(t.value);
    out->set_time_ms(t.time.ms);
  }
  for (const Pending& p : rare.pending) {
    v1::PendingRow* out = row.add_pending();
    out->set_trigger(layout.versions[p.trigger]);
    out->set_key(p.key);
    out->set_step(p.step);
    out->set_due_ms(p.due.ms);
    out->set_release_ms(p.release.ms);
    out->set_fired_at_ms(p.fired_at.ms);
    out->set_state(static_cast<std::uint32_t>(p.state));
    out->set_opened_at_ms(p.opened_at.ms);
    out->set_count(p.count);
    out->set_opened(p.opened);
    out->set_counted(p.counted);
    out->set_previous(p.previous);
    if (p.state == Pending::State::kDeferred) out->set_channel(layout.channels[p.channel]);
  }
  for (const Held& h : rare.held) {
    v1::HeldRow* out = row.add_held();
    out->set_trigger(layout.versions[h.trigger]);
    out->set_key(h.key);
    out->set_release_ms(h.release.ms);
    out->set_due_ms(h.due.ms);
    out->set_opened_at_ms(h.opened_at.ms);
    out->set_count(h.count);
    out->set_opened(h.opened);
    out->set_decisions(h.decisions);
  }
  for (const Sent& s : rare.sent) {
    v1::SentRow* out = row.add_sent();
    out->set_channel(layout.channels[s.channel]);
    out->set_class_(s.trigger_class);
    for (const Instant t : s.times) out->add_times_ms(t.ms);
  }
  for (const Buffered& b : rare.buffered) {
    v1::BufferedRow* out = row.add_buffered();
    out->set_event(b.event);
    out->set_received_ms(b.received.ms);
    out->set_time_ms(b.time.ms);
    out->set_rank(b.rank);
    out->set_id(b.id);
  }
  for (const ModelState& m : rare.models) {
    v1::ModelRow* out = row.add_models();
    out->set_definition(layout.models[m.model]);
    out->set_first_ms(m.first.ms);
    out->set_last_ms(m.last.ms);
    out->set_purchases(m.purchases);
  }
  for (const Consent& c : rare.consents) {
    v1::ConsentRow* out = row.add_consents();
    out->set_purpose(c.purpose);
    out->set_granted(c.granted);
    out->set_time_ms(c.time.ms);
    out->set_source(c.source);
    out->set_text_version(c.text_version);
    out->set_legal_basis(c.legal_basis);
  }
  for (const Retractable& r : rare.retractable) {
    v1::RetractableRow* out = row.add_retractable();
    out->set_trigger(layout.versions[r.trigger]);
    out->set_step(r.step);
    out->set_channel(layout.channels[r.channel]);
    out->set_key(r.key);
    out->set_at_ms(r.at.ms);
    out->set_fired_at_ms(r.fired_at.ms);
    out->set_opened_at_ms(r.opened_at.ms);
    out->set_count(r.count);
    out->set_opened(r.opened);
    out->set_run(r.run);
    out->set_input(r.input);
    out->set_ordinal(r.ordinal);
  }
  if (rare.erased != Instant::never()) row.set_erased_ms(rare.erased.ms);
}

bool decode_features(const v1::CustomerRow& row, const Layout& layout, Customer& out) {
  out.features.resize(layout.features.size());
  for (const v1::FeatureRow& feature : row.features()) {
    const std::int32_t place = layout.find_feature(feature.definition());
    if (place < 0) continue;
    const Layout::Feature& definition = layout.features[static_cast<std::size_t>(place)];
    const bool valid = definition.keyed ? out.keyed_or_new(static_cast<std::uint32_t>(place))
                                              .decode(definition.spec, feature.state())
                                        : out.features.decode(static_cast<std::size_t>(place),
                                                              definition.spec, feature.state());
    if (!valid) return false;
  }
  return true;
}

void decode_triggers(const v1::CustomerRow& row, const Layout& layout, Customer& out) {
  for (const v1::TriggerRow& t : row.triggers()) {
    const std::int32_t place = find_hash(layout.triggers, t.trigger());
    if (place < 0) continue;
    TriggerState state;
    state.trigger = static_cast<std::uint32_t>(place);
    state.level = t.level();
    state.next = {t.next_ms()};
    state.fired = t.fired();
    state.last_fired = {t.last_fired_ms()};
    state.silenced = static_cast<std::uint8_t>(t.silenced());
    if (t.seen_size() + t.last_fired_by_key_size() + t.last_data_size() > 0 ||
        t.last_sent_ms() != 0) {
      state.more = std::make_unique<TriggerState::More>();
      if (t.last_sent_ms() != 0) state.more->last_sent = {t.last_sent_ms()};
      state.more->seen.assign(t.seen().begin(), t.seen().end());
      state.more->seen_dropped = t.seen_dropped();
      for (const v1::KeyTimeRow& k : t.last_fired_by_key()) {
        state.more->by_key.push_back(
            {k.key(), {k.time_ms()}, static_cast<std::uint8_t>(k.silenced())});
      }
      for (const v1::LastDataRow& l : t.last_data()) {
        state.more->last.push_back({l.key(), {l.at_ms()}, l.data()});
      }
    }
    out.triggers.push_back(std::move(state));
  }
  std::sort(out.triggers.begin(), out.triggers.end(),
            [](const TriggerState& a, const TriggerState& b) { return a.trigger < b.trigger; });
  std::vector<Instances::Fresh> waits;
  for (const v1::InstanceRow& i : row.instances()) {
    const std::int32_t place = find_hash(layout.versions, i.trigger());
    if (place < 0) continue;
    waits.push_back({static_cast<std::uint32_t>(place),
                     static_cast<std::uint32_t>(i.count()),
                     {i.opened_at_ms()},
                     {i.due_ms()},
                     i.key(),
                     i.opened()});
  }
  out.instances = Instances::of(std::move(waits));
}

void decode_rare(const v1::CustomerRow& row, const Layout& layout, Customer& out) {
  if (row.traits_size() + row.pending_size() + row.held_size() + row.sent_size() +
              row.buffered_size() + row.models_size() + row.consents_size() +
              row.retractable_size() ==
          0 &&
      row.erased_ms() == 0) {
    return;
  }
  Customer::Rare& rare = out.more();
  for (const v1::TraitRow& t : row.traits())
    rare.traits.push_back({t.name(), t.value(), {t.time_ms()}});
  for (const v1::PendingRow& p : row.pending()) {
    const std::int32_t place = find_hash(layout.versions, p.trigger());
    if (place < 0) continue;
    Pending pending;
    pending.trigger = static_cast<std::uint32_t>(place);
    pending.step = p.step();
    pending.state = static_cast<Pending::State>(p.state());
    // Only a deferred step has chosen its channel already.
    const bool deferred = pending.state == Pending::State::kDeferred;
    const std::int32_t channel = deferred ? find_hash(layout.channels, p.channel()) : 0;
    if (channel < 0) continue;
    pending.counted = p.counted();
    pending.channel = static_cast<std::uint32_t>(channel);
    pending.count = static_cast<std::uint32_t>(p.count());
    pending.due = {p.due_ms()};
    pending.release = {p.release_ms()};
    pending.fired_at = {p.fired_at_ms()};
    pending.opened_at = {p.opened_at_ms()};
    pending.key = p.key();
    pending.opened = p.opened();
    pending.previous = p.previous();
    rare.pending.push_back(std::move(pending));
  }
  for (const v1::HeldRow& h : row.held()) {
    const std::int32_t place = find_hash(layout.versions, h.trigger());
    if (place < 0) continue;
    rare.held.push_back({static_cast<std::uint32_t>(place),
                         static_cast<std::uint32_t>(h.count()),
                         {h.release_ms()},
                         {h.due_ms()},
                         {h.opened_at_ms()},
                         h.key(),
                         h.opened(),
                         h.decisions()});
  }
  for (const v1::SentRow& s : row.sent()) {
    const std::int32_t channel = find_hash(layout.channels, s.channel());
    if (channel < 0) continue;
    Sent sent{static_cast<std::uint32_t>(channel), static_cast<std::uint8_t>(s.class_()), {}};
    for (const std::int64_t t : s.times_ms()) sent.times.push_back({t});
    rare.sent.push_back(std::move(sent));
  }
  std::sort(rare.sent.begin(), rare.sent.end(), [](const Sent& a, const Sent& b) {
    return a.channel != b.channel ? a.channel < b.channel : a.trigger_class < b.trigger_class;
  });
  for (const v1::ConsentRow& c : row.consents()) {
    rare.consents.push_back(
        {c.purpose(), c.granted(), {c.time_ms()}, c.source(), c.text_version(), c.legal_basis()});
  }
  for (const v1::RetractableRow& r : row.retractable()) {
    const std::int32_t trigger = find_hash(layout.versions, r.trigger());
    const std::int32_t channel = find_hash(layout.channels, r.channel());
    if (trigger < 0 || channel < 0) continue;
    rare.retractable.push_back({static_cast<std::uint32_t>(trigger),
                                r.step(),
                                static_cast<std::uint32_t>(channel),
                                static_cast<std::uint32_t>(r.count()),
                                {r.at_ms()},
                                {r.fired_at_ms()},
                                {r.opened_at_ms()},
                                r.key(),
                                r.opened(),
                                r.run(),
                                r.input(),
                                r.ordinal()});
  }
  if (row.erased_ms() != 0) rare.erased = {row.erased_ms()};
  for (const v1::BufferedRow& b : row.buffered()) {
    rare.buffered.push_back({{b.time_ms()},
                             static_cast<std::uint16_t>(b.rank()),
                             b.id(),
                             b.event(),
                             {b.received_ms()}});
  }
  for (const v1::ModelRow& m : row.models()) {
    const std::int32_t place = find_hash(layout.models, m.definition());
    if (place < 0) continue;
    rare.models.push_back(
        {static_cast<std::uint32_t>(place), {m.first_ms()}, {m.last_ms()}, m.purchases()});
  }
  std::sort(rare.models.begin(), rare.models.end(),
            [](const ModelState& a, const ModelState& b) { return a.model < b.model; });
}

}  // namespace

std::string encode_customer(const Customer& customer, const Layout& layout) {
  v1::CustomerRow row;
  row.set_identity_kind(static_cast<std::uint32_t>(customer.kind));
  row.set_identity(customer.identity.str());
  row.set_first_seen_ms(customer.first_seen.ms);
  row.set_newest_ms(customer.newest.ms);
  row.set_next_due_ms(customer.next_due.ms);
  row.set_scheduled_wake_ms(customer.wake.ms);
  row.set_first_generation(customer.first_generation);
  row.set_planned(customer.planned);
  encode_features(customer, layout, row);
  for (const SessionState& s : customer.sessions) {
    v1::SessionRow* out = row.add_sessions();
    out->set_definition(layout.sessions[s.session]);
    out->set_key(s.key.str());
    out->set_started_ms(s.started.ms);
    out->set_last_ms(s.last.ms);
    out->set_events(s.events);
    out->set_count(s.count);
    out->set_open(s.open);
    out->set_opened(s.opened.str());
  }
  encode_triggers(customer, layout, row);
  for (const Seen& s : customer.seen) {
    v1::SeenRow* out = row.add_seen();
    out->set_high(s.high);
    out->set_low(s.low);
    out->set_arrived_ms(s.arrived.ms);
    out->set_content(s.content);
  }
  if (customer.rare != nullptr) encode_rare(*customer.rare, layout, row);

  std::string bytes(1, kVersion);
  row.AppendToString(&bytes);
  return bytes;
}

bool decode_customer(std::string_view bytes, const Layout& layout, Customer& out) {
  v1::CustomerRow row;
  if (bytes.empty() || bytes[0] != kVersion) return false;
  if (!row.ParseFromArray(bytes.data() + 1, static_cast<int>(bytes.size() - 1))) return false;
  const auto kind = stored_kind(row.identity_kind(), row.identity());
  if (!kind) return false;
  out = Customer();
  out.kind = *kind;
  out.identity = row.identity();
  out.first_seen = {row.first_seen_ms()};
  out.newest = {row.newest_ms()};
  out.next_due = {row.next_due_ms()};
  out.wake = out.stored_wake = {row.scheduled_wake_ms()};
  out.first_generation = row.first_generation();
  out.planned = row.planned();
  if (!decode_features(row, layout, out)) return false;
  for (const v1::SessionRow& s : row.sessions()) {
    const std::int32_t place = find_hash(layout.sessions, s.definition());
    if (place < 0) continue;
    out.sessions.push_back({static_cast<std::uint32_t>(place),
                            s.open(),
                            s.key(),
                            {s.started_ms()},
                            {s.last_ms()},
                            s.events(),
                            s.count(),
                            s.opened()});
  }
  std::sort(out.sessions.begin(), out.sessions.end(),
            [](const SessionState& a, const SessionState& b) {
              return a.session != b.session ? a.session < b.session : a.key < b.key;
            });
  decode_triggers(row, layout, out);
  for (const v1::SeenRow& s : row.seen()) {
    out.seen.push_back({s.high(), s.low(), {s.arrived_ms()}, s.content()});
  }
  decode_rare(row, layout, out);
  return true;
}

}  // namespace spur
