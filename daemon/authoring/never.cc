#include "daemon/authoring/never.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "daemon/authoring/event_names.h"
#include "daemon/authoring/windows.h"
#include "fmt/format.h"
#include "state/check.h"

namespace spur::authoring {
namespace {

using catalog::Program;

constexpr const char* kNeverSends = "this is never true: the trigger never sends";
constexpr const char* kMendTrigger = "mend the condition, or say `enabled: false`";

// Whether the program is false (or an error) whatever it reads.
bool is_never(const std::optional<Program>& program) {
  if (!program) return false;
  const std::optional<Value> constant = program->constant();
  return constant && !constant->is_true();
}

class Looking {
 public:
  Looking(const spur::v1::Catalog& catalog, const catalog::Compiled& compiled,
          const catalog::SourceMap& positions)
      : catalog_(catalog), compiled_(compiled), positions_(positions) {}

  std::vector<catalog::Error> run() {
    for (const catalog::Trigger& trigger : compiled_.triggers) {
      if (trigger.enabled && !trigger.retired) triggers(trigger);
    }
    for (const catalog::Segment& segment : compiled_.segments) {
      if (is_never(segment.when)) {
        warn(catalog::resource_path("Segment", segment.name) + "/spec.when",
             "this is never true: nobody is in the segment", "mend the condition or remove it");
      }
    }
    for (const catalog::Feature& feature : compiled_.features) {
      if (feature.hidden) continue;  // told at the trigger that it is made for
      patterns(catalog::resource_path("Feature", feature.name) + "/spec.patterns",
               feature.patterns);
    }
    for (const catalog::Session& session : compiled_.sessions) {
      const std::string path = catalog::resource_path("Session", session.name) + "/spec";
      patterns(path + ".opens", session.opens);
      patterns(path + ".keeps", session.keeps);
      patterns(path + ".closes", session.closes);
    }
    add(unknown_event_names(catalog_));
    add(impossible_windows(catalog_));
    std::sort(warnings_.begin(), warnings_.end());
    warnings_.erase(std::unique(warnings_.begin(), warnings_.end()), warnings_.end());
    return std::move(warnings_);
  }

 private:
  void warn(const std::string& path, std::string message, std::string hint,
            std::size_t offset = 0) {
    const catalog::Position at =
        offset == 0 ? positions_.position(path) : positions_.position(path, offset);
    warnings_.push_back({at, std::move(message), std::move(hint)});
  }

  void add(std::vector<Never> found) {
    for (Never& never : found) {
      warn(never.path, std::move(never.message), std::move(never.hint), never.offset);
    }
  }

  void patterns(const std::string& path, std::span<const catalog::Pattern> patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (!is_never(patterns[i].where)) continue;
      warn(fmt::format("{}[{}].where", path, i), "this is never true: the pattern matches nothing",
           "mend the condition or remove the pattern");
    }
  }

  void triggers(const catalog::Trigger& trigger) {
    const std::string path = catalog::resource_path("Trigger", trigger.name) + "/spec";
    if (is_never(trigger.condition)) warn(path + ".if", kNeverSends, kMendTrigger);
    if (is_never(trigger.while_)) warn(path + ".while", kNeverSends, kMendTrigger);
    patterns(path + ".exit", trigger.exits);
    for (const spur::v1::Trigger& written : catalog_.triggers()) {
      if (written.name() == trigger.name) operates(path, written, trigger);
    }
    for (std::size_t i = 0; i < trigger.steps.size(); ++i) {
      step(fmt::format("{}.actions[{}]", path, i), trigger.steps[i]);
    }
  }

  void business(const std::string& path, const spur::v1::BusinessOperator& written,
                const catalog::Trigger& trigger) {
    std::span<const catalog::Pattern> rest(trigger.opens);
    for (int i = 0; i < written.interest_size(); ++i) {
      const auto count = static_cast<std::size_t>(written.interest(i).patterns_size());
      patterns(fmt::format("{}.interest[{}].patterns", path, i), rest.first(count));
      rest = rest.subspan(count);
    }
    patterns(path + ".closes", trigger.closes);
    if (is_never(trigger.change_when)) warn(path + ".when", kNeverSends, kMendTrigger);
  }

  // What the operator says, where it was written: what it was compiled to may be another operator.
  void operates(const std::string& path, const spur::v1::Trigger& written,
                const catalog::Trigger& trigger) {
    switch (written.operator_case()) {
      case spur::v1::Trigger::kEvent:
        return patterns(path + ".event.patterns", trigger.opens);
      case spur::v1::Trigger::kRhythm:
        return patterns(path + ".rhythm.patterns", patterns_made(trigger));
      case spur::v1::Trigger::kNovelty:
        patterns(path + ".novelty.patterns", trigger.opens);
        return kth(path, trigger);
      case spur::v1::Trigger::kBusiness:
        return business(path + ".business", written.business(), trigger);
      case spur::v1::Trigger::kAbsence:
        patterns(path + ".absence.opens", trigger.opens);
        patterns(path + ".absence.resets", trigger.resets);
        return patterns(path + ".absence.closes", trigger.closes);
      case spur::v1::Trigger::kSession:
        return session(path, trigger);
      case spur::v1::Trigger::kSequence:
        return sequence(path + ".sequence", trigger);
      case spur::v1::Trigger::kIntent:
        return scores(path + ".intent", written.intent(), patterns_made(trigger));
      case spur::v1::Trigger::kThreshold:
        if (is_never(trigger.when)) warn(path + ".threshold.when", kNeverSends, kMendTrigger);
        if (is_never(trigger.rearm))
          warn(path + ".threshold.rearm", "this is never true: the trigger fires once a customer",
               "say `once: customer` if that is meant");
        return;
      case spur::v1::Trigger::kSchedule:
        if (is_never(trigger.when)) warn(path + ".schedule.when", kNeverSends, kMendTrigger);
        return;
      default:  // without patterns and conditions
        return;
    }
  }

  void sequence(const std::string& path, const catalog::Trigger& trigger) {
    patterns(path + ".steps[0].patterns", trigger.opens);
    for (std::size_t i = 0; i < trigger.later_steps.size(); ++i) {
      patterns(fmt::format("{}.steps[{}].patterns", path, i + 1), trigger.later_steps[i].patterns);
    }
    patterns(path + ".without", trigger.closes);
    patterns(path + ".then_silent.patterns", trigger.silences);
  }

  // The patterns of the Feature that was made for the trigger's operator; none if it shares one
  // that the user wrote, which is told of itself.
  std::span<const catalog::Pattern> patterns_made(const catalog::Trigger& trigger) const {
    for (const std::uint32_t feature : trigger.features) {
      if (compiled_.features[feature].hidden) return compiled_.features[feature].patterns;
    }
    return {};
  }

  // `rest`: the patterns of all scores, one after the other.
  void scores(const std::string& path, const spur::v1::IntentOperator& intent,
              std::span<const catalog::Pattern> rest) {
    for (int i = 0; i < intent.scores_size() && !rest.empty(); ++i) {
      const auto count = static_cast<std::size_t>(intent.scores(i).patterns_size());
      SPUR_CHECK(count <= rest.size());
      patterns(fmt::format("{}.scores[{}].patterns", path, i), rest.first(count));
      rest = rest.subspan(count);
    }
  }

  void session(const std::string& path, const catalog::Trigger& trigger) {
    const catalog::Session& session = compiled_.sessions[static_cast<std::size_t>(trigger.session)];
    const bool idle = trigger.moment == catalog::SessionMoment::kIdle && session.idle.count == 0;
    const bool closed = trigger.moment == catalog::SessionMoment::kClosed && session.closes.empty();
    if (!idle && !closed) return;
    warn(path + ".session.on",
         fmt::format("the Session `{}` never {}: it has no `{}`", session.name,
                     idle ? "ends by silence" : "is closed", idle ? "idle" : "closes"),
         idle ? "give it `idle`, or say `on: closed`" : "give it `closes`, or say `on: idle`");
  }

  void kth(const std::string& path, const catalog::Trigger& trigger) {
    if (trigger.kth <= 0 || static_cast<std::uint32_t>(trigger.kth) <= trigger.limit) return;
    warn(path + ".novelty.kth",
         fmt::format("the {}th value never comes: {} are remembered", trigger.kth, trigger.limit),
         "raise `limit`");
  }

  void step(const std::string& path, const catalog::Step& step) {
    if (is_never(step.condition)) {
      warn(path + ".if", "this is never true: the step is never sent",
           "mend the condition or remove the step");
    }
    for (std::size_t i = 0; i + 1 < step.channels.size(); ++i) {
      const catalog::Channel& channel = compiled_.channels[step.channels[i]];
      if (!lets_all_through(channel)) continue;
      warn(fmt::format("{}.channels[{}]", path, i + 1),
           fmt::format("no step comes here: `{}` before it lets all through", channel.name),
           "give that one a `reach`, `quiet_hours` or `caps`, or put it last");
      return;
    }
  }

  // Caps of the Policy and all other guards are the same for every channel.
  bool lets_all_through(const catalog::Channel& channel) const {
    for (const spur::v1::Channel& said : catalog_.channels()) {
      if (said.name() == channel.name && !said.purpose().empty()) return false;
    }
    return !channel.reach && !channel.quiet_hours && channel.caps.empty();
  }

  const spur::v1::Catalog& catalog_;
  const catalog::Compiled& compiled_;
  const catalog::SourceMap& positions_;
  std::vector<catalog::Error> warnings_;
};

}  // namespace

std::vector<catalog::Error> never_warnings(const spur::v1::Catalog& catalog,
                                           const catalog::Compiled& compiled,
                                           const catalog::SourceMap& positions) {
  return Looking(catalog, compiled, positions).run();
}

}  // namespace spur::authoring
