// What the catalog makes of a customer's state: which fields of the event that opened something are
// kept, and how what is remembered is numbered (state/layout.h).
#include <map>
#include <memory>
#include <set>

#include "fmt/format.h"
#include "operators/catalog/compile_context.h"
#include "state/digest.h"
#include "state/layout.h"

namespace spur::catalog {

// Which fields of the event that opened or fired an instance keeps: what is read of it later.
void keep_opened(CompileContext& c) {
  for (Trigger& t : c.out.triggers) {
    std::set<EventSchema::FieldIndex> fields;
    const auto keep = [&](const Program& program, bool event_too) {
      for (const std::uint32_t s : program.slots()) {
        const SlotSource& slot = c.out.slots[s];
        if (slot.kind == SlotKind::kOpenedField ||
            (event_too && slot.kind == SlotKind::kEventField))
          fields.insert(slot.index);
        if (slot.kind == SlotKind::kItem) t.keeps_item = true;
        if (slot.kind == SlotKind::kLastAt || slot.kind == SlotKind::kLastData)
          t.keeps_last_data = true;
        if (slot.kind == SlotKind::kPrevious) t.keeps_previous = true;
      }
    };
    if (t.after) keep(*t.after, false);
    if (t.until) keep(*t.until, false);
    if (t.condition) keep(*t.condition, false);
    if (t.while_) keep(*t.while_, false);
    for (const Step& step : t.steps) {
      if (step.condition) keep(*step.condition, true);
      for (const auto& [name, program] : step.data) keep(program, true);
    }
    t.opened_fields.assign(fields.begin(), fields.end());
    t.retractable = t.kind == Operator::kAbsence || t.kind == Operator::kNovelty ||
                    t.kind == Operator::kSequence ||
                    (t.kind == Operator::kSession && t.moment == SessionMoment::kIdle) ||
                    (t.kind == Operator::kBusiness && !t.closes.empty()) || !t.exits.empty();
    if (t.kind == Operator::kSession) {
      Session& session = c.out.sessions[static_cast<std::size_t>(t.session)];
      fields.insert(session.opened_fields.begin(), session.opened_fields.end());
      session.opened_fields.assign(fields.begin(), fields.end());
    }
    Reach reach = reach_of_level(c.out, t);
    for (const auto* program : {&t.condition, &t.while_, &t.after, &t.until, &t.date})
      if (*program) reach_of(c.out, **program, reach);
    const auto reach_patterns = [&](const std::vector<Pattern>& patterns) {
      for (const Pattern& p : patterns) {
        if (p.where) reach_of(c.out, *p.where, reach);
        if (p.of) reach_of(c.out, *p.of, reach);
      }
    };
    for (const auto* patterns : {&t.opens, &t.resets, &t.closes, &t.silences})
      reach_patterns(*patterns);
    for (const SequenceStep& step : t.later_steps) reach_patterns(step.patterns);
    for (const Step& step : t.steps) {
      if (step.condition) reach_of(c.out, *step.condition, reach);
      for (const auto& [name, program] : step.data) reach_of(c.out, program, reach);
    }
    t.features.assign(reach.features.begin(), reach.features.end());
  }
}

namespace {

// Rows name what they hold by its definition, so of several with the same one each but the first
// gets a definition of its own: two Models that differ in their parameters alone, say, which
// remember the same.
template <typename Defined>
void tell_apart(std::vector<Defined>& all) {
  std::map<std::uint64_t, std::uint32_t> seen;
  for (Defined& one : all) {
    const std::uint32_t before = seen[one.definition]++;
    if (before > 0) one.definition ^= hash64(fmt::format("again {}", before));
  }
}

}  // namespace

void lay_out(CompileContext& c) {
  tell_apart(c.out.features);
  tell_apart(c.out.sessions);
  tell_apart(c.out.models);
  auto layout = std::make_shared<Layout>();
  for (const Feature& f : c.out.features)
    layout->features.push_back({f.definition, f.spec, Compiled::is_keyed(f)});
  for (const Session& s : c.out.sessions) layout->sessions.push_back(s.definition);
  for (const Trigger& t : c.out.triggers) {
    layout->triggers.push_back(t.retired ? t.version
                                         : t.name_hash);  // a retired one has no state of its own
    layout->versions.push_back(t.version);
  }
  for (const Channel& ch : c.out.channels) layout->channels.push_back(ch.name_hash);
  for (const Model& m : c.out.models) layout->models.push_back(m.definition);
  c.out.layout = std::move(layout);
}

}  // namespace spur::catalog
