// What can only be said once all is compiled: whether definitions read one another in a circle, and
// so in which order features are folded; and whether something changes with time alone that nobody
// would ask for.
#include <algorithm>
#include <functional>
#include <set>

#include "operators/catalog/compile_context.h"

namespace spur::catalog {
namespace {

// A date is read again when something changes it, and nothing tells of what time alone changes.
void check_date_times(CompileContext& c, const Trigger& t) {
  if (t.retired || t.kind != Operator::kDate || !t.date) return;
  Reach reach;
  reach_of(c.out, *t.date, reach);
  bool moves = reach.now || reach.decayed || reach.business_data || !reach.models.empty() || !reach.segments.empty();
  for (const std::uint32_t f : reach.features)
    moves = moves || c.out.features[f].spec.window.count > 0;
  if (moves)
    c.error(spec_path("Trigger", t.name, "date.of"), "this changes with time alone",
            "a trait, or a Feature without `window`, such as one with aggregate first and `of: "
            "event.time`");
}

}  // namespace

// Features and segments may read one another, but not in a circle.
void order_features(CompileContext& c) {
  // 0 … features, then segments.
  const std::size_t features = c.out.features.size();
  const auto name = [&](std::size_t n) {
    return n < features ? "features." + c.out.features[n].name
                        : "segments['" + c.out.segments[n - features].name + "']";
  };
  std::vector<std::set<std::size_t>> reads(features + c.out.segments.size());
  const auto add = [&](std::size_t n, const std::optional<Program>& program,
                       std::string_view source) {
    if (!program) return;
    for (const std::uint32_t s : program->slots()) {
      const SlotSource& slot = c.out.slots[s];
      if (slot.kind == SlotKind::kFeature || slot.kind == SlotKind::kFeatureByKey ||
          slot.kind == SlotKind::kFeatureOfSession)
        reads[n].insert(slot.index);
      if (slot.kind != SlotKind::kSegments) continue;
      for (std::size_t i = 0; i < c.out.segments.size();
           ++i) {  // those that the source names in quotes
        const std::string& segment = c.out.segments[i].name;
        if (source.empty() || source.find("'" + segment + "'") != std::string_view::npos ||
            source.find('"' + segment + '"') != std::string_view::npos) {
          reads[n].insert(features + i);
        }
      }
    }
  };
  for (std::size_t i = 0; i < features; ++i) {
    if (c.out.features[i]
            .hidden) {  // made of several expressions; nothing can read it, so it closes no circle
      add(i, c.out.features[i].by, "");
      for (const Pattern& pattern : c.out.features[i].patterns) {
        for (const auto* program : {&pattern.where, &pattern.each, &pattern.key, &pattern.of})
          add(i, *program, "");
      }
      continue;
    }
    const spur::v1::Feature& from = c.in.features(static_cast<int>(i));
    add(i, c.out.features[i].of, from.of());
    add(i, c.out.features[i].by, from.by());
    for (std::size_t p = 0; p < c.out.features[i].patterns.size(); ++p) {
      const Pattern& pattern = c.out.features[i].patterns[p];
      add(i, pattern.where, from.patterns(static_cast<int>(p)).where());
      add(i, pattern.each, from.patterns(static_cast<int>(p)).each());
      add(i, pattern.key, from.patterns(static_cast<int>(p)).key());
    }
  }
  for (std::size_t i = 0; i < c.out.segments.size(); ++i) {
    add(features + i, c.out.segments[i].when, c.in.segments(static_cast<int>(i)).when());
  }
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(reads.size(), Mark::kNew);
  std::vector<std::size_t> trail, order;
  const std::function<void(std::size_t)> visit = [&](std::size_t n) {
    marks[n] = Mark::kOpen;
    trail.push_back(n);
    for (const std::size_t next : reads[n]) {
      if (marks[next] == Mark::kNew) visit(next);
      if (marks[next] != Mark::kOpen) continue;
      std::string circle;
      for (auto it = std::find(trail.begin(), trail.end(), next); it != trail.end(); ++it)
        circle += name(*it) + " → ";
      const bool feature = next < features;
      c.error(feature ? spec_path("Feature", c.out.features[next].name)
                      : spec_path("Segment", c.out.segments[next - features].name),
              "a circle of definitions: " + circle + name(next),
              "one of them must do without the others");
    }
    trail.pop_back();
    marks[n] = Mark::kDone;
    order.push_back(n);
  };
  for (std::size_t n = 0; n < reads.size(); ++n) {
    if (marks[n] == Mark::kNew) visit(n);
  }
  // Features are folded after those they read.
  c.out.feature_order.clear();
  for (const std::size_t n : order) {
    if (n < features) c.out.feature_order.push_back(static_cast<std::uint32_t>(n));
  }
}

// What changes with time alone and not at instants that can be computed must be asked for at
// intervals.
void check_times(CompileContext& c) {
  for (const Trigger& t : c.out.triggers) {
    check_date_times(c, t);
    if (t.retired || t.kind != Operator::kThreshold || t.every.count > 0) continue;
    if (t.rearm_before)
      continue;  // an intent: its score only falls with time, and that is asked for
    const Reach reach = reach_of_level(c.out, t);
    if (reach.now || reach.decayed || reach.business_data || !reach.models.empty()) {
      c.error(spec_path("Trigger", t.name, t.segment == kNone ? "threshold.when" : "segment"),
              std::string("this changes with time alone (") +
                  (reach.now             ? "`now`"
                   : reach.decayed       ? "a decayed feature"
                   : reach.business_data ? "business data"
                                         : "a model") +
                  ")",
              "say how often to ask: `every: 1h`");
    }
  }
}

}  // namespace spur::catalog
