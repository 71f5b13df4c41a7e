// For each event name the list of what listens to it, so that an event costs only what it touches.
#include <algorithm>

#include "operators/catalog/compile_context.h"

namespace spur::catalog {
namespace {

using Lists = std::vector<Use> Listeners::*;

// The listeners of each event that the pattern means, once.
template <typename Add>
void for_names(Compiled& catalog, const Pattern& pattern, const Add& add) {
  if (pattern.all_names) {
    for (Listeners& at : catalog.by_name) add(at);
    return add(catalog.other);
  }
  const std::set<EventSchema::NameIndex> names(pattern.names.begin(), pattern.names.end());
  for (const EventSchema::NameIndex name : names) add(catalog.by_name[name]);
}

// Adds `owner`'s patterns to the lists of the names they mean.
void listen(Compiled& catalog, Lists list, std::uint32_t owner,
            const std::vector<Pattern>& patterns) {
  for (const Pattern& pattern : patterns)
    for_names(catalog, pattern, [&](Listeners& at) { (at.*list).push_back({owner, &pattern}); });
}

void listen_sequence(Compiled& catalog, std::uint32_t owner, const Trigger& t) {
  const auto concerned = [&](Listeners& at) {
    if (at.sequences.empty() || at.sequences.back() != owner) at.sequences.push_back(owner);
  };
  listen(catalog, &Listeners::silences, owner, t.silences);
  if (!t.retired) {
    listen(catalog, &Listeners::sequence_opens, owner, t.opens);
    for (const Pattern& pattern : t.opens) for_names(catalog, pattern, concerned);
  }
  for (std::uint32_t step = 0; step < t.later_steps.size(); ++step) {
    for (const Pattern& pattern : t.later_steps[step].patterns) {
      for_names(catalog, pattern, [&](Listeners& at) {
        at.sequence_steps.push_back({{owner, &pattern}, step});
        concerned(at);
      });
    }
  }
}

bool listens(const std::vector<Use>& uses, std::uint32_t owner) {
  return std::any_of(uses.begin(), uses.end(), [&](const Use& use) { return use.owner == owner; });
}

bool touches(const Listeners& at, const Reach& reach) {
  for (const std::uint32_t f : reach.features) {
    if (listens(at.features, f)) return true;
  }
  for (const std::uint32_t s : reach.sessions) {
    if (listens(at.session_opens, s) || listens(at.session_keeps, s) ||
        listens(at.session_closes, s))
      return true;
  }
  for (const std::uint32_t m : reach.models) {
    if (listens(at.models, m)) return true;
  }
  return false;
}

// Whether a threshold's level is nothing but what features without a window say, so that it can
// only change where one of them does: at an event that is folded into one, and when a session opens
// or ends. One with `rearm` is no such level: where both hold, each asking turns it.
bool is_level_of_features(const Compiled& catalog, const Trigger& t) {
  if (!t.when || t.rearm || t.every.count > 0) return false;
  const std::span<const std::uint32_t> slots = t.when->slots();
  return std::all_of(slots.begin(), slots.end(), [&](std::uint32_t s) {
    const SlotSource& slot = catalog.slots[s];
    if (slot.kind != SlotKind::kFeature) return false;
    const Feature& feature = catalog.features[slot.index];
    const AggregateSpec& spec = feature.spec;
    return spec.kind != AggregateKind::kDecayed && !feature.per_session && spec.window.count == 0 &&
           spec.offset.count == 0;
  });
}

// The slots of before.x that anything asked at this event may read.
void collect_before(const Compiled& catalog, Listeners& at) {
  std::set<std::uint32_t> slots;
  const auto add = [&](const std::optional<Program>& program) {
    if (!program) return;
    for (const std::uint32_t s : program->slots()) {
      const SlotKind kind = catalog.slots[s].kind;
      if (kind == SlotKind::kBefore || kind == SlotKind::kBeforeByKey) slots.insert(s);
    }
  };
  const auto add_pattern = [&](const Pattern& pattern) {
    add(pattern.where);
    add(pattern.each);
    add(pattern.key);
    add(pattern.of);
  };
  for (const std::vector<Use>* uses :
       {&at.session_opens, &at.session_keeps, &at.session_closes, &at.features, &at.models,
        &at.exits, &at.closes, &at.resets, &at.opens, &at.events, &at.novelties, &at.silences,
        &at.interests, &at.sequence_opens, &at.grants, &at.withdrawals, &at.erasures}) {
    for (const Use& use : *uses) add_pattern(*use.pattern);
  }
  for (const StepUse& step : at.sequence_steps) add_pattern(*step.use.pattern);
  for (const std::uint32_t t : at.thresholds) add(catalog.triggers[t].rearm_before);
  for (const Use& use : at.features) {
    add(catalog.features[use.owner].of);
    add(catalog.features[use.owner].by);
  }
  for (const std::vector<Use>* uses : {&at.resets, &at.opens, &at.events, &at.novelties}) {
    for (const Use& use : *uses) {
      const Trigger& t = catalog.triggers[use.owner];
      add(t.after);
      add(t.until);
      add(t.condition);
      for (const Step& step : t.steps) {
        add(step.condition);
        for (const auto& [name, program] : step.data) {
          for (const std::uint32_t s : program.slots()) {
            const SlotKind kind = catalog.slots[s].kind;
            if (kind == SlotKind::kBefore || kind == SlotKind::kBeforeByKey) slots.insert(s);
          }
        }
      }
    }
  }
  at.before.assign(slots.begin(), slots.end());
}

}  // namespace

void index_listeners(CompileContext& context) {
  Compiled& catalog = context.out;
  catalog.by_name.assign(catalog.schema.name_count(), {});
  for (const std::uint32_t i : catalog.feature_order) {
    listen(catalog, &Listeners::features, i, catalog.features[i].patterns);
  }
  for (std::uint32_t i = 0; i < catalog.sessions.size(); ++i) {
    const Session& session = catalog.sessions[i];
    listen(catalog, &Listeners::session_opens, i, session.opens);
    listen(catalog, &Listeners::session_keeps, i, session.keeps);
    listen(catalog, &Listeners::session_closes, i, session.closes);
  }
  for (std::uint32_t i = 0; i < catalog.models.size(); ++i) {
    listen(catalog, &Listeners::models, i, catalog.models[i].patterns);
  }
  for (std::uint32_t i = 0; i < catalog.triggers.size(); ++i) {
    const Trigger& t = catalog.triggers[i];
    listen(catalog, &Listeners::exits, i, t.exits);
    listen(catalog, &Listeners::closes, i, t.closes);
    listen(catalog, &Listeners::resets, i, t.resets);
    if (t.kind == Operator::kSequence) listen_sequence(catalog, i, t);
    if (t.kind == Operator::kBusiness && t.reference != kNone)
      catalog.business_data[static_cast<std::size_t>(t.reference)].triggers.push_back(i);
    if (t.retired) continue;
    if (t.kind == Operator::kDate) catalog.dates.push_back(i);
    if (t.kind == Operator::kAbsence) listen(catalog, &Listeners::opens, i, t.opens);
    if (t.kind == Operator::kBusiness) listen(catalog, &Listeners::interests, i, t.opens);
    if (t.kind == Operator::kEvent) listen(catalog, &Listeners::events, i, t.opens);
    if (t.kind == Operator::kNovelty) listen(catalog, &Listeners::novelties, i, t.opens);
    if (t.backfill) catalog.backfills.push_back(i);
    if (t.kind == Operator::kSchedule) catalog.schedules.push_back(i);
    if (t.kind == Operator::kThreshold) catalog.thresholds.push_back(i);
    if (t.kind == Operator::kSession)
      catalog.sessions[static_cast<std::size_t>(t.session)].triggers.push_back(i);
  }
  listen(catalog, &Listeners::grants, 0, catalog.policy.consent.granted);
  listen(catalog, &Listeners::withdrawals, 0, catalog.policy.consent.withdrawn);
  listen(catalog, &Listeners::erasures, 0, catalog.policy.erasure);
  const auto for_all = [&](auto&& visit) {
    for (Listeners& at : catalog.by_name) visit(at);
    visit(catalog.other);
  };
  for (std::uint32_t i = 0; i < catalog.triggers.size(); ++i) {
    Trigger& t = catalog.triggers[i];
    if (t.after) {
      const std::optional<Value> after = t.after->constant();
      if (after && after->is(Kind::kDuration)) t.after_always = after->as_millis();
    }
    if (t.retired) continue;
    if (t.kind == Operator::kPrediction) {
      for_all([&](Listeners& at) {
        if (listens(at.models, static_cast<std::uint32_t>(t.model))) at.predictions.push_back(i);
      });
    }
    if (t.kind == Operator::kDate && t.date) {
      Reach reach;
      reach_of(catalog, *t.date, reach);
      if (reach.traits || !t.zone) catalog.trait_dates.push_back(i);
      for_all([&](Listeners& at) {
        if (touches(at, reach)) at.dates.push_back(i);
      });
    }
    if (t.kind != Operator::kThreshold) continue;
    Reach reach = reach_of_level(catalog, t);
    for (const std::uint32_t f : reach.features) {
      if (catalog.features[f].spec.window.count > 0 || catalog.features[f].spec.offset.count > 0) {
        t.windowed_features.push_back(f);
      }
    }
    for (const std::uint32_t s : reach.sessions) catalog.sessions[s].thresholds.push_back(i);
    if (is_level_of_features(catalog, t)) {
      reach.sessions.clear();
    } else {
      for (const std::uint32_t s : reach.sessions) catalog.sessions[s].thresholds_kept.push_back(i);
    }
    if (reach.traits) catalog.trait_thresholds.push_back(i);
    // One that asks at intervals is asked at every event too, whatever it reads.
    for_all([&](Listeners& at) {
      if (touches(at, reach)) at.thresholds.push_back(i);
    });
  }
  for_all([&](Listeners& at) { collect_before(catalog, at); });
}

}  // namespace spur::catalog
