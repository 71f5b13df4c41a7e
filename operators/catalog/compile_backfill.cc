// What tells a trigger with `backfill: once` of customers who were known before it: when the newest
// event of its patterns was, as Features remember it. Nobody has kept the events themselves.
//
// A Feature remembers a pattern if it counts the same events over all time and can say when the
// newest was: `last` or `max` of `event.time`, or `gaps` that take every event. Its `by` is the
// pattern's key. What it counts without the pattern's `where` is asked with that when the wait is
// taken up.
//
// The newest opening tells since when there is a wait only where each opening event ends the wait
// before it, or begins its time anew.
#include <algorithm>
#include <set>

#include "operators/catalog/compile_context.h"

namespace spur::catalog {
namespace {

using Written = google::protobuf::RepeatedPtrField<spur::v1::Pattern>;

// A pattern as it is compared: which events, and how they are told apart.
struct Events {
  Events(const spur::v1::Pattern& pattern, const std::string& key_of_all)
      : each(pattern.each()),
        where(pattern.where()),
        key(pattern.key().empty() ? key_of_all : pattern.key()) {
    for (const std::string& name : pattern.on()) names.insert(normalized_event_name(name));
  }

  bool has_all_of(const Events& other) const {
    return names.contains("*") ||
           std::includes(names.begin(), names.end(), other.names.begin(), other.names.end());
  }

  std::set<std::string> names;
  std::string each, where, key;
};

// Whether an event that opens by `opens` also ends, or restarts, what it has opened before.
bool follows(const Events& opens, const Events& pattern) {
  return pattern.has_all_of(opens) && (pattern.key.empty() || pattern.key == opens.key) &&
         (pattern.each.empty() || pattern.each == opens.each) &&
         (pattern.where.empty() || pattern.where == opens.where);
}

bool knows_newest(const spur::v1::Feature& feature) {
  if (feature.window_ms() != 0 || feature.offset_ms() != 0 || !feature.within().empty())
    return false;
  if (feature.aggregate() == "gaps") return !feature.distinct_days();
  return (feature.aggregate() == "last" || feature.aggregate() == "max") &&
         feature.of() == "event.time";
}

class BackfillCompiler {
 public:
  BackfillCompiler(CompileContext& context, Trigger& trigger) : c_(context), trigger_(trigger) {}

  // By the patterns of an absence. False: something of it is remembered nowhere.
  bool absence(const spur::v1::AbsenceOperator& from, const Written& exits) {
    std::vector<Events> opens, ends, resets;
    for (const spur::v1::Pattern& p : from.opens()) opens.emplace_back(p, from.key());
    for (const spur::v1::Pattern& p : from.resets()) resets.emplace_back(p, from.key());
    for (const spur::v1::Pattern& p : from.closes()) ends.emplace_back(p, from.key());
    for (const spur::v1::Pattern& p : exits) ends.emplace_back(p, "");
    for (std::size_t i = 0; i < opens.size(); ++i) {
      const auto again = [&](const Events& pattern) { return follows(opens[i], pattern); };
      if (std::none_of(ends.begin(), ends.end(), again) &&
          std::none_of(resets.begin(), resets.end(), again))
        return false;
      if (!remember(opens[i], &trigger_.opens[i], trigger_.opened_by)) return false;
    }
    for (const Events& events : resets) {
      if (!remember(events, nullptr, trigger_.reset_by)) return false;
    }
    return ended(opens, ends);
  }

  // A rhythm keeps the gaps itself, under the definition of a Feature that a user may have written.
  bool rhythm(const spur::v1::RhythmOperator& from, const Written& exits) {
    if (from.patterns_size() != 1) return false;
    const Events opens(from.patterns(0), "");
    // What the operator adds to the pattern's own `where` has been made a program of its own.
    Remembered& gaps = trigger_.opened_by.emplace_back();
    gaps.event = only_name(opens);
    gaps.where = trigger_.enough;
    if (trigger_.gaps != kNone && !from.distinct_days())
      gaps.features.push_back(static_cast<std::uint32_t>(trigger_.gaps));
    add_features(opens, /*without_where=*/false, gaps);
    if (gaps.features.empty()) return false;
    std::vector<Events> ends;
    for (const spur::v1::Pattern& p : exits) ends.emplace_back(p, "");
    return ended({opens}, ends);
  }

 private:
  static std::string only_name(const Events& events) {
    return events.names.size() == 1 && !events.names.contains("*") ? *events.names.begin() : "";
  }

  void add_features(const Events& events, bool without_where, Remembered& out) const {
    for (int i = 0; i < c_.in.features_size(); ++i) {
      const spur::v1::Feature& feature = c_.in.features(i);
      if (!knows_newest(feature) || feature.patterns_size() != 1) continue;
      const Events counted(feature.patterns(0), "");
      const std::string& where = without_where ? std::string() : events.where;
      if (counted.names == events.names && counted.each == events.each && counted.where == where &&
          feature.by() == events.key)
        out.features.push_back(static_cast<std::uint32_t>(i));
    }
  }

  // `pattern`: where what a Feature does not ask can be asked of it later.
  bool remember(const Events& events, const Pattern* pattern, std::vector<Remembered>& all) {
    Remembered& out = all.emplace_back();
    out.event = only_name(events);
    add_features(events, /*without_where=*/false, out);
    if (out.features.empty() && pattern != nullptr && pattern->where) {
      out.where = pattern->where;
      add_features(events, /*without_where=*/true, out);
    }
    return !out.features.empty();
  }

  bool ended(const std::vector<Events>& opens, const std::vector<Events>& ends) {
    for (const Events& events : ends) {
      if (!remember(events, nullptr, trigger_.ended_by)) return false;
      trigger_.ended_by.back().opens =
          std::any_of(opens.begin(), opens.end(),
                      [&](const Events& opening) { return follows(opening, events); });
    }
    return true;
  }

  CompileContext& c_;
  Trigger& trigger_;
};

}  // namespace

void compile_backfill(CompileContext& c, const spur::v1::Trigger& from, Trigger& t) {
  if (t.kind != Operator::kAbsence || t.opens.empty()) return;
  BackfillCompiler backfill(c, t);
  const bool told = from.has_rhythm() ? backfill.rhythm(from.rhythm(), from.exit())
                                      : backfill.absence(from.absence(), from.exit());
  if (told) return;
  t.opened_by.clear();
  c.warnings.push_back(
      {c.positions.position(spec_path("Trigger", from.name(), "backfill")),
       "nothing tells which customers known before the trigger wait, and since when",
       "Features that were there before, such as {on: Order Completed, aggregate: last, of: "
       "event.time}, one for each pattern that opens, resets or ends the wait; and an opening that "
       "ends or resets the wait before it (docs/catalog.md)"});
}

}  // namespace spur::catalog
